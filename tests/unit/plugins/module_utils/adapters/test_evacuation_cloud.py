# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Neutron, Placement and Cinder know of an instance."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.evacuation_cloud import (
    OpenStackEvacuationCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.cloud import (
    EvacuationCloud,
)
from fakes import values
from fakes.nova_lists import page
from openstack import exceptions as sdk

PROVIDERS = {
    "resource_providers": [
        {"uuid": "rp-1", "root_provider_uuid": "rp-1"},
        {"uuid": "rp-2", "root_provider_uuid": "rp-2"},
        {"uuid": "rp-2-numa", "root_provider_uuid": "rp-2"},
    ]
}
HYPERVISORS = [
    {"id": "rp-1", "service": {"host": "compute-1"}},
    {"id": "rp-2", "service": {"host": "compute-2"}},
]


def cloud(
    allocations: Any = (), ports: Any = (), volumes: Any = None, *, cinder: bool = True
) -> tuple[OpenStackEvacuationCloud, list[Any]]:
    asked: list[Any] = []

    def read(_proxy: Any, path: str, _microversion: str | None = None) -> Any:
        asked.append(path)
        if path.startswith("/os-hypervisors/detail"):
            return page("hypervisors", HYPERVISORS, path)
        if path == "/resource_providers":
            return PROVIDERS
        return {"allocations": {provider: {} for provider in allocations}}

    def list_ports(**query: Any) -> Any:
        asked.append(query)
        return list(ports)

    def get_volume(volume_id: str) -> Any:
        if volume_id not in (volumes or {}):
            raise sdk.NotFoundException("no")
        return (volumes or {})[volume_id]

    connection: Any = SimpleNamespace(
        sdk=SimpleNamespace(
            compute=None,
            network=SimpleNamespace(ports=list_ports),
            block_storage=SimpleNamespace(get_volume=get_volume),
        ),
        placement=None,
        session=None,
        send_once=lambda *a: "req-1",
        read=read,
        has_service=lambda name: cinder and name == "block-storage",
    )
    return OpenStackEvacuationCloud(connection), asked


def test_it_is_what_the_domain_asks_for() -> None:
    same: EvacuationCloud = cloud()[0]
    assert same is not None


def test_allocations_are_told_by_host_also_those_of_nested_providers() -> None:
    assert cloud(["rp-1", "rp-2-numa"])[0].allocation_hosts("i") == {"compute-1", "compute-2"}
    assert cloud([])[0].allocation_hosts("i") == frozenset()


def test_providers_are_read_again_only_for_one_that_is_new() -> None:
    api, asked = cloud(["rp-2"])
    for _turn in range(3):
        api.allocation_hosts("i")
    assert asked.count("/resource_providers") == 1


def test_a_provider_without_a_host_is_not_passed_over() -> None:
    assert cloud(["strange"])[0].allocation_hosts("i") == {"provider strange"}


def test_ports() -> None:
    port = SimpleNamespace(
        id="port-1",
        device_id="id-web-1",
        status="ACTIVE",
        binding_host_id="compute-1",
        binding_vif_type="ovs",
        is_admin_state_up=True,
        device_profile=None,
        resource_request=None,
        network_id="net-1",
        fixed_ips=[{"ip_address": "10.0.0.5", "subnet_id": "s"}, {"ip_address": "fd00::5"}],
    )
    found = cloud(ports=[port])[0].ports_of(["id-web-1"])
    addresses = frozenset({"10.0.0.5", "fd00::5"})
    assert found == [replace(values.port(), network_id="net-1", fixed_ips=addresses)]


def test_ports_are_asked_for_in_batches_that_fit_into_a_url() -> None:
    api, asked = cloud()
    api.ports_of(f"{number:036}" for number in range(250))
    assert [len(query["device_id"]) for query in asked] == [100, 100, 50]
    assert api.ports_of([]) == []


def test_volumes() -> None:
    attached = SimpleNamespace(
        status="in-use", attachments=[{"server_id": "i", "host_name": "compute-2"}]
    )
    silent = SimpleNamespace(status="in-use", attachments=[{"server_id": "i", "host_name": None}])
    found = cloud(volumes={"v": attached, "w": silent})[0].volumes(["v", "w", "unknown"])
    assert found is not None
    assert set(found) == {"v", "w"}
    assert (found["v"].attached_to, found["v"].attached_hosts) == (
        frozenset("i"),
        frozenset({"compute-2"}),
    )
    assert found["w"].attached_hosts == frozenset()


def test_a_cloud_without_block_storage() -> None:
    assert cloud(cinder=False)[0].volumes(["v"]) is None
