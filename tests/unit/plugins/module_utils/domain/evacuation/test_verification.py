# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Six checks; each alone keeps an evacuation from being verified."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.power import (
    OFF,
    ON,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.verification import (
    CHECKS,
    Baseline,
    Observation,
    all_passed,
    verify,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    SHUTDOWN,
    VolumeAttachment,
)
from fakes import values

HERE, THERE = "compute-1", "compute-2"


def volume(**fields: Any) -> VolumeAttachment:
    return VolumeAttachment(
        **{
            "volume_id": "v",
            "status": "in-use",
            "attached_to": frozenset({"id-web-1"}),
            "attached_hosts": frozenset({THERE}),
            **fields,
        }
    )


def failing(power: str = ON, **changes: Any) -> list[str]:
    """Names of the checks that fail when these things are not as they should be."""
    stopped: dict[str, Any] = (
        {"vm_state": "stopped", "power_state": SHUTDOWN} if power == OFF else {}
    )
    baseline = Baseline(
        source=HERE, power=power, volume_ids=frozenset("v"), port_ids=frozenset({"port-1"})
    )
    seen = {
        "record": values.record(1, "done", dest_compute=THERE),
        "instance": values.instance(host=THERE, volume_ids=frozenset("v"), **stopped),
        "ports": (values.port(binding_host=THERE),),
        "allocation_hosts": frozenset({HERE, THERE}),
        "volumes": {"v": volume()},
    }
    checks = verify(baseline, Observation(**{**seen, **changes}))
    assert tuple(checks) == CHECKS
    wrong = [name for name, check in checks.items() if not check.passed]
    assert all_passed(checks) == (not wrong)
    return wrong


def at_destination(**fields: Any) -> Any:
    return values.instance(**{"host": THERE, "volume_ids": frozenset("v"), **fields})


@pytest.mark.parametrize("power", [ON, OFF])
def test_all_is_well(power: str) -> None:
    assert failing(power) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"record": values.record(1, "completed", dest_compute=THERE)},
        # The source has returned and given its allocation back.
        {"allocation_hosts": frozenset({THERE})},
        # A cloud without block storage.
        {"volumes": None},
        # Some back ends do not tell from where.
        {"volumes": {"v": volume(attached_hosts=frozenset())}},
        # Its owner wants the port to be off.
        {"ports": (values.port(binding_host=THERE, status="DOWN", admin_state_up=False),)},
    ],
)
def test_all_is_well_too(changes: dict[str, Any]) -> None:
    assert failing(**changes) == []


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "failed", "error", "unknown"])
def test_the_record_alone(status: str) -> None:
    assert failing(record=values.record(1, status, dest_compute=THERE)) == ["record"]


@pytest.mark.parametrize("host", [HERE, "compute-3", None, ""])
def test_the_host_alone(host: str | None) -> None:
    assert failing(instance=at_destination(host=host)) == ["host"]


@pytest.mark.parametrize(
    "state",
    [
        {"vm_state": "stopped", "power_state": SHUTDOWN},
        {"vm_state": "error"},
        {"power_state": SHUTDOWN},
        {"power_state": 0},
        {"task_state": "rebuild_spawning"},
    ],
)
def test_the_power_state_alone(state: dict[str, Any]) -> None:
    assert failing(instance=at_destination(**state)) == ["power_state"]


def test_one_that_was_off_must_not_run() -> None:
    assert failing(OFF, instance=at_destination()) == ["power_state"]


@pytest.mark.parametrize(
    "ports",
    [
        (),
        (values.port(binding_host=THERE, status="DOWN"),),
        (values.port(binding_host=THERE, status="BUILD"),),
        (values.port(binding_host=HERE),),
        (values.port(binding_host=""),),
        (values.port(binding_host=THERE, vif_type="binding_failed"),),
        (values.port(binding_host=THERE), values.port(2, binding_host=HERE)),
        (values.port(binding_host=THERE), values.port(2, binding_host=THERE, status="DOWN")),
    ],
)
def test_the_ports_alone(ports: tuple[Any, ...]) -> None:
    assert failing(ports=ports) == ["ports"]


def test_a_port_of_one_that_is_off_may_be_down_but_not_bound_elsewhere() -> None:
    assert failing(OFF, ports=(values.port(binding_host=THERE, status="DOWN"),)) == []
    assert failing(OFF, ports=(values.port(binding_host=HERE, status="DOWN"),)) == ["ports"]


@pytest.mark.parametrize("hosts", [[], [HERE], [HERE, "compute-3"], [HERE, THERE, "compute-3"]])
def test_the_allocation_alone(hosts: list[str]) -> None:
    assert failing(allocation_hosts=frozenset(hosts)) == ["allocation"]


@pytest.mark.parametrize(
    "changes",
    [
        {"instance": at_destination(volume_ids=frozenset()), "volumes": {}},
        {
            "instance": at_destination(volume_ids=frozenset("vw")),
            "volumes": {"v": volume(), "w": volume()},
        },
        {"volumes": {}},
        {"volumes": {"v": volume(status="detaching")}},
        {"volumes": {"v": volume(attached_to=frozenset({"somebody else"}))}},
        {"volumes": {"v": volume(attached_hosts=frozenset({HERE}))}},
    ],
)
def test_the_volumes_alone(changes: dict[str, Any]) -> None:
    assert failing(**changes) == ["volumes"]


def test_active_on_the_old_host_with_a_failed_record_is_no_success() -> None:
    # Nova rolls the state back when the destination's claim fails.
    wrong = failing(
        record=values.record(1, "failed", dest_compute=THERE),
        instance=at_destination(host=HERE),
        ports=(values.port(binding_host=HERE),),
        allocation_hosts=frozenset({HERE}),
    )
    assert {"record", "host"} <= set(wrong)


def test_a_record_without_destination_verifies_nothing() -> None:
    wrong = failing(record=values.record(1, "done", dest_compute=None))
    assert {"host", "ports", "allocation"} <= set(wrong)


def test_a_record_whose_destination_is_its_source_verifies_nothing() -> None:
    assert "host" in failing(
        record=values.record(1, "done", dest_compute=HERE), instance=at_destination(host=HERE)
    )


def test_a_missing_check_is_a_failed_one() -> None:
    assert not all_passed({})


def test_a_check_says_what_was_expected_and_seen() -> None:
    baseline = Baseline(source=HERE, power=ON, volume_ids=frozenset(), port_ids=frozenset())
    checks = verify(
        baseline,
        Observation(
            record=values.record(4, "failed"),
            instance=values.instance(),
            ports=(),
            allocation_hosts=frozenset(),
            volumes={},
        ),
    )
    assert checks["record"].as_dict() == {
        "passed": False,
        "expected": "done or completed",
        "observed": "4 failed",
    }
