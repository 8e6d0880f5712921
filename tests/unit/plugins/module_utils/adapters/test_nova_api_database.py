# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API database as SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api_database import (
    NovaApiDatabase,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Candidate,
    Scope,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    InstanceMapping,
    RequestSpecRow,
)
from fakes.sql_database import FakeSql

NOW = datetime.fromisoformat("2026-11-22T09:00:00")


@pytest.fixture
def sql() -> FakeSql:
    return FakeSql()


def api(sql: FakeSql) -> NovaApiDatabase:
    return NovaApiDatabase(sql, "nova_api")  # type: ignore[arg-type]


def test_mappings_are_values(sql: FakeSql) -> None:
    row = {"instance_uuid": "u", "cell_id": 1, "project_id": "p", "user_id": "u"}
    sql.answers[".instance_mappings"] = [
        {**row, "queued_for_delete": 1},
        {**row, "instance_uuid": "v", "cell_id": None, "queued_for_delete": None},
    ]
    assert api(sql).instance_mappings(["u", "v"]) == {
        "u": InstanceMapping(
            instance_uuid="u", cell_id=1, project_id="p", user_id="u", queued_for_delete=True
        ),
        "v": InstanceMapping(instance_uuid="v", cell_id=None, project_id="p", user_id="u"),
    }


def test_requests_and_specs_are_values(sql: FakeSql) -> None:
    request = BuildRequestRow(
        id=1,
        instance_uuid="u",
        project_id="p",
        instance="i",
        block_device_mappings="b",
        tags="t",
        created_at=NOW,
    )
    columns = {name: getattr(request, name) for name in BuildRequestRow.__slots__}
    sql.answers[".build_requests"] = [columns]
    sql.answers[".request_specs"] = [{"id": 2, "instance_uuid": "u", "spec": "s"}]
    assert api(sql).build_requests(["u"]) == {"u": request}
    assert api(sql).request_specs(["u"]) == {"u": RequestSpecRow(id=2, instance_uuid="u", spec="s")}


READS: list[tuple[str, Callable[..., Any]]] = [
    ("instance_mappings", NovaApiDatabase.instance_mappings),
    ("build_requests", NovaApiDatabase.build_requests),
    ("request_specs", NovaApiDatabase.request_specs),
]


@pytest.mark.parametrize(("table", "read"), READS)
def test_a_read_locks_only_when_it_is_asked_to(
    sql: FakeSql, table: str, read: Callable[..., Any]
) -> None:
    read(api(sql), iter(["a", "b"]))
    read(api(sql), ["a"], lock=True)
    read(api(sql), [])
    (plain, two), (locking, one), (nothing, none) = sql.seen
    assert f"FROM `nova_api`.{table} WHERE instance_uuid IN (%s, %s)" in plain
    assert (two, one, none) == (("a", "b"), ("a",), ())
    assert "FOR UPDATE" not in plain
    assert locking.endswith("WHERE instance_uuid IN (%s) FOR UPDATE")
    assert nothing.endswith("WHERE 1 = 0")


def test_requests_are_written_with_their_time_and_without_an_id(sql: FakeSql) -> None:
    row = BuildRequestRow(
        id=9,
        instance_uuid="u",
        project_id="p",
        instance="i",
        block_device_mappings="b",
        tags="t",
        created_at=NOW,
    )
    api(sql).insert_build_requests([row])
    ((text, values),) = sql.many
    columns = text.split("(")[1].split(")")[0].split(", ")
    assert dict(zip([one.strip() for one in columns], values[0], strict=True)) == {
        "created_at": NOW,
        "project_id": "p",
        "instance_uuid": "u",
        "instance": "i",
        "block_device_mappings": "b",
        "tags": "t",
    }


def test_no_requests_are_no_statement(sql: FakeSql) -> None:
    api(sql).insert_build_requests([])
    assert sql.seen == []
    assert sql.many == []


def test_requests_are_deleted_and_counted(sql: FakeSql) -> None:
    sql.counts["DELETE"] = 2
    assert api(sql).delete_build_requests(["a", "b"]) == 2
    assert sql.seen == [
        ("DELETE FROM `nova_api`.build_requests WHERE instance_uuid IN (%s, %s)", ("a", "b"))
    ]


def test_none_are_deleted_for_an_empty_list(sql: FakeSql) -> None:
    api(sql).delete_build_requests([])
    assert sql.statements == ["DELETE FROM `nova_api`.build_requests WHERE 1 = 0"]


@pytest.mark.parametrize(("expected", "cell_id"), [(1, None), (None, 1)])
def test_a_mapping_moves_only_from_where_it_is_expected(
    sql: FakeSql, expected: int | None, cell_id: int | None
) -> None:
    sql.counts["UPDATE"] = 2
    assert api(sql).map_instances(["a", "b"], expected=expected, cell_id=cell_id) == 2
    ((text, parameters),) = sql.seen
    # <=> is equality that holds for NULL too.
    assert text.endswith(
        "WHERE instance_uuid IN (%s, %s) AND cell_id <=> %s AND queued_for_delete = 0"
    )
    assert "SET cell_id = %s" in text
    assert parameters == (cell_id, "a", "b", expected)


def test_a_spec_is_replaced_if_it_is_the_same_byte_by_byte(sql: FakeSql) -> None:
    row = RequestSpecRow(id=1, instance_uuid="u", spec="old")
    assert api(sql).replace_request_spec(row, "new") is True
    ((text, parameters),) = sql.seen
    assert text.endswith("WHERE instance_uuid = %s AND CAST(spec AS BINARY) = CAST(%s AS BINARY)")
    assert parameters == ("new", "u", "old")
    sql.counts["UPDATE"] = 0
    assert api(sql).replace_request_spec(row, "new") is False


@pytest.mark.parametrize("there", [False, True])
def test_a_spec_is_put_back_only_where_there_is_none(sql: FakeSql, there: bool) -> None:
    sql.counts["INSERT"] = 0 if there else 1
    assert api(sql).insert_request_spec("u", "kept") is not there
    ((text, parameters),) = sql.seen
    assert text.endswith(
        "WHERE NOT EXISTS (SELECT 1 FROM `nova_api`.request_specs WHERE instance_uuid = %s)"
    )
    assert parameters == ("u", "kept", "u")


def test_the_same_spec_is_not_written(sql: FakeSql) -> None:
    row = RequestSpecRow(id=1, instance_uuid="u", spec="old")
    assert api(sql).replace_request_spec(row, "old") is True
    assert sql.seen == []


def test_the_time_is_the_databases(sql: FakeSql) -> None:
    sql.answers["UTC_TIMESTAMP() AS now"] = [{"now": NOW}]
    assert api(sql).now() == NOW


def test_cells_come_with_their_urls(sql: FakeSql) -> None:
    sql.answers["cell_mappings"] = [
        {"id": 1, "uuid": "u", "name": "cell0", "database_connection": "mysql://"}
    ]
    ((cell, url),) = api(sql).cells()
    assert (cell.id, cell.uuid, cell.name, url) == (1, "u", "cell0", "mysql://")


def test_a_page_of_what_was_left_behind(sql: FakeSql) -> None:
    sql.answers["build_requests b"] = [{"id": 7, "instance_uuid": "u", "created_at": NOW}]
    scope = Scope(project_id="p", created_before=NOW)
    assert api(sql).left_behind(scope, 5, 10) == [
        Candidate(id=7, instance_uuid="u", created_at=NOW)
    ]
    [(text, parameters)] = sql.seen
    assert "m.cell_id IS NULL AND m.queued_for_delete = 0 AND b.id > %s" in text
    assert text.endswith("ORDER BY b.id LIMIT %s")
    assert parameters == (5, "p", NOW, 10)


def test_heads_of_build_requests_leave_their_texts_where_they_are(sql: FakeSql) -> None:
    row = {"id": 7, "instance_uuid": "u", "project_id": "p", "created_at": NOW}
    sql.answers[".build_requests"] = [row]
    assert api(sql).build_request_heads(["u"]) == {
        "u": BuildRequestRow(**row, instance="", block_device_mappings="", tags="")
    }
    assert "block_device_mappings" not in sql.statements[0]
