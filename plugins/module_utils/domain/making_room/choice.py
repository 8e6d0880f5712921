# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances to remove, so that all that wait fit.

First the fewest instances; of these sets the one with the smallest sum of values; then the one
whose most valuable instance is worth the least, then the next, and so on; then the smallest ids.

Hosts are gone through one after another. For each number of waiting instances of each kind that
the hosts so far can take, only the best choice is kept: what is best for some hosts does not depend
on the others. Waiting instances that need the same, on the same hosts, are of one kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..capacity.room import Inventory, have_room
from .covering import Occupant, Removed, cost_of, cover

# So many combinations take some seconds. With more, kind after kind is placed by itself.
_MOST_WORK = 400_000

# How many of each kind.
_Counts = tuple[int, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """``removed`` are sorted by host and id; ``placed`` has a host for each that waits.

    ``proven``: no smaller choice would do. False only where there were too many to try them all.
    """

    removed: Removed
    placed: Mapping[str, str]
    proven: bool = True


@dataclass(frozen=True, slots=True)
class _Option:
    """What one host takes, and what has to go there for that."""

    counts: _Counts
    removed: Removed


@dataclass(frozen=True, slots=True)
class _Partial:
    """The best choice for the hosts so far; ``takes`` are the hosts with what each takes."""

    removed: Removed = ()
    takes: tuple[tuple[str, _Counts], ...] = ()


class _TooMuchWork(Exception):
    """There are more combinations than can be tried."""


def choose(
    places: Iterable[Place], occupants: Iterable[Occupant], wants: Iterable[Want], limit: int
) -> Choice | None:
    """The best choice, or None when removing at most ``limit`` instances does not suffice.

    The order of what is given makes no difference.
    """
    kinds = _Kinds(wants)
    by_host: dict[str, list[Occupant]] = defaultdict(list)
    for one in occupants:
        by_host[one.host].append(one)
    hosts = [
        _Host(place, by_host[place.host], kinds, limit)
        for place in sorted(places, key=lambda place: place.host)
        if kinds.could_use(place.host)
    ]
    try:
        best = _over_all(hosts, kinds.all, limit)
        proven = all(host.proven for host in hosts)
    except _TooMuchWork:
        best = _kind_after_kind(hosts, kinds, limit)
        proven = False
    if best is None:
        return None
    return Choice(
        removed=tuple(sorted(best.removed, key=lambda one: (one.host, one.id))),
        placed=kinds.placed(best.takes),
        proven=proven,
    )


class _Kinds:
    """Waiting instances by what they need."""

    def __init__(self, wants: Iterable[Want]) -> None:
        alike: dict[object, list[Want]] = defaultdict(list)
        for want in sorted(wants, key=lambda want: want.id):
            needs = tuple(sorted((name, n) for name, n in want.needs.items() if n > 0))
            alike[needs, tuple(sorted(want.hosts)), want.together or ""].append(want)
        self._members = [members for _key, members in sorted(alike.items(), key=_by_key)]
        self.wants = [members[0] for members in self._members]
        self.all: _Counts = tuple(len(members) for members in self._members)

    def could_use(self, host: str) -> bool:
        return any(host in want.hosts for want in self.wants)

    def keeps_together(self, counts: _Counts) -> bool:
        """Whether of those that belong together all are in, or none."""
        inside: dict[str, set[bool]] = defaultdict(set)
        for want, number, everyone in zip(self.wants, counts, self.all, strict=True):
            if want.together is not None:
                inside[want.together] |= {number > 0, number == everyone}
        return all(len(told) == 1 for told in inside.values())

    def placed(self, takes: Iterable[tuple[str, _Counts]]) -> dict[str, str]:
        found = {}
        left = [iter(members) for members in self._members]
        for host, counts in takes:
            for members, number in zip(left, counts, strict=True):
                found.update({next(members).id: host for _each in range(number)})
        return found


def _by_key(item: tuple[object, object]) -> str:
    return repr(item[0])


class _Host:
    def __init__(
        self, place: Place, occupants: Sequence[Occupant], kinds: _Kinds, limit: int
    ) -> None:
        self.name = place.host
        self._place = place
        self._occupants = occupants
        self._kinds = kinds
        self._limit = limit
        self._known: dict[_Counts, Removed | None] = {}
        self.proven = True

    def removed_for(self, counts: _Counts) -> Removed | None:
        """What has to go so that so many of each kind fit; None when that does not suffice."""
        if counts not in self._known:
            self._known[counts] = self._find(counts)
        return self._known[counts]

    def _find(self, counts: _Counts) -> Removed | None:
        needs: dict[str, int] = defaultdict(int)
        each: dict[str, list[int]] = defaultdict(list)
        for want, number in zip(self._kinds.wants, counts, strict=True):
            if number and self.name not in want.hosts:
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
        found = cover(self._occupants, lacking, self._limit)
        self.proven = self.proven and found.proven
        return found.removed

    def options(self, wanted: _Counts) -> Iterator[_Option]:
        """Every number of each kind that it can take, up to those wanted, and not nothing."""
        for counts in self._fitting(wanted, ()):
            removed = self.removed_for(counts)
            if any(counts) and removed is not None and self._kinds.keeps_together(counts):
                yield _Option(counts, removed)

    def _fitting(self, wanted: _Counts, begun: _Counts) -> Iterator[_Counts]:
        if len(begun) == len(wanted):
            yield begun
            return
        rest = (0,) * (len(wanted) - len(begun) - 1)
        for number in range(wanted[len(begun)] + 1):
            # What does not fit alone does not fit with others either.
            if self.removed_for((*begun, number, *rest)) is None:
                return
            yield from self._fitting(wanted, (*begun, number))


def _over_all(hosts: Iterable[_Host], wanted: _Counts, limit: int) -> _Partial | None:
    nothing = (0,) * len(wanted)
    best = {nothing: _Partial()}
    work = 0
    for host in hosts:
        options = []
        for option in host.options(wanted):
            options.append(option)
            work += len(best)
            if work > _MOST_WORK:
                raise _TooMuchWork
        reached = dict(best)
        for so_far, partial in best.items():
            for option in options:
                counts = tuple(map(sum, zip(so_far, option.counts, strict=True)))
                if any(n > most for n, most in zip(counts, wanted, strict=True)):
                    continue
                removed = (*partial.removed, *option.removed)
                known = reached.get(counts)
                if len(removed) <= limit and (
                    known is None or cost_of(removed) < cost_of(known.removed)
                ):
                    takes = (*partial.takes, (host.name, option.counts))
                    reached[counts] = _Partial(removed, takes)
        best = reached
        if wanted in best and not best[wanted].removed:
            break
    return best.get(wanted)


def _kind_after_kind(hosts: Sequence[_Host], kinds: _Kinds, limit: int) -> _Partial | None:
    """Each waiting instance where it costs least after those before it; suffices, if it is found."""
    taken = {host.name: (0,) * len(kinds.all) for host in hosts}
    removed: dict[str, Removed] = {host.name: () for host in hosts}
    for index, want in enumerate(kinds.wants):
        step = kinds.all[index] if want.together else 1
        for _each in range(kinds.all[index] // step):
            costs = []
            for host in hosts:
                counts = taken[host.name]
                counts = (*counts[:index], counts[index] + step, *counts[index + 1 :])
                found = host.removed_for(counts)
                if found is not None:
                    others = [one for name in removed if name != host.name for one in removed[name]]
                    costs.append((cost_of((*others, *found)), host.name, counts, found))
            if not costs:
                return None
            _cost, name, counts, found = min(costs, key=lambda each: each[:2])
            taken[name], removed[name] = counts, found
    everything = tuple(one for name in removed for one in removed[name])
    if len(everything) > limit or not all(map(kinds.keeps_together, taken.values())):
        return None
    return _Partial(everything, tuple(taken.items()))
