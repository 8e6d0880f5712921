# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step after another, judged from one look; runs are in test_run.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.plan import (
    Baseline,
    PlannedMigration,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.steps import (
    MigrationOperation,
    Seen,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import SHUTDOWN
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Act,
    Arrived,
    Fail,
    Gone,
    Wait,
)
from fakes import values
from fakes.migrating import FakeMigratingNova

HOME, AWAY = "compute-1", "compute-2"
UP = (values.service(HOME), values.service(AWAY))


def operation(cloud: FakeMigratingNova | None = None, method: str = "auto") -> MigrationOperation:
    move = PlannedMigration(
        instance=values.instance(host=AWAY),
        source=AWAY,
        host=HOME,
        action="live_migrate",
        baseline=Baseline(vm_state="active", volume_ids=frozenset(), port_ids=frozenset()),
    )
    return MigrationOperation(cloud or FakeMigratingNova(), [move], method)


def record(status: str, kind: str = "live-migration", to: str = HOME) -> Any:
    return values.record(7, status, migration_type=kind, source_compute=AWAY, dest_compute=to)


def judged(*records: Any, services: Any = UP, **fields: Any) -> Any:
    instance = values.instance(**{"host": AWAY, **fields})
    seen = Seen(instance=instance, records=records, services=services)
    return operation().judge(instance.id, seen)


def test_next_steps() -> None:
    assert judged() == Act("live_migrate")
    assert judged(vm_state="stopped", power_state=SHUTDOWN) == Act("cold_migrate")
    assert judged(task_state="migrating") == Wait("migrating")
    assert judged(record("queued"), task_state="migrating") == Wait("queued")
    assert judged(record("finished", "migration"), vm_state="resized", host=HOME) == Act("confirm")
    assert judged(record("confirming", "migration"), vm_state="resized") == Wait("confirming")
    assert judged(record("completed"), host=HOME) == Arrived()
    # What has failed is still to be done.
    assert judged(record("error")) == Act("live_migrate")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"vm_state": "error"}, "in_error"),
        ({"vm_state": "error", "host": HOME}, "in_error"),
        ({"host": "compute-3"}, "moved_elsewhere"),
        ({"vm_state": "suspended"}, "vm_state_not_migratable"),
        ({"services": (values.service(HOME, state="down"),)}, "host_is_down"),
        ({"services": (values.service(HOME, status="disabled"),)}, "host_is_disabled"),
        ({"services": ()}, "host_not_found"),
    ],
)
def test_what_can_be_brought_no_further(fields: dict[str, Any], code: str) -> None:
    verdict = judged(**fields)
    assert isinstance(verdict, Fail)
    assert verdict.code == code


def test_another_move_that_has_begun() -> None:
    assert judged(record("running", to="compute-3"), task_state="migrating") == Wait("migrating")
    verdict = judged(record("finished", "resize"), vm_state="resized")
    assert isinstance(verdict, Fail)
    assert verdict.code == "migration_in_progress"


def test_one_that_is_deleted() -> None:
    assert operation().judge("id-web-1", None) == Gone()
    assert judged(vm_state="deleted") == Gone()
    assert judged(task_state="deleting") == Gone()


def test_how_far_it_has_come() -> None:
    def state(*records: Any, **fields: Any) -> str:
        seen = Seen(instance=values.instance(**{"host": AWAY, **fields}), records=records)
        standing = operation().standing("id-web-1", seen)
        assert standing.host == seen.instance.host
        return standing.state

    assert state() == "not moved, active"
    assert state(host=HOME) == "at its host, active"
    assert state(record("running")) == "on its way (running)"
    waits = record("finished", "migration")
    assert state(waits, vm_state="resized", host=HOME) == "migrated, not confirmed"
    assert operation().standing("id-web-1", None).state == "deleted"


def test_services_are_read_only_when_something_could_begin() -> None:
    cloud = FakeMigratingNova()
    cloud.add(values.instance(host=AWAY))
    looked = operation(cloud).look(["id-web-1", "id-unknown"])
    assert set(looked) == {"id-web-1"}
    assert looked["id-web-1"].services
    cloud._change("id-web-1", task_state="migrating")
    assert not operation(cloud).look(["id-web-1"])["id-web-1"].services


def test_calls() -> None:
    cloud = FakeMigratingNova()
    cloud.add(values.instance(host=AWAY))
    for step, kind in (("live_migrate", "live-migration"), ("cold_migrate", "migration")):
        assert operation(cloud).send("id-web-1", step) == "req-1"
        assert cloud.sent[-1] == ("id-web-1", kind, HOME)
        cloud._change("id-web-1", task_state=None)
    cloud.write_record("finished", migration_type="migration")
    cloud._change("id-web-1", vm_state="resized")
    assert operation(cloud).send("id-web-1", "confirm") == "req-confirm"
    cloud.failures["id-web-1"] = "No valid host"
    assert operation(cloud).why_ended("id-web-1", "live_migrate") == "No valid host"
    assert operation(cloud).remedy("id-web-1", None) is None


def test_one_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    cloud = FakeMigratingNova()
    first = cloud.add(values.instance("web-1", host=HOME))
    second = cloud.add(values.instance("web-2", host=HOME))
    baseline = Baseline(vm_state="active", volume_ids=frozenset(), port_ids=frozenset())
    moves = [
        PlannedMigration(instance=i, source=AWAY, host=HOME, action="verify", baseline=baseline)
        for i in (first, second)
    ]

    class Broken(FakeMigratingNova):
        def allocation_hosts(self, instance_id: str) -> frozenset[str]:
            if instance_id in broken:
                raise RecoveryError("api_error", "no")
            return super().allocation_hosts(instance_id)

    broken = {first.id}
    cloud.__class__ = Broken
    run = MigrationOperation(cloud, moves, "auto")
    seen = {i.id: Seen(instance=replace(i), records=()) for i in (first, second)}
    assert set(run.verify(seen)) == {second.id}
    broken.add(second.id)
    with pytest.raises(RecoveryError):
        run.verify(seen)
