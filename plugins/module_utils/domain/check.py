# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that was verified, with what was expected and what was found."""

from __future__ import annotations

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
