# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan foretells, what it enables, what a run makes of it, and how it turned out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    RecoveryError,
)
from fakes import values
from fakes.capacity import FakeCapacity, sized
from fakes.nova import ERROR, Attempt
from fakes.scene import Scene

SPARES = Aggregate(uuid="u", name="spares", hosts=frozenset({"compute-3", "compute-4"}))


@pytest.fixture
def scene() -> Scene:
    """Three instances of one CPU, and two free CPUs on compute-2; the others are reserved."""
    scene = Scene.make()
    for name in ("a", "b", "c"):
        scene.nova.add(values.instance(name, vcpus=1, memory_mb=64, image_id=None))
    for host in ("compute-3", "compute-4"):
        scene.nova.services[host] = values.service(host, status="disabled")
    scene.nova.room = FakeCapacity(
        [sized("compute-2", 2, 999), sized("compute-3", 1, 999), sized("compute-4", 9, 999)],
        [SPARES],
    )
    return scene


def policy(**capacity: Any) -> dict[str, Any]:
    return {"version": 1, "capacity": capacity}


def rules(**settings: Any) -> dict[str, Any]:
    """A policy with one rule, for the instance c."""
    rule = {"name": "first", "match": {"names": ["c"]}, **settings}
    groups = [{"name": "one"}] if "restart_group" in settings else []
    return {"version": 1, "rules": [rule], "restart_groups": groups}


def foretold(plan: Any) -> dict[str, bool | None]:
    return {move.instance.name: move.prediction.fits for move in plan.moves}


def test_the_plan_has_a_prediction_for_each(scene: Scene) -> None:
    plan = scene.plan()
    assert foretold(plan) == {"a": True, "b": True, "c": False}
    assert plan.as_list()[0]["prediction"] == {"fits": True, "hosts": ["compute-2"], "reason": None}
    assert plan.as_list()[2]["prediction"]["reason"] == "compute-2: VCPU 1 wanted, 0 free"
    assert plan.service_changes == ()


def test_priority_decides_who_has_the_room(scene: Scene) -> None:
    plan = scene.plan(policy=rules(priority=900))
    assert foretold(plan) == {"c": True, "a": True, "b": False}


def test_the_fewest_reserved_hosts_are_enabled_and_no_others(scene: Scene) -> None:
    plan = scene.plan(policy=policy(reserved_aggregate="spares"))
    assert foretold(plan) == {"a": True, "b": True, "c": True}
    assert [change.as_dict() for change in plan.service_changes] == [
        {"host": "compute-3", "status": "enabled"}
    ]


def test_no_reserved_host_is_enabled_when_all_fit(scene: Scene) -> None:
    plan = scene.plan("a", "b", policy=policy(reserved_aggregate="spares"))
    assert plan.service_changes == ()


def test_an_aggregate_that_is_not_there_is_told(scene: Scene) -> None:
    plan = scene.plan(policy=policy(reserved_aggregate="spare"))
    assert "there is no aggregate spare, from which reserved hosts are taken" in plan.notes


def test_fail_refuses_before_anything_is_changed(scene: Scene) -> None:
    with pytest.raises(RecoveryError) as raised:
        scene.recover(policy=policy(on_shortage="fail"))
    assert raised.value.code == "insufficient_capacity"
    assert raised.value.retriable
    assert raised.value.details["instances"] == [
        {"id": "id-c", "name": "c", "reason": "compute-2: VCPU 1 wanted, 0 free"}
    ]
    assert not [call for call in scene.nova.calls if call[0] in ("evacuate", "update_service")]
    assert scene.nova.evacuated_at == []


def test_fail_goes_on_when_a_reserved_host_makes_room(scene: Scene) -> None:
    asked = policy(on_shortage="fail", reserved_aggregate="spares")
    assert scene.plan(policy=asked).service_changes


def unreadable(scene: Scene) -> None:
    assert scene.nova.room is not None
    scene.nova.room.error = ApiRefused("forbidden", "Placement says no", status=403)


def test_without_placement_nothing_is_foretold_and_the_evacuation_goes_on(scene: Scene) -> None:
    unreadable(scene)
    result = scene.recover()
    assert result.plan.notes == ("nothing was predicted: Placement says no",)
    assert {entry["prediction"] for entry in result.instances} == {None}
    assert result.totals()["verified"] == 3
    assert result.totals()["predicted"] == 0


def test_without_placement_fail_refuses(scene: Scene) -> None:
    unreadable(scene)
    with pytest.raises(RecoveryError) as raised:
        scene.plan(policy=policy(on_shortage="fail"))
    assert raised.value.code == "capacity_unknown"


def test_what_has_no_room_goes_last_and_once(scene: Scene) -> None:
    assert scene.nova.room is not None
    scene.nova.instances["id-c"] = values.instance("c", vcpus=7, memory_mb=64)
    scene.nova.script["id-c"] = [Attempt(outcome=ERROR)] * 3
    result = scene.recover(policy=rules(priority=900), retries=2)
    by_name = {entry["name"]: entry for entry in result.instances}
    assert by_name["c"]["attempts"] == 1
    assert by_name["c"]["prediction"]["right"] is True
    ended = [by_name[name]["timeline"][-1]["at"] for name in ("a", "b")]
    submitted = [e["at"] for e in by_name["c"]["timeline"] if e["event"] == "submitted"]
    assert submitted[0] >= max(ended)
    assert (result.totals()["predicted"], result.totals()["predicted_right"]) == (3, 3)


def test_nova_has_the_last_word(scene: Scene) -> None:
    result = scene.recover()
    by_name = {entry["name"]: entry for entry in result.instances}
    assert by_name["c"]["status"] == "verified"
    assert by_name["c"]["prediction"]["right"] is False
    assert result.totals()["predicted_right"] == 2


def test_no_restart_group_waits_for_what_has_no_room(scene: Scene) -> None:
    scene.nova.instances["id-c"] = values.instance("c", vcpus=7, memory_mb=64)
    result = scene.recover(policy=rules(restart_group="one"))
    assert result.seconds < 60
    assert result.totals()["verified"] == 3


def test_reserved_hosts_are_enabled_after_the_failed_one_was_forced_down(scene: Scene) -> None:
    result = scene.recover(
        policy=policy(reserved_aggregate="spares"), disabled_reason="it has failed"
    )
    assert [change.as_dict()["host"] for change in result.plan.service_changes] == [
        "compute-1",
        "compute-1",
        "compute-3",
    ]
    assert scene.nova.services["compute-3"].status == "enabled"
    assert scene.nova.services["compute-4"].status == "disabled"
    # The next run finds it enabled, and changes nothing more.
    assert scene.plan().service_changes == ()
