# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan and the result of a reshape for people, and the result of its batches as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..check import mark
from ..evacuation.report import summary
from ..operation.result import totals
from ..operation.work import NOT_STARTED
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


def reshape_outcome(
    plan: Sequence[Mapping[str, Any]], batches: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """``instances``, ``totals`` and ``requests`` of a run in batches.

    Instances whose batch was not begun are among them.

    :param plan: what the module has returned of that name for all instances.
    :param batches: what it has returned for each batch that was begun.
    """
    done = {one["id"]: dict(one) for batch in batches for one in batch.get("instances") or ()}
    instances = [done.get(entry["id"]) or _without_batch(entry) for entry in plan]
    requests: Counter[str] = Counter()
    for batch in batches:
        requests.update(batch.get("requests") or {})
    return {"instances": instances, "totals": totals(instances), "requests": dict(requests)}


def _without_batch(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: entry[name] for name in ("id", "name", "project_id", "from", "action")}
    if entry["action"] == "skip":
        return {**kept, "status": "skipped", "code": entry["code"], "reason": entry["reason"]}
    reason = "its batch was not begun"
    return {**kept, "status": NOT_STARTED, "code": "batch_not_begun", "reason": reason}


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
