# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: which instances are brought to which host, in which way, which are left and why.

Check mode returns this object, a run applies it and the diff renders it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..evacuation.selection import Skip
from ..nova import Instance
from ..operation.step import Subject
from .request import COLD_MIGRATE, CONFIRM, LIVE_MIGRATE, Wish

# Something has begun it already; to wait for it, and to go on from there.
ADOPT = "adopt"
# It is at home.
VERIFY = "verify"
SKIP = "skip"

# What is in progress counts for the throttle, so it comes first; what runs goes before what is off.
_ORDER = {ADOPT: 0, CONFIRM: 0, VERIFY: 1, LIVE_MIGRATE: 2, COLD_MIGRATE: 3}
_SENDS = frozenset({CONFIRM, LIVE_MIGRATE, COLD_MIGRATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is true of the instance before; ``vm_state`` is what it is to be again."""

    vm_state: str
    volume_ids: frozenset[str]
    port_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMigration:
    """One instance to bring from ``source`` to ``host``."""

    instance: Instance
    source: str
    host: str
    action: str
    baseline: Baseline

    @property
    def is_to_begin(self) -> bool:
        """Whether the host must be able to take it."""
        return self.action in (LIVE_MIGRATE, COLD_MIGRATE)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance.id,
            "name": self.instance.name,
            "project_id": self.instance.project_id,
            "from": self.source,
            "to": self.host,
            "action": self.action,
            "vm_state": self.baseline.vm_state,
            "code": None,
            "reason": None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedMigration:
    """One that is left where it is. ``instance`` is None when Nova has none of this id."""

    wish: Wish
    instance: Instance | None
    skip: Skip

    def as_dict(self) -> dict[str, Any]:
        known = self.instance
        return {
            "id": self.wish.instance_id,
            "name": known.name if known else self.wish.name or self.wish.instance_id,
            "project_id": known.project_id if known else None,
            "from": known.host if known else None,
            "to": self.wish.host,
            "action": SKIP,
            "vm_state": known.vm_state if known else None,
            "code": self.skip.code,
            "reason": self.skip.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``moves`` in the order in which they are begun."""

    moves: tuple[PlannedMigration, ...] = ()
    skipped: tuple[SkippedMigration, ...] = ()

    @property
    def changes_something(self) -> bool:
        return any(move.action in _SENDS for move in self.moves)

    def as_list(self) -> list[dict[str, Any]]:
        planned: Sequence[PlannedMigration | SkippedMigration] = (*self.moves, *self.skipped)
        return [entry.as_dict() for entry in planned]

    def totals(self) -> dict[str, int]:
        """Counts by what is to be done."""
        actions = Counter(entry["action"] for entry in self.as_list())
        return {
            "planned": len(self.moves),
            **{action: actions[action] for action in (*_ORDER, SKIP)},
        }

    def subjects(self) -> list[Subject]:
        """For a run. What is at home already does not leave it."""
        return [
            Subject(
                id=move.instance.id,
                name=move.instance.name,
                project_id=move.instance.project_id,
                source=move.source,
                action=move.action,
                leaves=None if move.action == VERIFY else move.source,
            )
            for move in self.moves
        ]


def in_order(moves: list[PlannedMigration]) -> tuple[PlannedMigration, ...]:
    """In the order in which they are begun."""
    return tuple(sorted(moves, key=lambda m: (_ORDER[m.action], m.instance.name, m.instance.id)))
