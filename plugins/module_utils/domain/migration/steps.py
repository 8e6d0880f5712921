# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of one instance to its host: migrate, and confirm if that is needed; then verify."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..check import Check
from ..errors import RecoveryError
from ..evacuation.selection import Skip
from ..nova import COMPUTE, ComputeService, Instance, MigrationRecord, Port, VolumeAttachment
from ..operation.step import Act, Arrived, Fail, Gone, Standing, Verdict, Wait
from ..operation.verification import verify_each
from ..service_change import find_service
from .cloud import MigrationCloud
from .plan import PlannedMigration
from .planner import why_not_ready
from .request import CONFIRM, LIVE_MIGRATE, way_of
from .stage import Moving, Occupied, Resting, Stage, ToConfirm, stage_of
from .verification import Observation, newest_to, verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one instance at one look; ``services`` only where they matter."""

    instance: Instance
    records: tuple[MigrationRecord, ...]
    services: tuple[ComputeService, ...] = ()


class MigrationOperation:
    """Implements Operation: brings each instance of a plan to its host."""

    def __init__(
        self, cloud: MigrationCloud, moves: Iterable[PlannedMigration], method: str
    ) -> None:
        self._cloud = cloud
        self._moves = {move.instance.id: move for move in moves}
        self._method = method

    def look(self, instance_ids: Sequence[str]) -> Mapping[str, Seen]:
        found: dict[str, Seen] = {}
        for instance_id in instance_ids:
            # Before the instance: what it shows is then never older than its record.
            records = tuple(self._cloud.migrations(instance_id=instance_id))
            for instance in self._cloud.instances_named([instance_id]):
                found[instance_id] = Seen(instance=instance, records=records)
        if any(self._is_idle(seen) for seen in found.values()):
            services = tuple(self._cloud.compute_services())
            found = {
                i: Seen(instance=seen.instance, records=seen.records, services=services)
                for i, seen in found.items()
            }
        return found

    def _is_idle(self, seen: Seen) -> bool:
        away = seen.instance.host != self._host(seen)
        return away and isinstance(self._stage(seen), Resting)

    def _host(self, seen: Seen) -> str:
        return self._moves[seen.instance.id].host

    def _stage(self, seen: Seen) -> Stage:
        return stage_of(seen.instance, seen.records, self._host(seen))

    def judge(self, instance_id: str, seen: Seen | None) -> Verdict:
        if seen is None or seen.instance.is_being_deleted:
            return Gone()
        instance, move = seen.instance, self._moves[instance_id]
        stage = self._stage(seen)
        if isinstance(stage, Moving):
            return Wait(stage.phase)
        if isinstance(stage, ToConfirm):
            return Act(CONFIRM)
        if isinstance(stage, Occupied):
            # What was begun a moment ago has no record yet.
            return Wait(instance.task_state) if instance.task_state else _failed(stage)
        if instance.vm_state == "error":
            return Fail(
                "in_error",
                f"it is in ERROR on {instance.host}: {instance.fault or 'Nova tells no reason'}",
            )
        if instance.host == move.host:
            return Arrived()
        if instance.host != move.source:
            return Fail(
                "moved_elsewhere",
                f"it is on {instance.host or 'no host'} now: somebody has moved it meanwhile",
                not_by_step=True,
            )
        return self._next(move, seen)

    def _next(self, move: PlannedMigration, seen: Seen) -> Verdict:
        way = way_of(seen.instance, self._method)
        if isinstance(way, Skip):
            return Fail(way.code, way.reason)
        try:
            unready = why_not_ready(find_service(seen.services, move.host, COMPUTE))
        except RecoveryError as error:
            unready = error
        return Fail(unready.code, unready.message) if unready else Act(way)

    def standing(self, instance_id: str, seen: Seen | None) -> Standing:
        if seen is None:
            return Standing(host=None, state="deleted")
        stage, host = self._stage(seen), seen.instance.host
        if isinstance(stage, ToConfirm):
            return Standing(host=host, state="migrated, not confirmed")
        if isinstance(stage, Moving):
            return Standing(host=host, state=f"on its way ({stage.phase})")
        where = "at its host" if host == self._moves[instance_id].host else "not moved"
        return Standing(host=host, state=f"{where}, {seen.instance.vm_state}")

    def send(self, instance_id: str, step: str) -> str | None:
        if step == CONFIRM:
            return self._cloud.confirm_resize(instance_id)
        host = self._moves[instance_id].host
        if step == LIVE_MIGRATE:
            return self._cloud.live_migrate(instance_id, host)
        return self._cloud.cold_migrate(instance_id, host)

    def why_ended(self, instance_id: str, _step: str) -> str | None:
        return self._cloud.failure_of(instance_id)

    def remedy(self, _instance_id: str, _seen: Seen | None) -> str | None:
        # Nova itself leaves one that it does not migrate as it was. What it leaves in ERROR is for
        # people: whether its guest runs somewhere shows only on the hosts.
        return None

    def verify(self, seen: Mapping[str, Seen | None]) -> Mapping[str, Mapping[str, Check]]:
        there = {i: found for i, found in seen.items() if found is not None}
        return verify_each(
            self._cloud,
            {instance_id: found.instance for instance_id, found in there.items()},
            lambda instance_id, ports, volumes: self._verify(there[instance_id], ports, volumes),
        )

    def _verify(
        self, seen: Seen, ports: Sequence[Port], volumes: Mapping[str, VolumeAttachment] | None
    ) -> Mapping[str, Check]:
        move = self._moves[seen.instance.id]
        record = newest_to(move.host, seen.records)
        return verify(
            move.host,
            move.baseline,
            Observation(
                instance=seen.instance,
                records=seen.records,
                ports=tuple(ports),
                allocation_hosts=self._cloud.allocation_hosts(seen.instance.id),
                record_hosts=self._cloud.allocation_hosts(record.uuid)
                if record and record.uuid
                else frozenset(),
                volumes=volumes,
            ),
        )


def _failed(stage: Occupied) -> Fail:
    return Fail(stage.code, stage.reason, not_by_step=True)
