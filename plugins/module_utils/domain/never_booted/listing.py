# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds never-booted instances in Nova's databases, page by page, each with all that is told of it.

First the uuids and ages of all that may be meant, then what is known of each page of them, in a
number of queries that does not depend on how many a page has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from ..batches import in_batches
from .journal import JournalEntry
from .nova_rows import BuildRequestRow, Cell, InstanceMapping, InstanceRows, RequestSpecRow
from .observation import CLASSES, LEFT_BEHIND, Observation, kept_spec, situation

# Rows and specs of so many instances are in memory at once.
PAGE_SIZE = 500
# Of these only the uuid and the age.
_CANDIDATES_AT_ONCE = 5000
# For a row without a time, which Nova does not write.
_LONG_AGO = datetime.fromisoformat("1970-01-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which instances are asked for, as far as a query can tell. None leaves open.

    The times are the database's clock, naive UTC.
    """

    instance_uuids: Sequence[str] | None = None
    project_id: str | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that may be meant; ``id`` is that of the row it was found by."""

    id: int
    instance_uuid: str
    created_at: datetime | None


class ListingApi(Protocol):
    """Nova's API database, only read."""

    def now(self) -> datetime:
        """The database's clock: UTC, naive."""

    def left_behind(self, scope: Scope, after: int, limit: int) -> Sequence[Candidate]:
        """BuildRequests of instances that are mapped to no cell, by id."""

    def instance_mappings(self, instance_uuids: Iterable[str]) -> Mapping[str, InstanceMapping]: ...

    def build_request_heads(self, instance_uuids: Iterable[str]) -> Mapping[str, BuildRequestRow]:
        """Without their texts, which are empty then."""

    def build_requests(self, instance_uuids: Iterable[str]) -> Mapping[str, BuildRequestRow]: ...

    def request_specs(self, instance_uuids: Iterable[str]) -> Mapping[str, RequestSpecRow]: ...


class ListingCell(Protocol):
    """One cell's database, only read."""

    def never_booted(
        self, scope: Scope, after: int, limit: int, *, in_error: bool
    ) -> Sequence[Candidate]:
        """Live instances that never launched, by id; ``in_error`` only those."""

    def listed_rows(self, instance_uuids: Iterable[str]) -> Mapping[str, InstanceRows]:
        """Of the live ones, the columns and tables that a listing tells of."""


class ListingJournal(Protocol):
    """The journal, only read."""

    def newest_heads(self, instance_uuids: Iterable[str]) -> Mapping[str, JournalEntry]:
        """The newest of each instance, open or closed, without its specs."""

    def newest_entries(self, instance_uuids: Iterable[str]) -> Mapping[str, JournalEntry]: ...

    def open_heads(self) -> Mapping[str, JournalEntry]:
        """Every open entry, without its specs."""


class ListingDatabases(Protocol):
    """All of them."""

    @property
    def api(self) -> ListingApi: ...

    @property
    def journal(self) -> ListingJournal: ...

    def cells(self) -> Mapping[int, Cell]: ...

    def cell(self, cell_id: int) -> ListingCell: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A never-booted instance. ``newest`` is its newest entry in the journal, open or closed."""

    seen: Observation
    situation: str
    newest: JournalEntry | None = None
    cell: Cell | None = field(default=None)

    @property
    def rows(self) -> InstanceRows | None:
        """Of the cell that holds it; None where it is a BuildRequest only."""
        return next(iter(self.seen.rows.values()), None)


def never_booted(
    databases: ListingDatabases, scope: Scope, *, page_size: int = PAGE_SIZE
) -> Iterator[list[Listed]]:
    """Pages of never-booted instances, the oldest first."""
    seen_at = databases.api.now()
    for page in in_batches(_candidates(databases, scope), page_size):
        yield _read(databases, page, seen_at)


def _candidates(databases: ListingDatabases, scope: Scope) -> list[str]:
    """Their uuids, the oldest first, each once."""
    created: dict[str, datetime] = {}
    reads = [
        partial(databases.cell(cell_id).never_booted, scope, in_error=not cell.is_cell0)
        for cell_id, cell in databases.cells().items()
    ]
    for read in (*reads, partial(databases.api.left_behind, scope)):
        for candidate in _all(read):
            moment = candidate.created_at or _LONG_AGO
            created[candidate.instance_uuid] = min(
                moment, created.get(candidate.instance_uuid, moment)
            )
    return sorted(created, key=lambda uuid: (created[uuid], uuid))


def _all(read: Callable[[int, int], Sequence[Candidate]]) -> Iterator[Candidate]:
    after = 0
    while found := read(after, _CANDIDATES_AT_ONCE):
        yield from found
        if len(found) < _CANDIDATES_AT_ONCE:
            return
        after = found[-1].id


def _read(databases: ListingDatabases, uuids: Sequence[str], seen_at: datetime) -> list[Listed]:
    cells = databases.cells()
    mappings = databases.api.instance_mappings(uuids)
    requests = dict(databases.api.build_request_heads(uuids))
    specs = databases.api.request_specs(uuids)
    entries = databases.journal.newest_heads(uuids)
    lost = [uuid for uuid in entries if uuid in mappings and uuid not in specs]
    whole = databases.journal.newest_entries(lost) if lost else {}
    rows: dict[str, dict[int, InstanceRows]] = {uuid: {} for uuid in uuids}
    for cell_id in cells:
        here = [u for u in uuids if u in mappings and mappings[u].cell_id in (None, cell_id)]
        if here:
            for uuid, found in databases.cell(cell_id).listed_rows(here).items():
                rows[uuid][cell_id] = found
    # Only what nothing else tells of is read whole: a BuildRequest can have 64 KiB of user data.
    alone = [u for u in uuids if u in requests and not rows[u]]
    if alone:
        requests.update(databases.api.build_requests(alone))
    listed = []
    for uuid in uuids:
        newest = entries.get(uuid)
        seen = Observation(
            instance_uuid=uuid,
            mapping=mappings.get(uuid),
            build_request=requests.get(uuid),
            request_spec=specs.get(uuid),
            entry=newest if newest is not None and newest.is_open else None,
            rows=rows[uuid],
            seen_at=seen_at,
            kept_spec=kept_spec(whole[uuid], mappings[uuid]) if uuid in whole else None,
        )
        now = situation(seen, cells)
        # What has come to life, or was deleted, since the first query is no longer meant.
        if now in CLASSES and (now != LEFT_BEHIND or seen.build_request is not None):
            first = next(iter(seen.rows), None)
            listed.append(
                Listed(
                    seen=seen,
                    situation=now,
                    newest=newest,
                    cell=None if first is None else cells[first],
                )
            )
    return listed
