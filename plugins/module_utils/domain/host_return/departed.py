# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the instances that were evacuated from a host, by Nova's records and lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..nova import Instance, MigrationRecord
from ..records import SUCCEEDED, evacuations_from, in_progress, newest_by_instance

# What an instance that was to leave the host has come to.
MOVING = "moving"
MOVED = "moved"
# A moment ago: Nova hides the records of deleted instances.
DELETED = "deleted"
# Evacuated, and on this host again since.
RETURNED = "returned"
STAYED = "stayed"
# On this host, although a record says that it has left: nova-compute destroys its guest when it
# starts, because it asks only for the record.
ENDANGERED = "endangered"
# Not on this host, and no evacuation says how it left.
ELSEWHERE = "elsewhere"

# Its guest must not run on the host any more.
GONE_FROM_HOST = frozenset({MOVED, DELETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed:
    """One instance with its evacuation from the host.

    :param fate: one of the words above.
    :param host: where Nova has it now.
    :param record: the newest that is in progress, the newest at all if none is.
    """

    instance_id: str
    name: str
    fate: str
    host: str | None
    vm_state: str | None
    record: MigrationRecord

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance_id,
            "name": self.name,
            "fate": self.fate,
            "host": self.host,
            "vm_state": self.vm_state,
            "record": {"id": self.record.id, "status": self.record.status},
            "what_to_do": what_to_do(self),
        }


def departed_from(
    host: str, records: Iterable[MigrationRecord], instances: Mapping[str, Instance]
) -> list[Departed]:
    """The fate of every instance with an evacuation record from this host, the oldest first.

    :param instances: by id, those that Nova still knows.
    """
    own = evacuations_from(host, records)
    moved = {record.instance_id for record in own if record.status in SUCCEEDED}
    done = {record.instance_id for record in own if record.status == "done"}
    # Nova accepts two evacuations of one instance: an older one can still be in progress.
    running = [record for record in own if in_progress(record)]
    telling = (newest_by_instance(own) | newest_by_instance(running)).values()
    return [
        _departed(host, record, instances.get(record.instance_id), moved, done)
        for record in sorted(telling, key=lambda record: (record.created_at, record.id))
    ]


def _departed(
    host: str,
    record: MigrationRecord,
    instance: Instance | None,
    moved: Collection[str],
    done: Collection[str],
) -> Departed:
    return Departed(
        instance_id=record.instance_id,
        name=instance.name if instance else "",
        fate=_fate(host, record, instance, moved, done),
        host=instance.host if instance else None,
        vm_state=instance.vm_state if instance else None,
        record=record,
    )


def _fate(
    host: str,
    record: MigrationRecord,
    instance: Instance | None,
    moved: Collection[str],
    done: Collection[str],
) -> str:
    if in_progress(record):
        return MOVING
    if instance is None or instance.vm_state == "deleted":
        return DELETED
    if instance.host == host:
        if instance.id in done:
            return ENDANGERED
        return RETURNED if record.status in SUCCEEDED else STAYED
    # Without a host it is shelved, or half deleted; without such a record it left by other means.
    return MOVED if instance.id in moved and instance.host else ELSEWHERE


def moves_since(departed: Departed, moves: Iterable[MigrationRecord]) -> list[MigrationRecord]:
    """The instance's moves since its evacuation.

    One that had begun before was ended by the evacuation, although its record may never say so.

    :param moves: of every kind, of the host or of the instance.
    """
    return [
        move
        for move in moves
        if move.instance_id == departed.instance_id
        and move.created_at >= departed.record.created_at
    ]


def what_to_do(departed: Departed) -> str | None:
    """Advice for people about an instance that has not moved; None when nothing is left to do."""
    if departed.fate == MOVING:
        return "wait until its evacuation has come to an end"
    if departed.fate == ENDANGERED:
        return (
            "move it to another host before nova-compute starts again on this one: that would destroy"
            " its guest, because a record of its evacuation is still done"
        )
    if departed.fate != STAYED:
        return None
    if departed.vm_state == "error":
        return (
            "evacuate it again while the host is down; or, when the host is back, start its guest"
            f" there with 'openstack server reboot --hard {departed.instance_id}'"
        )
    return "it is still on this host: nothing, or evacuate it again while the host is down"
