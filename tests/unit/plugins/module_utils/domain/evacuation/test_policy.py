# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy from the plan to the end of the run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    Plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    SHUTDOWN,
    Instance,
    PowerAction,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.decision import (
    decide,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import policies, values
from fakes.nova import Attempt
from fakes.scene import Scene, states
from fakes.world import Killed
from hypothesis import given, settings
from hypothesis import strategies as st

AMPHORA = "amphora-0b2b9c6e-43c1-4e0f-9d2f-1f4ad4a2c7b5"


@pytest.fixture
def scene() -> Scene:
    return Scene.make(2)


def rules(*found: dict[str, Any], **others: Any) -> dict[str, Any]:
    named = [{"name": f"rule {i}", "match": {}, **rule} for i, rule in enumerate(found)]
    return {"version": 1, "rules": named, **others}


OFF = rules({"match": {"names": "web-1"}, "leave_off": True})


def by_name(plan: Plan) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in plan.as_list()}


def test_the_plan_tells_what_the_policy_says(scene: Scene) -> None:
    found = by_name(
        scene.plan(
            policy=rules(
                {
                    "match": {"names": "web-2"},
                    "priority": 900,
                    "restart_group": "first",
                    "reshape": {"flavor": "big"},
                },
                {"leave_off": True},
                restart_groups=[{"name": "first"}],
            )
        )
    )
    assert list(found) == ["web-2", "web-1"]
    assert {name: found["web-2"][name] for name in ("priority", "restart_group", "leave_off")} == {
        "priority": 900,
        "restart_group": "first",
        "leave_off": True,
    }
    assert found["web-2"]["reshape"] == {
        "image": None,
        "flavor": "big",
        "replace_root_disk": False,
    }
    assert found["web-2"]["rules"]["priority"] == "rule 0"
    assert found["web-1"]["power_state"] == "off"


def test_facts_come_from_the_cloud(scene: Scene) -> None:
    scene.nova.facts["id-web-2"] = {"aggregates": frozenset({"ssd"}), "notes": ("no image",)}
    scene.nova.policy_notes = ("no project acme",)
    plan = scene.plan(policy=rules({"match": {"aggregates": "ssd"}, "priority": 900}))
    assert [move.instance.name for move in plan.moves] == ["web-2", "web-1"]
    assert plan.notes == ("no project acme", "web-2 (id-web-2): no image")


def test_what_the_policy_leaves_stays_and_says_why(scene: Scene) -> None:
    scene.nova.add(values.instance(AMPHORA))
    result = scene.recover(policy=rules({"match": {"names": "web-1"}, "evacuate": False}))
    assert states(result) == {"web-2": "verified", "web-1": "skipped", AMPHORA: "skipped"}
    left = {entry["name"]: entry for entry in result.instances if entry["status"] == "skipped"}
    assert {entry["code"] for entry in left.values()} == {"left_by_policy"}
    assert "rule 'rule 0'" in left["web-1"]["reason"]
    assert "octavia_amphorae" in left[AMPHORA]["reason"]
    assert not result.failed


def test_an_amphora_stays_without_any_policy(scene: Scene) -> None:
    scene.nova.add(values.instance(AMPHORA))
    assert by_name(scene.plan())[AMPHORA]["code"] == "left_by_policy"


def test_data_of_what_stays_is_not_lost(scene: Scene) -> None:
    scene.nova.add(values.instance("local", image_id="image"))
    leave = rules({"match": {"names": "local"}, "evacuate": False})
    plan = scene.plan(storage=values.LOCAL_FAIL, policy=leave)
    assert by_name(plan)["local"]["code"] == "left_by_policy"


def test_opt_in_with_nothing_opted_in_moves_nothing_and_says_so(scene: Scene) -> None:
    opt_in = rules({"match": {"tags": "ha"}, "evacuate": True}, selection="opt_in")
    result = scene.recover(policy=opt_in)
    assert scene.nova.records == []
    assert not result.failed
    assert "opts in one of the 2 instances" in (result.plan.nothing_opted_in or "")
    scene.nova._change("id-web-1", tags=frozenset({"ha"}))
    result = scene.recover(policy=opt_in)
    assert result.plan.nothing_opted_in is None
    assert states(result) == {"web-1": "verified", "web-2": "skipped"}


def test_an_empty_host_does_not_speak_of_opting_in(scene: Scene) -> None:
    opt_in = rules({"match": {"tags": "ha"}, "evacuate": True}, selection="opt_in")
    assert scene.plan(host="compute-2", policy=opt_in).nothing_opted_in is None


def test_one_that_is_opted_in_but_cannot_be_moved_is_no_lack_of_tags(scene: Scene) -> None:
    for name in ("web-1", "web-2"):
        scene.nova._change(f"id-{name}", vm_state="paused", tags=frozenset({"ha"}))
    opt_in = rules({"match": {"tags": "ha"}, "evacuate": True}, selection="opt_in")
    plan = scene.plan(policy=opt_in)
    assert plan.moves == ()
    assert plan.nothing_opted_in is None


@pytest.mark.parametrize("leaves_off", [True, False])
@pytest.mark.parametrize("vm_state", ["active", "stopped", "error"])
def test_what_is_left_off_ends_stopped_whatever_it_was(vm_state: str, leaves_off: bool) -> None:
    scene = Scene.make(0)
    scene.nova.leaves_off = leaves_off
    power = {"power_state": SHUTDOWN} if vm_state == "stopped" else {}
    scene.nova.add(values.instance("web-1", vm_state=vm_state, **power), intended="off")
    result = scene.recover(policy=OFF)
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.fine("id-web-1")
    stops = scene.nova.calls.count(("stop", "id-web-1"))
    # Nova starts one that was in ERROR also where it can leave others off.
    assert stops == (0 if vm_state == "stopped" or (leaves_off and vm_state == "active") else 1)


def test_others_are_not_left_off() -> None:
    scene = Scene.make(2)
    scene.recover(policy=OFF)
    assert [scene.nova.instances[f"id-web-{i}"].vm_state for i in (1, 2)] == ["stopped", "active"]


@pytest.mark.parametrize("moment", [0.5, 1, 2, 3, 4])
@pytest.mark.parametrize("leaves_off", [True, False])
def test_a_run_that_is_killed_is_finished_with_it_off(moment: float, leaves_off: bool) -> None:
    scene = Scene.make(1)
    scene.nova.leaves_off = leaves_off
    scene.nova._truth["id-web-1"].intended = "off"
    scene.world.kill_at = moment
    with pytest.raises(Killed):
        scene.recover(policy=OFF)
    scene.world.revive()
    scene.world.sleep(60)
    assert states(scene.recover(run_id="two", policy=OFF)) == {"web-1": "verified"}
    assert scene.nova.fine("id-web-1")


def test_one_that_its_owner_has_started_since_is_not_stopped_again(scene: Scene) -> None:
    scene.recover(policy=OFF)
    scene.world.sleep(30)
    scene.nova._change("id-web-1", vm_state="active", power_state=1)
    scene.nova._ports_of("id-web-1", status="ACTIVE")
    scene.nova.actions["id-web-1"].append(
        PowerAction(action="start", start_time=scene.world.api_time())
    )
    result = scene.recover(run_id="two", policy=OFF)
    assert states(result) == {"web-1": "verified", "web-2": "verified"}
    assert scene.nova.instances["id-web-1"].vm_state == "active"


def test_a_move_in_progress_that_the_policy_would_have_left_is_not_repeated(scene: Scene) -> None:
    scene.nova.script["id-web-1"] = [Attempt(outcome="failed", finish_after=90)]
    scene.world.kill_at = 5
    with pytest.raises(Killed):
        scene.recover()
    scene.world.revive()
    leave = rules({"match": {"names": "web-1"}, "evacuate": False})
    result = scene.recover(run_id="two", policy=leave)
    assert states(result)["web-1"] == "failed"
    assert scene.nova.evacuations("id-web-1") == 1


def test_rules_match_on_the_host_that_was_left(scene: Scene) -> None:
    """Also when the instance has arrived: another run must say the same of it."""
    asked: list[set[str | None]] = []
    real = scene.nova.policy_facts

    def facts(policy: Any, instances: Any, *, reshapes: bool) -> Any:
        assert reshapes
        found = list(instances)
        asked.append({instance.host for instance in found})
        return real(policy, found)

    scene.nova.policy_facts = facts  # type: ignore[method-assign]
    scene.recover(policy=OFF)
    scene.recover(run_id="two", policy=OFF)
    assert scene.nova.instances["id-web-1"].host != "compute-1"
    assert asked
    assert all(hosts == {"compute-1"} for hosts in asked)


def test_priorities_are_the_order_of_the_calls() -> None:
    scene = Scene.make(0)
    for number in range(6):
        scene.nova.add(values.instance(f"vm-{number}", metadata={"prio": str(10 + number)}))
    scene.recover(policy=rules({"priority_from_metadata": "prio"}), concurrency=2)
    called = [what for name, what in scene.nova.calls if name == "evacuate"]
    assert called == [f"id-vm-{number}" for number in reversed(range(6))]


def test_nothing_of_a_policy_is_asked_for_without_one(scene: Scene) -> None:
    scene.recover()
    assert ("policy_facts", "") not in scene.nova.calls


kinds = st.sampled_from(
    [
        {"vm_state": "active"},
        {"vm_state": "stopped", "power_state": SHUTDOWN},
        {"vm_state": "error"},
    ]
)
instances = st.builds(
    lambda number, name, metadata, tags, kind: values.instance(
        name, id=f"id-{number}", metadata=metadata, tags=tags, **kind
    ),
    st.integers(0, 99),
    policies.words,
    st.dictionaries(policies.words, st.sampled_from(["1", "999", "a"]), max_size=2),
    policies.word_sets,
    kinds,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    policies.policy_data(),
    st.lists(instances, max_size=5, unique_by=lambda instance: instance.id),
    st.booleans(),
)
def test_whatever_the_policy_says_is_what_is_done(
    data: dict[str, Any], found: list[Instance], leaves_off: bool
) -> None:
    try:
        policy = parse_policy(data)
    except RecoveryError:
        return
    decisions = {i.id: decide(policy, Subject.of(i)) for i in found}
    scene = Scene.make(0)
    scene.nova.leaves_off = leaves_off
    for instance in found:
        off = decisions[instance.id].leave_off or instance.vm_state == "stopped"
        scene.nova.add(instance, intended="off" if off else "on")
    result = scene.recover(policy=data)
    assert scene.nova.violations == []
    called = [what for name, what in scene.nova.calls if name == "evacuate"]
    assert sorted(called) == sorted(i for i, decision in decisions.items() if decision.evacuate)
    ranks = [
        (policy.group_index(decisions[i].restart_group), -decisions[i].priority) for i in called
    ]
    assert ranks == sorted(ranks)
    for entry in result.instances:
        evacuated = decisions[entry["id"]].evacuate
        assert entry["status"] == ("verified" if evacuated else "skipped")
        assert scene.nova.fine(entry["id"]) is evacuated
    nothing = data["selection"] == "opt_in" and found and not called
    assert (result.plan.nothing_opted_in is not None) is bool(nothing)
