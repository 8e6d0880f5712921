# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module network_request."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    nova_databases_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    network_request as module,
)
from fakes.ansible_module import result_of
from fakes.neutron import NET_A, FakeNeutron, network, port
from fakes.request_specs import FakeSpecDatabases

WANTED: dict[str, Any] = {
    "instances": ["u", "v"],
    "networks": [{"network": "a", "tag": "t"}],
}


@pytest.fixture(name="databases")
def _databases(monkeypatch: pytest.MonkeyPatch) -> FakeSpecDatabases:
    databases = FakeSpecDatabases()
    databases.buried("u")
    databases.left_behind("v")
    connections = SimpleNamespace(databases=databases, cloud=None, close=databases.close)
    monkeypatch.setattr(
        nova_databases_module, "NovaConnections", lambda params, **options: connections
    )
    monkeypatch.setattr(module, "NeutronNetworks", lambda cloud: FakeNeutron(network(), port()))
    return databases


def stored(databases: FakeSpecDatabases, uuid: str) -> Any:
    return json.loads(databases.specs[uuid].spec)["nova_object.data"].get("requested_networks")


def test_check_mode_and_then_for_real_and_then_again(
    databases: FakeSpecDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True, **WANTED)
    assert planned["changed"]
    assert stored(databases, "u") is None
    done = result_of(module.main, monkeypatch, **WANTED)
    for name in ("changed", "instances", "diff"):
        assert done[name] == planned[name]
    shown = [{"network": NET_A, "tag": "t"}]
    assert done["instances"] == [
        {"uuid": uuid, "requested_networks": shown, "source": "given", "changed": True}
        for uuid in ("u", "v")
    ]
    assert [each["before_header"] for each in done["diff"]] == ["u", "v"]
    for uuid in ("u", "v"):
        [request] = stored(databases, uuid)["nova_object.data"]["objects"]
        assert request["nova_object.data"]["network_id"] == NET_A
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, **WANTED)
        assert not again["changed"]
        assert again["diff"] == []
        assert again["instances"][0]["requested_networks"] == shown
    assert databases.transactions == 1


def test_absent(databases: FakeSpecDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    result_of(module.main, monkeypatch, instances=["u"], networks="none")
    assert stored(databases, "u") is not None
    for changed in (True, False):
        result = result_of(module.main, monkeypatch, instances=["u", "v"], state="absent")
        assert result["changed"] is changed
    assert stored(databases, "u") is None


def test_a_source_is_asked_when_it_is_allowed(
    databases: FakeSpecDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_of(module.main, monkeypatch, instances=["u"], source=["single_network"])
    assert result["instances"] == [
        {
            "uuid": "u",
            "requested_networks": [{"network": NET_A}],
            "source": "single_network",
            "changed": True,
        }
    ]
    assert databases.writes == ["u"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"networks": None}, "invalid_options"),
        ({"networks": "private"}, "invalid_networks"),
        ({"networks": "none", "source": ["ports"]}, "invalid_options"),
        ({"state": "absent"}, "invalid_options"),
        ({"instances": ["u", "unknown"]}, "instance_not_found"),
        ({"instances": ["unknown"]}, "instance_not_found"),
        ({"networks": [{"network": "b"}]}, "network_request_refused"),
    ],
)
def test_what_is_refused_changes_nothing(
    databases: FakeSpecDatabases,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    code: str,
) -> None:
    result = result_of(module.main, monkeypatch, **{**WANTED, **options})
    assert result["failed"]
    assert not result["changed"]
    assert result["error"]["code"] == code
    assert databases.transactions == 0
