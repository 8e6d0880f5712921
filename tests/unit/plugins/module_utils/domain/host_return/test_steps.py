# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do until an evacuated host works again, in a safe order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.observation import (
    EvacuatedHost,
    observe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.steps import (
    Step,
    failed_to_leave,
    is_disabled_by_a_person,
    steps,
    wanted_compute,
)
from fakes.return_cloud import SMALL, FakeReturnCloud, down
from hypothesis import given
from hypothesis import strategies as st

ORDER = [
    "wait_for_evacuations",
    "move_endangered",
    "terminate_leftovers",
    "start_compute",
    "complete_records",
    "remove_allocations",
    "lift_forced_down",
    "enable",
]


def look(cloud: FakeReturnCloud, *guests: str, looked: bool = True) -> EvacuatedHost:
    return observe(cloud, "compute-1", guests if looked else None)


def needed(seen: EvacuatedHost) -> list[str]:
    return [step.name for step in steps(seen) if step.needed]


def step(seen: EvacuatedHost, name: str) -> Step:
    return next(step for step in steps(seen) if step.name == name)


@pytest.fixture(name="cloud")
def _cloud() -> FakeReturnCloud:
    return down(FakeReturnCloud())


def test_a_host_that_was_just_evacuated(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a")
    seen = look(cloud, "id-a")
    assert [step.name for step in steps(seen)] == ORDER
    assert needed(seen) == ORDER[2:]
    assert wanted_compute(seen) == "restarted"
    assert "1 records" in step(seen, "start_compute").reason
    assert "nova-compute removes them at its start" in step(seen, "remove_allocations").reason
    assert step(seen, "enable").reason == "recovery run run-1 has disabled it"


def test_a_host_that_works() -> None:
    cloud = FakeReturnCloud(failed=())
    cloud.has("own")
    cloud.evacuated("a", "completed")
    cloud.hold("id-a", {"rp-compute-2": SMALL})
    seen = look(cloud, "id-own")
    assert needed(seen) == []
    assert step(seen, "start_compute").reason == "nova-compute is up"
    assert steps(seen)[0].as_dict() == {
        "name": "wait_for_evacuations",
        "needed": False,
        "reason": "0 evacuations from the host are in progress",
    }


@pytest.mark.parametrize("status", ["accepted", "pre-migrating"])
def test_it_waits_for_evacuations_in_progress(cloud: FakeReturnCloud, status: str) -> None:
    cloud.write_record(status, instance_id=cloud.has("a").id)
    seen = look(cloud, "id-a")
    assert needed(seen)[0] == "wait_for_evacuations"
    assert step(seen, "terminate_leftovers").needed is False
    # Not while it moves: a start now would end it, not its record.
    assert wanted_compute(seen) == "started"


def test_it_waits_for_a_run_between_two_of_its_instances(cloud: FakeReturnCloud) -> None:
    cloud.locks.create("compute-1", "run-7", "somebody")
    seen = look(cloud)
    assert step(seen, "wait_for_evacuations").needed
    assert "run-7 (somebody)" in step(seen, "wait_for_evacuations").reason


def test_an_instance_that_its_nova_compute_would_destroy(cloud: FakeReturnCloud) -> None:
    cloud.write_record("done", instance_id=cloud.has("a").id)
    seen = look(cloud, "id-a")
    assert step(seen, "move_endangered").needed
    assert "id-a" in step(seen, "move_endangered").reason
    assert step(seen, "terminate_leftovers").needed is False
    assert step(seen, "remove_allocations").needed is False
    cloud.finish(cloud.records[0], "completed")
    assert step(look(cloud, "id-a"), "move_endangered").needed is False


def test_whether_guests_are_left_is_not_known_when_nobody_looked(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a")
    assert step(look(cloud, looked=False), "terminate_leftovers").needed is None
    assert step(look(cloud), "terminate_leftovers").needed is False
    assert step(look(cloud, "id-a"), "terminate_leftovers").needed is True
    assert step(look(cloud, "unknown"), "terminate_leftovers").needed is False


def test_nova_compute_is_restarted_only_for_records_that_are_done(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    seen = look(cloud)
    assert wanted_compute(seen) == "started"
    # Forced down, it looks down even when it runs.
    assert step(seen, "start_compute").needed
    assert step(seen, "complete_records").needed is False
    # A host whose cable is back runs already, and has completed nothing.
    up = FakeReturnCloud(failed=())
    up.evacuated("a", "done")
    assert wanted_compute(look(up)) == "restarted"
    assert step(look(up), "start_compute").needed


def test_what_is_kept_needs_no_step(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    assert step(look(cloud), "remove_allocations").needed
    cloud.hold("id-a", {"rp-compute-1": SMALL})
    assert not step(look(cloud), "remove_allocations").needed


@pytest.mark.parametrize(
    ("reason", "enabled_by_us", "by_a_person"),
    [
        ("openstack_recovery run=run-1: host failed", True, False),
        ("openstack_recovery run=run-1", True, False),
        ("power supply burnt", False, True),
        ("see openstack_recovery run=run-1: host failed", False, True),
        ("", False, True),
        (None, False, True),
    ],
)
def test_what_a_person_has_disabled_stays_so(
    reason: str | None, enabled_by_us: bool, by_a_person: bool
) -> None:
    seen = look(down(FakeReturnCloud(), disabled_reason=reason))
    assert step(seen, "enable").needed is enabled_by_us
    assert is_disabled_by_a_person(seen) is by_a_person
    if by_a_person:
        assert (reason or "a person has done") in step(seen, "enable").reason


def test_an_enabled_host_is_disabled_by_nobody() -> None:
    # Nova keeps the reason of the last time.
    seen = look(down(FakeReturnCloud(), status="enabled", disabled_reason="burnt"))
    assert not is_disabled_by_a_person(seen)
    assert step(seen, "enable").needed is False


@pytest.mark.parametrize(
    ("fields", "forced_down", "expected"),
    [
        ({}, True, ["id-a"]),
        ({"vm_state": "error"}, True, ["id-a"]),
        ({"vm_state": "error"}, False, ["id-a"]),
        # It works again: of an outage that is over.
        ({}, False, []),
    ],
)
def test_those_whose_evacuation_failed(fields: Any, forced_down: bool, expected: list[str]) -> None:
    cloud = down(FakeReturnCloud(), forced_down=forced_down)
    cloud.write_record("failed", instance_id=cloud.has("a", **fields).id)
    cloud.evacuated("b")
    assert [d.instance_id for d in failed_to_leave(look(cloud))] == expected


def test_a_return_step_by_step(cloud: FakeReturnCloud) -> None:
    """Each step that is done is not needed any more, and undoes none that was done before."""
    cloud.evacuated("a")
    guests = ["id-a"]

    def end_guests() -> None:
        guests.clear()

    def start_compute() -> None:
        # As Nova does, and fails to free what it holds.
        for record in cloud.records:
            cloud.finish(record, "completed")

    def free() -> None:
        cloud.hold("id-a", {"rp-compute-2": SMALL})

    def lift() -> None:
        down(cloud, forced_down=False, state="up")

    def enable() -> None:
        down(cloud, forced_down=False, state="up", status="enabled")

    left = [needed(look(cloud, *guests))]
    actions: list[Callable[[], None]] = [end_guests, start_compute, free, lift, enable]
    for act in actions:
        act()
        left.append(needed(look(cloud, *guests)))
    assert left == [
        ORDER[2:],
        ORDER[3:],
        ["start_compute", *ORDER[5:]],
        ["start_compute", *ORDER[6:]],
        ["enable"],
        [],
    ]


@given(
    records=st.lists(
        st.tuples(
            st.sampled_from(["accepted", "pre-migrating", "done", "completed", "failed", "error"]),
            st.sampled_from(["compute-1", "compute-2"]),
            st.booleans(),
        ),
        max_size=4,
    ),
    service=st.fixed_dictionaries(
        {
            "status": st.sampled_from(["enabled", "disabled"]),
            "state": st.sampled_from(["up", "down"]),
            "forced_down": st.booleans(),
        }
    ),
)
def test_nothing_is_left_only_when_the_host_really_works(
    records: list[tuple[str, str, bool]], service: Any
) -> None:
    cloud = down(FakeReturnCloud(), **service)
    guests = []
    for number, (status, host, has_guest) in enumerate(records):
        holds = {"compute-1", host}
        added = cloud.has(str(number), host=host, on=sorted(holds))
        cloud.write_record(status, instance_id=added.id)
        guests += [added.id] if has_guest else []
    seen = look(cloud, *guests)
    assert [step.name for step in steps(seen)] == ORDER
    left = needed(seen)
    running = [s for s, _host, _guest in records if s in ("accepted", "pre-migrating")]
    assert ("wait_for_evacuations" in left) is bool(running)
    # nova-compute destroys these too; those of them that are here must be seen before it starts.
    here = [s for s, host, _guest in records if host == "compute-1" and s == "done"]
    assert ("move_endangered" in left) is bool(here)
    if not left:
        assert service == {"status": "enabled", "state": "up", "forced_down": False}
        assert {s for s, _host, _guest in records} <= {"completed", "failed", "error"}
        gone = {
            f"id-{n}"
            for n, (s, h, _g) in enumerate(records)
            if (s, h) == ("completed", "compute-2")
        }
        assert not gone & (set(guests) | cloud.held_on("compute-1"))
