# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's databases and the journal in memory, with transactions that can be cut anywhere.

Every call and every commit is a *point*; a test can have the process die at the n-th. Then, what is
not committed is undone, as a server does for a connection that is lost. Locks do not block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    PREPARED,
    TAKEN,
    Author,
    JournalEntry,
    NewEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    CELL0_UUID,
    BuildRequestRow,
    Cell,
    InstanceMapping,
    InstanceRows,
    RequestSpecRow,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.row_text import (
    dump_rows,
    load_rows,
)

CELL0 = 1
CELL1 = 2
CELLS = {
    CELL0: Cell(id=CELL0, uuid=CELL0_UUID, name="cell0"),
    CELL1: Cell(id=CELL1, uuid="f145d26b-e87a-4e73-9963-aff460b3d1fa", name="cell1"),
}
Tables = dict[str, list[dict[str, Any]]]


class Cut(BaseException):
    """The process dies here."""


class Refused(Exception):
    """What a database would refuse: a duplicate key, a constraint. A defect, in these tests."""


class FakeDatabases:
    """Implements Databases.

    :param atomic: whether all are on one server; else the API database, cell0 with the journal, and
        each other cell are on servers of their own.
    """

    def __init__(self, *, atomic: bool = True) -> None:
        self.atomic = atomic
        self.moment = datetime.fromisoformat("2026-11-22T09:00:00")
        # What each server has committed or is changing, by name.
        self.state: dict[str, dict[str, Any]] = {
            "api": {"mappings": {}, "requests": {}, "specs": {}},
            "cell0": {"rows": {}, "entries": {}, "steps": []},
            "cell1": {"rows": {}},
        }
        self._before: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.locked: list[str] = []
        self.points = 0
        self.cut_at: int | None = None
        self.fail_at: tuple[int, RecoveryError] | None = None
        self.on_point: Callable[[], None] | None = None
        # By the number of steps that are done: what others do then.
        self.after_step: dict[int, Callable[[], None]] = {}
        self.steps_done = 0
        self._next_id = 1000
        self.api = FakeApi(self)
        self.journal = FakeJournal(self)
        self._cells = {CELL0: FakeCell(self, "cell0"), CELL1: FakeCell(self, "cell1")}

    def cells(self) -> Mapping[int, Cell]:
        return CELLS

    def cell(self, cell_id: int) -> FakeCell:
        return self._cells[cell_id]

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    # -- transactions

    @contextmanager
    def transaction(self, cell_id: int | None) -> Iterator[FakeTransaction]:
        servers = ["api", *(["cell1"] if cell_id == CELL1 else []), "cell0"]
        transaction = FakeTransaction(self, servers)
        if not self.atomic:
            yield transaction
            return
        with self._open(servers):
            yield transaction

    @contextmanager
    def _open(self, servers: Sequence[str]) -> Iterator[None]:
        if self._before:
            raise Refused("a transaction is open already")
        self._before = {name: _copy_of_server(self.state[name]) for name in servers}
        try:
            yield
            if self.atomic:
                self.point("commit")
                self._before = {}
                self.point("committed")
            for name in servers if not self.atomic else ():
                self.point(f"commit {name}")
                del self._before[name]
                self.point(f"committed {name}")
        except BaseException:
            self.state.update(self._before)
            raise
        finally:
            self._before = {}

    def point(self, name: str) -> None:
        """Something is about to be done, or was done."""
        self.points += 1
        if self.on_point is not None:
            self.on_point()
        if self.cut_at == self.points:
            raise Cut(name)
        if self.fail_at is not None and self.fail_at[0] == self.points:
            raise self.fail_at[1]

    def called(self, name: str, *, lock: bool = False, writes: bool = False) -> None:
        self.calls.append(name)
        if lock:
            self.locked.append(name)
        if writes and not self._before:
            raise Refused(f"{name} outside of a transaction")
        self.point(name)

    @property
    def committed(self) -> dict[str, dict[str, Any]]:
        """What everybody else sees now."""
        return {**self.state, **self._before}

    @property
    def in_transaction(self) -> bool:
        return bool(self._before)

    # -- what tests look at, in what is committed

    def is_served(self, uuid: str) -> bool:
        """Whether the API shows it: from its cell, or from its BuildRequest."""
        seen = self.committed
        mapping = seen["api"]["mappings"].get(uuid)
        if mapping is None:
            return False
        if mapping.cell_id is None:
            return uuid in seen["api"]["requests"]
        return uuid in seen[f"cell{mapping.cell_id - 1}"]["rows"]

    def entry(self, uuid: str) -> JournalEntry | None:
        """The open one."""
        found = self.committed["cell0"]["entries"].values()
        return next((e for e, _t in found if e.instance_uuid == uuid and e.is_open), None)

    def newest(self, uuid: str) -> JournalEntry | None:
        found = [
            e for e, _t in self.committed["cell0"]["entries"].values() if e.instance_uuid == uuid
        ]
        return max(found, key=lambda entry: entry.id, default=None)

    def copy_of(self, uuid: str) -> InstanceRows | None:
        entry = self.entry(uuid)
        text = self.committed["cell0"]["entries"][entry.id][1] if entry is not None else None
        return None if text is None else _loaded(uuid, text)

    def rows_of(self, uuid: str, cell_id: int = CELL0) -> Tables | None:
        found: Tables | None = self.committed[f"cell{cell_id - 1}"]["rows"].get(uuid)
        return None if found is None else _copy_of_tables(found)

    def is_in_a_cell(self, uuid: str) -> bool:
        return any(uuid in self.committed[name]["rows"] for name in ("cell0", "cell1"))

    def mapping(self, uuid: str) -> InstanceMapping | None:
        found: InstanceMapping | None = self.committed["api"]["mappings"].get(uuid)
        return found

    def request(self, uuid: str) -> BuildRequestRow | None:
        found: BuildRequestRow | None = self.committed["api"]["requests"].get(uuid)
        return found

    def spec(self, uuid: str) -> str:
        spec: str = self.committed["api"]["specs"][uuid].spec
        return spec

    # -- what Nova and its users do

    def add(self, uuid: str, tables: Tables, spec: str, *, cell_id: int = CELL0) -> None:
        """An instance whose rows are in this cell, and its mapping too."""
        row = tables["instances"][0]
        self.state["api"]["mappings"][uuid] = InstanceMapping(
            instance_uuid=uuid,
            cell_id=cell_id,
            project_id=row["project_id"],
            user_id=row["user_id"],
        )
        self.state["api"]["specs"][uuid] = RequestSpecRow(
            id=self.next_id(), instance_uuid=uuid, spec=spec
        )
        self.state[f"cell{cell_id - 1}"]["rows"][uuid] = _copy_of_tables(tables)

    def add_request(self, uuid: str, **fields: Any) -> None:
        values = {"instance": "{}", "block_device_mappings": "{}", "tags": "{}", **fields}
        self.state["api"]["requests"][uuid] = BuildRequestRow(
            id=self.next_id(), instance_uuid=uuid, project_id="p", **values
        )

    def map(self, uuid: str, **fields: Any) -> None:
        self.state["api"]["mappings"][uuid] = replace(self.state["api"]["mappings"][uuid], **fields)

    def user_deletes(self, uuid: str) -> None:
        """As Nova's API does: the BuildRequest, or the rows that it is mapped to."""
        mapping = self.state["api"]["mappings"][uuid]
        if self.state["api"]["requests"].pop(uuid, None) is None and mapping.cell_id is not None:
            self.state[f"cell{mapping.cell_id - 1}"]["rows"].pop(uuid, None)
        self.map(uuid, queued_for_delete=True)

    def user_adds_metadata(self, uuid: str, key: str, value: str) -> bool:
        """Whether it could be: the API changes none that is only a BuildRequest."""
        mapping = self.state["api"]["mappings"][uuid]
        if mapping.cell_id is None or mapping.queued_for_delete:
            return False
        tables = self.state[f"cell{mapping.cell_id - 1}"]["rows"][uuid]
        template = {"created_at": self.moment, "updated_at": None, "deleted_at": None, "deleted": 0}
        row = {**template, "id": self.next_id(), "key": key, "value": value, "instance_uuid": uuid}
        tables.setdefault("instance_metadata", []).append(row)
        return True

    def stop_for_quota(self, uuid: str, *, cell_id: int = CELL1) -> None:
        """As Nova's conductor does with one that it has written when it finds the project over quota."""
        row = self.state[f"cell{cell_id - 1}"]["rows"][uuid]["instances"][0]
        row.update(vm_state="error", task_state=None, host=None)
        self.map(uuid, cell_id=cell_id)
        self.state["api"]["requests"].pop(uuid, None)
        del self.state["api"]["specs"][uuid]

    def later(self, **time: float) -> None:
        self.moment += timedelta(**time)


class FakeTransaction:
    """Implements Transaction."""

    def __init__(self, databases: FakeDatabases, servers: Sequence[str]) -> None:
        self._databases = databases
        self._servers = servers

    @property
    def atomic(self) -> bool:
        return self._databases.atomic

    @contextmanager
    def step(self) -> Iterator[None]:
        if self.atomic:
            yield
            return
        with self._databases._open(self._servers):
            yield
        self._databases.steps_done += 1
        others = self._databases.after_step.pop(self._databases.steps_done, None)
        if others is not None:
            others()


class FakeApi:
    """Implements ApiDatabase."""

    def __init__(self, databases: FakeDatabases) -> None:
        self._databases = databases

    @property
    def _tables(self) -> dict[str, Any]:
        return self._databases.state["api"]

    def _read(self, table: str, uuids: Iterable[str], *, lock: bool) -> dict[str, Any]:
        self._databases.called(table, lock=lock)
        return {uuid: self._tables[table][uuid] for uuid in uuids if uuid in self._tables[table]}

    def now(self) -> datetime:
        self._databases.called("now")
        return self._databases.moment

    def instance_mappings(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, InstanceMapping]:
        return self._read("mappings", instance_uuids, lock=lock)

    def build_requests(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, BuildRequestRow]:
        return self._read("requests", instance_uuids, lock=lock)

    def request_specs(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, RequestSpecRow]:
        return self._read("specs", instance_uuids, lock=lock)

    def insert_build_requests(self, rows: Sequence[BuildRequestRow]) -> None:
        self._databases.called("insert_build_requests", writes=True)
        for row in rows:
            if row.instance_uuid in self._tables["requests"]:
                raise Refused(f"build_requests has {row.instance_uuid} already")
            self._tables["requests"][row.instance_uuid] = replace(row, id=self._databases.next_id())
        self._databases.point("inserted")

    def delete_build_requests(self, instance_uuids: Iterable[str]) -> int:
        self._databases.called("delete_build_requests", writes=True)
        gone = [self._tables["requests"].pop(uuid, None) for uuid in instance_uuids]
        self._databases.point("deleted")
        return sum(row is not None for row in gone)

    def map_instances(
        self, instance_uuids: Sequence[str], *, expected: int | None, cell_id: int | None
    ) -> int:
        self._databases.called("map_instances", writes=True)
        mappings = self._tables["mappings"]
        fit = [
            uuid
            for uuid in instance_uuids
            if uuid in mappings
            and mappings[uuid].cell_id == expected
            and not mappings[uuid].queued_for_delete
        ]
        for uuid in fit:
            mappings[uuid] = replace(mappings[uuid], cell_id=cell_id)
        self._databases.point("mapped")
        return len(fit)

    def replace_request_spec(self, row: RequestSpecRow, spec: str) -> bool:
        self._databases.called("replace_request_spec", writes=True)
        now = self._tables["specs"].get(row.instance_uuid)
        if now is None or now.spec != row.spec:
            return False
        self._tables["specs"][row.instance_uuid] = replace(now, spec=spec)
        self._databases.point("replaced")
        return True

    def insert_request_spec(self, instance_uuid: str, spec: str) -> bool:
        self._databases.called("insert_request_spec", writes=True)
        if instance_uuid in self._tables["specs"]:
            return False
        self._tables["specs"][instance_uuid] = RequestSpecRow(
            id=self._databases.next_id(), instance_uuid=instance_uuid, spec=spec
        )
        self._databases.point("inserted spec")
        return True


class FakeCell:
    """Implements CellDatabase."""

    def __init__(self, databases: FakeDatabases, server: str) -> None:
        self._databases = databases
        self._server = server

    @property
    def _rows(self) -> dict[str, Tables]:
        rows: dict[str, Tables] = self._databases.state[self._server]["rows"]
        return rows

    def instances(self, instance_uuids: Iterable[str]) -> dict[str, InstanceRows]:
        self._databases.called(f"instances of {self._server}")
        return {
            uuid: _values(uuid, {"instances": self._rows[uuid]["instances"]})
            for uuid in instance_uuids
            if uuid in self._rows
        }

    def instance_rows(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, InstanceRows]:
        self._databases.called(f"rows of {self._server}", lock=lock)
        return {
            uuid: _values(uuid, self._rows[uuid]) for uuid in instance_uuids if uuid in self._rows
        }

    def delete_instance_rows(self, rows: Sequence[InstanceRows]) -> None:
        self._databases.called("delete_instance_rows", writes=True)
        for one in rows:
            there = self._rows.get(one.instance_uuid, {})
            counts = {name: len(stored) for name, stored in there.items()}
            if counts != {name: len(stored) for name, stored in one.tables.items()}:
                raise RecoveryError("changed_meanwhile", "rows were added", retriable=True)
            del self._rows[one.instance_uuid]
        self._databases.point("rows deleted")

    def insert_instance_rows(self, rows: Sequence[InstanceRows]) -> None:
        self._databases.called("insert_instance_rows", writes=True)
        for one in rows:
            if one.instance_uuid in self._rows:
                raise Refused(f"{self._server} has {one.instance_uuid} already")
            self._rows[one.instance_uuid] = {
                name: [dict(row) for row in stored] for name, stored in one.tables.items()
            }
        self._databases.point("rows inserted")


class FakeJournal:
    """Implements Journal. Copies are kept as texts, as the real one keeps them."""

    def __init__(self, databases: FakeDatabases) -> None:
        self._databases = databases

    @property
    def _entries(self) -> dict[int, tuple[JournalEntry, str | None]]:
        entries: dict[int, tuple[JournalEntry, str | None]]
        entries = self._databases.state["cell0"]["entries"]
        return entries

    def _open(self, uuid: str) -> JournalEntry | None:
        return next(
            (e for e, _t in self._entries.values() if e.instance_uuid == uuid and e.is_open), None
        )

    def open_entries(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, JournalEntry]:
        self._databases.called("entries", lock=lock)
        found = {uuid: self._open(uuid) for uuid in instance_uuids}
        return {uuid: self._aged(entry) for uuid, entry in found.items() if entry is not None}

    def _aged(self, entry: JournalEntry) -> JournalEntry:
        """By the database's clock; it grows between two looks, however near."""
        since = self._databases.moment - (entry.updated_at or self._databases.moment)
        return replace(entry, age=since.total_seconds() + self._databases.points / 1e6)

    def newest_entries(self, instance_uuids: Iterable[str]) -> dict[str, JournalEntry]:
        self._databases.called("newest entries")
        found = {uuid: self._databases.newest(uuid) for uuid in instance_uuids}
        return {uuid: entry for uuid, entry in found.items() if entry is not None}

    def newest_heads(self, instance_uuids: Iterable[str]) -> dict[str, JournalEntry]:
        empty: dict[str, Any] = {"request_spec": None, "spec_rewritten": False, "build_spec": None}
        found = self.newest_entries(instance_uuids)
        return {uuid: replace(entry, **empty) for uuid, entry in found.items()}

    def open_heads(self) -> dict[str, JournalEntry]:
        self._databases.called("open heads")
        found = {e.instance_uuid: e for e, _text in self._entries.values() if e.is_open}
        return {uuid: replace(entry, request_spec=None) for uuid, entry in found.items()}

    def copies(self, entries: Sequence[JournalEntry]) -> dict[str, InstanceRows]:
        self._databases.called("copies")
        texts = {entry.instance_uuid: self._entries[entry.id][1] for entry in entries}
        return {uuid: load_rows(uuid, text) for uuid, text in texts.items() if text is not None}

    def begin(self, entries: Sequence[NewEntry], author: Author) -> None:
        self._databases.called("begin", writes=True)
        for new in entries:
            if self._open(new.instance_uuid) is not None:
                raise Refused(f"{new.instance_uuid} has an open entry")
            number = self._databases.next_id()
            made = JournalEntry(
                id=number,
                instance_uuid=new.instance_uuid,
                state=new.state,
                run_id=author.run_id,
                operator=author.operator,
                cell_uuid=new.cell_uuid,
                project_id=new.project_id,
                request_spec=new.request_spec,
                spec_rewritten=new.spec_rewritten,
                build_spec=new.build_spec,
                created_at=self._databases.moment,
                updated_at=self._databases.moment,
            )
            self._entries[number] = (made, None if new.rows is None else dump_rows(new.rows))
            self._note(new.instance_uuid, new.state)
        self._databases.point("begun")

    def take_again(self, entries: Sequence[NewEntry], author: Author) -> None:
        self._databases.called("take_again", writes=True)
        for new in entries:
            old = self._open(new.instance_uuid)
            if old is None or old.state not in (TAKEN, PREPARED):
                continue
            made = replace(
                old,
                state=TAKEN,
                run_id=author.run_id,
                operator=author.operator,
                cell_uuid=new.cell_uuid,
                request_spec=new.request_spec,
                spec_rewritten=new.spec_rewritten,
                build_spec=new.build_spec,
                updated_at=self._databases.moment,
            )
            self._entries[old.id] = (made, None if new.rows is None else dump_rows(new.rows))
            self._note(new.instance_uuid, TAKEN)
        self._databases.point("taken again")

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
        self._databases.called(f"advance to {state}", writes=True)
        states = set(expected)
        moved = 0
        for uuid in instance_uuids:
            old = self._open(uuid)
            if old is None or old.state not in states:
                continue
            made = replace(
                old,
                state=state,
                run_id=author.run_id,
                operator=author.operator,
                request_id=request_id or old.request_id,
                build_spec=build_spec or old.build_spec,
                updated_at=self._databases.moment,
            )
            self._entries[old.id] = (made, self._entries[old.id][1])
            self._note(uuid, state)
            moved += 1
        self._databases.point("advanced")
        return moved

    def _note(self, uuid: str, state: str) -> None:
        self._databases.state["cell0"]["steps"].append((uuid, state))


@lru_cache
def _loaded(uuid: str, text: str) -> InstanceRows:
    return load_rows(uuid, text)


def _values(uuid: str, tables: Tables) -> InstanceRows:
    return InstanceRows(
        instance_uuid=uuid,
        tables={name: tuple(rows) for name, rows in _copy_of_tables(tables).items() if rows},
    )


def _copy_of_tables(tables: Tables) -> Tables:
    return {name: [dict(row) for row in rows] for name, rows in tables.items()}


def _copy_of_server(state: Mapping[str, Any]) -> dict[str, Any]:
    """All but rows are values that are never changed."""
    copied = {name: table.copy() for name, table in state.items()}
    if "rows" in copied:
        copied["rows"] = {uuid: _copy_of_tables(tables) for uuid, tables in state["rows"].items()}
    return copied
