# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Nova's databases and the journal say of one instance, and which situation that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from . import journal
from .databases import Databases
from .journal import JournalEntry
from .nova_rows import BuildRequestRow, Cell, InstanceMapping, InstanceRows, RequestSpecRow

# Class a: Nova buried it in cell0.
BURIED = "buried"
# Class b: its rows are in a real cell, in ERROR, on no host.
DIED = "died"
# As before, but the row names a host, where parts of it may be left.
DIED_ON_HOST = "died_on_host"
# Class c: a BuildRequest and nothing else.
LEFT_BEHIND = "left_behind"
# Class c with rows in cell0: a preparation, or Nova's own burial, was cut off.
HALF_BURIED = "half_buried"
# Class c with rows in a real cell: the conductor was cut off.
HALF_BUILT = "half_built"
# None of the three classes.
BUILDING = "building"
BOOTED = "booted"
DELETED = "deleted"
ROWS_MISSING = "rows_missing"
UNKNOWN = "unknown"

# The class letter of each situation that can be rebuilt.
CLASSES = {
    BURIED: "a",
    DIED: "b",
    DIED_ON_HOST: "b",
    LEFT_BEHIND: "c",
    HALF_BURIED: "c",
    HALF_BUILT: "c",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything about one instance, read at one time.

    ``rows`` are by cell id; ``seen_at`` is the API database's clock. ``copy`` is the journal's, of an
    open entry that is not submitted. ``kept_spec`` is the journal's, where Nova has no RequestSpec.
    ``is_whole`` is False where no more was read of rows than those of ``instances``, and no copy.
    """

    instance_uuid: str
    mapping: InstanceMapping | None = None
    build_request: BuildRequestRow | None = None
    request_spec: RequestSpecRow | None = None
    entry: JournalEntry | None = None
    rows: Mapping[int, InstanceRows] = field(default_factory=dict)
    seen_at: datetime | None = None
    copy: InstanceRows | None = None
    is_whole: bool = True
    kept_spec: str | None = None

    @property
    def spec_text(self) -> str | None:
        """The stored RequestSpec, or the journal's copy of one that Nova has removed."""
        return self.request_spec.spec if self.request_spec is not None else self.kept_spec

    @property
    def mapped_rows(self) -> InstanceRows | None:
        """The rows in the cell that it is mapped to."""
        if self.mapping is None or self.mapping.cell_id is None:
            return None
        return self.rows.get(self.mapping.cell_id)


def situation(seen: Observation, cells: Mapping[int, Cell]) -> str:
    """One of the words above.

    :param cells: every cell by id.
    """
    if seen.mapping is None:
        return UNKNOWN if not seen.rows and seen.build_request is None else DELETED
    if seen.mapping.queued_for_delete:
        return DELETED
    if seen.mapping.cell_id is None:
        return _unmapped(seen, cells)
    rows = seen.mapped_rows
    if rows is None:
        return ROWS_MISSING
    return _mapped(rows, is_cell0=cells[seen.mapping.cell_id].is_cell0)


def _unmapped(seen: Observation, cells: Mapping[int, Cell]) -> str:
    if seen.build_request is None:
        # Its user deletes an instance that is only a BuildRequest by deleting that.
        return DELETED
    if not seen.rows:
        return LEFT_BEHIND
    if any(rows.instance["launched_at"] for rows in seen.rows.values()):
        return BOOTED
    if all(cells[cell_id].is_cell0 for cell_id in seen.rows):
        return HALF_BURIED
    return HALF_BUILT


def _mapped(rows: InstanceRows, *, is_cell0: bool) -> str:
    row = rows.instance
    if row["launched_at"] is not None:
        return BOOTED
    if is_cell0:
        return BURIED
    if row["vm_state"] != "error" or row["task_state"] is not None:
        return BUILDING
    return DIED if row["host"] is None else DIED_ON_HOST


def outcome(seen: Observation, now: str) -> str | None:
    """What an open entry of the journal has become according to Nova; None while it is open.

    A run that was killed leaves entries behind that Nova has gone on from.

    :param now: the situation of what was seen.
    """
    if seen.entry is None:
        return None
    submitted = seen.entry.state in journal.SUBMITTED_STATES
    if now in (DELETED, UNKNOWN):
        return journal.DELETED
    if now == BOOTED:
        return journal.BUILT
    if now == BURIED:
        # Rows that were only copied are no new burial.
        if submitted:
            return journal.BURIED_AGAIN
        return journal.RESTORED if seen.entry.state == journal.PREPARED else None
    if now in (DIED, DIED_ON_HOST):
        if submitted:
            return journal.DIED
        return journal.RESTORED if seen.entry.state == journal.PREPARED else None
    return None


def observe(
    databases: Databases,
    instance_uuids: Iterable[str],
    *,
    lock: bool = False,
    whole: bool = True,
) -> dict[str, Observation]:
    """Read everything about these instances, in a constant number of queries.

    The cell that an instance is mapped to is looked at; all cells, if it is mapped to none.

    :param lock: keep it as it is until the transaction ends.
    :param whole: False for a first look, with nothing of a cell but the row of ``instances``.
    """
    wanted = sorted(set(instance_uuids))
    # In the order in which Nova and this collection write: mapping, build request, cell.
    mappings = databases.api.instance_mappings(wanted, lock=lock)
    requests = databases.api.build_requests(wanted, lock=lock)
    unmapped = [u for u, one in mappings.items() if one.cell_id is None and u not in requests]
    if unmapped and not lock:
        # Nova may have mapped it and removed its BuildRequest between the two reads.
        mappings = {**mappings, **databases.api.instance_mappings(unmapped)}
    specs = databases.api.request_specs(wanted, lock=lock)
    entries = databases.journal.open_entries(wanted, lock=lock)
    lost = [uuid for uuid in mappings if uuid not in specs]
    newest = {**databases.journal.newest_entries(lost), **entries} if lost else {}
    rows: dict[str, dict[int, InstanceRows]] = {uuid: {} for uuid in wanted}
    for cell_id in databases.cells():
        here = [uuid for uuid in wanted if _may_be_in(mappings.get(uuid), cell_id)]
        if here:
            cell = databases.cell(cell_id)
            found = cell.instance_rows(here, lock=lock) if whole else cell.instances(here)
            for uuid, of_instance in found.items():
                rows[uuid][cell_id] = of_instance
    taken = [entry for entry in entries.values() if entry.state in journal.UNSUBMITTED_STATES]
    copies = databases.journal.copies(taken) if taken and whole else {}
    seen_at = databases.api.now()
    return {
        uuid: Observation(
            instance_uuid=uuid,
            mapping=mappings.get(uuid),
            build_request=requests.get(uuid),
            request_spec=specs.get(uuid),
            entry=entries.get(uuid),
            rows=rows[uuid],
            seen_at=seen_at,
            copy=copies.get(uuid),
            is_whole=whole,
            kept_spec=kept_spec(newest[uuid], mappings[uuid]) if uuid in newest else None,
        )
        for uuid in wanted
    }


def home_of(seen: Observation, cells: Mapping[int, Cell]) -> int:
    """The cell from which the journal has a copy; cell0, where it has none."""
    where = seen.entry.cell_uuid if seen.entry is not None else None
    cell0 = next(i for i, cell in cells.items() if cell.is_cell0)
    return next((i for i, cell in cells.items() if cell.uuid == where), cell0)


def kept_spec(newest: JournalEntry, mapping: InstanceMapping) -> str | None:
    """The journal's copy of a RequestSpec that Nova has removed, as it was last."""
    return newest.kept_spec(mapped=mapping.cell_id is not None)


def _may_be_in(mapping: InstanceMapping | None, cell_id: int) -> bool:
    return mapping is None or mapping.cell_id in (None, cell_id)
