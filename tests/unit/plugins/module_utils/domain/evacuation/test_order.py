# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order, and what must not move at the same time."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.order import (
    evacuation_order,
    one_at_a_time_groups,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    groups_by_member,
)
from fakes import values


def test_running_ones_first_then_those_in_error_then_stopped_ones() -> None:
    instances = [
        values.instance("d", vm_state="stopped"),
        values.instance("c", vm_state="error"),
        values.instance("b"),
        values.instance("a", vm_state="stopped"),
        values.instance("e"),
    ]
    assert [i.name for i in evacuation_order(instances)] == ["b", "e", "c", "a", "d"]


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
