# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance has really come to its host: six checks, each reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..attached import check_ports, check_volumes
from ..check import Check
from ..nova import RUNNING, SHUTDOWN, Instance, MigrationRecord, Port, VolumeAttachment
from ..records import in_progress, is_evacuation
from .plan import Baseline

CHECKS = ("record", "host", "power_state", "ports", "allocation", "volumes")

_SUCCEEDED = frozenset({"completed", "confirmed", "done"})
_POWER = {"active": RUNNING, "stopped": SHUTDOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is seen of the instance now.

    ``allocation_hosts``: hosts on which it holds an allocation; ``record_hosts``: hosts on which the
    record of its newest move does, which stands for what it has left. ``volumes``: None when the
    cloud has no block storage service.
    """

    instance: Instance
    records: tuple[MigrationRecord, ...]
    ports: tuple[Port, ...]
    allocation_hosts: frozenset[str]
    record_hosts: frozenset[str]
    volumes: Mapping[str, VolumeAttachment] | None


def newest_to(host: str, records: Iterable[MigrationRecord]) -> MigrationRecord | None:
    """The record of the move that has brought the instance to this host, if Nova still has it."""
    brought = (record for record in records if record.dest_compute == host)
    return max(brought, key=lambda record: record.id, default=None)


def verify(host: str, baseline: Baseline, seen: Observation) -> dict[str, Check]:
    """All checks by name; it is verified when each has passed."""
    running = seen.instance.vm_state in ("active", "paused")
    checks = (
        _record(host, seen.records),
        Check("host", seen.instance.host == host, host, seen.instance.host or "none"),
        _power_state(baseline, seen.instance),
        check_ports(baseline.port_ids, seen.ports, host, running=running),
        _allocation(host, seen),
        check_volumes(baseline.volume_ids, seen.instance, seen.volumes, host),
    )
    return {check.name: check for check in checks}


def _record(host: str, records: Iterable[MigrationRecord]) -> Check:
    records = list(records)
    running = sorted(record.id for record in records if in_progress(record))
    newest = newest_to(host, records)
    observed = f"{newest.id} {newest.status}" if newest else "none"
    if running:
        observed += f"; in progress: {', '.join(map(str, running))}"
    passed = not running and (newest is None or newest.status in _SUCCEEDED)
    return Check("record", passed, "completed or confirmed, and none in progress", observed)


def _power_state(baseline: Baseline, instance: Instance) -> Check:
    expected, observed = (
        baseline.vm_state,
        f"{instance.vm_state}, power state {instance.power_state}",
    )
    if instance.task_state:
        observed += f", {instance.task_state}"
    passed = instance.vm_state == baseline.vm_state and instance.task_state is None
    if baseline.vm_state == "error":
        return Check("power_state", False, "not error", observed)
    # Hypervisors differ in what they call a guest that is neither on nor off.
    power = _POWER.get(baseline.vm_state)
    if power is not None:
        expected += f", power state {power}"
        passed = passed and instance.power_state == power
    return Check("power_state", passed, expected, observed)


def _allocation(host: str, seen: Observation) -> Check:
    # Until the nova-compute of a host that an evacuation has left starts again, the allocation
    # there stays.
    left = {r.source_compute for r in seen.records if is_evacuation(r) and r.status == "done"}
    held = ", ".join(sorted(seen.allocation_hosts)) or "none"
    if seen.record_hosts:
        held += f"; its migration still holds {', '.join(sorted(seen.record_hosts))}"
    passed = seen.allocation_hosts - (left - {host}) == {host} and not seen.record_hosts
    return Check("allocation", passed, host, held)
