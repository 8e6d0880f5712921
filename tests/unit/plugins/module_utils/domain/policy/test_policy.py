# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a policy."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    Match,
    Policy,
    RestartGroup,
    Rule,
)


def test_it_needs_what_its_rules_match_on() -> None:
    policy = Policy(
        rules=(
            Rule(name="a", match=Match(tags=frozenset({"x"}))),
            Rule(name="b", match=Match(projects=frozenset({"y"}), metadata={"z": None})),
        )
    )
    assert policy.needs == {"tags", "projects", "metadata"}
    assert Policy().needs == frozenset()


def test_instances_without_a_group_come_after_all_groups() -> None:
    policy = Policy(restart_groups=(RestartGroup(name="a"), RestartGroup(name="b")))
    assert [policy.group_index(name) for name in ("a", "b", "c", None)] == [0, 1, 2, 2]
