# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flavors as the API database has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.database_url import (
    parse_database_url,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.flavor_database import (
    read_flavor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.mysql import Database
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api_database import (
    NovaApiDatabase,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_flavor import (
    ChosenFlavor,
)
from fakes.mysql import FakeServer

ROW: dict[str, Any] = {
    "id": 4,
    "flavorid": "f-id",
    "name": "small",
    "memory_mb": 64,
    "vcpus": 1,
    "root_gb": None,
    "ephemeral_gb": None,
    "swap": 0,
    "rxtx_factor": 1.0,
    "vcpu_weight": None,
    "disabled": 0,
    "is_public": 1,
    "description": None,
    "updated_at": None,
    "created_at": datetime.fromisoformat("2026-11-22T08:00:00"),
}


def found(rows: Sequence[dict[str, Any]], name_or_id: str) -> ChosenFlavor | None:
    server = FakeServer(
        answers={
            "SELECT id, flavorid": rows,
            "SELECT `key`": [{"key": "hw:pmu", "value": "true"}],
            "SELECT project_id": [{"project_id": "p"}],
        }
    )
    address = parse_database_url("mysql://nova:s3cret@db/nova_api")
    database = Database(address, read_only=True, connect=server.connect)
    flavor = read_flavor(database, "`nova_api`", name_or_id)
    assert NovaApiDatabase(database, "nova_api").flavor(name_or_id) == flavor
    asked = [parameters for sql, parameters in server.seen if sql.startswith("SELECT id, fl")]
    assert asked == [(name_or_id, name_or_id)] * 2
    return flavor


def test_it_has_what_nova_reads() -> None:
    expected = {
        **ROW,
        **dict.fromkeys(("root_gb", "ephemeral_gb", "vcpu_weight"), 0),
        "disabled": False,
        "is_public": True,
        "extra_specs": {"hw:pmu": "true"},
        "project_ids": frozenset({"p"}),
    }
    for name in ("f-id", "small"):
        assert found([ROW], name) == ChosenFlavor(**expected)


def test_an_id_goes_before_a_name() -> None:
    other = {**ROW, "id": 5, "flavorid": "small", "name": "large"}
    flavor = found([ROW, other], "small")
    assert flavor is not None
    assert flavor.id == 5


def test_upper_and_lower_case_are_not_the_same() -> None:
    assert found([ROW], "SMALL") is None


def test_none_of_that_name() -> None:
    assert found([], "small") is None
