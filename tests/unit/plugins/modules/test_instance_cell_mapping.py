# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module instance_cell_mapping."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.module_utils import basic
from ansible_collections.openstack_recovery.nova.plugins.module_utils import nova_databases_module
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    instance_cell_mapping as module,
)
from fakes.ansible_module import result_of
from fakes.buried_instance import UUIDS, buried
from fakes.nova_databases import CELL1, FakeDatabases

A, B = UUIDS[:2]


@pytest.fixture(name="databases")
def _databases(monkeypatch: pytest.MonkeyPatch) -> FakeDatabases:
    databases = FakeDatabases()
    for uuid in (A, B):
        buried(databases, uuid)
        databases.map(uuid, cell_id=CELL1)
    connections = SimpleNamespace(databases=databases, close=lambda: None)
    monkeypatch.setattr(
        nova_databases_module, "NovaConnections", lambda params, **options: connections
    )
    return databases


def cell_of(databases: FakeDatabases, uuid: str) -> int | None:
    mapping = databases.mapping(uuid)
    assert mapping is not None
    return mapping.cell_id


def test_check_mode_and_then_for_real_and_then_again(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"instances": [A, B], "cell": "cell0", "expected_cell": "cell1"}
    planned = result_of(module.main, monkeypatch, check_mode=True, **options)
    assert planned["changed"]
    assert cell_of(databases, A) == CELL1
    done = result_of(module.main, monkeypatch, **options)
    assert done["instances"] == planned["instances"]
    assert [one["before"] for one in done["instances"]] == ["cell1", "cell1"]
    assert done["diff"][0]["before"] == {"cell": "cell1"}
    assert cell_of(databases, A) == cell_of(databases, B) == 1
    again = result_of(module.main, monkeypatch, **options)
    assert not again["changed"]
    assert again["diff"] == []


def test_rows_that_nobody_finds_are_warned_of(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: warnings.append(text))
    result = result_of(
        module.main, monkeypatch, instances=[A], cell="none", verify=False, check_mode=True
    )
    assert result["changed"]
    [warning] = warnings
    assert A in warning
    assert "cell0 holds rows of it" in warning


@pytest.mark.parametrize(
    ("cell", "expected", "code"),
    [
        ("cell9", None, "cell_not_found"),
        ("cell0", "cell9", "cell_not_found"),
        ("cell0", "none", "refused"),
        ("none", None, "refused"),
    ],
)
def test_what_is_refused_changes_nothing(
    databases: FakeDatabases,
    monkeypatch: pytest.MonkeyPatch,
    cell: str,
    expected: str | None,
    code: str,
) -> None:
    result = result_of(
        module.main, monkeypatch, instances=[A, B], cell=cell, expected_cell=expected
    )
    assert result["failed"]
    assert result["error"]["code"] == code
    assert cell_of(databases, A) == cell_of(databases, B) == CELL1
