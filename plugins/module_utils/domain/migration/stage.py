# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a migration has come, from what Nova shows of the instance and its records.

A live migration ends by itself. A cold one waits for somebody who confirms it: until then the
instance is RESIZED and holds what it needs on both hosts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..nova import Instance, MigrationRecord
from ..records import in_progress

LIVE = "live-migration"
COLD = "migration"

# What a cold migration leaves behind until it is confirmed.
RESIZED = "resized"
_FINISHED = "finished"
_CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Moving:
    """Nova is bringing it to the host, from ``source``; ``phase`` is its word for how far."""

    phase: str
    source: str


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """It has arrived from ``source`` by a cold migration that waits for its confirmation."""

    source: str


@dataclass(frozen=True, slots=True)
class Occupied:
    """Something else goes on with it, and must end first."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resting:
    """Nothing goes on with it, wherever it is."""


Stage: TypeAlias = "Moving | ToConfirm | Occupied | Resting"


def stage_of(instance: Instance, records: Iterable[MigrationRecord], host: str) -> Stage:
    """What goes on with this instance, which is to come to this host.

    Whoever has begun it: a migration to this host by somebody else is as good.

    :param records: of this instance, of every kind and age.
    """
    records = sorted(records, key=lambda record: record.id)
    running = [record for record in records if in_progress(record)]
    for record in running:
        if record.migration_type not in (LIVE, COLD) or record.dest_compute not in (None, host):
            return Occupied(
                "migration_in_progress",
                f"{record.migration_type} record {record.id} is {record.status}, to"
                f" {record.dest_compute or 'a host that is not known yet'}: end that move first"
                " (wait, abort, confirm or revert)",
            )
    if running:
        return _running(instance, running[-1])
    if instance.vm_state == RESIZED and records and records[-1].status == _CONFIRMED:
        # Nova marks the record before the instance.
        return Moving("confirming", records[-1].source_compute or "")
    if instance.vm_state == RESIZED:
        return Occupied("migration_in_progress", "it is resized, and no record tells to which host")
    if instance.task_state:
        return Occupied("busy", f"it is {instance.task_state}: run again when that has ended")
    return Resting()


def _running(instance: Instance, record: MigrationRecord) -> Stage:
    # Nova marks the record before the instance, so both are asked.
    finished = record.migration_type == COLD and record.status == _FINISHED
    if finished and instance.vm_state == RESIZED and instance.task_state is None:
        return ToConfirm(record.source_compute or "")
    return Moving(record.status, record.source_compute or "")
