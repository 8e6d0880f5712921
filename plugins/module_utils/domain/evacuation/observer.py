# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run sees of its instances, read in few requests.

Requests grow with pages and polls: lists of records, of changed instances and of ports; only the
allocations of an instance are read one by one, once when it has arrived and again while they are
not as they should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from ..attached import ports_by_instance
from ..check import Check
from ..clock import Clock
from ..cloud import EvacuationCloud
from ..errors import RecoveryError
from ..nova import Instance, MigrationRecord, VolumeAttachment
from ..records import EVACUATION
from .move import Move
from .verification import Observation, verify

# Nova stamps changes with the clocks of several machines; look back that much further.
_CLOCK_SPREAD = timedelta(seconds=120)


class Observer:
    """Records and instances as last seen."""

    def __init__(self, cloud: EvacuationCloud, sources: Sequence[str], clock: Clock) -> None:
        self._cloud = cloud
        self._sources = sources
        self._clock = clock
        self._since = cloud.api_time() - _CLOCK_SPREAD
        self._instances: dict[str, Instance] = {}
        self._volumes: dict[str, VolumeAttachment] = {}
        self._allocations: dict[str, frozenset[str]] = {}
        self._records: dict[str, list[MigrationRecord]] = {}
        self._records_read: float | None = None

    def read_records(self) -> None:
        """Read the evacuation records of the sources; changes-since would miss new ones."""
        # The age counts from before the request: what is written after it may not be in it.
        asked = self._clock.monotonic()
        records: dict[str, list[MigrationRecord]] = {}
        for source in self._sources:
            for record in self._cloud.migrations(source_compute=source, migration_type=EVACUATION):
                records.setdefault(record.instance_id, []).append(record)
        self._records, self._records_read = records, asked

    def records_age(self) -> float:
        """Seconds since the records were read."""
        if self._records_read is None:
            return float("inf")
        return self._clock.monotonic() - self._records_read

    def records_of(self, instance_id: str) -> list[MigrationRecord]:
        return self._records.get(instance_id, [])

    def forget_records(self) -> None:
        """What was read may be out of date: read again before anything is submitted."""
        self._records_read = None

    def read_instances(self, moves: Iterable[Move]) -> None:
        """Take over what Nova has changed since the last time."""
        asked = self._cloud.api_time()
        wanted = {move.id for move in moves}
        for instance in self._cloud.instances_changed_since(self._since):
            if instance.id in wanted:
                self._instances[instance.id] = instance
        self._since = asked - _CLOCK_SPREAD
        for move in moves:
            # What an earlier run moved long ago has not changed since: it is as it was planned.
            unchanged = move.planned.instance if move.planned.record else None
            move.seen = self._instances.get(move.id, unchanged)

    def _volumes_of(self, moves: Sequence[Move]) -> Mapping[str, VolumeAttachment] | None:
        """Each volume is read again only while it is not as it should be."""
        open_checks = [
            move
            for move in moves
            if move.seen and not ("volumes" in move.checks and move.checks["volumes"].passed)
        ]
        read = self._cloud.volumes({v for m in open_checks if m.seen for v in m.seen.volume_ids})
        if read is None:
            return None
        self._volumes.update(read)
        return self._volumes

    def checks(
        self, moves: Sequence[Move]
    ) -> tuple[dict[str, dict[str, Check]], list[RecoveryError]]:
        """The verification of each of these moves, whose record and instance have been seen.

        What could not be read of one move does not hold up the others: it is missing, and its
        error is in the list.
        """
        ports = ports_by_instance(self._cloud.ports_of(move.id for move in moves))
        volumes = self._volumes_of(moves)
        found: dict[str, dict[str, Check]] = {}
        errors: list[RecoveryError] = []
        for move in moves:
            if move.seen is None or move.record is None:
                continue
            allocation = move.checks.get("allocation")
            if allocation is None or not allocation.passed:
                try:
                    self._allocations[move.id] = self._cloud.allocation_hosts(move.id)
                except RecoveryError as error:
                    errors.append(error)
                    continue
            found[move.id] = verify(
                move.planned.baseline,
                Observation(
                    record=move.record,
                    instance=move.seen,
                    ports=tuple(ports.get(move.id, ())),
                    allocation_hosts=self._allocations[move.id],
                    volumes=volumes,
                ),
            )
        return found, errors
