# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that had to be open before anything was done, with what they were judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .values import as_mapping, mappings, moment, text, texts
from .words import BAD, MARKS, OK, in_words


def gates_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sections of gates: of the confirmation, and of fencing. Each has rows and evidence.

    :param data: the run, as it was given.
    """
    sections = [_confirmation(as_mapping(data.get("confirmation")))]
    sections.append(_fencing(as_mapping(data.get("fencing"))))
    return [section for section in sections if section]


def _confirmation(found: Mapping[str, Any]) -> dict[str, Any]:
    if not found:
        return {}
    verdicts = texts(found.get("verdicts"))
    return {
        "title": "Whether the host has failed",
        "summary": "; ".join(texts(found.get("reasons"))),
        "aside": f"looked at {len(verdicts)} times: {', '.join(verdicts)}" if verdicts else "",
        "rows": [
            _row(in_words(text(gate.get("name")) or ""), gate.get("passed"), gate.get("reason"))
            for gate in mappings(found.get("gates"))
        ],
        "evidence": [_evidence(one) for one in mappings(found.get("evidence"))],
    }


def _fencing(found: Mapping[str, Any]) -> dict[str, Any]:
    if not found:
        return {}
    methods = ", ".join(texts(found.get("methods")))
    return {
        "title": "Whether the host is fenced",
        "summary": text(found.get("reason")) or "",
        "aside": f"stated: {methods}" if methods else "",
        "rows": [
            _row("fenced", found.get("fenced"), _by(found)),
            _row("instances may be evacuated", found.get("proceed"), found.get("reason")),
        ],
        "evidence": [
            {
                "name": in_words(text(one.get("method")) or ""),
                "source": in_words(text(one.get("outcome")) or ""),
                "at": "",
                "value": as_json({k: v for k, v in one.items() if k not in ("method", "outcome")}),
            }
            for one in mappings(found.get("attempts"))
        ],
    }


def _by(found: Mapping[str, Any]) -> str:
    by = text(found.get("by"))
    return f"by {by}" if by and by != "none" else "nothing was observed"


def _row(name: str, passed: Any, reason: Any) -> dict[str, Any]:
    level = OK if passed is True else BAD
    return {"name": name, "level": level, "mark": MARKS[level], "reason": text(reason) or ""}


def _evidence(one: Mapping[str, Any]) -> dict[str, str]:
    at = moment(one.get("observed_at"))
    return {
        "name": in_words(text(one.get("name")) or ""),
        "source": text(one.get("source")) or "",
        "at": at.strftime("%H:%M:%S") if at else "",
        "value": as_json(one.get("value")),
    }


def as_json(value: Any) -> str:
    """Short, for people who know what they look for."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
