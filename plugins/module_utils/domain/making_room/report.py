# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is removed, and who gets room, as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..text_table import text_table

_WAITING = ("waiting", "zone", "needs", "room", "host", "reason")
_REMOVED = ("removed", "from", "value", "rule", "action", "state", "reason")
_WORDS = {
    "has_room": "now",
    "gets_room": "when the plan is carried out",
    "no_room": "none",
}


def making_room_table(result: Mapping[str, Any]) -> list[str]:
    """Lines: those that wait, then those that are removed or stay although a rule says preemptible.

    :param result: what the module returns.
    """
    waiting = result.get("waiting") or []
    lines = text_table(
        _WAITING,
        [
            (
                str(one["name"]),
                str(one.get("zone") or "-"),
                _amounts(one.get("needs") or {}),
                _WORDS.get(one["fits"], str(one["fits"])),
                str(one.get("host") or "-"),
                str(one.get("reason") or "-"),
            )
            for one in waiting
        ],
    )
    plan, instances = result.get("plan") or [], result.get("instances") or []
    ended = {one["id"]: one for one in instances}
    planned = {one["id"] for one in plan}
    rows = [_removal(one, ended.get(one["id"])) for one in plan]
    # What a later plan of the same run says.
    rows += [_removal(one, one) for one in instances if one["id"] not in planned]
    if rows:
        lines += ["", *text_table(_REMOVED, rows)]
    if not result.get("fewest", True):
        lines.append("There are too many sets of instances to try them all: fewer may do.")
    return [*lines, *(result.get("notes") or [])]


def _amounts(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in sorted(amounts.items())) or "-"


def _removal(planned: Mapping[str, Any], ended: Mapping[str, Any] | None) -> tuple[str, ...]:
    told = ended or planned
    state = "stays" if planned["action"] == "skip" else "to be removed"
    if ended is not None:
        state = f"{ended['status']}, {ended.get('state') or '-'}"
    return (
        str(planned["name"]),
        str(planned.get("from") or "-"),
        str(planned.get("value") or "-"),
        str(planned.get("rule") or "-"),
        str(told["action"]),
        state,
        str(told.get("reason") or "-"),
    )
