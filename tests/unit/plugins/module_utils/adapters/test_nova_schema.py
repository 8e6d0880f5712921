# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading which release the databases are of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.mysql import (
    Database,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_schema import (
    read_seen_release,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)


class Rows:
    """Answers by the table that is read."""

    def __init__(self, **tables: Sequence[dict[str, Any]] | str) -> None:
        self.tables = tables
        self.seen: list[str] = []

    def rows(self, sql: str) -> Sequence[dict[str, Any]]:
        self.seen.append(sql)
        schema, table = sql.split("FROM ")[1].split(maxsplit=1)[0].split(".")
        assert schema == "`nova`"
        found = self.tables[table]
        if isinstance(found, str):
            raise RecoveryError(found, "no")
        return found


Cell = tuple[Database, str]


def named(rows: Rows) -> Cell:
    return cast(Database, rows), "nova"


def schema(head: str | None, lowest: int | None = None, highest: int | None = None) -> Cell:
    heads: Any = [{"version_num": head}] if head else "database_schema_unknown"
    services = [{"lowest": lowest, "highest": highest}]
    return named(Rows(alembic_version=heads, services=services))


def test_heads_and_versions_of_all_cells() -> None:
    seen = read_seen_release(
        schema("api"),
        {"cell0": schema("c0"), "cell1": schema("c1", 61, 72), "2": schema("c2", 66, 74)},
    )
    assert seen.api_head == "api"
    assert seen.cell_heads == {"cell0": "c0", "cell1": "c1", "2": "c2"}
    assert seen.service_versions == (61, 74)


def test_services_that_are_gone_do_not_count() -> None:
    cell = Rows(alembic_version=[], services=[{"lowest": None, "highest": None}])
    assert read_seen_release(schema("a"), {"c": named(cell)}).service_versions is None
    assert any("deleted = 0 AND forced_down = 0" in sql for sql in cell.seen)


@pytest.mark.parametrize("heads", [[], [{"version_num": "a"}, {"version_num": "b"}]])
def test_no_head_or_several_are_none(heads: list[dict[str, Any]]) -> None:
    odd = named(Rows(alembic_version=heads))
    assert read_seen_release(odd, {}).api_head is None


def test_a_schema_from_before_alembic_has_no_head() -> None:
    assert read_seen_release(schema(None), {}).api_head is None


def test_another_error_is_not_hidden() -> None:
    broken = named(Rows(alembic_version="database_unavailable"))
    with pytest.raises(RecoveryError) as caught:
        read_seen_release(broken, {})
    assert caught.value.code == "database_unavailable"
