# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cell's rows as SQL."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.cell_database import (
    CellDatabase,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.instance_tables import (
    INSTANCE_TABLES,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Candidate,
    Scope,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    InstanceRows,
)
from fakes.buried_instance import INSTANCE_UUID, UUIDS, rows_of, tables_of
from fakes.sql_database import FakeSql

SCHEMA = "`nova_cell0`"
EXISTING = [{"name": table.name} for table in INSTANCE_TABLES]


def cell(sql: FakeSql, *, tables: list[dict[str, str]] | None = None) -> CellDatabase:
    sql.answers["information_schema.TABLES"] = EXISTING if tables is None else tables
    return CellDatabase(sql, "nova_cell0")  # type: ignore[arg-type]


def holding(*uuids: str, deleted: int = 0) -> FakeSql:
    """Answers each SELECT by the table that it names."""
    sql = FakeSql()
    for table in INSTANCE_TABLES:

        def answer(wanted: tuple[Any, ...], table: Any = table) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            for number, uuid in enumerate(uuids):
                for row in tables_of(uuid, deleted=deleted).get(table.name, ()):
                    # Ids are the table's: each instance has its own.
                    made = {**row, **({"id": row["id"] + 100 * number} if "id" in row else {})}
                    if table.parent:
                        made["action_id"] += 100 * number
                    found.append(made)
            return [row for row in found if row[table.key] in wanted]

        sql.answers[f"FROM {SCHEMA}.{table.name} WHERE"] = answer
    return sql


def test_every_row_of_an_instance_is_read() -> None:
    found = cell(holding(INSTANCE_UUID)).instance_rows([INSTANCE_UUID])
    assert found == {INSTANCE_UUID: rows_of()}


def test_rows_of_a_child_table_belong_to_the_parents_instance() -> None:
    first, second = UUIDS[:2]
    found = cell(holding(first, second)).instance_rows([first, second])
    assert [row["action_id"] for row in found[first].all("instance_actions_events")] == [2]
    assert [row["action_id"] for row in found[second].all("instance_actions_events")] == [102]


def test_each_table_is_read_once_and_the_instance_first() -> None:
    sql = holding(*UUIDS)
    cell(sql).instance_rows(UUIDS, lock=True)
    selects = [text for text in sql.statements if "SELECT *" in text]
    assert len(selects) == len(INSTANCE_TABLES)
    assert f"{SCHEMA}.instances WHERE `uuid` IN (%s, " in selects[0]
    for text in selects:
        assert text.endswith(" FOR UPDATE")
        # Two reads of the same rows are compared.
        assert " ORDER BY " in text
    assert sum("ORDER BY tag" in text for text in selects) == 1
    assert sum("`resource_id` IN" in text for text in selects) == 1


def test_nothing_is_locked_unless_asked_for() -> None:
    sql = holding(INSTANCE_UUID)
    cell(sql).instance_rows([INSTANCE_UUID])
    cell(sql).instances([INSTANCE_UUID])
    assert not [text for text in sql.statements if "FOR UPDATE" in text]


def test_a_soft_deleted_instance_is_none() -> None:
    sql = holding(INSTANCE_UUID, deleted=2)
    assert cell(sql).instance_rows([INSTANCE_UUID]) == {}
    assert cell(sql).instances([INSTANCE_UUID]) == {}


def test_a_first_look_reads_one_table() -> None:
    sql = holding(INSTANCE_UUID)
    found = cell(sql).instances([INSTANCE_UUID])
    assert found[INSTANCE_UUID].tables == {"instances": tuple(tables_of()["instances"])}
    assert len(sql.seen) == 1


@pytest.mark.parametrize("read", ["instances", "instance_rows"])
def test_nobody_asks_for_nothing(read: str) -> None:
    sql = FakeSql()
    assert getattr(cell(sql), read)([]) == {}
    assert sql.seen == []


def test_a_table_that_a_release_lacks_is_left_out() -> None:
    sql = holding(INSTANCE_UUID)
    older = [row for row in EXISTING if row["name"] != "share_mapping"]
    cell(sql, tables=older).instance_rows([INSTANCE_UUID])
    assert not [text for text in sql.statements if "share_mapping" in text]
    assert sql.seen[1][1] == ("nova_cell0",)


def test_rows_go_child_before_parent() -> None:
    sql = FakeSql()
    sql.counts = {
        f".{table.name} WHERE": len(rows_of().all(table.name)) for table in INSTANCE_TABLES
    }
    cell(sql).delete_instance_rows([rows_of()])
    deletes = [text for text in sql.statements if text.startswith("DELETE")]
    names = [text.split(".")[1].split()[0] for text in deletes]
    assert names == [table.name for table in INSTANCE_TABLES]
    by_table = {
        text.split(".")[1].split()[0]: (text, parameters)
        for text, parameters in sql.seen
        if text.startswith("DELETE")
    }
    assert by_table["instances"] == (
        "DELETE FROM `nova_cell0`.instances WHERE `uuid` IN (%s)",
        (INSTANCE_UUID,),
    )
    assert by_table["instance_actions_events"] == (
        "DELETE FROM `nova_cell0`.instance_actions_events WHERE `action_id` IN (%s)",
        (rows_of().all("instance_actions")[0]["id"],),
    )


@pytest.mark.parametrize(
    ("table", "change"),
    [("instance_faults", 1), ("tags", -1), ("migrations", 1), ("instances", 1), ("instances", -1)],
)
def test_a_row_more_or_less_than_was_copied_undoes_all(table: str, change: int) -> None:
    sql = FakeSql()
    for one in INSTANCE_TABLES:
        count = len(rows_of().all(one.name)) + (change if one.name == table else 0)
        sql.counts[f".{one.name} WHERE"] = max(count, 0)
    with pytest.raises(RecoveryError) as caught:
        cell(sql).delete_instance_rows([rows_of()])
    assert caught.value.code == "changed_meanwhile"
    assert caught.value.retriable
    assert table in caught.value.message


def test_rows_are_put_back_parent_before_child() -> None:
    sql = FakeSql()
    cell(sql).insert_instance_rows([rows_of()])
    names = [text.split(".")[1].split()[0] for text, _rows in sql.many]
    expected = [one.name for one in reversed(INSTANCE_TABLES) if rows_of().all(one.name)]
    assert names == expected
    for (text, values), name in zip(sql.many, names, strict=True):
        columns = [part.strip("`") for part in text.split("(")[1].split(")")[0].split(", ")]
        stored = rows_of().all(name)
        assert [dict(zip(columns, row, strict=True)) for row in values] == [dict(r) for r in stored]


def test_rows_with_other_columns_get_a_statement_of_their_own() -> None:
    sql = FakeSql()
    old, new = UUIDS[:2]
    rows = [
        InstanceRows(instance_uuid=old, tables={"tags": ({"tag": "a", "resource_id": old},)}),
        InstanceRows(
            instance_uuid=new, tables={"tags": ({"tag": "b", "resource_id": new, "more": 1},)}
        ),
    ]
    cell(sql).insert_instance_rows(rows)
    assert sql.many == [
        ("INSERT INTO `nova_cell0`.tags (`tag`, `resource_id`) VALUES (%s, %s)", [("a", old)]),
        (
            "INSERT INTO `nova_cell0`.tags (`tag`, `resource_id`, `more`) VALUES (%s, %s, %s)",
            [("b", new, 1)],
        ),
    ]


@pytest.mark.parametrize("in_error", [True, False])
def test_a_page_of_never_booted_instances(in_error: bool) -> None:
    sql = FakeSql()
    sql.answers["launched_at IS NULL"] = [{"id": 3, "instance_uuid": "u", "created_at": None}]
    found = cell(sql).never_booted(Scope(project_id="p"), 2, 10, in_error=in_error)
    assert found == [Candidate(id=3, instance_uuid="u", created_at=None)]
    [(text, parameters)] = sql.seen
    assert "deleted = 0 AND launched_at IS NULL" in text
    assert ("vm_state = 'error'" in text) is in_error
    assert text.endswith("ORDER BY id LIMIT %s")
    assert parameters == (2, "p", 10)


def test_a_listing_reads_each_table_once_and_nothing_that_is_long() -> None:
    sql = holding(*UUIDS)
    found = cell(sql).listed_rows([*UUIDS, "gone"])
    assert set(found) == set(UUIDS)
    first = found[UUIDS[0]]
    assert first.instance["display_name"] == "Zoë-名前"
    assert [row["tag"] for row in first.all("tags")] == ["t1", "t2"]
    assert first.one("instance_faults") is not None
    assert len(sql.statements) == 6
    for text in sql.statements:
        assert "*" not in text
        assert "user_data" not in text
        assert "traceback" not in text
    # What is not live in the first is not asked for in the others.
    assert all("gone" not in parameters for _text, parameters in sql.seen[1:])


def test_a_listing_of_nothing_that_is_there_is_one_query() -> None:
    sql = holding()
    assert cell(sql).listed_rows(UUIDS) == {}
    assert len(sql.statements) == 1
