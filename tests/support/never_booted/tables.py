# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All tables of cell0, as the database itself names them, and rows that Nova seldom writes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .cloud import sql

SCHEMA = "nova_cell0"
# Columns that name an instance; shadow tables hold what an operator has archived.
_INSTANCE_COLUMNS = "'instance_uuid', 'resource_id'"


def names() -> list[str]:
    found = sql(
        "SELECT table_name FROM information_schema.tables"
        f" WHERE table_schema = '{SCHEMA}' AND table_type = 'BASE TABLE' ORDER BY table_name",
        cell0=True,
    )
    return [name for (name,) in found]


def counts() -> Counter[str]:
    """Rows of every table, also soft-deleted ones."""
    parts = [f"SELECT '{name}', COUNT(*) FROM {SCHEMA}.{name}" for name in names()]
    return Counter(dict(sql(" UNION ALL ".join(parts), cell0=True)))


def checksums(uuids: list[str]) -> dict[str, Any]:
    """Of every table of cell0, and what the API database has of these instances.

    A mapping's updated_at tells only when it was last written, and services report in cell0, too.
    """
    tables = ", ".join(f"{SCHEMA}.{name}" for name in names() if name != "services")
    found: dict[str, Any] = dict(sql(f"CHECKSUM TABLE {tables} EXTENDED", cell0=True))
    wanted = ", ".join(f"'{uuid}'" for uuid in uuids)
    for table, columns in (
        (
            "instance_mappings",
            "id, created_at, instance_uuid, cell_id, project_id, queued_for_delete, user_id",
        ),
        ("request_specs", "*"),
        ("build_requests", "*"),
    ):
        found[f"nova_api.{table}"] = sql(
            f"SELECT {columns} FROM nova_api.{table} WHERE instance_uuid IN ({wanted}) ORDER BY id"
        )
    return found


def without_rows_of(uuid: str) -> list[str]:
    """Tables that could hold rows of an instance, and have none of this one."""
    columns = sql(
        "SELECT table_name, column_name FROM information_schema.columns"
        f" WHERE table_schema = '{SCHEMA}' AND table_name NOT LIKE 'shadow%'"
        f" AND column_name IN ({_INSTANCE_COLUMNS})",
        cell0=True,
    )
    return sorted(
        table
        for table, column in columns
        if not sql(f"SELECT 1 FROM {SCHEMA}.{table} WHERE {column} = '{uuid}' LIMIT 1", cell0=True)
    )


def add_soft_deleted_rows(uuid: str, number: int) -> None:
    """Siblings that Nova has deleted, and keeps; ``number`` is the instance's own."""
    gone = f"{900 + number}, NOW()"
    for table in ("instance_metadata", "instance_system_metadata"):
        _insert(
            table,
            "instance_uuid, `key`, value, deleted, deleted_at",
            f"('{uuid}', 'gone', 'x', {gone})",
        )
    _insert(
        "block_device_mapping",
        "instance_uuid, uuid, source_type, destination_type, boot_index, deleted, deleted_at",
        f"('{uuid}', UUID(), 'blank', 'local', -1, {gone})",
    )


def add_rare_rows(uuid: str, number: int) -> None:
    """Rows of an instance that a burial does not make, live and soft-deleted."""
    _insert(
        "console_auth_tokens",
        "token_hash, console_type, host, port, instance_uuid, expires",
        f"('{number:064}', 'novnc', 'h', 1, '{uuid}', 1)",
    )
    _insert(
        "virtual_interfaces",
        "instance_uuid, uuid, address, deleted",
        f"('{uuid}', UUID(), 'fa:16:3e:00:00:{number:02}', 0),"
        f" ('{uuid}', UUID(), 'fa:16:3e:00:01:{number:02}', 77)",
    )
    _insert(
        "migrations",
        "instance_uuid, status, migration_type, uuid, deleted",
        f"('{uuid}', 'error', 'resize', UUID(), 0), ('{uuid}', 'error', 'evacuation', UUID(), 78)",
    )
    _insert(
        "instance_faults",
        "instance_uuid, code, message, created_at, deleted",
        f"('{uuid}', 500, 'an older one', '2026-01-01', 79)",
    )
    _insert("security_groups", "name, deleted", f"('golden-{number}', 0)")
    groups = sql(
        f"SELECT id FROM {SCHEMA}.security_groups WHERE name = 'golden-{number}'", cell0=True
    )
    _insert(
        "security_group_instance_association",
        "security_group_id, instance_uuid, deleted",
        f"({groups[0][0]}, '{uuid}', 0)",
    )
    _insert("tags", "resource_id, tag", f"('{uuid}', 'by-hand')")


def _insert(table: str, columns: str, values: str) -> None:
    sql(f"INSERT INTO {SCHEMA}.{table} ({columns}) VALUES {values}", cell0=True)
