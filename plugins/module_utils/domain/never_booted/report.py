# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never-booted instances as a table for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..check import mark
from ..text_table import text_table
from .build_verification import CHECKS

_HEADINGS = (
    "instance",
    "uuid",
    "project",
    "class",
    "created",
    "networks",
    "journal",
    "verdict",
    "fault",
)
_FAULT_WIDTH = 40
_REBUILD_HEADINGS = ("uuid", "result", "host", *CHECKS, "message")


def never_booted_table(instances: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: instance, uuid, project, class, created, networks, journal, verdict, fault.

    What blocks instances follows it, each reason with how many have it, and the summary.

    :param instances: the return value of that name of cell0_instance_info.
    """
    instances = list(instances)
    lines = text_table(_HEADINGS, [_row(instance) for instance in instances])
    reasons = Counter(
        reason["code"] for instance in instances for reason in instance["verdict"]["reasons"]
    )
    lines.extend(f"{code}: {number}" for code, number in reasons.most_common())
    rebuildable = sum(bool(one["verdict"]["rebuildable"]) for one in instances)
    lines.append(f"{rebuildable} of {len(instances)} never-booted instances can be rebuilt")
    return lines


def rebuild_table(instances: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: uuid, result, host, each check, message; and the summary.

    :param instances: the return value of that name of instance_build.
    """
    instances = list(instances)
    rows = [
        (
            str(one["uuid"]),
            str(one["result"]),
            str(one["host"] or "-"),
            *(mark((one["verification"] or {}).get(name)) for name in CHECKS),
            str(one["message"] or "-"),
        )
        for one in instances
    ]
    active = sum(one["result"] == "active" for one in instances)
    summary = f"{active} of {len(instances)} instances active and verified"
    return [*text_table(_REBUILD_HEADINGS, rows), summary]


def _row(instance: Mapping[str, Any]) -> tuple[str, ...]:
    verdict, hint = instance["verdict"], instance["networks_hint"]
    if instance["networks_source"]:
        networks = str(instance["networks_source"])
    else:
        networks = f"unknown ({hint['source']}?)" if hint else "unknown"
    codes = ", ".join(reason["code"] for reason in verdict["reasons"])
    unchecked = f" (unchecked: {', '.join(verdict['unchecked'])})" if verdict["unchecked"] else ""
    fault = (instance["fault"] or {}).get("message") or "-"
    return (
        str(instance["name"] or "-"),
        str(instance["uuid"]),
        str(instance["project_id"] or "-"),
        f"{instance['class']} ({instance['situation']})",
        str(instance["created_at"] or "-"),
        networks,
        str((instance["journal"] or {}).get("state") or "-"),
        ("rebuildable" if verdict["rebuildable"] else codes) + unchecked,
        # One line, whatever Nova wrote.
        " ".join(fault.split())[:_FAULT_WIDTH],
    )
