# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the values of a report, which other modules and older versions have written.

What has another type than is expected counts as not stated: a report of a run that went wrong has to
be shown all the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def text(value: Any) -> str | None:
    """None for what is empty, and for what is no single value."""
    if value is None or isinstance(value, (Mapping, list, tuple)):
        return None
    return str(value).strip() or None


def texts(value: Any) -> list[str]:
    return [found for one in as_list(value) if (found := text(one))]


def number(value: Any) -> float | None:
    """A finite number, also one that Ansible has made a text."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time; UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in as_list(value) if isinstance(one, Mapping)]


def clock(at: datetime | None, *, milliseconds: bool = False) -> str | None:
    """The time for people: with its day, or with milliseconds."""
    if at is None:
        return None
    if milliseconds:
        return at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}"
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
