# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of making room: who waits, what is removed for that, what stays and why.

Check mode returns this object, a run applies it and the diff renders it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..bounds import require_at_least
from ..errors import RecoveryError
from ..nova import Instance
from ..policy.policy import FAIL, Policy
from .candidates import Candidate, Spared

# What becomes of an instance that waits.
HAS_ROOM = "has_room"
GETS_ROOM = "gets_room"
NO_ROOM = "no_room"

# A policy that does not say how many may go lets one go.
DEFAULT_LIMIT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    :param instances: ids of the instances that wait, the most urgent first where their priorities
        are the same.
    :param limit: how many may be removed; the policy's own limit holds beside it.
    :param flavor: name or id of the flavor that they are to be built with, instead of their own.
    """

    instances: tuple[str, ...]
    policy: Policy
    limit: int | None = None
    flavor: str | None = None

    def __post_init__(self) -> None:
        if not self.instances:
            raise RecoveryError(
                "invalid_options", "'instances' is an empty list: name the instances that wait"
            )
        require_at_least({"limit": (self.limit, 0)})

    @property
    def most(self) -> int:
        """The limit that holds."""
        stated = [n for n in (self.limit, self.policy.make_room.limit) if n is not None]
        return min(stated, default=DEFAULT_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """An instance that waits for room.

    ``fits`` is one of the words above; ``host`` is where there is room for it, or will be. Nova's
    scheduler may take another. ``code`` and ``reason`` say why there is none.
    """

    instance: Instance
    fits: str
    needs: Mapping[str, int] = field(default_factory=dict)
    host: str | None = None
    code: str | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance.id,
            "name": self.instance.name,
            "project_id": self.instance.project_id,
            "zone": self.instance.zone,
            "needs": dict(self.needs),
            "fits": self.fits,
            "host": self.host,
            "code": self.code,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One instance to remove; ``frees`` are amounts by resource class."""

    candidate: Candidate
    frees: Mapping[str, int]
    waiters: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.candidate.instance.id

    @property
    def action(self) -> str:
        return self.candidate.preemptible.action

    def as_dict(self) -> dict[str, Any]:
        instance, preemptible = self.candidate.instance, self.candidate.preemptible
        return {
            "id": instance.id,
            "name": instance.name,
            "project_id": instance.project_id,
            "from": instance.host,
            "action": preemptible.action,
            "stop_first": preemptible.stop_first,
            "value": preemptible.value,
            "rule": self.candidate.rule,
            "frees": dict(self.frees),
            "for": list(self.waiters),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``removals`` have what can be undone first. ``awaited`` are instances that leave by themselves.

    ``fewest``: fewer would not do. False only where there were too many choices to try them all.
    """

    waiting: tuple[Waiter, ...]
    removals: tuple[Removal, ...] = ()
    awaited: tuple[str, ...] = ()
    spared: tuple[Spared, ...] = ()
    notes: tuple[str, ...] = ()
    fewest: bool = True

    def room_for(self) -> list[str]:
        """Ids of those that have room, or get it: first those that something is removed for."""
        order = (GETS_ROOM, HAS_ROOM)
        with_room = [one for one in self.waiting if one.fits in order]
        return [one.instance.id for one in sorted(with_room, key=lambda one: order.index(one.fits))]

    def without_room(self) -> list[Waiter]:
        return [one for one in self.waiting if one.fits == NO_ROOM]

    def as_list(self) -> list[dict[str, Any]]:
        """What is removed, then what stays although a rule calls it preemptible."""
        entries: tuple[Removal | Spared, ...] = (*self.removals, *self.spared)
        return [each.as_dict() for each in entries]

    def require_room(self, policy: Policy) -> None:
        """:raises RecoveryError: ``insufficient_room`` when nothing is to be had of what was asked.

        That is room for one of them, or for all where the policy says on_shortage: fail.
        """
        missing = self.without_room()
        if not missing or (self.room_for() and policy.capacity.on_shortage != FAIL):
            return
        told = "; ".join(f"{one.instance.name}: {one.reason}" for one in missing)
        raise RecoveryError(
            "insufficient_room",
            f"there is no room for {len(missing)} of {len(self.waiting)} instances, and removing"
            f" preemptible ones would not make it; nothing was removed for them. {told}",
            retriable=True,
            details={"waiting": [one.as_dict() for one in missing]},
        )
