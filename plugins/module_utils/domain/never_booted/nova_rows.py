# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of Nova's databases as values: the API database's by name, a cell's as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CELL0_UUID = "00000000-0000-0000-0000-000000000000"

# One row of a cell database, by column, as the database driver gives it: datetimes are naive UTC.
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One row of cell_mappings, without its secrets. ``id`` is what instance_mappings point to."""

    id: int
    uuid: str
    name: str | None = None

    @property
    def is_cell0(self) -> bool:
        return self.uuid == CELL0_UUID

    @property
    def label(self) -> str:
        """For people: the name, or the uuid of a cell that has none."""
        return self.name or ("cell0" if self.is_cell0 else self.uuid)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceMapping:
    """One row of instance_mappings. ``cell_id`` None means that the API serves a BuildRequest."""

    instance_uuid: str
    cell_id: int | None
    project_id: str | None = None
    user_id: str | None = None
    queued_for_delete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequestRow:
    """One row of build_requests; the three texts are JSON of versioned-object primitives."""

    instance_uuid: str
    project_id: str
    instance: str
    block_device_mappings: str
    tags: str
    created_at: datetime | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpecRow:
    """One row of request_specs; ``spec`` is the JSON of a RequestSpec primitive."""

    instance_uuid: str
    spec: str
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRows:
    """Every row that one cell holds of an instance, soft-deleted ones too, by table.

    A table without rows may be left out. The row of ``instances`` is always there.
    """

    instance_uuid: str
    tables: Mapping[str, tuple[Row, ...]]

    @property
    def instance(self) -> Row:
        return self.tables["instances"][0]

    def all(self, table: str) -> tuple[Row, ...]:
        return self.tables.get(table, ())

    def live(self, table: str) -> Iterable[Row]:
        """The rows that are not soft-deleted; a table without that column has only such."""
        return (row for row in self.all(table) if not row.get("deleted"))

    def one(self, table: str) -> Row | None:
        """The row of a table that holds one for each instance; None without one."""
        return next(iter(self.live(table)), None)
