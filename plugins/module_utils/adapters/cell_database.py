# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row that one cell's database holds of instances: read, removed, put back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from ..domain.errors import RecoveryError
from ..domain.never_booted.instance_tables import INSTANCE_TABLES, InstanceTable
from ..domain.never_booted.listing import Candidate, Scope
from ..domain.never_booted.nova_rows import InstanceRows, Row
from .mysql import Database
from .sql import in_list, quoted, scope_conditions

_INSTANCES = INSTANCE_TABLES[-1]

# Table, column of the uuid, columns, and which rows; what is live is all that is told of.
_LISTED = (
    (
        "instances",
        "uuid",
        "uuid, project_id, user_id, display_name, hostname, image_ref, host, vm_state, task_state,"
        " launched_at, created_at, updated_at",
        " AND deleted = 0",
    ),
    (
        "instance_faults",
        "instance_uuid",
        # Not the details, which are a traceback.
        "id, instance_uuid, code, message, created_at",
        " AND deleted = 0",
    ),
    ("tags", "resource_id", "resource_id, tag", ""),
    ("instance_metadata", "instance_uuid", "instance_uuid, `key`, value", " AND deleted = 0"),
    (
        "block_device_mapping",
        "instance_uuid",
        "instance_uuid, boot_index, destination_type, image_id, volume_id, attachment_id",
        " AND deleted = 0",
    ),
    (
        "instance_extra",
        "instance_uuid",
        "instance_uuid, pci_requests",
        # Few have any; the others need no row.
        " AND deleted = 0 AND pci_requests IS NOT NULL AND pci_requests <> '[]'",
    ),
)


class CellDatabase:
    """Implements domain.never_booted.databases.CellDatabase."""

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self._schema_name = schema
        self._schema = quoted(schema)
        self._tables: tuple[InstanceTable, ...] | None = None

    def instances(self, instance_uuids: Iterable[str]) -> dict[str, InstanceRows]:
        return {
            row["uuid"]: InstanceRows(instance_uuid=row["uuid"], tables={"instances": (row,)})
            for row in self._read(_INSTANCES, tuple(instance_uuids), lock=False)
            if not row["deleted"]
        }

    def instance_rows(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, InstanceRows]:
        wanted = tuple(instance_uuids)
        # The instance first: who holds its row keeps others from adding rows that refer to it.
        instances = self._read(_INSTANCES, wanted, lock=lock)
        live = [row["uuid"] for row in instances if not row["deleted"]]
        if not live:
            return {}
        found: dict[str, dict[str, list[Row]]] = {uuid: {} for uuid in live}
        action_owner: dict[Any, str] = {}
        # From parents to children, so that the rows of a parent are known.
        for table in reversed(self._present_tables()):
            if table.parent is not None:
                rows = self._read(table, tuple(action_owner), lock=lock)
            elif table.name == "instances":
                rows = [row for row in instances if row["uuid"] in found]
            else:
                rows = self._read(table, live, lock=lock)
            for row in rows:
                owner = action_owner[row[table.key]] if table.parent else row[table.key]
                found[owner].setdefault(table.name, []).append(row)
                if table.name == "instance_actions":
                    action_owner[row["id"]] = owner
        return {
            uuid: InstanceRows(
                instance_uuid=uuid, tables={name: tuple(rows) for name, rows in tables.items()}
            )
            for uuid, tables in found.items()
        }

    def delete_instance_rows(self, rows: Sequence[InstanceRows]) -> None:
        uuids = [one.instance_uuid for one in rows]
        for table in self._present_tables():
            known = sum(len(one.all(table.name)) for one in rows)
            if not known and table.parent:
                continue
            keys: Iterable[Any] = uuids
            if table.parent is not None:
                keys = [row["id"] for one in rows for row in one.all(table.parent)]
            condition, parameters = in_list(quoted(table.key), keys)
            removed = self._database.execute(
                f"DELETE FROM {self._schema}.{table.name} WHERE {condition}", parameters
            )
            if removed != known:
                # Somebody added one since they were copied: the whole is undone and begun again.
                raise RecoveryError(
                    "changed_meanwhile",
                    f"{table.name} of {self._schema_name} changed while instances were being"
                    " prepared: run it again",
                    retriable=True,
                    details={"instances": uuids},
                )

    def insert_instance_rows(self, rows: Sequence[InstanceRows]) -> None:
        for table in reversed(self._present_tables()):
            stored = [row for one in rows for row in one.all(table.name)]
            # Rows of one table have the same columns, unless Nova was upgraded between two copies.
            for columns, alike in groupby(stored, key=tuple):
                self._insert(table.name, columns, [tuple(row.values()) for row in alike])

    def never_booted(
        self, scope: Scope, after: int, limit: int, *, in_error: bool
    ) -> list[Candidate]:
        """Live instances that never launched, by id: a page of the listing."""
        conditions, parameters = scope_conditions(scope, "uuid", "project_id", "created_at")
        state = " AND vm_state = 'error'" if in_error else ""
        rows = self._database.rows(
            f"SELECT id, uuid AS instance_uuid, created_at FROM {self._schema}.instances"
            f" WHERE deleted = 0 AND launched_at IS NULL{state} AND id > %s{conditions}"
            " ORDER BY id LIMIT %s",
            (after, *parameters, limit),
        )
        return [Candidate(**row) for row in rows]

    def listed_rows(self, instance_uuids: Iterable[str]) -> dict[str, InstanceRows]:
        """Of live instances, what a listing tells of: some columns of some tables."""
        wanted = tuple(instance_uuids)
        tables: dict[str, dict[str, list[Row]]] = {}
        for name, key, columns, which in _LISTED:
            if name != "instances" and not tables:
                break
            condition, parameters = in_list(key, wanted if name == "instances" else tuple(tables))
            rows = self._database.rows(
                f"SELECT {columns} FROM {self._schema}.{name} WHERE {condition}{which}",
                parameters,
            )
            for row in rows:
                of_instance = tables.setdefault(row[key], {})
                of_instance.setdefault(name, []).append(row)
        return {
            uuid: InstanceRows(
                instance_uuid=uuid, tables={name: tuple(rows) for name, rows in found.items()}
            )
            for uuid, found in tables.items()
        }

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        names = ", ".join(quoted(column) for column in columns)
        marks = ", ".join(["%s"] * len(columns))
        self._database.execute_many(
            f"INSERT INTO {self._schema}.{table} ({names}) VALUES ({marks})", rows
        )

    def _read(
        self, table: InstanceTable, values: Sequence[Any], *, lock: bool
    ) -> list[dict[str, Any]]:
        if not values:
            return []
        condition, parameters = in_list(quoted(table.key), values)
        return self._database.rows(
            f"SELECT * FROM {self._schema}.{table.name} WHERE {condition}"
            # Rows are compared: which index the server takes must not decide how they come.
            f" ORDER BY {table.order}{' FOR UPDATE' if lock else ''}",
            parameters,
        )

    def _present_tables(self) -> tuple[InstanceTable, ...]:
        if self._tables is None:
            rows = self._database.rows(
                "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s",
                (self._schema_name,),
            )
            present = {row["name"] for row in rows}
            self._tables = tuple(
                table for table in INSTANCE_TABLES if not table.optional or table.name in present
            )
        return self._tables
