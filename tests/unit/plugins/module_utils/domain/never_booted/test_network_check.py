# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a request can still be met."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_check import (
    check_requests,
    usable_networks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_request import (
    AUTO_REQUEST,
    NO_REQUEST,
    NetworkRequest,
    Requests,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_subject import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.neutron import (
    Network,
    Port,
    Subnet,
)
from fakes.neutron import (
    NET_A,
    NET_B,
    OTHER,
    PORT_1,
    PORT_2,
    PROJECT,
    FakeNeutron,
    network,
    port,
)

ON_A: Requests = (NetworkRequest(network_id=NET_A),)
HAS_1: Requests = (NetworkRequest(port_id=PORT_1),)
AT_5: Requests = (NetworkRequest(network_id=NET_A, address="10.0.0.5"),)
EVERYONE = frozenset({"*"})


def subject(uuid: str = "u", **values: Any) -> Subject:
    return Subject(**{"instance_uuid": uuid, "project_id": PROJECT, "hostname": "web-1", **values})


def codes(requests: Requests, *things: Network | Port, **values: Any) -> list[str]:
    found = check_requests(FakeNeutron(*things), [(subject(**values), requests)])
    assert set(found) <= {"u"}
    assert all(problem.message for problem in found.get("u", ()))
    return [problem.code for problem in found.get("u", ())]


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([network()], []),
        ([], ["network_gone"]),
        ([network(project_id=OTHER)], ["network_not_visible"]),
        ([network(project_id=OTHER, shared_with=frozenset({"third"}))], ["network_not_visible"]),
        ([network(project_id=OTHER, shared_with=frozenset({PROJECT}))], []),
        ([network(project_id=OTHER, shared_with=EVERYONE)], []),
        ([network(external=True)], ["network_external"]),
        ([network(project_id=OTHER, external=True)], ["network_external"]),
        ([network(project_id=OTHER, external=True, shared_with=EVERYONE)], []),
        ([network(subnets=())], ["network_without_subnet"]),
    ],
)
def test_a_network(things: list[Network], expected: list[str]) -> None:
    assert codes(ON_A, *things) == expected


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([network()], []),
        ([network(subnets=(Subnet(cidr="10.1.0.0/24"),))], ["address_outside_subnets"]),
        ([network(subnets=(Subnet(cidr="10.1.0.0/24"), Subnet(cidr="10.0.0.0/28")))], []),
        ([network(subnets=())], ["network_without_subnet"]),
        ([network(), port(addresses=frozenset({"10.0.0.5"}))], ["address_taken"]),
        ([network(), port(addresses=frozenset({"10.0.0.5"}), device_id="u")], ["address_taken"]),
        ([network(), port(addresses=frozenset({"10.0.0.5"}), network_id=NET_B)], []),
        ([network(), port(addresses=frozenset({"10.0.0.6"}))], []),
    ],
)
def test_an_address(things: list[Network | Port], expected: list[str]) -> None:
    assert codes(AT_5, *things) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"device_id": "u"}, []),
        ({"device_id": "v"}, ["port_taken"]),
        ({"project_id": OTHER}, ["port_not_visible"]),
        ({"qos": True}, ["port_qos"]),
        ({"device_profile": "gpu"}, ["port_accelerator"]),
        ({"vnic_type": "direct"}, ["port_sriov"]),
        ({"vif_type": "binding_failed"}, ["port_binding_failed"]),
        ({"addresses": frozenset()}, ["port_without_address"]),
        ({"addresses": frozenset(), "ip_allocation": "none"}, []),
        ({"dns_name": "web-1"}, []),
        ({"dns_name": "web-2"}, ["port_dns_name"]),
        ({"qos": True, "device_id": "v"}, ["port_taken", "port_qos"]),
    ],
)
def test_a_port(values: dict[str, Any], expected: list[str]) -> None:
    assert codes(HAS_1, port(**values)) == expected


def test_a_port_that_is_gone() -> None:
    assert codes(HAS_1, port(PORT_2)) == ["port_gone"]


def test_an_sriov_port_that_the_instance_was_created_with() -> None:
    assert codes(HAS_1, port(vnic_type="direct"), sriov_ports={PORT_1: "request"}) == []


def test_a_host_name_that_is_not_known_is_no_reason() -> None:
    assert codes(HAS_1, port(dns_name="web-2"), hostname=None) == []


@pytest.mark.parametrize(
    ("requests", "things", "expected"),
    [
        (NO_REQUEST, [], []),
        ((), [], []),
        ((), [network()], []),
        ((), [network(), network(NET_B)], ["network_ambiguous"]),
        ((), [network(), network(NET_B, project_id=OTHER)], []),
        ((), [network(), network(NET_B, project_id=OTHER, external=True)], []),
        ((), [network(external=True)], ["network_external"]),
        (AUTO_REQUEST, [network()], []),
        (AUTO_REQUEST, [], ["auto_allocation_unavailable"]),
        (AUTO_REQUEST, [network(), network(NET_B)], ["network_ambiguous"]),
    ],
)
def test_requests_that_name_no_network(
    requests: Requests, things: list[Network], expected: list[str]
) -> None:
    assert codes(requests, *things) == expected


def test_auto_where_neutron_can_make_a_network() -> None:
    cloud = FakeNeutron(allocates=True)
    assert check_requests(cloud, [(subject(), AUTO_REQUEST)]) == {}


def test_two_instances_cannot_have_the_same_port_or_address() -> None:
    cloud = FakeNeutron(network(), port())
    found = check_requests(
        cloud,
        [(subject("u"), HAS_1), (subject("v"), (*HAS_1, *AT_5)), (subject("w"), AT_5)],
    )
    assert {uuid: [p.code for p in problems] for uuid, problems in found.items()} == {
        "u": ["port_duplicate"],
        "v": ["port_duplicate", "address_duplicate"],
        "w": ["address_duplicate"],
    }


def test_the_number_of_calls_does_not_depend_on_the_number_of_instances() -> None:
    def calls(number: int) -> list[str]:
        cloud = FakeNeutron(network(), port())
        requests = (*HAS_1, *AT_5, *ON_A)
        check_requests(cloud, [(subject(f"u{n}"), requests) for n in range(number)])
        return cloud.calls

    assert calls(1) == calls(500) == ["ports_at", "networks", "ports_by_id"]


def test_nothing_is_asked_that_is_not_needed() -> None:
    cloud = FakeNeutron(port())
    check_requests(cloud, [])
    check_requests(cloud, [(subject(), NO_REQUEST)])
    assert cloud.calls == []
    check_requests(cloud, [(subject(), HAS_1)])
    assert cloud.calls == ["ports_by_id"]


def test_which_networks_nova_chooses_from() -> None:
    mine, shared = network(), network(NET_B, project_id=OTHER, shared_with=EVERYONE)
    foreign = network("c", project_id=OTHER)
    outside = network("d", project_id=OTHER, external=True)
    assert usable_networks([mine, shared, foreign, outside], PROJECT) == [mine, shared]
