# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy says of one instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .matching import Subject, matches
from .policy import (
    DEFAULT_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    OPT_OUT,
    Match,
    Policy,
    Preemptible,
    Reshape,
    Rule,
)

_HEX = "[0-9a-f]"
# Octavia names its instances so. It replaces those of a failed host itself; an amphora that comes
# back beside its replacement leaves the load balancer in ERROR.
AMPHORAE = Rule(
    name="octavia_amphorae",
    match=Match(names=frozenset({f"amphora-{'-'.join(_HEX * n for n in (8, 4, 4, 4, 12))}"})),
    evacuate=False,
)
# They come after the policy's own rules.
BUILT_IN = (AMPHORAE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The settings of one instance; ``rules`` has the name of the rule that stated each.

    ``why_left`` is the reason when it is not to be evacuated. ``notes`` tell what was ignored.
    """

    evacuate: bool = True
    leave_off: bool = False
    priority: int = DEFAULT_PRIORITY
    restart_group: str | None = None
    preemptible: Preemptible | None = None
    reshape: Reshape | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def why_left(self) -> str | None:
        if self.evacuate:
            return None
        rule = self.rules.get("evacuate")
        if rule is None:
            return "the policy evacuates what a rule opts in, and no rule opts it in"
        if rule == AMPHORAE.name:
            return (
                f"rule '{rule}', which is built in: Octavia replaces its amphorae itself. A rule of"
                " the policy that says evacuate: true for it would win"
            )
        return f"rule '{rule}' of the policy says evacuate: false"


def decide(policy: Policy, subject: Subject) -> Decision:
    """The settings of this instance: each from the first rule that matches and states it."""
    rules = [rule for rule in (*policy.rules, *BUILT_IN) if matches(rule.match, subject)]
    stated: dict[str, str] = {}

    def first(setting: str, default: Any) -> Any:
        for rule in rules:
            value = getattr(rule, setting)
            if value is not None:
                stated[setting] = rule.name
                return value
        return default

    priority, notes = _priority(rules, subject, stated)
    return Decision(
        evacuate=first("evacuate", policy.selection == OPT_OUT),
        leave_off=first("leave_off", False),
        priority=priority,
        restart_group=first("restart_group", None),
        preemptible=first("preemptible", None) or None,
        reshape=first("reshape", None) or None,
        rules=stated,
        notes=(*subject.notes, *notes),
    )


def _priority(
    rules: Iterable[Rule], subject: Subject, stated: dict[str, str]
) -> tuple[int, list[str]]:
    """From the instance's own metadata where a rule names a key, else from the rule."""
    notes = []
    for rule in rules:
        text = subject.metadata.get(rule.priority_from_metadata or "")
        priority = rule.priority
        if text is not None:
            own = _own_priority(text)
            if own is None:
                notes.append(
                    f"its metadata {rule.priority_from_metadata}={text!r} is ignored: a priority is"
                    f" a whole number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}"
                )
            else:
                priority = own
        if priority is not None:
            stated["priority"] = rule.name
            return priority, notes
    return DEFAULT_PRIORITY, notes


def _own_priority(text: str) -> int | None:
    # int() alone takes signs, underscores and blanks, too.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(HIGHEST_PRIORITY))):
        return None
    return int(text) if LOWEST_PRIORITY <= int(text) <= HIGHEST_PRIORITY else None
