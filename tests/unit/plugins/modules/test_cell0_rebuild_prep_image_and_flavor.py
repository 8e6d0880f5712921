# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cell0_rebuild_prep with another image and flavor."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    nova_databases_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    cell0_rebuild_prep as module,
)
from fakes.another_build import Twin
from fakes.ansible_module import result_of
from fakes.nova_databases import CELL0, FakeDatabases

TWIN = Twin.load()
UUID = TWIN.rows.instance_uuid
WANTED: dict[str, Any] = {"instances": [UUID], "image": "an-image", "flavor": "a-flavor"}
FLAVORS = {
    "a-flavor": TWIN.flavor,
    "pinned": replace(TWIN.flavor, extra_specs={"hw:cpu_policy": "dedicated"}),
}


@pytest.fixture(name="databases")
def _databases(monkeypatch: pytest.MonkeyPatch) -> FakeDatabases:
    databases = FakeDatabases()
    tables = {name: [dict(row) for row in rows] for name, rows in TWIN.rows.tables.items()}
    databases.add(UUID, tables, TWIN.spec.dumps(), cell_id=CELL0)
    monkeypatch.setattr(databases, "make_journal", lambda: True, raising=False)
    monkeypatch.setattr(databases.api, "flavor", FLAVORS.get, raising=False)
    connections = SimpleNamespace(
        databases=databases,
        cloud="the cloud",
        settle_time=lambda given: timedelta(seconds=given or 60),
        close=lambda: None,
    )
    monkeypatch.setattr(
        nova_databases_module, "NovaConnections", lambda params, **options: connections
    )
    monkeypatch.setattr(module, "choose_image", lambda cloud, name: TWIN.image)
    return databases


def test_check_mode_and_then_for_real_and_then_again(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True, **WANTED)
    assert planned["changed"]
    assert UUID not in databases.api.build_requests([UUID])
    done = result_of(module.main, monkeypatch, **WANTED)
    assert done["diff"] == planned["diff"]
    [diff] = done["diff"]
    assert (diff["before"]["image"], diff["before"]["flavor"]) == ("lab-image", "lab.tiny")
    assert (diff["after"]["image"], diff["after"]["flavor"]) == ("twin-hardware", "twin-hardware")
    instance = json.loads(databases.api.build_requests([UUID])[UUID].instance)
    assert instance["nova_object.data"]["image_ref"] == TWIN.image.id
    again = result_of(module.main, monkeypatch, **WANTED)
    assert (again["changed"], again["diff"]) == (False, [])


def test_without_either_the_cloud_is_not_needed(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "choose_image", None)
    result = result_of(module.main, monkeypatch, instances=[UUID], flavor="a-flavor")
    assert result["changed"]
    assert result["diff"][0]["after"]["image"] == "lab-image"


def test_a_refusal_names_the_instance_and_changes_nothing(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_of(module.main, monkeypatch, **{**WANTED, "flavor": "pinned"})
    assert result["failed"]
    assert not result["changed"]
    assert result["error"]["code"] == "refused"
    assert result["error"]["details"]["instances"][UUID]["code"] == "flavor_needs_nova"
    assert UUID not in databases.api.build_requests([UUID])


def test_why_it_can_not_be_prepared_at_all_comes_first(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**WANTED, "flavor": "pinned", "instances": ["unknown"]}
    result = result_of(module.main, monkeypatch, **options)
    assert result["error"]["details"]["instances"]["unknown"]["code"] == "instance_not_found"


def test_there_is_no_such_flavor(databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, **{**WANTED, "flavor": "other"})
    assert result["error"]["code"] == "flavor_not_found"


@pytest.mark.parametrize("name", ["image", "flavor"])
def test_to_put_back_takes_neither(
    databases: FakeDatabases, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    options = {"instances": [UUID], "state": "buried", name: WANTED[name]}
    result = result_of(module.main, monkeypatch, **options)
    assert result["error"]["code"] == "invalid_options"
