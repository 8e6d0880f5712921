# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which evacuation records are asked for, and waiting for them to come to an end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .clock import Clock
from .errors import ApiUnavailable, RecoveryError
from .nova import MigrationRecord
from .records import in_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Ages in seconds, by the time of creation; empty or None means: any."""

    statuses: frozenset[str] = frozenset()
    newer_than: int | None = None
    older_than: int | None = None


def select_records(
    records: Iterable[MigrationRecord], query: RecordQuery, now: datetime
) -> list[MigrationRecord]:
    """The records that match, the oldest first."""
    return sorted(
        (record for record in records if _matches(record, query, now)),
        key=lambda record: (record.created_at, record.id),
    )


def _matches(record: MigrationRecord, query: RecordQuery, now: datetime) -> bool:
    age = (now - record.created_at).total_seconds()
    if query.statuses and record.status not in query.statuses:
        return False
    if query.newer_than is not None and age > query.newer_than:
        return False
    return query.older_than is None or age > query.older_than


def show_record(record: MigrationRecord, now: datetime) -> dict[str, Any]:
    """A record as the module returns it; ``age`` in seconds since its creation."""
    return {
        "id": record.id,
        "uuid": record.uuid,
        "instance": record.instance_id,
        "status": record.status,
        "source": record.source_compute,
        "destination": record.dest_compute,
        "created_at": record.created_at.isoformat(),
        "updated_at": record.updated_at.isoformat() if record.updated_at else None,
        "age": round((now - record.created_at).total_seconds()),
    }


def wait_for_records(
    read: Callable[[], Iterable[MigrationRecord]],
    wanted: str,
    timeout: float,
    poll_interval: float,
    clock: Clock,
) -> list[MigrationRecord]:
    """All records once none holds it up any more.

    :param wanted: ``finished`` (none in progress) or ``completed`` (none ``done`` either).
    :param timeout: seconds.
    :raises RecoveryError: ``wait_timeout``, with what was last seen.
    """
    deadline = clock.monotonic() + timeout
    seen: list[MigrationRecord] = []
    holding: list[MigrationRecord] | None = None
    while True:
        try:
            seen = list(read())
            holding = [record for record in seen if _holds_up(record, wanted)]
            if not holding:
                return seen
        except ApiUnavailable:
            # An answer that did not come says nothing of the records.
            if holding is None and clock.monotonic() >= deadline:
                raise
        if clock.monotonic() >= deadline:
            raise RecoveryError(
                "wait_timeout",
                f"after {timeout:.0f} s {len(holding or ())} evacuation records are not {wanted}"
                " yet. Records in progress move on by themselves; those that are done are"
                " completed when nova-compute starts on the host that was left.",
                retriable=True,
                details={
                    "records": [
                        {"id": r.id, "instance": r.instance_id, "status": r.status}
                        for r in holding or ()
                    ]
                },
            )
        clock.sleep(poll_interval)


def _holds_up(record: MigrationRecord, wanted: str) -> bool:
    return in_progress(record) or (wanted == "completed" and record.status == "done")
