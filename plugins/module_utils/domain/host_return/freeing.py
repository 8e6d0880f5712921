# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the allocations of instances that have left a host off its resource providers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ApiRefused, RecoveryError
from ..service_change import require_none_done
from .cloud import ConsumerAllocations, ReturnCloud
from .departed import departed_from
from .observation import EvacuatedHost, consumers_of, observe, require_no_run
from .source_allocations import SourceAllocation, source_allocation, without_host

# How often what another writer has changed meanwhile is read and judged again.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was there before, and of it what is removed and what stays.

    :param others: UUIDs of all else that holds something on the host when this is done: instances
        that are there, migrations, or what was never Nova's.
    """

    before: tuple[SourceAllocation, ...]
    removed: tuple[SourceAllocation, ...]
    kept: tuple[SourceAllocation, ...]
    others: tuple[str, ...]


def free_host(cloud: ReturnCloud, host: str, *, host_never_returns: bool, only_plan: bool) -> Freed:
    """Free what departed instances hold on this host.

    :param host_never_returns: also what records that are ``done`` stand for, which nova-compute
        would free at its start.
    :param only_plan: remove nothing.
    :raises RecoveryError: ``host_not_found``, ``run_in_progress``, ``evacuations_in_progress``,
        ``evacuation_records_done``, ``allocation_changed``, or the cloud's own.
    """
    seen = observe(cloud, host, None)
    require_no_run(seen)
    if not host_never_returns:
        require_none_done(host, seen.records)
    removable = [a for a in seen.allocations if not a.kept_because]
    if only_plan:
        return _freed(seen, _holding(cloud, seen, besides=removable), removable)
    removed: list[SourceAllocation] = []
    kept: list[SourceAllocation] = []
    for allocation in removable:
        try:
            found = _remove(cloud, allocation.instance_id, seen)
        except RecoveryError as error:
            error.changed = bool(removed)
            raise
        if found is not None:
            (kept if found.kept_because else removed).append(found)
    # What was removed and is there again counts: it has come back.
    return _freed(seen, _holding(cloud, seen), removed, kept)


def _holding(
    cloud: ReturnCloud, seen: EvacuatedHost, besides: Iterable[SourceAllocation] = ()
) -> frozenset[str]:
    return consumers_of(cloud, seen.providers) - {a.instance_id for a in besides}


def _freed(
    seen: EvacuatedHost,
    holding: frozenset[str],
    removed: Iterable[SourceAllocation],
    kept_after_all: Iterable[SourceAllocation] = (),
) -> Freed:
    kept = (*(a for a in seen.allocations if a.kept_because), *kept_after_all)
    return Freed(
        before=seen.allocations,
        removed=tuple(removed),
        kept=kept,
        others=tuple(sorted(holding - {a.instance_id for a in kept})),
    )


def _remove(cloud: ReturnCloud, instance_id: str, seen: EvacuatedHost) -> SourceAllocation | None:
    """What was removed, or is kept after all; None when there is nothing any more."""
    refusal = ""
    for _attempt in range(_ATTEMPTS):
        held = cloud.allocations_of(instance_id)
        found = _judge(cloud, held, seen)
        if found is None or found.kept_because:
            return found
        try:
            cloud.replace_allocations(without_host(held, seen.providers))
        except ApiRefused as error:
            if error.status != 409:
                raise
            refusal = error.message
        else:
            return found
    raise RecoveryError(
        "allocation_changed",
        f"Placement has refused {_ATTEMPTS} times to rewrite the allocations of instance"
        f" {instance_id}. Run this again if they were changed by others meanwhile: {refusal}",
        retriable=True,
        details={"instance": instance_id},
    )


def _judge(
    cloud: ReturnCloud, held: ConsumerAllocations, seen: EvacuatedHost
) -> SourceAllocation | None:
    """Where the instance is now, which may have been moved back since the host was looked at.

    The order counts. A move writes its record before it changes allocations, and the instance's
    host before the record's end; what it changes after they were read has Placement refuse.
    """
    moves = cloud.migrations(instance_id=held.consumer)
    found = {instance.id: instance for instance in cloud.instances_named([held.consumer])}
    for departed in departed_from(seen.host, moves, found):
        return source_allocation(departed, held, seen.providers, moves)
    return None
