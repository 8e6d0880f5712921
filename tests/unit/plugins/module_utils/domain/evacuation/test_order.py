# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order, and what must not move at the same time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.order import (
    evacuation_order,
    one_at_a_time_groups,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    groups_by_member,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import Instance
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.decision import (
    Decision,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    Policy,
    RestartGroup,
)
from fakes import values
from hypothesis import given
from hypothesis import strategies as st


def ordered(
    instances: list[Instance],
    policy: Policy | None = None,
    decisions: dict[str, Decision] | None = None,
) -> list[str]:
    decisions = decisions or {instance.id: Decision() for instance in instances}
    return [i.name for i in evacuation_order(instances, policy or Policy(), decisions)]


def test_running_ones_first_then_those_in_error_then_stopped_ones() -> None:
    instances = [
        values.instance("d", vm_state="stopped"),
        values.instance("c", vm_state="error"),
        values.instance("b"),
        values.instance("a", vm_state="stopped"),
        values.instance("e"),
    ]
    assert ordered(instances) == ["b", "e", "c", "a", "d"]


def test_restart_groups_count_more_than_priorities_and_those_more_than_states() -> None:
    policy = Policy(restart_groups=(RestartGroup(name="first"), RestartGroup(name="second")))
    decisions = {
        "id-a": Decision(),
        "id-b": Decision(priority=501),
        "id-c": Decision(restart_group="second", priority=1000),
        "id-d": Decision(restart_group="first", priority=1),
        "id-e": Decision(restart_group="first", priority=2),
        "id-f": Decision(),
    }
    instances = [values.instance(name) for name in "abcdf"]
    instances.append(values.instance("e", vm_state="stopped"))
    assert ordered(instances, policy, decisions) == ["e", "d", "c", "b", "a", "f"]


names = st.text("ab", min_size=1, max_size=3)
decided = st.builds(
    Decision,
    priority=st.integers(1, 3),
    restart_group=st.sampled_from([None, "g1", "g2", "not in the policy"]),
)


@given(st.lists(st.tuples(names, st.sampled_from(["active", "error", "stopped"]), decided)))
def test_the_order_is_one_whatever_nova_lists_first(
    found: list[tuple[str, str, Decision]],
) -> None:
    policy = Policy(restart_groups=(RestartGroup(name="g1"), RestartGroup(name="g2")))
    instances = [
        values.instance(name, id=str(i), vm_state=state)
        for i, (name, state, _decision) in enumerate(found)
    ]
    decisions = {str(i): decision for i, (_name, _state, decision) in enumerate(found)}
    order = evacuation_order(instances, policy, decisions)
    assert order == evacuation_order(reversed(instances), policy, decisions)
    assert sorted(order, key=lambda i: i.id) == sorted(instances, key=lambda i: i.id)
    for earlier, later in pairwise(decisions[i.id] for i in order):
        group, next_group = (policy.group_index(d.restart_group) for d in (earlier, later))
        assert group <= next_group
        assert group < next_group or earlier.priority >= later.priority


@pytest.mark.parametrize(
    ("policy", "alone"),
    [
        ("anti-affinity", True),
        ("soft-anti-affinity", True),
        ("affinity", False),
        ("soft-affinity", False),
    ],
)
def test_members_of_an_anti_affinity_group_move_one_at_a_time(policy: str, alone: bool) -> None:
    by_member = groups_by_member([values.group(policy, "a", "b")])
    assert one_at_a_time_groups("a", by_member) == (
        frozenset({"group-group"}) if alone else frozenset()
    )
    assert one_at_a_time_groups("c", by_member) == frozenset()
