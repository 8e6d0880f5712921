# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan is made from what Nova shows, and refused as a whole when a host cannot take anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.plan import (
    Plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.request import (
    Request,
    Wish,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    SHUTDOWN,
    MigrationRecord,
)
from fakes import values
from fakes.migrating import FakeMigratingNova

HOME = "compute-1"
STOPPED = {"vm_state": "stopped", "power_state": SHUTDOWN}


def cloud_with(name: str = "web-1", **fields: Any) -> FakeMigratingNova:
    cloud = FakeMigratingNova()
    cloud.add(values.instance(name, **{"host": "compute-2", **fields}))
    return cloud


def plan(cloud: FakeMigratingNova, host: str = HOME, **options: Any) -> Plan:
    wishes = tuple(
        Wish(instance_id=i, host=host, expected=options.get("expected"))
        for i in [*cloud.instances, *options.get("unknown", ())]
    )
    others = {k: v for k, v in options.items() if k not in ("expected", "unknown")}
    return build_plan(cloud, Request(wishes=wishes, **others))


def only(cloud: FakeMigratingNova, **options: Any) -> tuple[str, str | None]:
    """Action and code of the only instance."""
    (entry,) = plan(cloud, **options).as_list()
    return entry["action"], entry["code"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("live_migrate", None)),
        (STOPPED, ("cold_migrate", None)),
        ({"host": HOME}, ("verify", None)),
        ({"locked": True}, ("skip", "locked")),
        # At home nobody minds the lock.
        ({"host": HOME, "locked": True}, ("verify", None)),
        ({"task_state": "rebooting"}, ("skip", "busy")),
        ({"task_state": "deleting"}, ("skip", "being_deleted")),
        ({"vm_state": "soft-delete"}, ("skip", "being_deleted")),
        ({"vm_state": "suspended"}, ("skip", "vm_state_not_migratable")),
        ({"power_state": SHUTDOWN}, ("skip", "not_running")),
        ({"vm_state": "shelved_offloaded", "host": None}, ("skip", "vm_state_not_migratable")),
    ],
)
def test_decisions(fields: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert only(cloud_with(**fields)) == expected


def test_options_of_a_request() -> None:
    assert only(cloud_with(locked=True), include_locked=True) == ("live_migrate", None)
    assert only(cloud_with(), method="cold") == ("cold_migrate", None)
    assert only(cloud_with(**STOPPED), method="live") == ("skip", "vm_state_not_migratable")


def test_one_that_was_moved_since_is_left_alone() -> None:
    assert only(cloud_with(), expected="compute-3") == ("skip", "moved_elsewhere")
    assert only(cloud_with(), expected="compute-2") == ("live_migrate", None)
    # Wherever it was expected: it is at home.
    assert only(cloud_with(host=HOME), expected="compute-2") == ("verify", None)


def test_one_that_is_gone() -> None:
    cloud = cloud_with()
    entries = plan(cloud, unknown=["id-gone"]).as_list()
    assert [(e["action"], e["code"]) for e in entries] == [
        ("live_migrate", None),
        ("skip", "deleted"),
    ]
    cloud.delete("id-web-1")
    assert only(cloud) == ("skip", "deleted")


@pytest.mark.parametrize(
    ("status", "kind", "to", "expected"),
    [
        ("running", "live-migration", HOME, ("adopt", None)),
        ("accepted", "live-migration", None, ("adopt", None)),
        ("migrating", "migration", HOME, ("adopt", None)),
        ("finished", "migration", HOME, ("confirm", None)),
        ("finished", "resize", HOME, ("skip", "migration_in_progress")),
        ("running", "live-migration", "compute-4", ("skip", "migration_in_progress")),
        ("accepted", "evacuation", None, ("skip", "migration_in_progress")),
    ],
)
def test_what_is_in_progress_already(
    status: str, kind: str, to: str | None, expected: tuple[str, str | None]
) -> None:
    cold = {"vm_state": "resized", "power_state": SHUTDOWN, "host": HOME}
    cloud = cloud_with(**(cold if status == "finished" else {}))
    cloud.write_record(status, migration_type=kind, source_compute="compute-2", dest_compute=to)
    assert only(cloud) == expected
    for move in plan(cloud).moves:
        assert move.source == "compute-2"
        assert move.baseline.vm_state == ("stopped" if status == "finished" else "active")


def test_a_plan_takes_a_few_requests_however_many_instances_there_are() -> None:
    def requests(number: int) -> int:
        cloud = FakeMigratingNova()
        for each in range(number):
            cloud.add(values.instance(f"web-{each}", host="compute-2"))
        assert len(plan(cloud, expected="compute-2").moves) == number
        return len(cloud.calls)

    assert requests(100) == requests(1)


def test_a_source_that_is_down() -> None:
    cloud = cloud_with()
    cloud.host_goes_down("compute-2")
    assert only(cloud) == ("skip", "source_is_down")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"state": "down"}, "host_is_down"),
        ({"state": "down", "forced_down": True}, "host_is_down"),
        ({"status": "disabled", "disabled_reason": "new disks"}, "host_is_disabled"),
    ],
)
def test_a_home_that_cannot_take_anything(fields: dict[str, Any], code: str) -> None:
    cloud = cloud_with()
    cloud.services[HOME] = replace(cloud.services[HOME], **fields)
    with pytest.raises(RecoveryError) as caught:
        plan(cloud)
    assert caught.value.code == code
    assert caught.value.retriable
    assert caught.value.details["hosts"][HOME]["code"] == code
    assert cloud.sent == []


@pytest.mark.parametrize(
    ("status", "code"),
    [("done", "evacuation_records_done"), ("accepted", "evacuations_in_progress")],
)
def test_a_home_that_would_end_what_comes_back(status: str, code: str) -> None:
    cloud = cloud_with()
    cloud.write_record(status, instance_id="id-another")
    with pytest.raises(RecoveryError) as caught:
        plan(cloud)
    assert caught.value.code == code


def test_a_home_that_is_unknown() -> None:
    with pytest.raises(RecoveryError) as caught:
        plan(cloud_with(), host="compute-9")
    assert caught.value.code == "host_not_found"


def test_all_homes_are_told_at_once() -> None:
    cloud = cloud_with()
    cloud.add(values.instance("web-2", host="compute-2"))
    cloud.host_goes_down("compute-1")
    cloud.services["compute-3"] = replace(cloud.services["compute-3"], status="disabled")
    wishes = (
        Wish(instance_id="id-web-1", host="compute-1"),
        Wish(instance_id="id-web-2", host="compute-3"),
    )
    with pytest.raises(RecoveryError) as caught:
        build_plan(cloud, Request(wishes=wishes))
    assert {h: d["code"] for h, d in caught.value.details["hosts"].items()} == {
        "compute-1": "host_is_down",
        "compute-3": "host_is_disabled",
    }


def test_a_home_matters_only_when_something_is_to_come() -> None:
    cloud = cloud_with(host=HOME)
    cloud.host_goes_down(HOME)
    assert only(cloud) == ("verify", None)


def test_the_records_of_a_host_are_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = cloud_with()
    cloud.add(values.instance("web-2", host="compute-2"))
    listed: list[str | None] = []
    real = cloud.migrations

    def migrations(*, host: str | None = None, **query: Any) -> list[MigrationRecord]:
        listed.append(host)
        return real(host=host, **query)

    monkeypatch.setattr(cloud, "migrations", migrations)
    assert plan(cloud).totals()["live_migrate"] == 2
    assert sorted(str(host) for host in listed) == ["compute-1", "compute-2"]


def test_an_error_of_the_cloud_is_not_one_of_a_host() -> None:
    cloud = cloud_with()
    cloud.broken["migrations"] = RecoveryError("forbidden", "no")
    with pytest.raises(RecoveryError) as caught:
        plan(cloud)
    assert caught.value.code == "forbidden"


def test_a_right_that_is_missing_shows_before_anything_is_changed() -> None:
    cloud = cloud_with()
    cloud.broken["allocation_hosts"] = RecoveryError("forbidden", "no")
    with pytest.raises(RecoveryError):
        plan(cloud)
