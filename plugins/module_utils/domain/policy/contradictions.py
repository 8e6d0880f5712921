# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What in a policy contradicts itself, though each part is well-formed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from .matching import covers
from .node import Problem
from .policy import OPT_IN, Policy, Rule

_SETTINGS = ("evacuate", "leave_off", "restart_group", "preemptible", "reshape")


def find_contradictions(policy: Policy) -> Iterator[Problem]:
    """Each with the place of what cannot be meant."""
    yield from _twice("rules", [rule.name for rule in policy.rules])
    yield from _twice("restart_groups", [group.name for group in policy.restart_groups])
    if policy.selection == OPT_IN and not any(rule.evacuate for rule in policy.rules):
        yield Problem(
            "selection",
            "is opt_in, but no rule says evacuate: true: nothing would ever be evacuated",
        )
    groups = {group.name for group in policy.restart_groups}
    for index, rule in enumerate(policy.rules):
        if rule.restart_group is not None and rule.restart_group not in groups:
            yield Problem(
                f"rules[{index}].restart_group",
                f"'{rule.restart_group}' is not in restart_groups, which has their order",
            )
        if rule.evacuate is False and rule.leave_off:
            yield Problem(
                f"rules[{index}].leave_off",
                "contradicts evacuate: false: what is not evacuated cannot be left off elsewhere",
            )
    for (_first, earlier), (index, later) in combinations(enumerate(policy.rules), 2):
        if covers(earlier.match, later.match):
            for setting, first in _overruled(earlier, later):
                yield Problem(
                    f"rules[{index}].{setting}",
                    f"never counts: rule '{earlier.name}' before it matches all that this one"
                    f" matches, and states {first}. Put the narrower rule first",
                )


def _twice(where: str, names: list[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(where, f"{count} have the name '{name}'")


def _overruled(earlier: Rule, later: Rule) -> Iterator[tuple[str, str]]:
    """The settings that both state, differently, with what the earlier one states."""
    for setting in _SETTINGS:
        first, second = getattr(earlier, setting), getattr(later, setting)
        if first is not None and second is not None and first != second:
            yield setting, f"{setting} differently"
    if earlier.priority is None:
        # Its priority_from_metadata leaves the matter open where the instance has no such key.
        return
    if later.priority is not None and later.priority != earlier.priority:
        yield "priority", f"priority: {earlier.priority}"
    if later.priority_from_metadata not in (None, earlier.priority_from_metadata):
        yield "priority_from_metadata", f"priority: {earlier.priority}"
