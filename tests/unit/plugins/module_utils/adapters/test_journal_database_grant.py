# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal's schema, made by an administrator for the account that will use it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_database_grant import (
    make_as_administrator,
    needs_administrator,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_schema import (
    SCHEMA_VERSION,
    JournalSchema,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.sql_database import FakeSql

URL = "mysql+pymysql://root:s3cret@db/mysql"


class Server:
    """A server with two accounts. Nothing but the journal is on it."""

    def __init__(self, *, version: int = 0, granted: bool = False, same: bool = True) -> None:
        self.version, self.granted, self.same = version, granted, same
        self.user_sql, self.root_sql = FakeSql(), FakeSql()
        for sql in (self.user_sql, self.root_sql):
            sql.answers["information_schema.TABLES"] = lambda _p: self._if_there({"there": 1})
            sql.answers["SELECT version"] = lambda _p: self._if_there({"version": self.version})
        self.user_sql.answers["CURRENT_USER"] = [{"account": "nova@10.0.0.%"}]
        self.journal_schema = JournalSchema(self.user_sql, "n%r")  # type: ignore[arg-type]
        self.connected: list[Any] = []
        self.hidden: list[str] = []

    def _if_there(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        return [row] if self.version else []

    @property
    def journal_connection(self) -> Any:
        return self.user_sql

    def may_use_journal(self) -> bool:
        return self.granted

    def connect(self, address: Any, *, read_only: bool) -> Any:
        assert not read_only
        self.connected.append(address)
        execute = self.root_sql.execute

        def noting(sql: str, parameters: Any = ()) -> int:
            if self.same and sql.startswith("REPLACE"):
                self.version = SCHEMA_VERSION
            if self.same and sql.startswith("GRANT"):
                self.granted = True
            return execute(sql, parameters)

        self.root_sql.execute = noting  # type: ignore[method-assign]
        return self.root_sql

    def make(self) -> bool:
        return make_as_administrator(
            URL, self, name="n%r", hide=self.hidden.append, connect=self.connect
        )


def test_it_is_made_and_granted() -> None:
    server = Server()
    assert needs_administrator(server)
    assert server.make()
    grants = [seen for seen in server.root_sql.seen if seen[0].startswith("GRANT")]
    assert grants == [
        ("GRANT SELECT, INSERT, UPDATE, DELETE ON `n%%r`.* TO %s@%s", ("nova", "10.0.0.%"))
    ]
    assert server.hidden == ["s3cret"]
    assert server.root_sql.events[-1] == "close"
    assert "close" in server.user_sql.events
    assert not needs_administrator(server)


def test_what_is_there_is_left_alone_and_nobody_logs_in() -> None:
    server = Server(version=SCHEMA_VERSION, granted=True)
    assert not server.make()
    assert server.connected == []
    # The URL's password is masked all the same.
    assert server.hidden == ["s3cret"]


def test_a_grant_alone_is_something_to_do() -> None:
    server = Server(version=SCHEMA_VERSION)
    assert server.make()
    assert not [sql for sql in server.root_sql.statements if sql.startswith("CREATE")]


def test_an_administrator_of_another_server_is_noticed() -> None:
    with pytest.raises(RecoveryError) as caught:
        Server(same=False).make()
    assert caught.value.code == "journal_not_visible"
    assert "s3cret" not in caught.value.message
    assert "db:3306" in caught.value.message
