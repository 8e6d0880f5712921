# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Six checks; each alone keeps an instance from being verified."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.plan import (
    Baseline,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.verification import (
    CHECKS,
    Observation,
    verify,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    PAUSED,
    SHUTDOWN,
    VolumeAttachment,
)
from fakes import values

HOME, AWAY = "compute-1", "compute-2"


def move(number: int = 2, status: str = "completed", **fields: Any) -> Any:
    given = {"migration_type": "live-migration", "source_compute": AWAY, "dest_compute": HOME}
    return values.record(number, status, **{**given, **fields})


def evacuated(status: str = "completed") -> Any:
    return values.record(1, status)


def failing(state: str = "active", **changes: Any) -> list[str]:
    power = {"stopped": SHUTDOWN, "paused": PAUSED}.get(state, 1)
    volume = VolumeAttachment(
        volume_id="v",
        status="in-use",
        attached_to=frozenset({"id-web-1"}),
        attached_hosts=frozenset({HOME}),
    )
    instance = {"vm_state": state, "power_state": power, "volume_ids": frozenset("v")}
    seen = {
        "instance": values.instance(**{**instance, **changes.pop("instance", {})}),
        "records": (evacuated(), move()),
        "ports": (values.port(status="ACTIVE" if state != "stopped" else "DOWN"),),
        "allocation_hosts": frozenset({HOME}),
        "record_hosts": frozenset(),
        "volumes": {"v": volume},
    }
    baseline = Baseline(vm_state=state, volume_ids=frozenset("v"), port_ids=frozenset({"port-1"}))
    checks = verify(HOME, baseline, Observation(**{**seen, **changes}))
    assert tuple(checks) == CHECKS
    return [name for name, check in checks.items() if not check.passed]


@pytest.mark.parametrize("state", ["active", "stopped", "paused", "suspended"])
def test_all_is_well(state: str) -> None:
    assert failing(state) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"records": ()},
        {"records": (move(status="confirmed", migration_type="migration"),)},
        # It has left a second host, which has not returned yet.
        {
            "records": (values.record(1, "done", source_compute="compute-3"), move()),
            "allocation_hosts": frozenset({HOME, "compute-3"}),
        },
        {"volumes": None},
    ],
)
def test_all_is_well_too(changes: dict[str, Any]) -> None:
    assert failing(**changes) == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"records": (move(status="error"),)}, "record"),
        ({"records": (move(), move(3, "error"))}, "record"),
        ({"records": (move(), move(3, "accepted", dest_compute=None))}, "record"),
        ({"instance": {"vm_state": "stopped", "power_state": SHUTDOWN}}, "power_state"),
        ({"instance": {"power_state": SHUTDOWN}}, "power_state"),
        ({"instance": {"task_state": "powering-off"}}, "power_state"),
        ({"ports": ()}, "ports"),
        ({"ports": (values.port(status="DOWN"),)}, "ports"),
        ({"ports": (values.port(binding_host=AWAY),)}, "ports"),
        ({"allocation_hosts": frozenset()}, "allocation"),
        ({"allocation_hosts": frozenset({HOME, AWAY})}, "allocation"),
        ({"record_hosts": frozenset({AWAY})}, "allocation"),
        ({"instance": {"volume_ids": frozenset()}}, "volumes"),
    ],
)
def test_each_alone(changes: dict[str, Any], wrong: str) -> None:
    assert failing(**changes) == [wrong]


def test_the_host() -> None:
    assert failing(instance={"host": AWAY}) == ["host"]


def test_one_that_runs_is_not_stopped_again() -> None:
    assert failing("stopped", instance={"vm_state": "active", "power_state": 1}) == [
        "power_state",
        "ports",
    ]


def test_one_in_error_is_never_well() -> None:
    assert failing("error") == ["power_state"]
