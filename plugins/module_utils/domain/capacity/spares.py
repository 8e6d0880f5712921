# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which reserved hosts are enabled: the fewest with which as many find room as with all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..nova import ComputeService
from ..run_marker import run_id_of
from .cloud import Aggregate
from .forecast import Prediction

# So many reserved hosts are tried in every combination; of more one at a time is added.
_TRY_ALL = 8


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

    :param predict: the predictions with these hosts enabled. The instances that come first count
        most: what one that goes before finds is never given up for two that go after it.
    """

    def worth(enabled: Sequence[str]) -> tuple[bool, ...]:
        return tuple(prediction.fits is not False for prediction in predict(enabled).values())

    if not reserved or all(worth(())):
        return ()
    best = worth(reserved)
    if best == worth(()):
        return ()
    if len(reserved) <= _TRY_ALL:
        for number in range(1, len(reserved)):
            for chosen in itertools.combinations(reserved, number):
                if worth(chosen) >= best:
                    return chosen
        return tuple(reserved)
    added: list[str] = []
    while worth(added) < best:
        rest = [host for host in reserved if host not in added]
        added.append(max(rest, key=lambda host: worth([*added, host])))
    return tuple(added)
