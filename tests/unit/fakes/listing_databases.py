# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's databases as a listing reads them, counting what would be queries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    JournalEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Candidate,
    Scope,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    InstanceRows,
)

from .build import Original
from .buried_instance import spec_text, tables_of
from .nova_databases import CELL0, FakeCell, FakeDatabases

PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"


class ListingDatabases(FakeDatabases):
    """Implements ListingDatabases. ``calls`` has the name of each query."""

    def __init__(self) -> None:
        super().__init__()
        self.api: Any = _Api(self)

    def cell(self, cell_id: int) -> Any:
        return _Cell(self, f"cell{cell_id - 1}", cell_id)

    def bury(
        self,
        uuid: str,
        *,
        age: float = 7200,
        cell_id: int = CELL0,
        networks: bool = True,
        **columns: Any,
    ) -> str:
        moment = self.moment - timedelta(seconds=age)
        tables = tables_of(
            uuid, **{"created_at": moment, "updated_at": moment, "id": self.next_id(), **columns}
        )
        self.add(uuid, tables, spec_text(uuid, networks=networks), cell_id=cell_id)
        return uuid

    def leave_behind(self, uuid: str, *, age: float = 7200) -> str:
        """A BuildRequest as Nova writes it, and nothing else."""
        self.bury(uuid)
        self.state["cell0"]["rows"].pop(uuid)
        self.map(uuid, cell_id=None)
        given = Original.load().given().build_request
        self.state["api"]["requests"][uuid] = replace(
            given,
            instance_uuid=uuid,
            project_id=PROJECT,
            id=self.next_id(),
            created_at=self.moment - timedelta(seconds=age),
        )
        return uuid

    def note(self, uuid: str, state: str, **fields: Any) -> None:
        number = self.next_id()
        entry = JournalEntry(
            id=number,
            instance_uuid=uuid,
            state=state,
            run_id="r",
            operator="o",
            updated_at=self.moment,
            **fields,
        )
        self.state["cell0"]["entries"][number] = (entry, None)

    def rewrite_spec(self, uuid: str, change: Callable[[dict[str, Any]], None]) -> None:
        specs = self.state["api"]["specs"]
        stored = json.loads(specs[uuid].spec)
        change(stored["nova_object.data"])
        specs[uuid] = replace(specs[uuid], spec=json.dumps(stored))

    def close(self) -> None:
        """There is nothing to end."""


class _Api:
    def __init__(self, databases: ListingDatabases) -> None:
        self._databases = databases

    def _read(self, table: str, uuids: Iterable[str]) -> dict[str, Any]:
        self._databases.called(table)
        rows = self._databases.state["api"][table]
        return {uuid: rows[uuid] for uuid in uuids if uuid in rows}

    def now(self) -> datetime:
        self._databases.called("now")
        return self._databases.moment

    def instance_mappings(self, uuids: Iterable[str]) -> dict[str, Any]:
        return self._read("mappings", uuids)

    def build_requests(self, uuids: Iterable[str]) -> dict[str, BuildRequestRow]:
        return self._read("requests", uuids)

    def build_request_heads(self, uuids: Iterable[str]) -> dict[str, BuildRequestRow]:
        empty = {"instance": "", "block_device_mappings": "", "tags": ""}
        return {uuid: replace(row, **empty) for uuid, row in self._read("requests", uuids).items()}

    def request_specs(self, uuids: Iterable[str]) -> dict[str, Any]:
        return self._read("specs", uuids)

    def left_behind(self, scope: Scope, after: int, limit: int) -> list[Candidate]:
        self._databases.called("left behind")
        found = [
            Candidate(id=row.id, instance_uuid=uuid, created_at=row.created_at)
            for uuid, row in self._databases.state["api"]["requests"].items()
            if self._databases.state["api"]["mappings"][uuid].cell_id is None
            and _is_in(scope, uuid, row.project_id, row.created_at)
        ]
        return _page(found, after, limit)


class _Cell(FakeCell):
    def __init__(self, databases: FakeDatabases, server: str, cell_id: int) -> None:
        super().__init__(databases, server)
        self.cell_id = cell_id

    def never_booted(
        self, scope: Scope, after: int, limit: int, *, in_error: bool
    ) -> list[Candidate]:
        self._databases.called(f"never booted of {self._server}")
        rows = [tables["instances"][0] for tables in self._rows.values()]
        found = [
            Candidate(id=row["id"], instance_uuid=row["uuid"], created_at=row["created_at"])
            for row in rows
            if row["launched_at"] is None
            and (not in_error or row["vm_state"] == "error")
            and _is_in(scope, row["uuid"], row["project_id"], row["created_at"])
        ]
        return _page(found, after, limit)

    def listed_rows(self, instance_uuids: Iterable[str]) -> dict[str, InstanceRows]:
        return self.instance_rows(instance_uuids)


def _is_in(scope: Scope, uuid: str, project_id: str, created_at: datetime | None) -> bool:
    moment = created_at or datetime.fromisoformat("1970-01-01")
    return (
        (scope.instance_uuids is None or uuid in scope.instance_uuids)
        and scope.project_id in (None, project_id)
        and (scope.created_before is None or moment <= scope.created_before)
        and (scope.created_after is None or moment >= scope.created_after)
    )


def _page(found: list[Candidate], after: int, limit: int) -> list[Candidate]:
    return sorted((one for one in found if one.id > after), key=lambda one: one.id)[:limit]
