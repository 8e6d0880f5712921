# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each host could take of the instances that wait, and what has to go there for that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..capacity.room import Inventory, have_room
from .covering import Cover, Occupant, Removed, Steps, cover

# How many of each kind.
Counts = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A host with what it has left, by resource class; negative where it was overcommitted.

    ``several`` are the providers of each class that has more than one: each instance gets all that
    it wants of such a class from one of them, and no removal gives anything back.
    """

    host: str
    free: Mapping[str, int] = field(default_factory=dict)
    several: Mapping[str, Sequence[Inventory]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one waiting instance needs, and the hosts that could take it if they had room.

    Those that share ``together`` must come onto one host.
    """

    id: str
    needs: Mapping[str, int]
    hosts: frozenset[str]
    together: str | None = None

    @property
    def kind(self) -> Hashable:
        """The same for all that need the same, on the same hosts."""
        needs = frozenset((name, amount) for name, amount in self.needs.items() if amount > 0)
        return needs, self.hosts, self.together


class Kinds:
    """Waiting instances by what they need."""

    def __init__(self, wants: Iterable[Want]) -> None:
        alike: dict[Hashable, list[Want]] = defaultdict(list)
        for want in sorted(wants, key=lambda want: want.id):
            alike[want.kind].append(want)
        self._members = list(alike.values())
        self.wants = [members[0] for members in self._members]
        self.all: Counts = tuple(len(members) for members in self._members)

    def could_use(self, host: str) -> bool:
        return any(host in want.hosts for want in self.wants)

    def keeps_together(self, counts: Counts) -> bool:
        """Whether of those that belong together all are in, or none."""
        inside: dict[str, set[bool]] = defaultdict(set)
        for want, number, everyone in zip(self.wants, counts, self.all, strict=True):
            if want.together is not None:
                inside[want.together] |= {number > 0, number == everyone}
        return all(len(told) == 1 for told in inside.values())

    def placed(self, takes: Iterable[tuple[str, Counts]]) -> dict[str, str]:
        found = {}
        left = [iter(members) for members in self._members]
        for host, counts in takes:
            for members, number in zip(left, counts, strict=True):
                found.update({next(members).id: host for _each in range(number)})
        return found


class Taker:
    """A host to which instances that wait can go.

    :param covers: what was worked out for it with this limit, by what was lacking.
    """

    def __init__(
        self,
        place: Place,
        occupants: Sequence[Occupant],
        kinds: Kinds,
        limit: int,
        *,
        covers: dict[Hashable, Cover],
        steps: Steps,
    ) -> None:
        self.name = place.host
        self._place = place
        self._occupants = occupants
        self._kinds = kinds
        self._limit = limit
        self._covers = covers
        self._steps = steps
        self._known: dict[Counts, Removed | None] = {}
        self.proven = True

    def removed_for(self, counts: Counts) -> Removed | None:
        """What has to go so that so many of each kind fit; None when that does not suffice."""
        if counts not in self._known:
            self._known[counts] = self._find(counts)
        return self._known[counts]

    def _find(self, counts: Counts) -> Removed | None:
        needs: dict[str, int] = defaultdict(int)
        each: dict[str, list[int]] = defaultdict(list)
        for want, number in zip(self._kinds.wants, counts, strict=True):
            if not number:
                continue
            if self.name not in want.hosts:
                return None
            for name, amount in want.needs.items():
                if name in self._place.several:
                    each[name] += [amount] * (number if amount else 0)
                else:
                    needs[name] += number * amount
        if not all(have_room(self._place.several[name], each[name]) for name in each):
            return None
        free = self._place.free
        lacking = {
            name: amount - free.get(name, 0)
            for name, amount in needs.items()
            if amount > 0 and amount > free.get(name, 0)
        }
        key = frozenset(lacking.items())
        if key not in self._covers:
            self._covers[key] = cover(self._occupants, lacking, self._limit, self._steps)
        found = self._covers[key]
        self.proven = self.proven and found.proven
        return found.removed

    def fitting(self, wanted: Counts, limit: int, begun: Counts = ()) -> Iterator[Counts]:
        """Every number of each kind that it can take, up to those wanted."""
        if len(begun) == len(wanted):
            yield begun
            return
        rest = (0,) * (len(wanted) - len(begun) - 1)
        for number in range(wanted[len(begun)] + 1):
            # What does not fit alone does not fit with others either.
            removed = self.removed_for((*begun, number, *rest))
            if removed is None or len(removed) > limit:
                return
            yield from self.fitting(wanted, limit, (*begun, number))
