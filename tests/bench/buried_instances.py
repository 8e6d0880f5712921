# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes many buried instances into the lab's databases, each a copy of one that Nova buried.

python buried_instances.py write TEMPLATE_UUID 10000
python buried_instances.py remove
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql

API, CELL0, JOURNAL = "nova_api", "nova_cell0", "nova_recovery"
# How the copies are named: bench-1, bench-2 ...
PREFIX = "bench"

# Every table of a cell that has rows of a buried instance, by the column that holds its uuid.
_TABLES = {
    "instances": "uuid",
    "instance_id_mappings": "uuid",
    "tags": "resource_id",
    "instance_actions": "instance_uuid",
    "instance_extra": "instance_uuid",
    "instance_faults": "instance_uuid",
    "instance_info_caches": "instance_uuid",
    "instance_metadata": "instance_uuid",
    "instance_system_metadata": "instance_uuid",
    "block_device_mapping": "instance_uuid",
    "security_group_instance_association": "instance_uuid",
}
_OWN_VALUES = {
    "instances": {"display_name": "n.name", "hostname": "n.name"},
    "block_device_mapping": {"uuid": "UUID()"},
}


@contextmanager
def connect(socket: str) -> Iterator[pymysql.connections.Connection[Any]]:
    """As the administrator of the lab's database; what is done is committed at the end."""
    connection = pymysql.connect(
        unix_socket=socket, user="root", charset="utf8mb4", autocommit=False
    )
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


def write(
    connection: pymysql.connections.Connection[Any], template_uuid: str, count: int
) -> list[str]:
    """Copy a buried instance; the uuids of the copies."""
    new = [(str(uuid.uuid4()), f"{PREFIX}-{number}") for number in range(1, count + 1)]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TEMPORARY TABLE IF EXISTS {CELL0}.bench_new")
        cursor.execute(
            f"CREATE TEMPORARY TABLE {CELL0}.bench_new (uuid VARCHAR(36) PRIMARY KEY,"
            " name VARCHAR(64)) DEFAULT CHARACTER SET utf8mb3"
        )
        cursor.executemany(f"INSERT INTO {CELL0}.bench_new (uuid, name) VALUES (%s, %s)", new)
        for table, key in _TABLES.items():
            own = {key: "n.uuid", **_OWN_VALUES.get(table, {})}
            _copy(cursor, CELL0, table, own, condition=f"s.{key} = %s", template_uuid=template_uuid)
        # A template has one action, so that an event belongs to the only action of a copy.
        _copy(
            cursor,
            CELL0,
            "instance_actions_events",
            {"action_id": "a.id"},
            condition="s.action_id = (SELECT MIN(id) FROM"
            f" {CELL0}.instance_actions WHERE instance_uuid = %s)",
            template_uuid=template_uuid,
            join=f"JOIN {CELL0}.instance_actions a ON a.instance_uuid = n.uuid",
        )
        for table, own in (
            ("instance_mappings", {"instance_uuid": "n.uuid"}),
            (
                "request_specs",
                {
                    "instance_uuid": "n.uuid",
                    "spec": f"REPLACE(s.spec, {connection.escape(template_uuid)}, n.uuid)",
                },
            ),
        ):
            _copy(
                cursor,
                API,
                table,
                own,
                condition="s.instance_uuid = %s",
                template_uuid=template_uuid,
            )
        cursor.execute(f"DROP TEMPORARY TABLE {CELL0}.bench_new")
    return [one for one, _name in new]


def remove(
    connection: pymysql.connections.Connection[Any], written: Sequence[str] | None = None
) -> int:
    """Remove copies, and what the API database and the journal have of them; how many.

    :param written: which; by default every one that is still buried.
    """
    uuids = list(written or ())
    with connection.cursor() as cursor:
        if written is None:
            like = f"{PREFIX}-%"
            cursor.execute(
                f"SELECT uuid FROM {CELL0}.instances WHERE display_name LIKE %s", (like,)
            )
            uuids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (JOURNAL, "rebuilds"),
        )
        has_journal = bool(cursor.fetchall())
        for start in range(0, len(uuids), 1000):
            some = uuids[start : start + 1000]
            cursor.execute(
                f"DELETE FROM {CELL0}.instance_actions_events WHERE action_id IN"
                f" (SELECT id FROM {CELL0}.instance_actions WHERE instance_uuid IN %s)",
                (some,),
            )
            for table, key in reversed(_TABLES.items()):
                cursor.execute(f"DELETE FROM {CELL0}.{table} WHERE {key} IN %s", (some,))
            for table in ("instance_mappings", "request_specs", "build_requests"):
                cursor.execute(f"DELETE FROM {API}.{table} WHERE instance_uuid IN %s", (some,))
            if has_journal:
                cursor.execute(f"DELETE FROM {JOURNAL}.rebuilds WHERE instance_uuid IN %s", (some,))
    return len(uuids)


def _copy(
    cursor: Any,
    schema: str,
    table: str,
    own: Mapping[str, str],
    *,
    condition: str,
    template_uuid: str,
    join: str = "",
) -> None:
    cursor.execute(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND EXTRA NOT LIKE %s",
        (schema, table, "%auto_increment%"),
    )
    columns = [row[0] for row in cursor.fetchall()]
    names = ", ".join(f"`{column}`" for column in columns)
    values = ", ".join(own.get(column, f"s.`{column}`") for column in columns)
    cursor.execute(
        f"INSERT INTO {schema}.{table} ({names}) SELECT {values} FROM {schema}.{table} s"
        f" CROSS JOIN {CELL0}.bench_new n {join} WHERE {condition}",
        (template_uuid,),
    )


def main() -> None:
    with connect(os.environ["OPENSTACK_LAB_DATABASE_SOCKET"]) as connection:
        if sys.argv[1] == "write":
            print(len(write(connection, sys.argv[2], int(sys.argv[3]))))
        else:
            print(remove(connection))


if __name__ == "__main__":
    main()
