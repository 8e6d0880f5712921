# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy import (
    schema,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    CapacityPolicy,
    MakeRoomPolicy,
    Match,
    Policy,
    Preemptible,
    Reshape,
    RestartGroup,
    Rule,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import instance_evacuation
from fakes import policies
from hypothesis import given
from hypothesis import strategies as st

COLLECTION = Path(schema.__file__ or "").parents[4]
ALL: dict[str, Any] = {
    "version": 1,
    "selection": "opt_in",
    "rules": [
        {
            "name": "all",
            "match": {
                "metadata": {"tier": ["database", "queue"], "ha": True, "x": "y"},
                "tags": "gold",
                "extra_specs": {"ha:level": "gold"},
                "image_properties": {"os_distro": "debian"},
                "aggregates": ["ssd"],
                "projects": ["acme"],
                "names": ["db-*"],
            },
            "evacuate": True,
            "leave_off": True,
            "priority": 900,
            "priority_from_metadata": "prio",
            "restart_group": "first",
            "preemptible": {"value": 10, "action": "delete", "stop_first": True},
            "reshape": {"image": "debian-13", "flavor": "small", "replace_root_disk": True},
        }
    ],
    "restart_groups": [{"name": "first", "wait": 30, "timeout": 60}, {"name": "second"}],
    "capacity": {"on_shortage": "fail", "reserved_aggregate": "spares"},
    "make_room": {"limit": 3},
}


def problems(data: Any) -> list[dict[str, str]]:
    with pytest.raises(RecoveryError) as raised:
        parse_policy(data)
    error = raised.value
    assert (error.code, error.retriable) == ("invalid_policy", False)
    found: list[dict[str, str]] = error.details["problems"]
    assert found
    assert all(problem["message"] in error.message for problem in found)
    return found


def paths(data: Any) -> list[str]:
    return [problem["path"] for problem in problems(data)]


def test_all_that_a_policy_can_say() -> None:
    def of(*words: str) -> frozenset[str]:
        return frozenset(words)

    assert parse_policy(ALL) == Policy(
        selection="opt_in",
        rules=(
            Rule(
                name="all",
                match=Match(
                    metadata={"tier": of("database", "queue"), "ha": None, "x": of("y")},
                    tags=of("gold"),
                    extra_specs={"ha:level": of("gold")},
                    image_properties={"os_distro": of("debian")},
                    aggregates=of("ssd"),
                    projects=of("acme"),
                    names=of("db-*"),
                ),
                evacuate=True,
                leave_off=True,
                priority=900,
                priority_from_metadata="prio",
                restart_group="first",
                preemptible=Preemptible(value=10, action="delete", stop_first=True),
                reshape=Reshape(image="debian-13", flavor="small", replace_root_disk=True),
            ),
        ),
        restart_groups=(
            RestartGroup(name="first", wait=30, timeout=60),
            RestartGroup(name="second", wait=0, timeout=600),
        ),
        capacity=CapacityPolicy(on_shortage="fail", reserved_aggregate="spares"),
        make_room=MakeRoomPolicy(limit=3),
    )


def test_no_policy_is_that_of_a_run_without_one() -> None:
    assert parse_policy(None) == parse_policy({"version": 1}) == Policy()


def test_the_example_of_the_documentation_is_one() -> None:
    text = (COLLECTION / "docs" / "examples" / "recovery_policy.yml").read_text(encoding="utf-8")
    policy = parse_policy(yaml.safe_load(text))
    assert policy.rules
    assert policy.restart_groups
    documented = (COLLECTION / "docs" / "policy.md").read_text(encoding="utf-8")
    for word in (*schema._POLICY, *schema._RULE, *schema._MATCH):
        assert word in documented, word


def test_the_examples_of_the_module_and_of_the_documentation_are_policies() -> None:
    tasks = yaml.safe_load(instance_evacuation.EXAMPLES)
    name = "openstack_recovery.nova.instance_evacuation"
    found = [task[name]["policy"] for task in tasks if "policy" in task[name]]
    text = (COLLECTION / "docs" / "policy.md").read_text(encoding="utf-8")
    whole, *parts = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    found.append(yaml.safe_load(whole))
    found.extend({"version": 1, "rules": yaml.safe_load(part)} for part in parts)
    assert len(found) == 3
    assert all(parse_policy(data).rules for data in found)


def test_the_policy_of_the_readme_is_one() -> None:
    text = (COLLECTION / "README.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    (policy,) = (block for block in blocks if "rules" in block)
    assert len(parse_policy(policy).rules) == 3


def _with(**settings: Any) -> dict[str, Any]:
    return {"version": 1, "rules": [{"name": "a", "match": {}, **settings}]}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], ""),
        ({}, ""),
        ({"version": 2}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 1, "rule": []}, "rule"),
        ({"version": 1, "rules": {}}, "rules"),
        ({"version": 1, "rules": [None]}, "rules[0]"),
        ({"version": 1, "selection": "all"}, "selection"),
        ({"version": 1, "rules": [{"match": {}, "evacuate": True}]}, "rules[0]"),
        ({"version": 1, "rules": [{"name": "a", "evacuate": True}]}, "rules[0]"),
        (_with(), "rules[0]"),
        (_with(evacuate="yes"), "rules[0].evacuate"),
        (_with(leave_off=1), "rules[0].leave_off"),
        (_with(priority=0), "rules[0].priority"),
        (_with(priority=1001), "rules[0].priority"),
        (_with(priority=True), "rules[0].priority"),
        (_with(priority_from_metadata=""), "rules[0].priority_from_metadata"),
        (_with(preemptible=True), "rules[0].preemptible"),
        (_with(preemptible={"action": "shelve"}), "rules[0].preemptible"),
        (_with(preemptible={"value": 1, "action": "stop"}), "rules[0].preemptible.action"),
        (_with(preemptible={"value": 1, "stop_first": True}), "rules[0].preemptible.stop_first"),
        (_with(reshape={}), "rules[0].reshape"),
        (_with(reshape={"replace_root_disk": True}), "rules[0].reshape"),
        (_with(reshape={"image": "x"}), "rules[0].reshape.image"),
        (_with(reshape={"flavour": "x"}), "rules[0].reshape.flavour"),
        (_with(evacuate=True, match={"metdata": {}}), "rules[0].match.metdata"),
        (_with(evacuate=True, match={"metadata": {}}), "rules[0].match.metadata"),
        (_with(evacuate=True, match={"metadata": {"a": False}}), "rules[0].match.metadata.a"),
        (_with(evacuate=True, match={"extra_specs": {"a": 1}}), "rules[0].match.extra_specs.a"),
        (_with(evacuate=True, match={"tags": []}), "rules[0].match.tags"),
        (_with(evacuate=True, match={"names": ["a", 7]}), "rules[0].match.names[1]"),
        (_with(evacuate=True, name="octavia_amphorae"), "rules[0].name"),
        ({"version": 1, "restart_groups": [{"wait": 3}]}, "restart_groups[0]"),
        ({"version": 1, "restart_groups": [{"name": "a", "wait": -1}]}, "restart_groups[0].wait"),
        (
            {"version": 1, "restart_groups": [{"name": "a", "timeout": 0}]},
            "restart_groups[0].timeout",
        ),
        ({"version": 1, "capacity": {"on_shortage": "wait"}}, "capacity.on_shortage"),
        ({"version": 1, "make_room": {"limit": 0}}, "make_room.limit"),
    ],
)
def test_what_is_wrong_is_named(data: Any, path: str) -> None:
    assert path in paths(data)


def test_every_problem_is_told_and_not_only_the_first() -> None:
    assert paths({"rulez": [], "make_room": {"limt": 1}, "capacity": 3}) == [
        "rulez",
        "",
        "capacity",
        "make_room.limt",
    ]


def test_why_stop_is_no_action() -> None:
    (problem,) = problems(_with(preemptible={"value": 1, "action": "stop"}))
    assert "Nova keeps what a stopped instance has allocated" in problem["message"]


@given(policies.policy_data())
def test_what_is_well_formed_is_a_policy_or_contradicts_itself(data: dict[str, Any]) -> None:
    try:
        policy = parse_policy(data)
    except RecoveryError as error:
        assert error.code == "invalid_policy"
        return
    assert [rule.name for rule in policy.rules] == [rule["name"] for rule in data["rules"]]
    # Through YAML it stays what it is.
    assert parse_policy(yaml.safe_load(yaml.safe_dump(data))) == policy


_trash = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
)


def _spoiled(value: Any, trash: Any, draw: Any) -> Any:
    """The same with one thing in it exchanged."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: _spoiled(value[key], trash, draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [_spoiled(value[0], trash, draw), *value[1:]]
    return trash


@given(st.data(), _trash)
def test_whatever_is_in_the_file_it_is_a_policy_or_refused(data: Any, trash: Any) -> None:
    try:
        parse_policy(_spoiled(ALL, trash, data.draw))
    except RecoveryError as error:
        assert error.code == "invalid_policy"
        assert error.details["problems"]
