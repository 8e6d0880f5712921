# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan and the result of a reshape for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..check import mark
from ..evacuation.report import summary
from ..text_table import text_table
from .verification import CHECKS

_HEADINGS = ("instance", "from", "to", "status", "state", *CHECKS, "seconds")
_PLAN_HEADINGS = ("order", "instance", "host", "action", "image", "flavor", "loses", "reason")


def reshape_table(instances: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: instance, from, to, status, state, each verification, seconds.

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
    return [*lines, summary(instances)]


def reshape_plan_table(plan: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: order, instance, host, action, image, flavor, what is lost, reason.

    :param plan: the module's return value of that name.
    """
    return text_table(
        _PLAN_HEADINGS,
        [
            (
                str(order),
                str(entry["name"]),
                str(entry.get("from") or "-"),
                str(entry["action"]),
                _change(entry.get("image")),
                _change(entry.get("flavor")),
                str(entry.get("data_lost") or "-"),
                str(entry.get("reason") or "-"),
            )
            for order, entry in enumerate(plan, start=1)
        ],
    )


def _row(instance: Mapping[str, Any]) -> Sequence[str]:
    checks = instance.get("verifications") or {}
    seconds = instance.get("seconds")
    return (
        str(instance["name"]),
        str(instance.get("from") or "-"),
        str(instance.get("to") or "-"),
        str(instance["status"]),
        str(instance.get("state") or "-"),
        *(mark(checks.get(name)) for name in CHECKS),
        "-" if seconds is None else f"{seconds:.1f}",
    )


def _change(change: Mapping[str, Any] | None) -> str:
    if not change:
        return "-"
    if change["from"] == change["to"]:
        return f"{change['to']} already"
    return f"{change['from'] or 'unknown'} -> {change['to']}"
