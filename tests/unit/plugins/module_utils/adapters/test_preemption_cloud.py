# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to shelve and delete instances, and which are listed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.preemption_cloud import (
    OpenStackPreemptionCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    MutationRefused,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.cloud import (
    PreemptionCloud,
)
from fakes import http

CONNECTED = {**http.OPTIONS, "auth": http.AUTH}

SERVERS = "/compute/v2.1/servers"
SERVER = {"id": "i", "name": "a", "status": "ACTIVE", "OS-EXT-STS:vm_state": "active"}


@pytest.fixture(name="http_cloud")
def _http_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        yield cloud


def connected(*, read_only: bool = False) -> PreemptionCloud:
    connection = openstack_connection.connect(CONNECTED, read_only=read_only)
    return OpenStackPreemptionCloud(connection)


def writes(cloud: http.FakeHttp) -> list[tuple[str, str, Any]]:
    return [
        (method, path, json.loads(body) if body else None)
        for (method, path), body in zip(cloud.seen, cloud.bodies, strict=True)
        if method != "GET" and not path.endswith("/auth/tokens")
    ]


@pytest.mark.parametrize(
    ("call", "action"),
    [
        ("shelve", "shelve"),
        ("shelve_offload", "shelveOffload"),
        ("force_delete", "forceDelete"),
        ("stop", "os-stop"),
    ],
)
def test_each_call_is_one_action(http_cloud: http.FakeHttp, call: str, action: str) -> None:
    assert getattr(connected(), call)("i") == "req-1"
    assert writes(http_cloud) == [("POST", f"{SERVERS}/i/action", {action: None})]


def test_what_is_deleted_already_is_no_error(http_cloud: http.FakeHttp) -> None:
    http_cloud.answers[f"{SERVERS}/i"] = (404, {})
    connected().delete_instance("i")
    assert writes(http_cloud) == [("DELETE", f"{SERVERS}/i", None)]


def test_a_refusal_is_told(http_cloud: http.FakeHttp) -> None:
    http_cloud.answers[f"{SERVERS}/i/action"] = (409, {"conflictingRequest": {"message": "no"}})
    with pytest.raises(ApiRefused) as refused:
        connected().shelve("i")
    assert refused.value.status == 409


@pytest.mark.parametrize("call", ["shelve", "shelve_offload", "force_delete", "delete_instance"])
def test_in_check_mode_nothing_can_be_sent(http_cloud: http.FakeHttp, call: str) -> None:
    with pytest.raises(MutationRefused):
        getattr(connected(read_only=True), call)("i")


def listing(query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """As Nova does: what is deleted softly has that status, and is filtered out all the same."""
    softly = {**SERVER, "id": "s", "status": "SOFT_DELETED", "OS-EXT-STS:vm_state": "soft-delete"}
    status = query.get("status")
    servers = [one for one in (SERVER, softly) if status in (None, one["status"])]
    if "soft_deleted" not in query:
        servers = [one for one in servers if one is not softly]
    return 200, {"servers": servers}


def test_what_is_deleted_softly_is_listed_as_well(http_cloud: http.FakeHttp) -> None:
    http_cloud.answers[f"{SERVERS}/detail"] = listing
    listed = [(one.id, one.vm_state) for one in connected().instances_everywhere()]
    assert listed == [("i", "active"), ("s", "soft-delete")]


def test_a_flavor_by_its_name(http_cloud: http.FakeHttp) -> None:
    flavor = {"id": "1", "name": "small", "vcpus": 1, "ram": 512, "disk": 4}
    flavor |= {"extra_specs": {"a": "b"}, "os-flavor-access:is_public": True}
    http_cloud.answers["/compute/v2.1/flavors/detail"] = (200, {"flavors": [flavor]})
    found = connected().flavor_named("small")
    assert (found.vcpus, found.memory_mb, found.root_gb) == (1, 512, 4)
    assert found.extra_specs == {"a": "b"}
