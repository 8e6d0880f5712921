# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the turn of each restart group has come."""

from __future__ import annotations

import math
from typing import Any

import pytest
from fakes import values
from fakes.nova import ERROR, FAILED, OK, STUCK, Attempt
from fakes.scene import Scene, states
from hypothesis import given, settings
from hypothesis import strategies as st

# What the fake takes for one evacuation, until its port is ACTIVE.
ONE = 5.0


def policy(*groups: dict[str, Any]) -> dict[str, Any]:
    """Instances belong to the group of which their name has the first letter."""
    return {
        "version": 1,
        "restart_groups": list(groups),
        "rules": [
            {"name": g["name"], "match": {"names": f"{g['name']}-*"}, "restart_group": g["name"]}
            for g in groups
        ],
    }


def scene_of(*names: str) -> Scene:
    scene = Scene.make(0)
    for name in names:
        scene.nova.add(values.instance(name))
    return scene


def asked(scene: Scene) -> dict[str, float]:
    """When each instance was first submitted, in seconds of the run."""
    ids = [what for name, what in scene.nova.calls if name == "evacuate"]
    first: dict[str, float] = {}
    for instance_id, moment in zip(ids, scene.nova.evacuated_at, strict=True):
        first.setdefault(instance_id.removeprefix("id-"), moment)
    return first


def test_a_group_waits_until_the_one_before_has_ended_and_its_wait_is_over() -> None:
    scene = scene_of("x", "b-1", "a-1", "a-2")
    result = scene.recover(policy=policy({"name": "a", "wait": 30}, {"name": "b"}))
    assert set(states(result).values()) == {"verified"}
    moments = asked(scene)
    assert list(moments) == ["a-1", "a-2", "b-1", "x"]
    assert moments["a-2"] < 1
    assert ONE + 30 <= moments["b-1"] <= ONE + 30 + 5
    assert moments["b-1"] + ONE <= moments["x"] <= moments["b-1"] + ONE + 5
    assert any("waiting for the restart group a" in line for _at, line in scene.lines)


def test_a_group_without_instances_is_not_waited_for() -> None:
    scene = scene_of("b-1")
    scene.recover(policy=policy({"name": "a", "wait": 300}, {"name": "b"}))
    assert asked(scene)["b-1"] < 1


def test_what_fails_does_not_hold_up_the_next_group_for_ever() -> None:
    scene = scene_of("a-1", "b-1")
    scene.nova.script["id-a-1"] = [Attempt(outcome=ERROR)] * 5
    result = scene.recover(policy=policy({"name": "a", "wait": 10}, {"name": "b"}), retries=0)
    assert states(result) == {"a-1": "failed", "b-1": "verified"}


def test_a_group_that_takes_too_long_is_not_waited_for_any_longer() -> None:
    scene = scene_of("a-1", "b-1")
    scene.nova.script["id-a-1"] = [Attempt(outcome=STUCK)]
    groups = policy({"name": "a", "wait": 10, "timeout": 60}, {"name": "b"})
    result = scene.recover(policy=groups, instance_timeout=500)
    assert states(result) == {"a-1": "in_progress", "b-1": "verified"}
    assert 60 <= asked(scene)["b-1"] <= 65


def test_the_slowest_of_a_group_counts() -> None:
    scene = scene_of("a-1", "a-2", "b-1")
    scene.nova.script["id-a-2"] = [Attempt(finish_after=50)]
    scene.recover(policy=policy({"name": "a"}, {"name": "b"}))
    assert asked(scene)["b-1"] >= 50


def test_the_time_of_a_group_begins_with_its_first_instance() -> None:
    scene = scene_of("a-1", "a-2", "b-1")
    for number in (1, 2):
        scene.nova.script[f"id-a-{number}"] = [Attempt(finish_after=50)]
    groups = policy({"name": "a", "wait": 60, "timeout": 70}, {"name": "b"})
    scene.recover(policy=groups, concurrency=1, poll_interval=1)
    moments = asked(scene)
    assert moments["a-2"] > 50
    # Its turn has come after 70 s, and its place when the second one has arrived.
    assert moments["b-1"] < 110


def test_a_group_is_over_when_its_retries_are() -> None:
    scene = scene_of("a-1", "b-1")
    scene.nova.script["id-a-1"] = [Attempt(outcome=FAILED)]
    scene.recover(policy=policy({"name": "a"}, {"name": "b"}), retry_delay=20)
    assert asked(scene)["b-1"] > 20 + ONE


def test_what_an_earlier_run_has_submitted_is_waited_for_too() -> None:
    scene = scene_of("a-1", "b-1")
    scene.nova.default = Attempt(finish_after=100)
    scene.world.kill_at = 10
    groups = policy({"name": "a", "wait": 10}, {"name": "b"})
    with pytest.raises(BaseException):  # noqa: B017 - kill -9
        scene.recover(policy=groups)
    scene.world.revive()
    result = scene.recover(run_id="two", policy=groups)
    assert set(states(result).values()) == {"verified"}
    assert asked(scene)["b-1"] >= 100 + 10


lengths = st.tuples(st.integers(0, 40), st.integers(1, 120))
attempts = st.builds(
    Attempt,
    answer=st.sampled_from([OK, 409]),
    finish_after=st.sampled_from([2.0, 30.0, 90.0]),
    outcome=st.sampled_from(["done", FAILED, ERROR, STUCK]),
)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    st.lists(lengths, min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from("abcx"), attempts), min_size=1, max_size=6),
    st.integers(1, 4),
)
def test_no_group_begins_before_its_turn(
    kinds: list[tuple[int, int]], members: list[tuple[str, Attempt]], concurrency: int
) -> None:
    groups = [
        {"name": name, "wait": wait, "timeout": timeout}
        for name, (wait, timeout) in zip("abc", kinds, strict=False)
    ]
    names = [f"{letter}-{number}" for number, (letter, _attempt) in enumerate(members)]
    scene = scene_of(*names)
    for name, (_letter, attempt) in zip(names, members, strict=True):
        scene.nova.script[f"id-{name}"] = [attempt]
    result = scene.recover(
        policy=policy(*groups),
        concurrency=concurrency,
        retries=1,
        instance_timeout=150,
        timeout=400,
        poll_interval=5,
    )
    began = dict.fromkeys(names, math.inf) | asked(scene)
    ended = {
        entry["name"]: began[entry["name"]] + (entry["seconds"] or 0) for entry in result.instances
    }
    place = {name: min("abcx".index(name[0]), len(groups)) for name in names}
    for name in asked(scene):
        for index, group in enumerate(groups[: place[name]]):
            earlier = [other for other in names if place[other] == index]
            if earlier:
                by_end = max(ended[other] for other in earlier) + group["wait"]
                by_timeout = min(began[other] for other in earlier) + group["timeout"]
                # Results have tenths of a second.
                assert began[name] >= min(by_end, by_timeout) - 0.1
