# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What in a policy contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy import (
    schema,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.contradictions import (
    find_contradictions,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.decision import (
    decide,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.node import (
    Node,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import policies
from hypothesis import given

TAGGED = {"tags": ["gold"]}


def problems(*rules: dict[str, Any], **policy: Any) -> dict[str, str]:
    """Places and messages; rules are named a, b and so on."""
    named = [{"name": "abc"[i], "match": {}, **rule} for i, rule in enumerate(rules)]
    try:
        parse_policy({"version": 1, "rules": named, **policy})
    except RecoveryError as error:
        assert error.code == "invalid_policy"
        assert not error.retriable
        return {found["path"]: found["message"] for found in error.details["problems"]}
    return {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"evacuate": False}, {"evacuate": True}),
        ({"leave_off": False}, {"leave_off": True}),
        ({"priority": 1}, {"priority": 2}),
        ({"priority": 1}, {"priority_from_metadata": "prio"}),
        ({"preemptible": False}, {"preemptible": {"value": 1}}),
        ({"reshape": {"flavor": "a"}}, {"reshape": {"flavor": "b"}}),
    ],
)
@pytest.mark.parametrize("match", [{}, TAGGED])
def test_two_rules_for_the_same_that_differ(
    first: dict[str, Any], second: dict[str, Any], match: dict[str, Any]
) -> None:
    (setting,) = second
    found = problems({**first, "match": match}, {**second, "match": TAGGED})
    assert list(found) == [f"rules[1].{setting}"]
    assert "rule 'a' before it matches all that this one matches" in found[f"rules[1].{setting}"]
    assert problems({**first, "match": match}, {**first, "match": TAGGED}) == {}


def test_the_narrow_one_first_is_how_it_is_meant() -> None:
    assert problems({"match": TAGGED, "priority": 1}, {"priority": 2}) == {}
    silver = {"match": {"tags": ["gold", "silver"]}, "priority": 2}
    assert problems({"match": TAGGED, "priority": 1}, silver) == {}
    assert problems(silver, {"match": TAGGED, "priority": 1})


def test_a_key_of_metadata_leaves_room_for_what_follows() -> None:
    assert problems({"priority_from_metadata": "prio"}, {"priority": 2}) == {}
    assert problems({"priority_from_metadata": "a"}, {"priority_from_metadata": "b"}) == {}


def test_opt_in_that_opts_nothing_in() -> None:
    rule = {"match": TAGGED, "evacuate": False}
    assert list(problems(rule, selection="opt_in")) == ["selection"]
    assert list(problems(selection="opt_in")) == ["selection"]
    assert problems({**rule, "evacuate": True}, selection="opt_in") == {}


def test_names_are_unique() -> None:
    groups = [{"name": "x"}, {"name": "x"}]
    assert list(problems(restart_groups=groups)) == ["restart_groups"]
    twice = [
        {"name": "x", "match": TAGGED, "priority": 1},
        {"name": "x", "match": {}, "priority": 2},
    ]
    assert list(problems(*twice)) == ["rules"]


def test_a_restart_group_must_have_its_place() -> None:
    rule = {"match": TAGGED, "restart_group": "x"}
    assert list(problems(rule)) == ["rules[0].restart_group"]
    assert problems(rule, restart_groups=[{"name": "x"}]) == {}


def test_what_stays_cannot_be_left_off_elsewhere() -> None:
    assert list(problems({"evacuate": False, "leave_off": True})) == ["rules[0].leave_off"]


def test_all_are_told_at_once() -> None:
    found = problems(
        {"restart_group": "x", "priority": 1}, {"priority": 2, "evacuate": False, "leave_off": True}
    )
    assert set(found) == {"rules[0].restart_group", "rules[1].leave_off", "rules[1].priority"}


@given(policies.policy_data(), policies.subjects)
def test_a_setting_that_is_refused_would_never_have_counted(
    data: dict[str, Any], subject: Subject
) -> None:
    policy = schema._policy(Node(data))
    decision = decide(policy, subject)
    for problem in find_contradictions(policy):
        if "never counts" in problem.message:
            index, setting = problem.path.removeprefix("rules[").split("].")
            setting = setting.removesuffix("_from_metadata")
            assert decision.rules.get(setting) != policy.rules[int(index)].name
