# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything about a host that was evacuated, read once: all steps are judged from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..errors import RecoveryError
from ..nova import COMPUTE, ComputeService, MigrationRecord
from ..records import evacuations_from, in_progress
from ..run_lock import LockRecord, is_live
from ..service_change import find_service, require_none_in_progress
from .cloud import ReturnCloud
from .departed import Departed, departed_from
from .leftovers import Guests, sort_guests
from .source_allocations import SourceAllocation, candidates, source_allocation


@dataclass(frozen=True, slots=True, kw_only=True)
class EvacuatedHost:
    """A host with what its evacuations have left.

    :param moves: records of every kind of move from or to it.
    :param departed: instances with an evacuation from it, as far as they matter here.
    :param guests: None when the hypervisor was not looked at.
    :param allocations: of departed instances, on its resource providers.
    :param run: lock of an evacuation run that is at work on it; between two of its instances no
        record need be in progress.
    """

    service: ComputeService
    moves: tuple[MigrationRecord, ...]
    departed: tuple[Departed, ...]
    guests: Guests | None
    providers: frozenset[str]
    allocations: tuple[SourceAllocation, ...]
    instances_here: int
    run: LockRecord | None

    @property
    def host(self) -> str:
        return self.service.host

    @property
    def records(self) -> tuple[MigrationRecord, ...]:
        """Of evacuations from it."""
        return tuple(evacuations_from(self.host, self.moves))

    @property
    def moving(self) -> list[MigrationRecord]:
        """Evacuations that Nova may still act on."""
        return [record for record in self.records if in_progress(record)]

    @property
    def done(self) -> list[MigrationRecord]:
        """Evacuations that the host's nova-compute has not completed yet."""
        return [record for record in self.records if record.status == "done"]


def observe(cloud: ReturnCloud, host: str, guests: Collection[str] | None) -> EvacuatedHost:
    """Read all of it.

    :param guests: instance ids of the guests on its hypervisor; None when that was not looked at.
    :raises RecoveryError: ``host_not_found``, ``host_ambiguous``, or the cloud's own.
    """
    service = find_service(cloud.compute_services(), host, COMPUTE)
    # Before the records: a run that ends in between has left its records by then.
    lock = cloud.evacuation_lock(host)
    # What follows can take longer than a lease.
    run = lock if lock and is_live(lock, cloud.api_time()) else None
    moves = cloud.migrations(host=host)
    records = evacuations_from(host, moves)
    providers = cloud.providers_of(host)
    consumers = consumers_of(cloud, providers)
    here = cloud.instances_on(host)
    instances = {instance.id: instance for instance in here}
    asked = _to_look_up(records, consumers, guests or ()) - set(instances)
    instances |= {instance.id: instance for instance in cloud.instances_named(sorted(asked))}
    departed = [
        found
        for found in departed_from(host, records, instances)
        if found.instance_id in asked or found.instance_id in instances
    ]
    return EvacuatedHost(
        service=service,
        moves=tuple(moves),
        departed=tuple(departed),
        guests=None if guests is None else sort_guests(host, guests, departed, instances, moves),
        providers=providers,
        allocations=tuple(_allocations(cloud, departed, consumers, providers, moves)),
        instances_here=len(here),
        run=run,
    )


def consumers_of(cloud: ReturnCloud, providers: Iterable[str]) -> frozenset[str]:
    """UUIDs of all that hold something on one of these providers, as it is now."""
    return frozenset[str]().union(*(cloud.consumers_on(p) for p in sorted(providers)))


def require_no_run(seen: EvacuatedHost) -> None:
    """:raises RecoveryError: ``run_in_progress`` or ``evacuations_in_progress``."""
    if seen.run is not None:
        raise RecoveryError(
            "run_in_progress",
            f"run {seen.run.run_id} ({seen.run.holder}) is evacuating '{seen.host}'; nothing was"
            " done. Wait until it has ended.",
            retriable=True,
            details={"host": seen.host, "run_id": seen.run.run_id, "holder": seen.run.holder},
        )
    require_none_in_progress(seen.host, seen.records)


def _to_look_up(
    records: Iterable[MigrationRecord], consumers: Collection[str], guests: Collection[str]
) -> set[str]:
    """Instances that matter: a host's records of years past are not asked for one by one."""
    recorded = {record.instance_id for record in records}
    still_open = {r.instance_id for r in records if in_progress(r) or r.status == "done"}
    return still_open | (recorded & set(consumers)) | set(guests)


def _allocations(
    cloud: ReturnCloud,
    departed: Iterable[Departed],
    consumers: Collection[str],
    providers: Collection[str],
    moves: Collection[MigrationRecord],
) -> Iterable[SourceAllocation]:
    for one in candidates(departed, consumers):
        held = cloud.allocations_of(one.instance_id)
        found = source_allocation(one, held, providers, moves)
        if found is not None:
            yield found
