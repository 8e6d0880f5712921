# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that was verified, with what was expected and what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """``expected`` and ``observed`` are words for people."""

    name: str
    passed: bool
    expected: str
    observed: str

    def as_dict(self) -> dict[str, Any]:
        return {"passed": self.passed, "expected": self.expected, "observed": self.observed}


def failing(checks: Iterable[Check]) -> str:
    """Those that have not passed, for people."""
    return "; ".join(
        f"{check.name}: expected {check.expected}, observed {check.observed}"
        for check in checks
        if not check.passed
    )


def mark(check: Mapping[str, Any] | None) -> str:
    """For a table. ``check`` is as a module returns it, None when there was none."""
    if check is None:
        return "-"
    return "ok" if check["passed"] else "WRONG"
