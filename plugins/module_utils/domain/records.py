# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the states of an evacuation's migration record mean.

Nova writes the record in the API before it answers (accepted), the destination claims it
(pre-migrating) and finishes it (done); the source's nova-compute marks it completed at its next
start. The conductor writes error, the destination failed.
"""

from __future__ import annotations

from collections.abc import Iterable

from .nova import MigrationRecord

EVACUATION = "evacuation"

IN_PROGRESS = frozenset({"accepted", "pre-migrating"})
SUCCEEDED = frozenset({"done", "completed"})
FAILED = frozenset({"failed", "error"})

# A record of another move (resize, live or cold migration) that has reached its end.
_OTHER_ENDED = frozenset(
    {"completed", "confirmed", "reverted", "failed", "error", "cancelled", "done"}
)


def is_evacuation(record: MigrationRecord) -> bool:
    return record.migration_type == EVACUATION


def evacuations_from(host: str, records: Iterable[MigrationRecord]) -> list[MigrationRecord]:
    """The evacuations that have this host as source."""
    return [r for r in records if is_evacuation(r) and r.source_compute == host]


def in_progress(record: MigrationRecord) -> bool:
    """True while Nova may still act on this move: nothing else may be started for its instance."""
    if is_evacuation(record):
        # A status that no release has had is taken as unfinished: waiting is the safe mistake.
        return record.status not in SUCCEEDED | FAILED
    return record.status not in _OTHER_ENDED


def newest_by_instance(records: Iterable[MigrationRecord]) -> dict[str, MigrationRecord]:
    """The newest record of each instance; Nova's ids only grow."""
    newest: dict[str, MigrationRecord] = {}
    for record in records:
        known = newest.get(record.instance_id)
        # Ids are per cell, and an instance stays within its cell.
        if known is None or record.id > known.id:
            newest[record.instance_id] = record
    return newest
