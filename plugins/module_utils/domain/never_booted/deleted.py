# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rebuild has left of an instance that its user has deleted meanwhile.

Nova's API deletes the BuildRequest then. Rows that a run was about to remove, or had put back, stay
in their cell, where lists show them and nothing can delete them. They are removed if they are those
of the journal's copy, to the last value; else a person has to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..batches import in_batches
from . import journal
from .databases import Databases
from .journal import Author, JournalEntry
from .listing import PAGE_SIZE, ListingDatabases, Scope
from .nova_rows import Cell, InstanceRows
from .observation import DELETED, UNKNOWN, Observation, home_of, outcome, situation
from .refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An open entry that is to be closed. ``rows`` are to be removed from the cell."""

    seen: Observation
    cell_id: int
    rows: InstanceRows | None = None

    @property
    def uuid(self) -> str:
        return self.seen.instance_uuid

    @property
    def message(self) -> str:
        removed = "; the rows that an earlier run had left of it in its cell are removed"
        return f"its user has deleted it{removed if self.rows else ''}"


def decide(seen: Observation, cells: Mapping[int, Cell]) -> Closing | Refusal | None:
    """What to do about one that was deleted; None where it was not, or nothing is open."""
    if seen.entry is None or outcome(seen, situation(seen, cells)) != journal.DELETED:
        return None
    cell_id = home_of(seen, cells)
    mapped = seen.mapping is not None and seen.mapping.cell_id is not None
    asked = seen.entry.state in journal.SUBMITTED_STATES
    if mapped or asked or not seen.rows or not seen.is_whole:
        # Nova removes the rows that it is mapped to, and the conductor those that it has written.
        return Closing(seen=seen, cell_id=cell_id)
    if seen.copy is not None and seen.rows == {cell_id: seen.copy}:
        return Closing(seen=seen, cell_id=cell_id, rows=seen.copy)
    where = ", ".join(cells[one].label for one in seen.rows)
    return Refusal(
        code="rows_left",
        message=f"its user has deleted it, and rows of it are left in {where} that are not those of"
        " the journal's copy: compare them, and remove them",
    )


def close(databases: Databases, closings: Sequence[Closing], author: Author) -> None:
    """Do it, in the step that is open and under whose locks they were decided on."""
    rows = [one.rows for one in closings if one.rows is not None]
    if rows:
        databases.cell(closings[0].cell_id).delete_instance_rows(rows)
    for found, detail in ((True, "its rows were left, and are removed"), (False, "")):
        uuids = [one.uuid for one in closings if (one.rows is not None) == found]
        if uuids:
            databases.journal.advance(
                uuids,
                expected=journal.OPEN_STATES,
                state=journal.DELETED,
                author=author,
                detail=detail,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A deleted instance with an open entry; ``cells`` are those that still hold rows of it."""

    entry: JournalEntry
    cells: tuple[str, ...]


def find_left(databases: ListingDatabases, scope: Scope) -> list[Left]:
    """Those that no listing of Nova's tells of, as far as uuids and project are asked for."""
    entries = {
        uuid: entry
        for uuid, entry in sorted(databases.journal.open_heads().items())
        if (scope.instance_uuids is None or uuid in scope.instance_uuids)
        and scope.project_id in (None, entry.project_id)
    }
    found: list[Left] = []
    for page in in_batches(entries, PAGE_SIZE):
        gone = _deleted(databases, {uuid: entries[uuid] for uuid in page})
        where: dict[str, list[str]] = {uuid: [] for uuid in gone}
        for cell_id, cell in databases.cells().items() if gone else ():
            for uuid in databases.cell(cell_id).listed_rows(gone):
                where[uuid].append(cell.label)
        found += [Left(entry=entries[uuid], cells=tuple(where[uuid])) for uuid in gone]
    return found


def _deleted(databases: ListingDatabases, entries: Mapping[str, JournalEntry]) -> list[str]:
    mappings = dict(databases.api.instance_mappings(entries))
    requests = databases.api.build_request_heads(entries)
    unmapped = [u for u, one in mappings.items() if one.cell_id is None and u not in requests]
    if unmapped:
        # Nova may have mapped it and removed its BuildRequest between the two reads.
        mappings.update(databases.api.instance_mappings(unmapped))
    cells = databases.cells()
    return [
        uuid
        for uuid, entry in entries.items()
        if situation(
            Observation(
                instance_uuid=uuid,
                mapping=mappings.get(uuid),
                build_request=requests.get(uuid),
                entry=entry,
            ),
            cells,
        )
        in (DELETED, UNKNOWN)
    ]
