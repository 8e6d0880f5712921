# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection: transactions that are whole or not at all, bounds, and what a loss means."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pymysql
import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    mysql as module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.database_url import (
    parse_database_url,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.mysql import (
    Database,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    CommitInDoubt,
    DatabaseConflict,
)
from fakes.mysql import FakeServer

ADDRESS = parse_database_url("mysql://nova:s3cret@db/nova_api")
LOST = pymysql.err.OperationalError(2013, "Lost connection")
DEADLOCK = pymysql.err.OperationalError(1213, "Deadlock found")


def database(server: FakeServer, *, read_only: bool = False) -> Database:
    return Database(ADDRESS, read_only=read_only, connect=server.connect)


def refusal(call: Callable[[], Any]) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        call()
    return caught.value


def test_it_connects_when_it_is_used() -> None:
    server = FakeServer({"SELECT a": [{"a": 1}, {"a": 2}]})
    made = database(server)
    assert server.arguments == []
    assert made.rows("SELECT a FROM t WHERE b IN %s", ([1, 2],)) == [{"a": 1}, {"a": 2}]
    assert made.rows("SELECT a") == [{"a": 1}, {"a": 2}]
    assert len(server.arguments) == 1
    assert ("SELECT a FROM t WHERE b IN %s", ([1, 2],)) in server.seen
    # Without parameters a percent sign in the statement is one.
    assert ("SELECT a", None) in server.seen


def test_a_read_of_its_own_is_one_statement() -> None:
    server = FakeServer()
    database(server).rows("SELECT a")
    assert server.statements == ["(session)", "SELECT a"]


def test_a_change_of_its_own_is_committed() -> None:
    server = FakeServer({"UPDATE": [1, 2, 3]})
    assert database(server).execute("UPDATE t SET a = 1") == 3
    assert server.statements[-2:] == ["UPDATE t SET a = 1", "COMMIT"]


def test_many_rows_are_one_call() -> None:
    server = FakeServer({"INSERT": [1, 2]})
    made = database(server)
    assert made.execute_many("INSERT INTO t VALUES (%s)", [(1,), (2,)]) == 2
    assert ("INSERT INTO t VALUES (%s)", [(1,), (2,)]) in server.seen
    assert made.execute_many("INSERT INTO t VALUES (%s)", []) == 0


def test_a_transaction_is_committed_once() -> None:
    server = FakeServer()
    made = database(server)
    with made.transaction():
        assert made.in_transaction
        made.execute("UPDATE a")
        made.rows("SELECT b FOR UPDATE")
    assert not made.in_transaction
    assert server.statements[1:] == [
        "START TRANSACTION",
        "UPDATE a",
        "SELECT b FOR UPDATE",
        "COMMIT",
    ]


def test_a_transaction_that_fails_is_undone() -> None:
    server = FakeServer()
    made = database(server)
    with pytest.raises(KeyError), made.transaction():
        made.execute("UPDATE a")
        raise KeyError("x")
    assert server.statements[-1] == "ROLLBACK"
    assert "COMMIT" not in server.statements
    assert not made.in_transaction


def test_transactions_are_not_nested() -> None:
    made = database(FakeServer())
    with made.transaction():
        assert refusal(made.begin).code == "transaction_open"


@pytest.mark.parametrize("error", [DEADLOCK, LOST])
def test_nothing_goes_on_in_a_transaction_that_the_server_has_undone(error: Exception) -> None:
    """Its second half alone would be committed otherwise."""
    server = FakeServer(turns={"UPDATE b": [error]})
    made = database(server)
    made.begin()
    made.execute("UPDATE a")
    first = refusal(lambda: made.execute("UPDATE b"))
    assert refusal(lambda: made.execute("UPDATE c")) is first
    assert refusal(lambda: made.rows("SELECT d")) is first
    assert refusal(made.commit) is first
    assert not {"UPDATE c", "SELECT d", "COMMIT"} & set(server.statements)
    made.execute("UPDATE e")
    assert server.statements[-2:] == ["UPDATE e", "COMMIT"]


def test_another_error_leaves_the_transaction_to_the_caller() -> None:
    server = FakeServer(turns={"INSERT": [pymysql.err.IntegrityError(1062, "Duplicate entry")]})
    made = database(server)
    with made.transaction():
        assert refusal(lambda: made.execute("INSERT INTO t")).code == "database_duplicate"
        made.execute("UPDATE a")
    assert server.statements[-2:] == ["UPDATE a", "COMMIT"]


def test_an_error_outside_of_a_transaction_leaves_nothing_open() -> None:
    server = FakeServer(turns={"SELECT a": [pymysql.err.ProgrammingError(1146, "no table")]})
    made = database(server)
    assert refusal(lambda: made.rows("SELECT a")).code == "database_schema_unknown"
    assert server.closed == 1


@pytest.mark.parametrize("number", [2006, 2013, 1317, 1047, 1180])
def test_a_commit_that_may_have_been_done_is_in_doubt(number: int) -> None:
    server = FakeServer({"COMMIT": pymysql.err.OperationalError(number, "gone")})
    made = database(server)
    made.begin()
    made.execute("UPDATE a")
    error = refusal(made.commit)
    assert isinstance(error, CommitInDoubt)
    assert error.details["errno"] == number
    assert not made.in_transaction


def test_a_commit_that_was_refused_for_sure_is_a_conflict() -> None:
    """Galera finds conflicts at the commit only."""
    server = FakeServer({"COMMIT": DEADLOCK})
    made = database(server)
    made.begin()
    made.execute("UPDATE a")
    assert isinstance(refusal(made.commit), DatabaseConflict)


def test_a_commit_of_nothing_is_never_in_doubt() -> None:
    server = FakeServer({"COMMIT": LOST})
    made = database(server)
    made.begin()
    made.rows("SELECT a")
    assert refusal(made.commit).code == "database_unavailable"


def test_a_rollback_never_hides_why() -> None:
    server = FakeServer({"ROLLBACK": LOST})
    made = database(server)
    with pytest.raises(KeyError), made.transaction():
        raise KeyError("x")
    assert server.closed == 1


def test_a_connection_that_died_while_idle_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.count(0, 10)
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(now)))
    server = FakeServer({"SELECT a": [{"a": 1}]}, pings=[LOST])
    made = database(server)
    made.rows("SELECT a")
    assert made.rows("SELECT a") == [{"a": 1}]
    assert len(server.arguments) == 2


def test_within_a_transaction_no_connection_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.count(0, 10)
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(now)))
    server = FakeServer(pings=[LOST])
    made = database(server)
    with made.transaction():
        made.rows("SELECT a")
    assert len(server.arguments) == 1


def test_what_may_only_read_is_refused_by_the_server() -> None:
    server = FakeServer({"DELETE": pymysql.err.InternalError(1792, "READ ONLY transaction")})
    error = refusal(lambda: database(server, read_only=True).execute("DELETE FROM t"))
    assert isinstance(error, MutationRefused)
    assert "DELETE FROM t" in error.message


@pytest.mark.parametrize(
    ("read_only", "grant"),
    [(True, "GRANT SELECT ON"), (False, "GRANT SELECT, INSERT, UPDATE, DELETE ON")],
)
def test_a_missing_grant_is_that_of_the_account(read_only: bool, grant: str) -> None:
    text = "SELECT command denied to user 'nova'@'192.0.2.9' for table `nova_api`.`t`"
    server = FakeServer(
        {
            "SELECT a": pymysql.err.OperationalError(1142, text),
            "SELECT CURRENT_USER()": [("nova@%",)],
        }
    )
    error = refusal(lambda: database(server, read_only=read_only).rows("SELECT a"))
    assert error.details["grant"] == f"{grant} `nova_api`.* TO 'nova'@'%'"


@pytest.mark.parametrize("value", ["x" * 5000, b"x" * 5000, "ä" * 2500])
def test_what_the_server_would_hang_up_on_is_not_sent(value: str | bytes) -> None:
    server = FakeServer(packet_bytes=5000)
    made = database(server)
    error = refusal(lambda: made.execute("INSERT INTO t VALUES (%s)", (value,)))
    assert (error.code, error.details["bytes"]) == ("database_packet_too_big", 5000)
    error = refusal(lambda: made.execute_many("INSERT INTO t VALUES (%s)", [("y",), (value,)]))
    assert error.code == "database_packet_too_big"
    assert not [sql for sql in server.statements if sql.startswith("INSERT")]


def test_a_loss_while_something_big_was_sent_is_told_as_such() -> None:
    server = FakeServer({"INSERT": LOST}, packet_bytes=8000)
    error = refusal(lambda: database(server).execute("INSERT INTO t VALUES (%s)", ("x" * 5000,)))
    assert error.code == "database_packet_too_big"


def test_pymysql_was_imported() -> None:
    assert module.PYMYSQL_IMPORT_ERROR is None
