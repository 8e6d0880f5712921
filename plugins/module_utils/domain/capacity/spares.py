# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which reserved hosts are enabled: the fewest with which as many find room as with all.

A prediction takes a second where there are many hosts, and there are as many sets as 2 to the power of
the hosts. So not all are tried of more than five, and what is found then is a set of which none can
be left out.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from ..nova import ComputeService
from ..run_marker import run_id_of
from .cloud import Aggregate
from .forecast import Prediction

# So many sets are tried, at most: all of five hosts.
_MOST_TRIED = 32
# So many hosts are tried alone, to begin with those that do most. Of more the first names are.
_MOST_ALONE = 8

_Set: TypeAlias = "tuple[str, ...]"


def reserved_hosts(
    aggregate: Aggregate, services: Iterable[ComputeService], sources: Iterable[str]
) -> list[str]:
    """The hosts of the aggregate that can be enabled: up and disabled, by name.

    One that a recovery run has disabled has failed before, and is no reserve.
    """
    leaving = frozenset(sources)
    return sorted(
        service.host
        for service in services
        if service.host in aggregate.hosts - leaving
        and service.state == "up"
        and service.status == "disabled"
        and not service.forced_down
        and run_id_of(service.disabled_reason) is None
    )


def fewest(
    reserved: Sequence[str], predict: Callable[[Sequence[str]], Mapping[str, Prediction]]
) -> tuple[str, ...]:
    """The fewest of the reserved hosts that do as much as all of them.

    :param predict: the predictions with these hosts enabled, in their order. The instances that come first count
        most: what one that goes before finds is never given up for two that go after it.
    """

    worth = functools.cache(lambda enabled: _worth(predict(enabled)))
    everyone = tuple(sorted(reserved))
    if not everyone or all(worth(())):
        return ()
    best = worth(everyone)
    if best <= worth(()):
        return ()

    def suffices(enabled: Iterable[str]) -> bool:
        return bool(worth(tuple(sorted(enabled))) >= best)

    order = everyone
    if len(order) <= _MOST_ALONE:
        order = tuple(sorted(order, key=lambda host: worth((host,)), reverse=True))
    found = _none_to_spare(order, suffices)
    for number in range(1, len(found)):
        for chosen in itertools.combinations(order, number):
            if worth.cache_info().misses >= _MOST_TRIED:
                return tuple(sorted(found))
            if suffices(chosen):
                return tuple(sorted(chosen))
    return tuple(sorted(found))


def _worth(predictions: Mapping[str, Prediction]) -> tuple[bool, ...]:
    return tuple(prediction.fits is not False for prediction in predictions.values())


def _none_to_spare(order: _Set, suffices: Callable[[Iterable[str]], bool]) -> _Set:
    """A set that suffices, as all do together, and without any of its hosts does not.

    The first ones of the order are preferred.
    """
    too_few, enough = 0, len(order)
    while enough - too_few > 1:
        number = (too_few + enough) // 2
        if suffices(order[:number]):
            enough = number
        else:
            too_few = number
    found = order[:enough]
    for host in reversed(found):
        fewer = tuple(other for other in found if other != host)
        if suffices(fewer):
            found = fewer
    return found
