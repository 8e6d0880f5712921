# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which schemas share a transaction, and what becomes true in which order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_databases import (
    NovaDatabases,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    CELL0_UUID,
)
from fakes.sql_database import FakeSql

API = "mysql+pymysql://nova_api:api-password@db/nova_api"
GRANTS = [{"privilege": name} for name in ("SELECT", "INSERT", "UPDATE", "DELETE")]


class Servers:
    """Makes the connections; all note what they do in one log."""

    def __init__(self, *cells: tuple[str, str], grants: Any = ()) -> None:
        self.cells = cells
        self.grants = grants
        self.made: list[FakeSql] = []
        self.log: list[str] = []
        self.hidden: list[str] = []
        self.read_only: list[bool] = []

    def connect(self, address: Any, *, read_only: bool) -> Any:
        sql = FakeSql(address)
        sql.log = self.log
        sql.answers = {
            "cell_mappings": [
                {"id": number, "uuid": uuid, "name": None, "database_connection": url}
                for number, (uuid, url) in enumerate(self.cells, start=1)
            ],
            "CURRENT_USER": [{"account": "nova_api@%"}],
            "USER_PRIVILEGES": list(self.grants),
            "information_schema.TABLES": [{"1": 1, "name": "instances"}],
            ".schema_version": [{"version": 1}],
        }
        self.made.append(sql)
        self.read_only.append(read_only)
        return sql

    def open(self, *, local: str | None = None, read_only: bool = False) -> NovaDatabases:
        return NovaDatabases(
            API,
            local,
            journal_schema="nova_recovery",
            read_only=read_only,
            hide=self.hidden.append,
            connect=self.connect,
        )


CELL0 = (CELL0_UUID, "mysql+pymysql://nova_api:cell-password@db/nova_cell0")
ELSEWHERE = ("cell-1", "mysql+pymysql://nova:other-password@other/nova_cell1")


def test_one_server_and_account_is_one_connection() -> None:
    servers = Servers(CELL0)
    databases = servers.open()
    with databases.transaction(1) as transaction:
        assert transaction.atomic
        with transaction.step():
            servers.log.append("work")
    assert servers.log == ["begin db", "work", "commit db"]
    assert len(servers.made) == 1


def test_an_error_undoes_all_of_one_server() -> None:
    servers = Servers(CELL0)
    databases = servers.open()
    with pytest.raises(KeyError), databases.transaction(1) as transaction:
        with transaction.step():
            pass
        with transaction.step():
            raise KeyError
    assert servers.log == ["begin db", "rollback db"]


def test_several_servers_commit_each_step_with_the_journal_last() -> None:
    servers = Servers((CELL0_UUID, "mysql://nova:p@cell0/nova_cell0"), ELSEWHERE)
    databases = servers.open()
    with databases.transaction(2) as transaction:
        assert not transaction.atomic
        with transaction.step():
            servers.log.append("work")
    assert servers.log == [
        *("begin db", "begin other", "begin cell0"),
        "work",
        *("commit db", "commit other", "commit cell0"),
    ]


def test_only_the_servers_that_take_part_are_in_it() -> None:
    servers = Servers((CELL0_UUID, "mysql://nova:p@cell0/nova_cell0"), ELSEWHERE)
    databases = servers.open()
    for cell_id in (1, None):
        servers.log.clear()
        with databases.transaction(cell_id) as transaction, transaction.step():
            pass
        assert servers.log == ["begin db", "begin cell0", "commit db", "commit cell0"]


def test_an_error_undoes_the_step_on_every_server() -> None:
    servers = Servers((CELL0_UUID, "mysql://nova:p@cell0/nova_cell0"))
    databases = servers.open()
    with pytest.raises(KeyError), databases.transaction(1) as transaction:
        with transaction.step():
            servers.log.clear()
        with transaction.step():
            raise KeyError
    assert servers.log[-2:] == ["rollback db", "rollback cell0"]


def test_a_commit_that_fails_undoes_those_after_it() -> None:
    servers = Servers((CELL0_UUID, "mysql://nova:p@cell0/nova_cell0"), ELSEWHERE)
    databases = servers.open()
    other = next(sql for sql in servers.made if sql.address.host == "other")
    other.fail_on = ("commit", RecoveryError("commit_in_doubt", "lost", retriable=True))
    with (
        pytest.raises(RecoveryError),
        databases.transaction(2) as transaction,
        transaction.step(),
    ):
        pass
    assert "commit cell0" not in servers.log
    assert servers.log[-1] == "rollback cell0"


@pytest.mark.parametrize(("grants", "connections"), [(GRANTS, 1), (GRANTS[:3], 2), ((), 2)])
def test_another_account_is_not_needed_where_the_first_may_do_all(
    grants: Any, connections: int
) -> None:
    servers = Servers((CELL0_UUID, "mysql://nova:p@db/nova_cell0"), grants=grants)
    servers.open()
    assert len(servers.made) == connections


def test_a_template_is_filled_from_the_local_connection() -> None:
    template = "{scheme}://{username}:{password}@{hostname}/{path}_cell0"
    servers = Servers((CELL0_UUID, template))
    servers.open(local="mysql://nova:local-password@cells/nova")
    assert [sql.address.host for sql in servers.made] == ["db", "cells"]
    assert servers.made[1].address.name == "nova_cell0"
    assert "local-password" in servers.hidden


def test_every_password_is_hidden() -> None:
    servers = Servers(CELL0, ELSEWHERE)
    servers.open()
    assert set(servers.hidden) == {"api-password", "cell-password", "other-password"}


def test_a_cloud_without_cell0_is_the_wrong_one() -> None:
    with pytest.raises(RecoveryError) as caught:
        Servers(ELSEWHERE).open()
    assert caught.value.code == "no_cell0"


@pytest.mark.parametrize("read_only", [True, False])
def test_what_only_reads_says_so(read_only: bool) -> None:
    servers = Servers(CELL0, ELSEWHERE)
    servers.open(read_only=read_only)
    assert servers.read_only == [read_only, read_only]


def test_cells_are_found_by_id() -> None:
    servers = Servers(CELL0, ELSEWHERE)
    databases = servers.open()
    assert [cell.uuid for cell in databases.cells().values()] == [CELL0_UUID, "cell-1"]
    databases.cell(2).instances(["u"])
    assert "`nova_cell1`.instances" in servers.made[1].statements[-1]
    databases.api.instance_mappings(["u"])
    assert "`nova_api`.instance_mappings" in servers.made[0].statements[-1]
    databases.journal.open_entries(["u"])
    assert "`nova_recovery`.rebuilds" in servers.made[0].statements[-1]


def test_every_connection_is_closed() -> None:
    servers = Servers(CELL0, ELSEWHERE)
    servers.open().close()
    assert sorted(servers.log) == ["close db", "close other"]


def test_the_journal_can_be_used_once_it_is_made() -> None:
    servers = Servers(CELL0)
    databases = servers.open()
    servers.made[0].answers["information_schema.TABLES"] = []
    databases.journal_schema.make()
    assert databases.make_journal() is True
    databases.journal.open_entries(["u"])
    assert "`nova_recovery`.rebuilds" in servers.made[0].statements[-1]
