# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of an evacuation as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..check import mark
from ..text_table import text_table
from .verification import CHECKS

_HEADINGS = ("instance", "from", "to", "state", *CHECKS, "seconds")
_PLAN_HEADINGS = (
    *("order", "instance", "from", "action", "power"),
    *("priority", "group", "room", "reason"),
)
_ROOM = {True: "yes", False: "no", None: "unknown"}


def evacuation_table(instances: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: instance, from, to, state, each verification, seconds.

    The reasons of those that were not verified follow it, and the summary.

    :param instances: the module's return value of that name.
    """
    instances = list(instances)
    lines = text_table(_HEADINGS, [_row(instance) for instance in instances])
    lines.extend(
        f"{instance['name']} ({instance['id']}): {instance['reason']}"
        for instance in instances
        if instance.get("reason")
    )
    lines.append(summary(instances))
    foretold = [(instance.get("prediction") or {}).get("right") for instance in instances]
    if known := sum(right is not None for right in foretold):
        lines.append(f"who finds room was foretold right for {foretold.count(True)} of {known}")
    return lines


def plan_table(plan: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: order, instance, from, action, intended power state, what the policy says,
    whether there is room.

    When the policy leaves all of them where they are, the last line says so.

    :param plan: the module's return value of that name.
    """
    plan = list(plan)
    lines = text_table(
        _PLAN_HEADINGS,
        [
            (
                str(order),
                str(entry["name"]),
                str(entry.get("from") or "-"),
                str(entry["action"]),
                str(entry.get("power_state") or "-"),
                str(entry.get("priority") or "-"),
                str(entry.get("restart_group") or "-"),
                _room(entry.get("prediction")),
                "; ".join(_reasons(entry)) or "-",
            )
            for order, entry in enumerate(plan, start=1)
        ],
    )
    if plan and all(entry.get("code") == "left_by_policy" for entry in plan):
        lines.append("nothing is evacuated: the policy leaves all of them where they are")
    return lines


def _room(prediction: Mapping[str, Any] | None) -> str:
    return "-" if prediction is None else _ROOM[prediction["fits"]]


def _reasons(entry: Mapping[str, Any]) -> Iterator[str]:
    reason = entry.get("reason") or _by_rules(entry.get("rules") or {})
    yield from filter(None, (reason, (entry.get("prediction") or {}).get("reason")))


def _by_rules(rules: Mapping[str, str]) -> str:
    """For example: priority, restart_group by databases; leave_off by tests."""
    settings: dict[str, list[str]] = {}
    for setting, rule in rules.items():
        settings.setdefault(rule, []).append(setting)
    return "; ".join(f"{', '.join(found)} by {rule}" for rule, found in settings.items())


def summary(instances: Iterable[Mapping[str, Any]]) -> str:
    """For example: 11 of 12 instances verified, 1 skipped."""
    states = [instance["status"] for instance in instances]
    left_out = [state for state in ("skipped", "gone") if state in states]
    counted = [state for state in states if state not in left_out]
    text = f"{counted.count('verified')} of {len(counted)} instances verified"
    return text + "".join(f", {states.count(state)} {state}" for state in left_out)


def _row(instance: Mapping[str, Any]) -> Sequence[str]:
    checks = instance.get("verifications") or {}
    seconds = instance.get("seconds")
    return (
        str(instance["name"]),
        str(instance.get("from") or "-"),
        str(instance.get("to") or "-"),
        str(instance["status"]),
        *(mark(checks.get(name)) for name in CHECKS),
        "-" if seconds is None else f"{seconds:.1f}",
    )
