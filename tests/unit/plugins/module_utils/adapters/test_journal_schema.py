# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal's schema: made once, upgraded, refused when it is newer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import journal_schema
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_schema import (
    SCHEMA_VERSION,
    JournalSchema,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.sql_database import FakeSql


class Server(FakeSql):
    """Knows which tables there are, and dies at the n-th change."""

    def __init__(self) -> None:
        super().__init__()
        self.schema = False
        self.tables: set[str] = set()
        # Those that were added.
        self.columns: set[str] = set()
        self.version: int | None = None
        self.cut_at: int | None = None
        self.answers = {
            "information_schema.SCHEMATA": lambda _p: [{"1": 1}] if self.schema else [],
            "information_schema.TABLES": lambda _p: (
                [{"1": 1}] if "schema_version" in self.tables else []
            ),
            ".schema_version": lambda _p: (
                [] if self.version is None else [{"version": self.version}]
            ),
        }

    def execute(self, sql: str, parameters: Any = ()) -> int:
        if self.cut_at is not None:
            self.cut_at -= 1
            if self.cut_at < 0:
                raise KeyboardInterrupt
        count = super().execute(sql, parameters)
        words = sql.split()
        if words[:2] == ["CREATE", "DATABASE"]:
            self.schema = True
        elif words[:2] == ["CREATE", "TABLE"]:
            assert words[2:5] == ["IF", "NOT", "EXISTS"], "it must bear to be repeated"
            assert self.schema
            self.tables.add(words[5].split(".")[1])
        elif words[:2] == ["ALTER", "TABLE"]:
            added = {word for before, word in pairwise(words) if before == "COLUMN"}
            if added & self.columns:
                raise RecoveryError("database_error", "1060", details={"errno": 1060})
            self.columns |= added
        elif words[0] == "REPLACE":
            self.version = parameters[0]
        return count


def schema(server: Server) -> JournalSchema:
    return JournalSchema(server, "nova_recovery")  # type: ignore[arg-type]


@pytest.fixture
def server() -> Server:
    return Server()


def assert_whole(server: Server) -> None:
    assert server.tables == {"schema_version", "rebuilds", "steps"}
    assert server.columns == {"spec_rewritten", "build_spec"}
    assert server.version == SCHEMA_VERSION


def test_there_is_none_at_first(server: Server) -> None:
    assert schema(server).version() == 0
    assert server.events == []


def test_it_is_made_once(server: Server) -> None:
    assert schema(server).make() is True
    assert_whole(server)
    assert schema(server).version() == SCHEMA_VERSION
    before = len(server.events)
    assert schema(server).make() is False
    assert len(server.events) == before


def test_a_schema_that_was_made_for_it_needs_no_right_to_create_one(server: Server) -> None:
    server.schema = True
    assert schema(server).make() is True
    assert not [event for event in server.events if event.startswith("CREATE DATABASE")]


def test_a_version_of_zero_is_upgraded(server: Server) -> None:
    server.schema, server.tables, server.version = True, {"schema_version"}, 0
    assert schema(server).make() is True
    assert_whole(server)


def test_a_newer_one_is_refused(server: Server) -> None:
    server.schema, server.tables = True, {"schema_version"}
    server.version = SCHEMA_VERSION + 1
    for act in (schema(server).version, schema(server).make):
        with pytest.raises(RecoveryError) as caught:
            act()
        assert caught.value.code == "journal_too_new"
        assert caught.value.details == {"found": SCHEMA_VERSION + 1, "known": SCHEMA_VERSION}
    assert server.events == []


@pytest.mark.parametrize("cut_at", range(7))
def test_one_that_was_cut_off_is_finished(server: Server, cut_at: int) -> None:
    server.cut_at = cut_at
    with pytest.raises(KeyboardInterrupt):
        schema(server).make()
    server.cut_at = None
    # The version comes last: what it says is there, is.
    assert schema(server).version() == (0 if cut_at < 5 else 1)
    assert schema(server).make() is True
    assert_whole(server)


def test_version_1_gets_what_it_lacks(server: Server) -> None:
    server.schema, server.version = True, 1
    server.tables = {"schema_version", "rebuilds", "steps"}
    assert schema(server).make() is True
    assert_whole(server)
    assert not [event for event in server.events if "CREATE TABLE" in event and "steps" in event]


def test_columns_that_another_run_has_added_meanwhile_are_no_error(server: Server) -> None:
    server.schema, server.version = True, 1
    server.tables = {"schema_version", "rebuilds", "steps"}
    server.columns = {"spec_rewritten", "build_spec"}
    assert schema(server).make() is True
    assert_whole(server)


def test_another_error_of_an_upgrade_is_told(server: Server) -> None:
    server.schema, server.version, server.tables = True, 1, {"schema_version"}
    server.fail_on = ("ALTER", RecoveryError("database_error", "", details={"errno": 1061}))
    with pytest.raises(RecoveryError) as caught:
        schema(server).make()
    assert caught.value.details == {"errno": 1061}
    assert server.version == 1


def test_a_name_is_quoted(server: Server) -> None:
    server.schema = True
    JournalSchema(server, "my-journal").make()  # type: ignore[arg-type]
    assert all("`my-journal`" in event for event in server.events)


def test_a_later_version_is_reached_from_each_earlier_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema(server).make()
    added = ("CREATE TABLE IF NOT EXISTS {schema}.later (id INT)",)
    monkeypatch.setattr(journal_schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(journal_schema, "_UPGRADES", (*journal_schema._UPGRADES, added))
    server.events.clear()
    assert schema(server).make() is True
    assert server.version == SCHEMA_VERSION + 1
    assert not [event for event in server.events if "rebuilds" in event]
    assert "later" in server.tables


@pytest.mark.parametrize("code", ["database_no_grant", "database_unavailable"])
def test_who_may_not_make_it_is_told_who_can(code: str) -> None:
    sql = FakeSql()
    refused = RecoveryError(code, "GRANT ...;", details={"grant": "GRANT ..."})
    sql.fail_on = ("CREATE DATABASE", refused)
    with pytest.raises(RecoveryError) as caught:
        JournalSchema(sql, "nova_recovery").make()  # type: ignore[arg-type]
    assert caught.value.code == code
    assert caught.value.details == refused.details
    assert ("recovery_journal" in caught.value.message) is (code == "database_no_grant")
