# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake Nova, as it migrates live and cold.

It keeps book of what must never happen, in ``violations``, and of how many were on their way from
one host at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
    SHUTDOWN,
    Instance,
    MigrationRecord,
)

from . import values
from .nova import FakeNova, in_progress, refused
from .world import World

OK, LOST, UNAVAILABLE = "ok", "lost", "unavailable"
# The scheduler does not place it; the hosts give up and Nova rolls back; the new host gives up too
# late, so that it ends in ERROR there; nothing ever happens.
DONE, NO_HOST, ROLLED_BACK, BROKEN, STUCK = "done", "no_host", "rolled_back", "broken", "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What Nova does with one call to migrate. Times in seconds, from the call."""

    answer: str | int = OK
    recorded_after: float = 0.5
    placed_after: float = 1.0
    arrived_after: float = 6.0
    ended_after: float = 7.0
    outcome: str = DONE
    ports_after: float = 8.0
    # The source keeps what its record holds in Placement.
    leaks: bool = False


class FakeMigratingNova(FakeNova):
    """Implements MigrationCloud; all hosts are up."""

    def __init__(self, world: World | None = None, **nova: Any) -> None:
        super().__init__(world or World(), **{"failed": (), **nova})
        self.trips: dict[str, list[Trip]] = {}
        self.usual = Trip()
        self.failures: dict[str, str] = {}
        self.most_from_one = 0
        self.sent: list[tuple[str, str, str]] = []

    def home_again(self, instance_id: str, host: str, vm_state: str = "active") -> bool:
        """Whether the instance really is there, as it should be."""
        seen = self.instances[instance_id]
        ports = [p for p in self.ports.values() if p.instance_id == instance_id]
        mine = [r for r in self.records if r.instance_id == instance_id]
        return (
            (seen.host, seen.vm_state, seen.task_state) == (host, vm_state, None)
            and all(p.binding_host == host for p in ports)
            and all(p.status == "ACTIVE" for p in ports if vm_state == "active")
            and self.allocations[instance_id] == {host}
            and not [r for r in mine if in_progress(r) or self.allocations.get(r.uuid or "")]
        )

    # MigrationCloud

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        self._call("allocation_hosts", instance_id)
        return frozenset(self.allocations.get(instance_id, ()))

    def live_migrate(self, instance_id: str, host: str) -> str | None:
        return self._ask(instance_id, host, "live-migration", ("active", "paused"))

    def cold_migrate(self, instance_id: str, host: str) -> str | None:
        return self._ask(instance_id, host, "migration", ("active", "stopped"))

    def confirm_resize(self, instance_id: str) -> str | None:
        self._call("confirm_resize", instance_id)
        self.sent.append((instance_id, "confirm", ""))
        open_ = [r for r in self._records_of(instance_id) if r.status == "finished"]
        if self.instances[instance_id].vm_state != "resized" or not open_:
            raise refused(409)
        if open_[-1].migration_type != "migration":
            self.violations.append(f"{instance_id}: its owner's resize is confirmed")
        record = self._set(open_[-1].id, status="confirming")
        self.world.after(2.0, lambda: self._confirmed(record))
        return "req-confirm"

    def failure_of(self, instance_id: str) -> str | None:
        self._call("failure_of", instance_id)
        return self.failures.get(instance_id)

    # How it works

    def _records_of(self, instance_id: str) -> list[MigrationRecord]:
        return [r for r in self.records if r.instance_id == instance_id]

    def _ask(self, instance_id: str, host: str, kind: str, allowed: tuple[str, ...]) -> str:
        self._call(kind, instance_id)
        self.sent.append((instance_id, kind, host))
        trips = self.trips.get(instance_id)
        trip = trips.pop(0) if trips else self.usual
        if isinstance(trip.answer, int):
            raise refused(trip.answer)
        if trip.answer == UNAVAILABLE:
            raise ApiUnavailable("no answer")
        instance = self.instances[instance_id]
        if instance.vm_state == "deleted":
            raise refused(404)
        if instance.vm_state not in allowed or instance.task_state:
            raise refused(409)
        self._begin(instance, host, kind, trip)
        if trip.answer == LOST:
            raise ApiUnavailable("no answer")
        return "req-1"

    def _begin(self, instance: Instance, host: str, kind: str, trip: Trip) -> None:
        if [r for r in self._records_of(instance.id) if in_progress(r)]:
            self.violations.append(f"{instance.id}: a call while a record is in progress")
        live = kind == "live-migration"
        self._change(instance.id, task_state="migrating" if live else "resize_prep")
        self.world.after(trip.recorded_after, lambda: self._recorded(instance, host, kind, trip))

    def _recorded(self, instance: Instance, host: str, kind: str, trip: Trip) -> None:
        number = next(self._record_ids)
        live = kind == "live-migration"
        record = values.record(
            number,
            "accepted" if live else "pre-migrating",
            instance_id=instance.id,
            migration_type=kind,
            source_compute=instance.host,
            dest_compute=None,
            created_at=self.world.api_time(),
        )
        self.records.append(record)
        self._count_sources()
        if trip.outcome == STUCK:
            return
        self.allocations[record.uuid or ""] = self.allocations[instance.id]
        self.allocations[instance.id] = set()

        def later(seconds: float, what: Callable[[], None]) -> None:
            self.world.after(max(seconds - trip.recorded_after, 0.0), what)

        if trip.outcome == NO_HOST or self.services[host].state != "up":
            later(trip.placed_after, lambda: self._back(instance, record, "error"))
            return
        later(trip.placed_after, lambda: self._placed(instance, record, host))
        if trip.outcome == ROLLED_BACK:
            later(trip.arrived_after, lambda: self._back(instance, record, "failed"))
            return
        later(trip.arrived_after, lambda: self._arrived(instance, record, host, trip))
        later(trip.ended_after, lambda: self._ended(instance, record, host, trip))
        later(trip.ports_after, lambda: self._ports_of(instance.id, status="ACTIVE"))

    def _back(self, instance: Instance, record: MigrationRecord, status: str) -> None:
        self.failures[instance.id] = "No valid host was found."
        self.allocations[instance.id] = self.allocations.pop(record.uuid or "")
        self._change(instance.id, task_state=None)
        self.world.after(0.2, lambda: self._close(record, status))

    def _close(self, record: MigrationRecord, status: str) -> None:
        self._set(record.id, status=status)

    def _placed(self, instance: Instance, record: MigrationRecord, host: str) -> None:
        self._set(record.id, status="migrating", dest_compute=host)
        self.allocations[instance.id] = {host}

    def _arrived(self, instance: Instance, record: MigrationRecord, host: str, trip: Trip) -> None:
        live = record.migration_type == "live-migration"
        self._ports_of(instance.id, binding_host=host, status="BUILD")
        for volume_id in instance.volume_ids:
            self._attach(volume_id, instance.id, host)
        if trip.outcome == BROKEN:
            self._change(instance.id, host=host, vm_state="error", task_state=None, fault="broken")
            self._set(record.id, status="error")
        elif live:
            self._change(instance.id, host=host, task_state=None)
        else:
            self._change(instance.id, host=host, task_state="resize_finish")

    def _ended(self, instance: Instance, record: MigrationRecord, host: str, trip: Trip) -> None:
        if trip.outcome == BROKEN:
            return
        if record.migration_type == "live-migration":
            self._set(record.id, status="completed", dest_compute=host)
            if not trip.leaks:
                del self.allocations[record.uuid or ""]
            return
        self._set(record.id, status="finished", dest_compute=host)
        power = SHUTDOWN if instance.vm_state == "stopped" else RUNNING
        self.world.after(
            0.5,
            lambda: self._change(
                instance.id, vm_state="resized", task_state=None, power_state=power
            ),
        )

    def _confirmed(self, record: MigrationRecord) -> None:
        self._set(record.id, status="confirmed")
        self.allocations.pop(record.uuid or "", None)
        off = self.instances[record.instance_id].power_state == SHUTDOWN
        self.world.after(
            1.0,
            lambda: self._change(record.instance_id, vm_state="stopped" if off else "active"),
        )

    def _count_sources(self) -> None:
        running = [r for r in self.records if in_progress(r)]
        self.most_at_once = max(self.most_at_once, len(running))
        of_one = Counter(r.source_compute for r in running)
        self.most_from_one = max(self.most_from_one, *of_one.values(), 0)

    def host_goes_down(self, host: str) -> None:
        self.services[host] = replace(self.services[host], state="down")
