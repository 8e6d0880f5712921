# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of Nova's API database that say where an instance is, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from ..domain.never_booted.another_flavor import ChosenFlavor
from ..domain.never_booted.listing import Candidate, Scope
from ..domain.never_booted.nova_rows import (
    BuildRequestRow,
    Cell,
    InstanceMapping,
    RequestSpecRow,
)
from .flavor_database import read_flavor
from .mysql import Database
from .sql import in_list, quoted, scope_conditions

_MAPPING_COLUMNS = "instance_uuid, cell_id, project_id, user_id, queued_for_delete"
_REQUEST_COLUMNS = (
    "id, instance_uuid, project_id, instance, block_device_mappings, tags, created_at"
)


class NovaApiDatabase:
    """Implements domain.never_booted.databases.ApiDatabase."""

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self._schema = quoted(schema)

    def cells(self) -> list[tuple[Cell, str]]:
        """Every cell with the URL or the template of its database, which holds a password."""
        rows = self._database.rows(
            f"SELECT id, uuid, name, database_connection FROM {self._schema}.cell_mappings"
            " ORDER BY id",
            (),
        )
        return [
            (Cell(id=row["id"], uuid=row["uuid"], name=row["name"]), row["database_connection"])
            for row in rows
        ]

    def now(self) -> datetime:
        moment: datetime = self._database.rows("SELECT UTC_TIMESTAMP() AS now", ())[0]["now"]
        return moment

    def instance_mappings(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, InstanceMapping]:
        rows = self._read("instance_mappings", _MAPPING_COLUMNS, instance_uuids, lock=lock)
        return {
            row["instance_uuid"]: InstanceMapping(
                **{**row, "queued_for_delete": bool(row["queued_for_delete"])}
            )
            for row in rows
        }

    def build_requests(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, BuildRequestRow]:
        rows = self._read("build_requests", _REQUEST_COLUMNS, instance_uuids, lock=lock)
        return {row["instance_uuid"]: BuildRequestRow(**row) for row in rows}

    def request_specs(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, RequestSpecRow]:
        rows = self._read("request_specs", "id, instance_uuid, spec", instance_uuids, lock=lock)
        return {row["instance_uuid"]: RequestSpecRow(**row) for row in rows}

    def build_request_heads(self, instance_uuids: Iterable[str]) -> dict[str, BuildRequestRow]:
        """BuildRequests without their texts, which are empty then."""
        columns = "id, instance_uuid, project_id, created_at"
        rows = self._read("build_requests", columns, instance_uuids, lock=False)
        return {
            row["instance_uuid"]: BuildRequestRow(
                **row, instance="", block_device_mappings="", tags=""
            )
            for row in rows
        }

    def left_behind(self, scope: Scope, after: int, limit: int) -> list[Candidate]:
        """BuildRequests of instances that are mapped to no cell, by id: a page of the listing."""
        conditions, parameters = scope_conditions(
            scope, "b.instance_uuid", "b.project_id", "b.created_at"
        )
        rows = self._database.rows(
            f"SELECT b.id, b.instance_uuid, b.created_at FROM {self._schema}.build_requests b"
            f" JOIN {self._schema}.instance_mappings m ON m.instance_uuid = b.instance_uuid"
            f" WHERE m.cell_id IS NULL AND m.queued_for_delete = 0 AND b.id > %s{conditions}"
            " ORDER BY b.id LIMIT %s",
            (after, *parameters, limit),
        )
        return [Candidate(**row) for row in rows]

    def insert_build_requests(self, rows: Sequence[BuildRequestRow]) -> None:
        if rows:
            self._database.execute_many(
                f"INSERT INTO {self._schema}.build_requests (created_at, project_id, instance_uuid,"
                " instance, block_device_mappings, tags) VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (
                        row.created_at,
                        row.project_id,
                        row.instance_uuid,
                        row.instance,
                        row.block_device_mappings,
                        row.tags,
                    )
                    for row in rows
                ],
            )

    def delete_build_requests(self, instance_uuids: Iterable[str]) -> int:
        condition, parameters = in_list("instance_uuid", instance_uuids)
        return self._database.execute(
            f"DELETE FROM {self._schema}.build_requests WHERE {condition}", parameters
        )

    def map_instances(
        self, instance_uuids: Sequence[str], *, expected: int | None, cell_id: int | None
    ) -> int:
        condition, parameters = in_list("instance_uuid", instance_uuids)
        return self._database.execute(
            f"UPDATE {self._schema}.instance_mappings"
            " SET cell_id = %s, updated_at = UTC_TIMESTAMP()"
            f" WHERE {condition} AND cell_id <=> %s AND queued_for_delete = 0",
            (cell_id, *parameters, expected),
        )

    def replace_request_spec(self, row: RequestSpecRow, spec: str) -> bool:
        if spec == row.spec:
            return True
        changed = self._database.execute(
            f"UPDATE {self._schema}.request_specs SET spec = %s, updated_at = UTC_TIMESTAMP()"
            # Byte by byte: the column's own comparison takes upper and lower case for the same.
            " WHERE instance_uuid = %s AND CAST(spec AS BINARY) = CAST(%s AS BINARY)",
            (spec, row.instance_uuid, row.spec),
        )
        return changed == 1

    def insert_request_spec(self, instance_uuid: str, spec: str) -> bool:
        made = self._database.execute(
            f"INSERT INTO {self._schema}.request_specs (created_at, instance_uuid, spec)"
            " SELECT UTC_TIMESTAMP(), %s, %s FROM DUAL WHERE NOT EXISTS"
            f" (SELECT 1 FROM {self._schema}.request_specs WHERE instance_uuid = %s)",
            (instance_uuid, spec, instance_uuid),
        )
        return made == 1

    def flavor(self, name_or_id: str) -> ChosenFlavor | None:
        """Implements domain.never_booted.another_flavor.Flavors."""
        return read_flavor(self._database, self._schema, name_or_id)

    def _read(
        self, table: str, columns: str, instance_uuids: Iterable[str], *, lock: bool
    ) -> list[dict[str, Any]]:
        condition, parameters = in_list("instance_uuid", instance_uuids)
        return self._database.rows(
            f"SELECT {columns} FROM {self._schema}.{table} WHERE {condition}"
            f"{' FOR UPDATE' if lock else ''}",
            parameters,
        )
