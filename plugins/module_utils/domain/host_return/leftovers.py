# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which guests on a host that was evacuated belong to instances that are elsewhere now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..nova import Instance, MigrationRecord
from ..records import in_progress
from .departed import GONE_FROM_HOST, Departed, moves_since


@dataclass(frozen=True, slots=True, kw_only=True)
class Guests:
    """Instance ids of a hypervisor's guests, by what is to become of them.

    :param leftover: of instances that an evacuation has moved away.
    :param own: of instances that Nova has on this host.
    :param unexplained: of instances that are elsewhere or unknown without an evacuation that
        says so, or that somebody has moved, or tried to move, back since. They are reported and
        left alone.
    """

    leftover: tuple[str, ...]
    own: tuple[str, ...]
    unexplained: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "leftover": list(self.leftover),
            "own": list(self.own),
            "unexplained": list(self.unexplained),
        }


def sort_guests(
    host: str,
    guests: Iterable[str],
    departed: Iterable[Departed],
    instances: Mapping[str, Instance],
    moves: Collection[MigrationRecord],
) -> Guests:
    """Sort the guests that a hypervisor has, by their instance ids.

    :param instances: by id, those of them that Nova knows.
    :param moves: records of every kind of move from or to this host.
    """
    gone = {
        d.instance_id
        for d in departed
        if d.fate in GONE_FROM_HOST and not _may_be_back(host, d, moves)
    }
    leftover, own, unexplained = [], [], []
    for guest in sorted(set(guests)):
        instance = instances.get(guest)
        if guest in gone:
            leftover.append(guest)
        elif instance is not None and instance.host == host:
            own.append(guest)
        else:
            unexplained.append(guest)
    return Guests(leftover=tuple(leftover), own=tuple(own), unexplained=tuple(unexplained))


def _may_be_back(host: str, departed: Departed, moves: Iterable[MigrationRecord]) -> bool:
    """Whether a move since the evacuation can have brought a guest here, or left one to return to.

    One to this host that has failed counts: it can have failed with the guest here already.
    """
    return any(
        in_progress(move) or move.dest_compute == host for move in moves_since(departed, moves)
    )
