# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rebuild_never_booted has listed and selected, as a plan like those of other runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import as_mapping, mappings, text, texts


def plan_of_listing(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """:param data: the run, with ``listed`` and ``selection``; others have no such plan."""
    selection = as_mapping(data.get("selection"))
    taken = set(texts(selection.get("build"))) | set(texts(selection.get("prepare")))
    return [
        {
            "id": text(one.get("uuid")),
            "name": text(one.get("name")),
            "project_id": text(one.get("project_id")),
            "action": "rebuild" if text(one.get("uuid")) in taken else "skip",
            "reason": _why_not(as_mapping(one.get("verdict"))),
        }
        for one in mappings(data.get("listed"))
    ]


def _why_not(verdict: Mapping[str, Any]) -> str | None:
    words = [text(reason.get("message")) for reason in mappings(verdict.get("reasons"))]
    return "; ".join(word for word in words if word) or None
