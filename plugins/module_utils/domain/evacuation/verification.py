# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an evacuation has really succeeded: six checks, each reported.

An instance's status alone lies: when the destination's claim fails, Nova rolls the state back
and the instance shows ACTIVE on the old host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..attached import check_ports, check_volumes
from ..check import Check
from ..nova import (
    RUNNING,
    SHUTDOWN,
    Instance,
    MigrationRecord,
    Port,
    VolumeAttachment,
)
from ..records import SUCCEEDED
from .power import ANY, ON

CHECKS = ("record", "host", "power_state", "ports", "allocation", "volumes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was true of the instance before it was evacuated."""

    source: str
    power: str
    volume_ids: frozenset[str]
    port_ids: frozenset[str]
    # Hosts that an earlier evacuation has left and that have not returned: allocated there too.
    left_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is seen of the instance now.

    ``allocation_hosts``: hosts whose resource provider tree holds an allocation of it.
    ``volumes``: None when the cloud has no block storage service.
    """

    record: MigrationRecord
    instance: Instance
    ports: tuple[Port, ...]
    allocation_hosts: frozenset[str]
    volumes: Mapping[str, VolumeAttachment] | None


def verify(baseline: Baseline, seen: Observation) -> dict[str, Check]:
    """All checks by name; the evacuation is verified when each has passed."""
    destination = seen.record.dest_compute or ""
    checks = (
        _record(seen.record),
        _host(baseline, seen.instance, destination),
        _power_state(baseline, seen.instance),
        check_ports(baseline.port_ids, seen.ports, destination, running=baseline.power == ON),
        _allocation(baseline, seen.allocation_hosts, destination),
        check_volumes(baseline.volume_ids, seen.instance, seen.volumes, destination),
    )
    return {check.name: check for check in checks}


def all_passed(checks: Mapping[str, Check]) -> bool:
    return set(checks) == set(CHECKS) and all(check.passed for check in checks.values())


def _record(record: MigrationRecord) -> Check:
    return Check(
        "record", record.status in SUCCEEDED, "done or completed", f"{record.id} {record.status}"
    )


def _host(baseline: Baseline, instance: Instance, destination: str) -> Check:
    moved = bool(destination) and instance.host == destination and destination != baseline.source
    return Check("host", moved, destination or f"not {baseline.source}", instance.host or "none")


def _power_state(baseline: Baseline, instance: Instance) -> Check:
    observed = f"{instance.vm_state}, power state {instance.power_state}"
    if instance.task_state:
        observed += f", {instance.task_state}"
    if baseline.power == ANY:
        passed, expected = instance.vm_state != "error", "not error"
    else:
        vm_state, power = ("active", RUNNING) if baseline.power == ON else ("stopped", SHUTDOWN)
        passed = instance.vm_state == vm_state and instance.power_state == power
        expected = f"{vm_state}, power state {power}"
    return Check("power_state", passed and instance.task_state is None, expected, observed)


def _allocation(baseline: Baseline, hosts: frozenset[str], destination: str) -> Check:
    # Until the nova-compute of a host that was left starts again, the allocation there stays.
    left = baseline.left_hosts | {baseline.source}
    return Check(
        "allocation",
        bool(destination) and hosts - left == {destination},
        f"{destination} (and until they return {', '.join(sorted(left))})",
        ", ".join(sorted(hosts)) or "none",
    )
