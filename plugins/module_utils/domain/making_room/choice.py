# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances to remove, so that all that wait fit.

First the fewest instances; of these sets the one with the smallest sum of values; then the one
whose most valuable instance is worth the least, then the next, and so on; then the smallest ids.

Hosts are gone through one after another. For each number of waiting instances of each kind that
the hosts so far can take, only the best choice is kept: what is best for some hosts does not depend
on the others. Waiting instances that need the same, on the same hosts, are of one kind.

Of the hosts that could take the same, only the cheapest are looked at: as many as there can be
hosts in use at all. Any other could be exchanged for one of them that is not in use.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .covering import NO_COST, Cost, Cover, Occupant, Removed, Steps, cost_of, sum_of
from .taking import Counts, Kinds, Place, Taker, Want

# So many steps take a few seconds. With more, kind after kind is placed by itself.
_MOST_WORK = 400_000
# All choices of one plan together.
_MOST_WORK_OF_ALL = 2_000_000
# To look at what one host has to give is as much work as so many steps.
_WORK_OF_A_HOST = 20


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

    counts: Counts
    removed: Removed
    cost: Cost


@dataclass(frozen=True, slots=True)
class _Partial:
    """The best choice for the hosts so far; ``takes`` are the hosts with what each takes."""

    removed: Removed = ()
    cost: Cost = NO_COST
    takes: tuple[tuple[str, Counts], ...] = ()


class _TooMuchWork(Exception):
    """There are more combinations than can be tried."""


class Chooser:
    """The choices of one plan. They share what was worked out, and one bound for their work."""

    def __init__(self, places: Iterable[Place], occupants: Iterable[Occupant]) -> None:
        self._places = sorted(places, key=lambda place: place.host)
        self._on: dict[str, list[Occupant]] = defaultdict(list)
        for one in occupants:
            self._on[one.host].append(one)
        self._covers: dict[tuple[str, int], dict[Hashable, Cover]] = defaultdict(dict)
        self._left = _MOST_WORK_OF_ALL
        self._steps = Steps()

    def choose(self, wants: Iterable[Want], limit: int) -> Choice | None:
        """The best choice, or None when removing at most ``limit`` instances does not suffice.

        The order of what is given makes no difference.
        """
        kinds = Kinds(wants)
        hosts = [
            self._taker(place, kinds, limit)
            for place in self._places
            if kinds.could_use(place.host)
        ]
        best = _kind_after_kind(hosts, kinds, limit)
        search = _Search(hosts, kinds, min(_MOST_WORK, self._left))
        try:
            # No more is needed than what was found that way.
            best = search.best(len(best.removed) if best else limit)
            proven = all(host.proven for host in hosts)
        except _TooMuchWork:
            proven = best is not None and not best.removed
        self._left -= search.work
        if best is None:
            return None
        return Choice(
            removed=tuple(sorted(best.removed, key=lambda one: (one.host, one.id))),
            placed=kinds.placed(best.takes),
            proven=proven,
        )

    def _taker(self, place: Place, kinds: Kinds, limit: int) -> Taker:
        covers = self._covers[place.host, limit]
        return Taker(place, self._on[place.host], kinds, limit, covers=covers, steps=self._steps)


class _Search:
    """Tries all that can be the best."""

    def __init__(self, hosts: Sequence[Taker], kinds: Kinds, most_work: int) -> None:
        self._hosts = hosts
        self._kinds = kinds
        self._most_work = most_work
        self.work = 0

    def _do(self, steps: int) -> None:
        self.work += steps
        if self.work > self._most_work:
            raise _TooMuchWork

    def best(self, limit: int) -> _Partial | None:
        """:raises _TooMuchWork: before it has tried all."""
        wanted = self._kinds.all
        best = {(0,) * len(wanted): _Partial()}
        for host, options in self._options(limit).items():
            reached = dict(best)
            for option in options:
                self._do(len(best))
                for so_far, partial in best.items():
                    counts = tuple(map(int.__add__, so_far, option.counts))
                    if any(map(int.__gt__, counts, wanted)):
                        continue
                    number = partial.cost[0] + option.cost[0]
                    known = reached.get(counts)
                    if number > limit or (known is not None and number > known.cost[0]):
                        continue
                    cost = sum_of(partial.cost, option.cost)
                    if known is None or cost < known.cost:
                        takes = (*partial.takes, (host, option.counts))
                        reached[counts] = _Partial((*partial.removed, *option.removed), cost, takes)
            best = reached
            if wanted in best and not best[wanted].removed:
                break
        return best.get(wanted)

    def _options(self, limit: int) -> dict[str, list[_Option]]:
        """By host, in their order, what is worth trying there."""
        found: dict[Counts, list[tuple[Cost, str, Removed]]] = defaultdict(list)
        for host in self._hosts:
            for counts in host.fitting(self._kinds.all, limit):
                self._do(_WORK_OF_A_HOST)
                removed = host.removed_for(counts)
                if any(counts) and removed is not None and self._kinds.keeps_together(counts):
                    found[counts].append((cost_of(removed), host.name, removed))
        options: dict[str, list[_Option]] = {host.name: [] for host in self._hosts}
        for counts, of_hosts in found.items():
            # So many hosts can be in use beside this one, at most, and this one.
            most = sum(self._kinds.all) - sum(counts) + 1
            for cost, host_name, removed in heapq.nsmallest(most, of_hosts, key=lambda o: o[:2]):
                options[host_name].append(_Option(counts, removed, cost))
        return options


def _kind_after_kind(hosts: Sequence[Taker], kinds: Kinds, limit: int) -> _Partial | None:
    """Each waiting instance where it costs least after those before it; suffices, if it is found."""
    taken = {host.name: (0,) * len(kinds.all) for host in hosts}
    removed: dict[str, Removed] = {}
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
    return _Partial(everything, cost_of(everything), tuple(taken.items()))
