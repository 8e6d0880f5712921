# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fewest, and of these the least valuable, instances of one host that give what it lacks.

Instances that would give the same of what is lacking are alike: of them the cheapest are taken
first. So the search counts how many of each kind, instead of trying every set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# So many steps take a tenth of a second. Only hosts with many kinds of instances and a high limit
# need more; the best that was found by then is taken.
_MOST_STEPS = 100_000
# For all hosts of one plan, beside the least that each gets.
_MOST_STEPS_OF_ALL = 1_000_000
_LEAST_STEPS = 1_000

_Vector = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    """An instance that may be removed. ``holds`` are amounts by resource class; ``value`` says how
    much it is worth, 1 the least."""

    id: str
    host: str
    value: int
    holds: Mapping[str, int] = field(default_factory=dict)


Removed = tuple[Occupant, ...]
Cost = tuple[int, int, tuple[int, ...], tuple[str, ...]]


def cost_of(removed: Iterable[Occupant]) -> Cost:
    """What is compared: how many, the sum of their values, the highest values first, the ids.

    It does not matter to this order when the same instances are added to both sides. So the best
    choice for all hosts is made of the best for each.
    """
    removed = list(removed)
    values = sorted((one.value for one in removed), reverse=True)
    return len(values), sum(values), tuple(values), tuple(sorted(one.id for one in removed))


NO_COST: Cost = (0, 0, (), ())


def sum_of(one: Cost, other: Cost) -> Cost:
    """The cost of two sets that share no instance, together."""
    values = tuple(sorted(one[2] + other[2], reverse=True))
    return one[0] + other[0], one[1] + other[1], values, tuple(sorted(one[3] + other[3]))


@dataclass(frozen=True, slots=True)
class Cover:
    """``removed`` is None when no set within the limit gives what is lacking.

    ``proven``: all sets were considered, so there is no better one.
    """

    removed: Removed | None
    proven: bool = True


class Steps:
    """How many are left for a plan: each search may take a tenth of them."""

    def __init__(self) -> None:
        self._left = _MOST_STEPS_OF_ALL

    @property
    def most(self) -> int:
        """For the next search."""
        return min(_MOST_STEPS, max(self._left // 10, _LEAST_STEPS))

    def count(self, steps: int) -> None:
        self._left = max(self._left - steps, 0)


def cover(
    occupants: Iterable[Occupant], lacking: Mapping[str, int], limit: int, steps: Steps
) -> Cover:
    """The best set of at most ``limit`` occupants, by ``cost_of``.

    :param lacking: amounts by resource class, all positive.
    """
    if not lacking:
        return Cover(())
    classes = sorted(lacking)
    kinds: dict[_Vector, list[Occupant]] = {}
    for one in occupants:
        gives = tuple(min(one.holds.get(name, 0), lacking[name]) for name in classes)
        if any(gives):
            kinds.setdefault(gives, []).append(one)
    search = _Search(kinds, limit, steps.most)
    search.take(0, tuple(lacking[name] for name in classes), ())
    steps.count(search.steps)
    return Cover(search.best, proven=search.steps < search.most_steps)


class _Search:
    def __init__(
        self, kinds: Mapping[_Vector, list[Occupant]], limit: int, most_steps: int
    ) -> None:
        # What gives most comes first: the first set that is found is a good one.
        self._kinds = sorted(kinds, key=lambda gives: (-sum(gives), gives))
        self._members = [
            sorted(kinds[gives], key=lambda one: (one.value, one.id))[:limit]
            for gives in self._kinds
        ]
        self._most = [self._largest(self._kinds[index:]) for index in range(len(self._kinds))]
        self._cheapest = [
            min(members[0].value for members in self._members[index:] if members) if limit else 0
            for index in range(len(self._kinds))
        ]
        self._limit = limit
        self.best: Removed | None = None
        self._best_cost: Cost | None = None
        self.steps = 0
        self.most_steps = most_steps

    @staticmethod
    def _largest(kinds: Sequence[_Vector]) -> _Vector:
        """By resource class the most that one instance of these kinds gives."""
        return tuple(max(amounts) for amounts in zip(*kinds, strict=True))

    def take(self, index: int, lacking: _Vector, taken: Removed) -> None:
        """Try each number of the kind ``index``, and of those after it."""
        self.steps += 1
        if not any(lacking):
            cost = cost_of(taken)
            if self._best_cost is None or cost < self._best_cost:
                self.best, self._best_cost = taken, cost
            return
        if index == len(self._kinds) or self.steps >= self.most_steps:
            return
        if self._is_too_much(index, lacking, taken):
            return
        gives, members = self._kinds[index], self._members[index]
        for number in range(min(len(members), self._limit - len(taken)), -1, -1):
            left = tuple(
                max(wanted - number * amount, 0)
                for wanted, amount in zip(lacking, gives, strict=True)
            )
            self.take(index + 1, left, (*taken, *members[:number]))

    def _is_too_much(self, index: int, lacking: _Vector, taken: Removed) -> bool:
        """Whether all that can come of this is over the limit, or worse than the best."""
        more = 0
        for wanted, most in zip(lacking, self._most[index], strict=True):
            if wanted and not most:
                return True
            if wanted:
                more = max(more, -(-wanted // most))
        count = len(taken) + more
        if count > self._limit:
            return True
        if self._best_cost is None:
            return False
        value = sum(one.value for one in taken) + more * self._cheapest[index]
        return (count, value) > self._best_cost[:2]
