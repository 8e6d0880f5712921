# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neutron through openstacksdk."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.neutron_networks import (
    NeutronNetworks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.neutron import (
    Network,
    NetworkCloud,
    Port,
    Subnet,
)
from openstack import exceptions as sdk
from openstack.network.v2 import extension, network, port, rbac_policy, subnet


class FakeNetworkProxy:
    """openstacksdk's network proxy, with its own resources."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any] | Exception] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**query: Any) -> list[Any]:
            self.calls.append((name, query))
            answer = self.answers.get(name, [])
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture(name="proxy")
def _proxy() -> FakeNetworkProxy:
    return FakeNetworkProxy()


@pytest.fixture(name="neutron")
def _neutron(proxy: FakeNetworkProxy) -> NetworkCloud:
    connection = SimpleNamespace(sdk=SimpleNamespace(network=proxy))
    return NeutronNetworks(cast(CloudConnection, connection))


def error(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return sdk.HttpException("no", response=response)


def a_network(**values: Any) -> Any:
    return network.Network(**{"id": "a", "name": "net", "project_id": "p", **values})


def test_networks_with_their_subnets_and_who_they_are_shared_with(
    proxy: FakeNetworkProxy, neutron: NetworkCloud
) -> None:
    proxy.answers = {
        # To an administrator this one is shared because it is with the administrator's project.
        "networks": [a_network(is_shared=True), a_network(id="b", is_router_external=True)],
        "subnets": [
            subnet.Subnet(id="1", network_id="a", cidr="10.0.0.0/24"),
            subnet.Subnet(id="2", network_id="a", cidr="fd00::/64", ipv6_address_mode="slaac"),
            subnet.Subnet(
                id="3", network_id="b", cidr="fd01::/64", ipv6_address_mode="dhcpv6-stateful"
            ),
        ],
        "rbac_policies": [
            rbac_policy.RBACPolicy(object_id="a", target_project_id="admin"),
            rbac_policy.RBACPolicy(object_id="a", target_project_id="p2"),
        ],
    }
    assert neutron.networks() == [
        Network(
            id="a",
            name="net",
            project_id="p",
            shared_with=frozenset({"admin", "p2"}),
            subnets=(Subnet(cidr="10.0.0.0/24"), Subnet(cidr="fd00::/64", automatic=True)),
        ),
        Network(
            id="b", name="net", project_id="p", external=True, subnets=(Subnet(cidr="fd01::/64"),)
        ),
    ]
    neutron.networks()
    assert proxy.calls == [
        ("rbac_policies", {"object_type": "network", "action": "access_as_shared"}),
        ("subnets", {}),
        ("networks", {}),
    ]


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_policies_shared_means_with_all(
    proxy: FakeNetworkProxy, neutron: NetworkCloud, status: int
) -> None:
    proxy.answers = {
        "networks": [a_network(is_shared=True), a_network(id="b", is_shared=False)],
        "rbac_policies": error(status),
    }
    assert [found.shared_with for found in neutron.networks()] == [frozenset({"*"}), frozenset()]


@pytest.mark.parametrize("name", ["networks", "subnets", "rbac_policies"])
def test_an_api_that_does_not_answer(
    proxy: FakeNetworkProxy, neutron: NetworkCloud, name: str
) -> None:
    proxy.answers = {name: error(503)}
    with pytest.raises(ApiUnavailable):
        neutron.networks()


def test_a_port(proxy: FakeNetworkProxy, neutron: NetworkCloud) -> None:
    body = {
        "id": "1",
        "name": "one",
        "project_id": "p",
        "network_id": "a",
        "device_id": "u",
        "device_owner": "compute:nova",
        "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.9"}],
        "ip_allocation": "immediate",
        "binding:vnic_type": "direct",
        "binding:vif_type": "unbound",
        "dns_name": "web-1",
        "device_profile": "gpu",
        "resource_request": {"required": ["CUSTOM_PHYSNET"], "resources": {"NET_BW": 1}},
        "created_at": "2026-01-01T00:00:00Z",
    }
    bare = {"id": "2", "project_id": "p", "network_id": "a", "device_id": "", "dns_name": ""}
    proxy.answers = {"ports": [port.Port(**body), port.Port(**bare)]}
    assert neutron.ports_by_id(["1", "2"]) == [
        Port(
            id="1",
            name="one",
            project_id="p",
            network_id="a",
            device_id="u",
            device_owner="compute:nova",
            addresses=frozenset({"10.0.0.9"}),
            ip_allocation="immediate",
            vnic_type="direct",
            vif_type="unbound",
            dns_name="web-1",
            device_profile="gpu",
            qos=True,
            created_at="2026-01-01T00:00:00Z",
        ),
        Port(id="2", name="", project_id="p", network_id="a"),
    ]


@pytest.mark.parametrize(
    ("request_", "qos"),
    [
        (None, False),
        ({}, False),
        ({"request_groups": [], "same_subtree": []}, False),
        ({"request_groups": [{"id": "g"}], "same_subtree": ["g"]}, True),
    ],
)
def test_forms_of_a_resource_request(
    proxy: FakeNetworkProxy, neutron: NetworkCloud, request_: Any, qos: bool
) -> None:
    proxy.answers = {"ports": [port.Port(id="1", network_id="a", resource_request=request_)]}
    assert neutron.ports_by_id(["1"])[0].qos is qos


def test_how_ports_are_asked_for(proxy: FakeNetworkProxy, neutron: NetworkCloud) -> None:
    neutron.ports_by_name(["one"])
    neutron.ports_of(["u"])
    neutron.ports_at(["10.0.0.5", "fd00::5"])
    assert proxy.calls == [
        ("ports", {"name": ["one"]}),
        ("ports", {"device_id": ["u"]}),
        ("ports", {"fixed_ips": ["ip_address=10.0.0.5", "ip_address=fd00::5"]}),
    ]


def test_many_ports_are_asked_for_in_batches(
    proxy: FakeNetworkProxy, neutron: NetworkCloud
) -> None:
    proxy.answers = {"ports": [port.Port(id="1", network_id="a")]}
    assert len(neutron.ports_by_id(str(number) for number in range(250))) == 1
    assert [len(query["id"]) for _name, query in proxy.calls] == [100, 100, 50]


@pytest.mark.parametrize("alias", ["auto-allocated-topology", "router"])
def test_whether_neutron_makes_networks(
    proxy: FakeNetworkProxy, neutron: NetworkCloud, alias: str
) -> None:
    proxy.answers = {"extensions": [extension.Extension(id=alias, alias=alias)]}
    assert neutron.can_allocate_topology() is (alias == "auto-allocated-topology")


@pytest.mark.parametrize(("status", "code"), [(409, None), (403, "forbidden")])
def test_whether_neutron_has_what_it_makes_networks_of(
    proxy: FakeNetworkProxy, neutron: NetworkCloud, status: int, code: str | None
) -> None:
    alias = "auto-allocated-topology"
    proxy.answers = {
        "extensions": [extension.Extension(id=alias, alias=alias)],
        "validate_auto_allocated_topology": error(status),
    }
    if code is None:
        assert not neutron.can_allocate_topology()
        return
    with pytest.raises(ApiRefused) as caught:
        neutron.can_allocate_topology()
    assert caught.value.code == code


def test_ports_that_may_not_be_read(proxy: FakeNetworkProxy, neutron: NetworkCloud) -> None:
    proxy.answers = {"ports": error(403)}
    with pytest.raises(ApiRefused) as caught:
        neutron.ports_of(["u"])
    assert caught.value.code == "forbidden"
