# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy says of one instance."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.decision import (
    AMPHORAE,
    Decision,
    decide,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Subject,
    matches,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    Policy,
    Preemptible,
    Reshape,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import policies
from hypothesis import assume, given
from hypothesis import strategies as st

AMPHORA = "amphora-0b2b9c6e-43c1-4e0f-9d2f-1f4ad4a2c7b5"
SETTINGS = ("evacuate", "leave_off", "restart_group", "preemptible", "reshape")


def said(*rules: dict[str, Any], selection: str = "opt_out", **subject: Any) -> Decision:
    data = {
        "version": 1,
        "selection": selection,
        "rules": [{"match": {}, "name": f"rule {i}", **rule} for i, rule in enumerate(rules)],
        "restart_groups": [{"name": "first"}],
    }
    return decide(parse_policy(data), Subject(**{"name": "vm", "project_id": "p", **subject}))


def test_without_a_policy_everything_moves_as_ever() -> None:
    assert decide(Policy(), Subject(name="vm", project_id="p")) == Decision()


def test_of_each_setting_the_first_rule_that_states_it_wins() -> None:
    found = said(
        {"match": {"tags": ["gold"]}, "priority": 900, "leave_off": True},
        {"match": {"names": "other"}, "evacuate": False},
        {"match": {"names": "vm"}, "priority": 1, "restart_group": "first"},
        tags=frozenset({"gold"}),
    )
    assert (found.priority, found.leave_off, found.restart_group) == (900, True, "first")
    assert found.evacuate
    assert found.rules == {
        "priority": "rule 0",
        "leave_off": "rule 0",
        "restart_group": "rule 2",
    }


def test_opt_in_moves_what_a_rule_opts_in_and_nothing_else() -> None:
    rule = {"match": {"tags": "ha"}, "evacuate": True}
    assert said(rule, selection="opt_in", tags=frozenset({"ha"})).evacuate
    left = said(rule, selection="opt_in")
    assert not left.evacuate
    assert "no rule opts it in" in (left.why_left or "")


def test_an_instance_that_moves_has_no_reason_to_stay() -> None:
    assert said({"evacuate": True}).why_left is None


def test_the_reason_names_the_rule() -> None:
    assert said({"evacuate": False}).why_left == "rule 'rule 0' of the policy says evacuate: false"


@pytest.mark.parametrize(
    ("name", "evacuated"),
    [
        (AMPHORA, False),
        (f"x{AMPHORA}", True),
        (f"{AMPHORA}-1", True),
        ("amphora-1", True),
        ("amphora-image-builder", True),
    ],
)
def test_amphorae_are_left_to_octavia(name: str, evacuated: bool) -> None:
    found = decide(Policy(), Subject(name=name, project_id="p"))
    assert found.evacuate is evacuated
    assert ("Octavia" in (found.why_left or "")) is not evacuated


def test_a_rule_of_the_policy_can_move_amphorae() -> None:
    found = said({"match": {"names": "amphora-*"}, "evacuate": True}, name=AMPHORA)
    assert found.evacuate
    assert not said({"priority": 900}, name=AMPHORA).evacuate


@pytest.mark.parametrize("text", ["1", "900", "1000", "0900"])
def test_a_priority_of_the_instances_own(text: str) -> None:
    found = said(
        {"priority_from_metadata": "prio", "priority": 7}, metadata={"prio": text.lstrip("0")}
    )
    assert found.priority == int(text)
    assert found.notes == ()


@pytest.mark.parametrize(
    "text", ["", "0", "1001", "-5", "+5", "high", "5.0", " 5", "1_0", "\u0665", "9" * 5000]
)
def test_one_that_is_none_is_told_and_ignored(text: str) -> None:
    found = said({"priority_from_metadata": "prio", "priority": 7}, metadata={"prio": text})
    assert found.priority == 7
    (note,) = found.notes
    assert "prio" in note
    assert "from 1 to 1000" in note
    assert said({"priority_from_metadata": "prio"}, metadata={"prio": text}).priority == 500


def test_without_the_key_the_next_rule_counts() -> None:
    found = said({"priority_from_metadata": "prio"}, {"priority": 7})
    assert (found.priority, found.rules) == (7, {"priority": "rule 1"})


def test_false_takes_back_what_a_later_rule_would_give() -> None:
    narrow = {"match": {"tags": "keep"}, "preemptible": False, "reshape": False}
    wide = {"preemptible": {"value": 3, "action": "delete"}, "reshape": {"flavor": "new"}}
    kept = said(narrow, wide, tags=frozenset({"keep"}))
    assert (kept.preemptible, kept.reshape) == (None, None)
    others = said(narrow, wide)
    assert others.preemptible == Preemptible(value=3, action="delete")
    assert others.reshape == Reshape(flavor="new")


@given(policies.policy_data(), policies.subjects, st.sampled_from(["vm", AMPHORA]))
def test_it_is_the_first_of_the_rules_that_match(
    data: dict[str, Any], subject: Subject, name: str
) -> None:
    policy = None
    with suppress(RecoveryError):
        policy = parse_policy(data)
    assume(policy is not None)
    assert policy is not None
    found = decide(policy, subject)
    rules = [rule for rule in (*policy.rules, AMPHORAE) if matches(rule.match, subject)]
    for setting in SETTINGS:
        stating = [rule for rule in rules if getattr(rule, setting) is not None]
        assert found.rules.get(setting) == (stating[0].name if stating else None)
        if stating:
            assert getattr(found, setting) == (getattr(stating[0], setting) or None) or (
                getattr(found, setting) is getattr(stating[0], setting)
            )
    if "evacuate" not in found.rules:
        assert found.evacuate is (data["selection"] == "opt_out")
    assert 1 <= found.priority <= 1000
    assert (found.why_left is None) is found.evacuate
    # Nothing but matching rules decides: others may be taken away.
    narrowed = Policy(
        selection=policy.selection,
        rules=tuple(rule for rule in rules if rule is not AMPHORAE),
        restart_groups=policy.restart_groups,
    )
    assert decide(narrowed, subject) == found
