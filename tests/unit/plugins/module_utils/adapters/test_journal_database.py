# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal's entries as SQL."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_database import (
    JournalDatabase,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    JournalEntry,
    NewEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.row_text import (
    dump_rows,
    load_rows,
)
from fakes.buried_instance import AUTHOR, INSTANCE_UUID, rows_of
from fakes.sql_database import FakeSql
from pymysql.cursors import RE_INSERT_VALUES

NOW = datetime.fromisoformat("2026-11-22T09:00:00.000001")
ROW: dict[str, Any] = {
    "id": 7,
    "instance_uuid": "u",
    "state": "taken",
    "cell_uuid": "c",
    "project_id": "p",
    "run_id": "r",
    "operator": "o",
    "request_id": None,
    "request_spec": "{}",
    "created_at": NOW,
    "updated_at": NOW,
}
NEW = NewEntry(
    instance_uuid=INSTANCE_UUID,
    state=journal.TAKEN,
    cell_uuid="c",
    project_id="p",
    rows=rows_of(),
    request_spec="{}",
    spec_rewritten=True,
    build_spec="{other}",
)


@pytest.fixture
def sql() -> FakeSql:
    made = FakeSql()
    made.answers["SELECT UTC_TIMESTAMP(6) AS now"] = [{"now": NOW}]
    return made


def entries(sql: FakeSql, **options: Any) -> JournalDatabase:
    return JournalDatabase(sql, "nova_recovery", **options)  # type: ignore[arg-type]


def changes(sql: FakeSql) -> list[tuple[str, Any]]:
    return [(text, parameters) for text, parameters in sql.seen if not text.startswith("SELECT")]


def test_entries_are_values(sql: FakeSql) -> None:
    sql.answers[".rebuilds"] = [{**ROW, "age": Decimal("1.5000")}]
    found = entries(sql).open_entries(["u"])
    assert found == {"u": JournalEntry(**ROW, age=1.5)}
    assert isinstance(found["u"].age, float)


def test_open_ones_are_found_and_locked_when_asked_to(sql: FakeSql) -> None:
    entries(sql).open_entries(iter(["a", "b"]))
    entries(sql).open_entries(["a"], lock=True)
    entries(sql).open_entries([])
    (plain, two), (locking, one), (nothing, none) = sql.seen
    assert plain.endswith("WHERE instance_uuid IN (%s, %s) AND is_open = 1")
    assert locking.endswith("WHERE instance_uuid IN (%s) AND is_open = 1 FOR UPDATE")
    assert nothing.endswith("WHERE 1 = 0 AND is_open = 1")
    assert (two, one, none) == (("a", "b"), ("a",), ())


def test_the_newest_is_the_one_of_the_highest_id(sql: FakeSql) -> None:
    entries(sql).newest_entries(["a"])
    ((text, parameters),) = sql.seen
    assert "SELECT MAX(id) FROM `nova_recovery`.rebuilds WHERE instance_uuid IN (%s)" in text
    assert text.endswith("GROUP BY instance_uuid)")
    assert parameters == ("a",)


def test_before_it_is_made_there_are_no_entries(sql: FakeSql) -> None:
    none = entries(sql, version=0)
    assert none.open_entries(["a"], lock=True) == {}
    assert none.newest_entries(["a"]) == {}
    assert none.newest_heads(["a"]) == {}
    assert none.open_heads() == {}
    assert none.copies([JournalEntry(**ROW)]) == {}
    assert sql.seen == []


def test_heads_are_read_without_their_specs(sql: FakeSql) -> None:
    sql.answers["rebuilds"] = [{**without_specs(), "age": 1}]
    for found in (entries(sql).newest_heads(["u"]), entries(sql).open_heads()):
        assert found == {"u": JournalEntry(**{**without_specs(), "age": 1.0})}
    assert not [text for text, _parameters in sql.seen if "spec" in text]


def without_specs() -> dict[str, Any]:
    return {name: value for name, value in ROW.items() if "spec" not in name}


@pytest.mark.parametrize(
    ("version", "columns"),
    [
        (1, "request_spec IS NOT NULL AS spec_rewritten, NULL AS build_spec"),
        (2, "COALESCE(spec_rewritten, request_spec IS NOT NULL) AS spec_rewritten, build_spec"),
    ],
)
def test_entries_of_an_older_schema_are_read_before_it_is_upgraded(
    sql: FakeSql, version: int, columns: str
) -> None:
    sql.answers["rebuilds"] = [{**ROW, "age": 1, "spec_rewritten": 1, "build_spec": None}]
    (entry,) = entries(sql, version=version).open_entries(["u"]).values()
    assert entry.spec_rewritten is True
    ((text, _parameters),) = sql.seen
    assert f"request_spec, {columns} FROM" in text


def test_copies_are_read_by_the_id_of_their_entry(sql: FakeSql) -> None:
    sql.answers["instance_rows"] = [
        {"instance_uuid": INSTANCE_UUID, "instance_rows": dump_rows(rows_of())}
    ]
    assert entries(sql).copies([JournalEntry(**ROW)]) == {INSTANCE_UUID: rows_of()}
    ((text, parameters),) = sql.seen
    assert text.endswith("WHERE instance_rows IS NOT NULL AND id IN (%s)")
    assert parameters == (7,)


def test_a_new_entry_holds_the_rows_and_who_took_them(sql: FakeSql) -> None:
    entries(sql).begin([NEW], AUTHOR)
    ((text, (values,)),) = sql.many
    columns = [name.strip() for name in text.split("(")[1].split(")")[0].split(",")]
    stored = dict(zip(columns, values, strict=False))
    assert columns[-2:] == ["created_at", "updated_at"]
    assert load_rows(INSTANCE_UUID, stored.pop("instance_rows")) == rows_of()
    assert stored == {
        "instance_uuid": INSTANCE_UUID,
        "state": "taken",
        "cell_uuid": "c",
        "project_id": "p",
        "run_id": AUTHOR.run_id,
        "operator": AUTHOR.operator,
        "request_spec": "{}",
        "spec_rewritten": True,
        "build_spec": "{other}",
        "created_at": NOW,
        "updated_at": NOW,
    }
    note, parameters = changes(sql)[-1]
    assert note.startswith("INSERT INTO `nova_recovery`.steps")
    assert parameters == (AUTHOR.run_id, AUTHOR.operator, "", INSTANCE_UUID)


def test_new_entries_go_in_one_statement(sql: FakeSql) -> None:
    entries(sql).begin([NEW, NEW], AUTHOR)
    ((text, _values),) = sql.many
    # PyMySQL sends each row by itself where it does not find these.
    assert RE_INSERT_VALUES.match(text)


def test_no_entries_are_no_statement(sql: FakeSql) -> None:
    entries(sql).begin([], AUTHOR)
    assert sql.seen == []
    assert sql.many == []


def test_a_copy_is_replaced_only_before_the_conductor_is_asked(sql: FakeSql) -> None:
    entries(sql).take_again([NEW], AUTHOR)
    text, parameters = changes(sql)[0]
    assert text.endswith("WHERE instance_uuid = %s AND is_open = 1 AND state IN (%s, %s)")
    assert parameters[-3:] == (INSTANCE_UUID, journal.TAKEN, journal.PREPARED)
    assert parameters[0] == journal.TAKEN
    assert dump_rows(rows_of()) in parameters
    assert "request_spec = %s, spec_rewritten = %s, build_spec = %s" in text
    assert parameters[-6:-3] == ("{}", True, "{other}")


def test_an_entry_moves_only_from_an_expected_state(sql: FakeSql) -> None:
    sql.counts["UPDATE"] = 2
    moved = entries(sql).advance(
        ["a", "b"],
        expected=[journal.PREPARED, journal.TAKEN],
        state=journal.SUBMIT_INTENDED,
        author=AUTHOR,
        detail="why",
        request_id="req-1",
        build_spec="{sent}",
    )
    assert moved == 2
    (update, values), (note, noted) = changes(sql)
    assert update.endswith("WHERE instance_uuid IN (%s, %s) AND is_open = 1 AND state IN (%s, %s)")
    assert values == (
        journal.SUBMIT_INTENDED,
        AUTHOR.run_id,
        AUTHOR.operator,
        *("req-1", "{sent}"),
        *("a", "b", journal.PREPARED, journal.TAKEN),
    )
    assert "request_id = COALESCE(%s, request_id), build_spec = COALESCE(%s, build_spec)" in update
    assert note.endswith("is_open = 1 AND instance_uuid IN (%s, %s) AND state = %s")
    assert noted == (
        AUTHOR.run_id,
        AUTHOR.operator,
        "why",
        *("a", "b", journal.SUBMIT_INTENDED),
    )


def test_nothing_is_noted_when_nothing_moved(sql: FakeSql) -> None:
    sql.counts["UPDATE"] = 0
    moved = entries(sql).advance(["a"], expected=["taken"], state="prepared", author=AUTHOR)
    assert moved == 0
    assert len(changes(sql)) == 1


def test_from_no_state_nothing_moves(sql: FakeSql) -> None:
    entries(sql).advance(["a"], expected=[], state="prepared", author=AUTHOR)
    assert changes(sql)[0][0].endswith("AND is_open = 1 AND 1 = 0")


@pytest.mark.parametrize("state", sorted(journal.CLOSED_STATES))
def test_a_last_state_closes_the_entry_after_it_is_noted(sql: FakeSql, state: str) -> None:
    entries(sql).advance(["a"], expected=journal.OPEN_STATES, state=state, author=AUTHOR)
    texts = [text for text, _parameters in changes(sql)]
    assert len(texts) == 3
    assert texts[1].startswith("INSERT INTO `nova_recovery`.steps")
    # NULL, so that the unique key lets an instance have any number of closed ones.
    assert (
        "SET is_open = NULL WHERE instance_uuid IN (%s) AND is_open = 1 AND state = %s"
        in (texts[2])
    )
    assert changes(sql)[2][1] == ("a", state)


@pytest.mark.parametrize("state", sorted(journal.OPEN_STATES))
def test_any_other_state_leaves_it_open(sql: FakeSql, state: str) -> None:
    entries(sql).advance(["a"], expected=["prepared"], state=state, author=AUTHOR)
    assert not [text for text, _parameters in changes(sql) if "is_open = NULL" in text]


def test_only_closed_ones_are_purged(sql: FakeSql) -> None:
    entries(sql).purge(3600)
    text, parameters = changes(sql)[-1]
    assert text.startswith("DELETE FROM `nova_recovery`.rebuilds WHERE is_open IS NULL")
    assert parameters == (3600,)


def test_a_purge_goes_on_until_nothing_is_left(sql: FakeSql) -> None:
    turns = iter([500, 500, 3])
    sql.execute = lambda sql, parameters=(): next(turns)  # type: ignore[method-assign]
    assert entries(sql).purge(3600) == 1003
    assert next(turns, None) is None


def test_old_ones_are_counted_by_the_same_condition(sql: FakeSql) -> None:
    sql.answers["COUNT(*)"] = [{"number": 4}]
    assert entries(sql).closed(3600) == 4
    entries(sql).purge(3600)
    condition = "is_open IS NULL AND updated_at < UTC_TIMESTAMP(6) - INTERVAL %s SECOND"
    counted, purged = (text for text, _p in sql.seen if "INTERVAL" in text)
    assert condition in counted
    assert condition in purged


def test_nothing_is_purged_where_nothing_was_made(sql: FakeSql) -> None:
    journal = JournalDatabase(sql, "nova_recovery", version=0)  # type: ignore[arg-type]
    assert journal.purge(0) == 0
    assert journal.closed(0) == 0
    assert sql.seen == []
