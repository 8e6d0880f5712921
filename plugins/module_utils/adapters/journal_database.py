# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's entries as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..domain.never_booted.journal import (
    OPEN_STATES,
    PREPARED,
    TAKEN,
    Author,
    JournalEntry,
    NewEntry,
)
from ..domain.never_booted.nova_rows import InstanceRows
from ..domain.never_booted.row_text import dump_rows, load_rows
from .journal_schema import SCHEMA_VERSION
from .mysql import Database
from .sql import in_list, quoted

_COLUMNS = (
    "id, instance_uuid, state, cell_uuid, project_id, run_id, operator, request_id, created_at,"
    " updated_at, TIMESTAMPDIFF(MICROSECOND, updated_at, UTC_TIMESTAMP(6)) / 1000000 AS age"
)
# By version of the schema, since who only reads cannot upgrade it.
_SPEC_COLUMNS = {
    1: "request_spec, request_spec IS NOT NULL AS spec_rewritten, NULL AS build_spec",
    2: "request_spec, COALESCE(spec_rewritten, request_spec IS NOT NULL) AS spec_rewritten, build_spec",
}
_CLOSED_BEFORE = "is_open IS NULL AND updated_at < UTC_TIMESTAMP(6) - INTERVAL %s SECOND"
_PURGED_AT_ONCE = 500


class JournalDatabase:
    """Implements domain.never_booted.journal.Journal.

    :param version: of the schema; 0 where it was never made: there are no entries then.
    """

    def __init__(self, database: Database, schema: str, *, version: int = SCHEMA_VERSION) -> None:
        self._database = database
        self._schema = quoted(schema)
        self._version = version
        self._exists = version > 0

    def open_entries(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, JournalEntry]:
        condition, parameters = in_list("instance_uuid", instance_uuids)
        return self._entries(
            f"{condition} AND is_open = 1{' FOR UPDATE' if lock else ''}", parameters
        )

    def newest_entries(self, instance_uuids: Iterable[str]) -> dict[str, JournalEntry]:
        return self._entries(*self._newest(instance_uuids))

    def newest_heads(self, instance_uuids: Iterable[str]) -> dict[str, JournalEntry]:
        """As newest_entries, without their specs."""
        return self._entries(*self._newest(instance_uuids), specs=False)

    def open_heads(self) -> dict[str, JournalEntry]:
        """Every open entry, without its specs."""
        return self._entries("is_open = 1", (), specs=False)

    def copies(self, entries: Sequence[JournalEntry]) -> dict[str, InstanceRows]:
        if not self._exists:
            return {}
        condition, parameters = in_list("id", [entry.id for entry in entries])
        rows = self._database.rows(
            f"SELECT instance_uuid, instance_rows FROM {self._schema}.rebuilds"
            f" WHERE instance_rows IS NOT NULL AND {condition}",
            parameters,
        )
        return {
            row["instance_uuid"]: load_rows(row["instance_uuid"], row["instance_rows"])
            for row in rows
        }

    def begin(self, entries: Sequence[NewEntry], author: Author) -> None:
        if not entries:
            return
        # As a value: PyMySQL sends a row by itself where VALUES has anything but parameters.
        now = self._database.rows("SELECT UTC_TIMESTAMP(6) AS now")[0]["now"]
        self._database.execute_many(
            f"INSERT INTO {self._schema}.rebuilds (instance_uuid, state, cell_uuid, project_id,"
            " run_id, operator, instance_rows, request_spec, spec_rewritten, build_spec,"
            " created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    entry.instance_uuid,
                    entry.state,
                    entry.cell_uuid,
                    entry.project_id,
                    author.run_id,
                    author.operator,
                    None if entry.rows is None else dump_rows(entry.rows),
                    entry.request_spec,
                    entry.spec_rewritten,
                    entry.build_spec,
                    now,
                    now,
                )
                for entry in entries
            ],
        )
        self._note([entry.instance_uuid for entry in entries], author, "")

    def take_again(self, entries: Sequence[NewEntry], author: Author) -> None:
        for entry in entries:
            self._database.execute(
                f"UPDATE {self._schema}.rebuilds SET state = %s, cell_uuid = %s, run_id = %s,"
                " operator = %s, instance_rows = %s, request_spec = %s, spec_rewritten = %s,"
                " build_spec = %s, updated_at = UTC_TIMESTAMP(6)"
                " WHERE instance_uuid = %s AND is_open = 1 AND state IN (%s, %s)",
                (
                    TAKEN,
                    entry.cell_uuid,
                    author.run_id,
                    author.operator,
                    None if entry.rows is None else dump_rows(entry.rows),
                    entry.request_spec,
                    entry.spec_rewritten,
                    entry.build_spec,
                    entry.instance_uuid,
                    TAKEN,
                    PREPARED,
                ),
            )
        self._note([entry.instance_uuid for entry in entries], author, "copied again")

    def advance(
        self,
        instance_uuids: Sequence[str],
        *,
        expected: Iterable[str],
        state: str,
        author: Author,
        detail: str = "",
        request_id: str | None = None,
        build_spec: str | None = None,
    ) -> int:
        which, uuids = in_list("instance_uuid", instance_uuids)
        states, from_states = in_list("state", sorted(expected))
        moved = self._database.execute(
            f"UPDATE {self._schema}.rebuilds SET state = %s, run_id = %s, operator = %s,"
            " request_id = COALESCE(%s, request_id), build_spec = COALESCE(%s, build_spec),"
            " updated_at = UTC_TIMESTAMP(6)"
            f" WHERE {which} AND is_open = 1 AND {states}",
            (state, author.run_id, author.operator, request_id, build_spec, *uuids, *from_states),
        )
        if not moved:
            return 0
        self._note(instance_uuids, author, detail, state=state)
        if state not in OPEN_STATES:
            self._database.execute(
                f"UPDATE {self._schema}.rebuilds SET is_open = NULL"
                f" WHERE {which} AND is_open = 1 AND state = %s",
                (*uuids, state),
            )
        return moved

    def closed(self, older_than: int) -> int:
        """How many entries were closed more than this many seconds ago."""
        if not self._exists:
            return 0
        rows = self._database.rows(
            f"SELECT COUNT(*) AS number FROM {self._schema}.rebuilds WHERE {_CLOSED_BEFORE}",
            (older_than,),
        )
        return int(rows[0]["number"])

    def purge(self, older_than: int) -> int:
        """Remove entries that were closed more than this many seconds ago; how many."""
        removed = 0
        while self._exists:
            # Some at a time: each holds a copy of all rows, which the server has to be able to undo.
            now = self._database.execute(
                f"DELETE FROM {self._schema}.rebuilds WHERE {_CLOSED_BEFORE} LIMIT {_PURGED_AT_ONCE}",
                (older_than,),
            )
            removed += now
            if now < _PURGED_AT_ONCE:
                break
        return removed

    def _note(
        self, instance_uuids: Sequence[str], author: Author, detail: str, state: str | None = None
    ) -> None:
        """Add to the history of the open entries what they have become just now."""
        condition, parameters = in_list("instance_uuid", instance_uuids)
        matching = " AND state = %s" if state else ""
        self._database.execute(
            f"INSERT INTO {self._schema}.steps"
            " (rebuild_id, state, run_id, operator, detail, reached_at)"
            " SELECT id, state, %s, %s, %s, UTC_TIMESTAMP(6)"
            f" FROM {self._schema}.rebuilds WHERE is_open = 1 AND {condition}{matching}",
            (
                author.run_id,
                author.operator,
                detail,
                *parameters,
                *((state,) if state else ()),
            ),
        )

    def _newest(self, instance_uuids: Iterable[str]) -> tuple[str, Sequence[Any]]:
        condition, parameters = in_list("instance_uuid", instance_uuids)
        which = f"SELECT MAX(id) FROM {self._schema}.rebuilds WHERE {condition}"
        return f"id IN ({which} GROUP BY instance_uuid)", parameters

    def _entries(
        self, condition: str, parameters: Sequence[Any], *, specs: bool = True
    ) -> dict[str, JournalEntry]:
        if not self._exists:
            return {}
        columns = f"{_COLUMNS}, {_SPEC_COLUMNS[self._version]}" if specs else _COLUMNS
        rows: Sequence[Mapping[str, Any]] = self._database.rows(
            f"SELECT {columns} FROM {self._schema}.rebuilds WHERE {condition}", parameters
        )
        return {row["instance_uuid"]: _entry(row) for row in rows}


def _entry(row: Mapping[str, Any]) -> JournalEntry:
    rewritten = bool(row.get("spec_rewritten"))
    return JournalEntry(**{**row, "age": float(row["age"]), "spec_rewritten": rewritten})
