# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placement's answers as values, and what is sent to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.return_cloud import (
    OpenStackReturnCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.cloud import (
    ConsumerAllocations,
    ReturnCloud,
)
from fakes import http

CONNECTED = {**http.OPTIONS, "auth": http.AUTH}

# As GET /allocations/{consumer} answers at 1.28.
ANSWER = {
    "allocations": {
        "rp-1": {"resources": {"VCPU": 1, "MEMORY_MB": 512}, "generation": 9},
        "rp-2": {"resources": {"VCPU": 1, "MEMORY_MB": 512}, "generation": 4},
    },
    "project_id": "p",
    "user_id": "u",
    "consumer_generation": 3,
}
HELD = ConsumerAllocations(
    consumer="i", by_provider=ANSWER["allocations"], generation=3, project_id="p", user_id="u"
)


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        yield cloud


def connect(*, read_only: bool = False) -> OpenStackReturnCloud:
    return OpenStackReturnCloud(openstack_connection.connect(CONNECTED, read_only=read_only))


def test_it_is_what_the_domain_asks_for(cloud: http.FakeHttp) -> None:
    same: ReturnCloud = connect()
    assert same.compute_services() == []


def test_what_a_consumer_holds(cloud: http.FakeHttp) -> None:
    cloud.answers["/placement/allocations/i"] = (200, ANSWER)
    assert connect().allocations_of("i") == HELD
    assert cloud.headers[-1]["OpenStack-API-Version"] == "placement 1.28"


def test_a_consumer_that_holds_nothing(cloud: http.FakeHttp) -> None:
    # Placement leaves out all the rest then.
    cloud.answers["/placement/allocations/i"] = (200, {"allocations": {}})
    assert connect().allocations_of("i") == ConsumerAllocations(
        consumer="i", by_provider={}, generation=None, project_id="", user_id=""
    )


def test_consumers_of_a_provider(cloud: http.FakeHttp) -> None:
    cloud.answers["/placement/resource_providers/rp-1/allocations"] = (
        200,
        {
            "allocations": {"i": {"resources": {"VCPU": 1}}, "j": {}},
            "resource_provider_generation": 5,
        },
    )
    assert connect().consumers_on("rp-1") == {"i", "j"}


def test_what_is_written(cloud: http.FakeHttp) -> None:
    cloud.answers["/placement/allocations/i"] = (204, None)
    connect().replace_allocations(HELD)
    assert cloud.seen[-1] == ("PUT", "/placement/allocations/i")
    # Without a version of its own it would be 1.0, which knows no generation.
    assert cloud.headers[-1]["OpenStack-API-Version"] == "placement 1.28"
    resources = {"resources": {"VCPU": 1, "MEMORY_MB": 512}}
    assert json.loads(cloud.bodies[-1]) == {
        "allocations": {"rp-1": resources, "rp-2": resources},
        "consumer_generation": 3,
        "project_id": "p",
        "user_id": "u",
    }


def test_the_last_one_is_taken_by_writing_none(cloud: http.FakeHttp) -> None:
    nothing = ConsumerAllocations(
        consumer="i", by_provider={}, generation=3, project_id="p", user_id="u"
    )
    connect().replace_allocations(nothing)
    assert json.loads(cloud.bodies[-1])["allocations"] == {}


def test_a_change_by_others_can_be_told_from_the_rest(cloud: http.FakeHttp) -> None:
    cloud.answers["/placement/allocations/i"] = (
        409,
        {"errors": [{"status": 409, "title": "Conflict", "detail": "changed meanwhile"}]},
    )
    with pytest.raises(ApiRefused) as raised:
        connect().replace_allocations(HELD)
    assert raised.value.status == 409
    assert "changed meanwhile" in raised.value.message
    cloud.answers["/placement/allocations/i"] = (503, {})
    with pytest.raises(ApiUnavailable):
        connect().replace_allocations(HELD)
    assert cloud.seen.count(("PUT", "/placement/allocations/i")) == 2


def test_nothing_is_written_in_check_mode(cloud: http.FakeHttp) -> None:
    with pytest.raises(MutationRefused):
        connect(read_only=True).replace_allocations(HELD)


def test_an_answer_that_makes_no_sense_is_not_taken_for_nothing(cloud: http.FakeHttp) -> None:
    for call in ("consumers_on", "allocations_of"):
        with pytest.raises(RecoveryError) as raised:
            getattr(connect(), call)("x")
        assert raised.value.code == "unexpected_answer"


@pytest.mark.parametrize(
    ("status", "body", "code"), [(503, {}, "api_unavailable"), (403, {}, "forbidden")]
)
def test_a_placement_that_does_not_answer(
    cloud: http.FakeHttp, status: int, body: Any, code: str
) -> None:
    api = connect()
    cloud.answers["/placement/allocations/i"] = (status, body)
    with pytest.raises(RecoveryError) as raised:
        api.allocations_of("i")
    assert raised.value.code == code


def test_a_cloud_without_placement(cloud: http.FakeHttp) -> None:
    cloud.answers["/placement"] = (200, {"versions": []})
    with pytest.raises(RecoveryError):
        connect().allocations_of("i")


def test_the_run_lock(cloud: http.FakeHttp) -> None:
    aggregate = {
        "id": 5,
        "name": "openstack_recovery lock compute-1",
        "metadata": {"run_id": "run-1", "renewed_at": "2026-03-01T02:00:00+00:00"},
        "created_at": "2026-03-01T01:00:00.000000",
    }
    cloud.answers["/compute/v2.1/os-aggregates"] = (200, {"aggregates": [aggregate]})
    found = connect().evacuation_lock("compute-1")
    assert found is not None
    assert (found.run_id, found.holder) == ("run-1", "unknown")
    assert connect().evacuation_lock("compute-10") is None


TREES = {"node-1": ["node-1", "numa-0", "numa-1"], "node-2": ["node-2"], "other": ["other"]}


def providers(host: str) -> tuple[frozenset[str], list[str]]:
    asked: list[str] = []

    def read(_proxy: Any, path: str) -> Any:
        asked.append(path)
        node = path.removeprefix("/resource_providers?in_tree=")
        return {"resource_providers": [{"uuid": uuid} for uuid in TREES[node]]}

    hosts = {"node-1": "ironic", "node-2": "ironic", "other": "ironic-1"}
    hypervisors = [
        SimpleNamespace(id=node, service_details={"host": of}) for node, of in hosts.items()
    ]
    connection: Any = SimpleNamespace(
        sdk=SimpleNamespace(compute=SimpleNamespace(hypervisors=lambda details: hypervisors)),
        placement=None,
        session=None,
        send_once=lambda *_call: None,
        read=read,
    )
    return OpenStackReturnCloud(connection).providers_of(host), asked


def test_all_compute_nodes_of_a_host_and_what_is_below_them() -> None:
    found, asked = providers("ironic")
    assert found == {"node-1", "numa-0", "numa-1", "node-2"}
    assert len(asked) == 2


def test_a_host_with_a_similar_name_is_another_one() -> None:
    assert providers("ironic-1")[0] == {"other"}
    assert providers("iron") == (frozenset(), [])
