# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of migrations as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..text_table import text_table

_HEADINGS = ("order", "instance", "from", "to", "action", "state", "reason")


def migration_plan_table(plan: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table: order, instance, where it is, where it goes, how, its state, reason.

    :param plan: the module's return value of that name.
    """
    return text_table(
        _HEADINGS,
        [
            (
                str(order),
                str(entry["name"]),
                str(entry.get("from") or "-"),
                str(entry["to"]),
                str(entry["action"]),
                str(entry.get("vm_state") or "-"),
                str(entry.get("reason") or "-"),
            )
            for order, entry in enumerate(plan, start=1)
        ],
    )
