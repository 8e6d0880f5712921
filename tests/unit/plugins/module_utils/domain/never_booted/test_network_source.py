# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where requests are from, and names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_request import (
    AUTO_REQUEST,
    NO_REQUEST,
    NetworkRequest,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_source import (
    SOURCES,
    Found,
    find_requests,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_subject import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_vocabulary import (
    parse_networks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.neutron import (
    Network,
    Port,
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


def find(
    *things: Network | Port, networks: Any = None, source: list[str] | None = None, **values: Any
) -> Found:
    wanted = None if networks is None else parse_networks(networks)
    subject = Subject(**{"instance_uuid": "u", "project_id": PROJECT, **values})
    return find_requests(FakeNeutron(*things), [subject], wanted, source or ["given"])["u"]


def codes(found: Found) -> list[str]:
    return [problem.code for problem in found.problems]


@pytest.mark.parametrize(
    ("networks", "expected"), [("auto", AUTO_REQUEST), ("none", NO_REQUEST), ([], ())]
)
def test_words_that_name_nothing(networks: Any, expected: Any) -> None:
    assert find(networks=networks) == Found(source="given", requests=expected)


@pytest.mark.parametrize(
    "entry",
    [{"network": "a"}, {"network": NET_A}, {"network": NET_A.upper()}, {"net-id": NET_A}],
)
def test_a_network_by_name_or_id(entry: dict[str, str]) -> None:
    found = find(network(), network(NET_B, "b"), networks=[{**entry, "tag": "t"}])
    assert found.requests == (NetworkRequest(network_id=NET_A, tag="t"),)


@pytest.mark.parametrize("entry", [{"port": "one"}, {"port": PORT_1}, {"port-id": PORT_1}])
def test_a_port_by_name_or_id(entry: dict[str, str]) -> None:
    found = find(port(), port(PORT_2, "two"), networks=[{**entry, "tag": "t"}])
    assert found.requests == (NetworkRequest(port_id=PORT_1, tag="t"),)


def test_the_order_of_the_interfaces_is_kept() -> None:
    entries = [{"network": "b"}, {"port": "one"}, {"network": "a"}]
    found = find(network(), network(NET_B, "b"), port(), networks=entries)
    assert found.requests is not None
    assert [r.network_id or r.port_id for r in found.requests] == [NET_B, PORT_1, NET_A]


def test_an_id_goes_before_a_name_that_looks_like_one() -> None:
    things = [network(NET_A, "a"), network(NET_B, NET_A)]
    by_id = find(*things, networks=[{"network": NET_A}])
    by_name = find(*things, networks=[{"net-name": NET_A}])
    assert by_id.requests == (NetworkRequest(network_id=NET_A),)
    assert by_name.requests == (NetworkRequest(network_id=NET_B),)


def test_a_network_whose_name_looks_like_an_id_that_does_not_exist() -> None:
    found = find(network(NET_A, NET_B), networks=[{"network": NET_B}])
    assert found.requests == (NetworkRequest(network_id=NET_A),)


def test_names_are_those_that_the_project_can_use() -> None:
    theirs = network(NET_B, "a", project_id=OTHER)
    assert find(network(), theirs, networks=[{"network": "a"}]).requests == (
        NetworkRequest(network_id=NET_A),
    )
    ports = [port(), port(PORT_2, "one", project_id=OTHER)]
    assert find(*ports, networks=[{"port": "one"}]).requests == (NetworkRequest(port_id=PORT_1),)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"network": "b"}, "network_gone"),
        ({"network": "A"}, "network_gone"),
        ({"network": "theirs"}, "network_not_visible"),
        ({"network": "twice"}, "network_ambiguous"),
        ({"network": NET_B}, "network_gone"),
        ({"port": "two"}, "port_gone"),
        ({"port": "theirs"}, "port_not_visible"),
        ({"port": "twice"}, "port_ambiguous"),
    ],
)
def test_a_name_that_gives_no_id(entry: dict[str, str], code: str) -> None:
    things = [
        network(),
        network("n1", "theirs", project_id=OTHER),
        network("n2", "twice"),
        network("n3", "twice"),
        port(),
        port("p1", "theirs", project_id=OTHER),
        port("p2", "twice"),
        port("p3", "twice"),
    ]
    found = find(*things, networks=[entry])
    assert codes(found) == [code]
    if code.endswith("ambiguous"):
        assert any(ids in found.problems[0].message for ids in ("n2, n3", "p2, p3"))


def test_what_can_be_found_is_told_beside_what_cannot() -> None:
    found = find(network(), networks=[{"network": "b"}, {"network": "a"}, {"port": "two"}])
    assert codes(found) == ["network_gone", "port_gone"]
    assert found.requests == (NetworkRequest(network_id=NET_A),)


def test_an_id_that_does_not_exist_is_left_to_the_check() -> None:
    found = find(networks=[{"net-id": NET_A}, {"port-id": PORT_1}])
    assert found.requests == (NetworkRequest(network_id=NET_A), NetworkRequest(port_id=PORT_1))


def test_a_given_sriov_port_is_tied_to_its_pci_request() -> None:
    found = find(port(), networks=[{"port": "one"}], sriov_ports={PORT_1: "request"})
    assert found.requests == (NetworkRequest(port_id=PORT_1, pci_request_id="request"),)


@pytest.mark.parametrize(
    ("networks", "source"),
    [(None, ["given"]), (None, []), ("none", ["ports"]), ([], ["single_network"])],
)
def test_what_cannot_find_anything_is_refused(networks: Any, source: list[str]) -> None:
    wanted = None if networks is None else parse_networks(networks)
    cloud = FakeNeutron(network())
    with pytest.raises(RecoveryError) as caught:
        find_requests(cloud, [], wanted, source)
    assert caught.value.code == "invalid_options"
    assert cloud.calls == []


def test_ports_of_the_instance_the_oldest_first() -> None:
    things = [
        port("p1", device_id="u", created_at="2026-01-02T00:00:00Z"),
        port("p2", device_id="u", created_at="2026-01-01T00:00:00Z"),
        port("p3", device_id="v"),
    ]
    assert find(*things, source=["ports"]) == Found(
        source="ports", requests=(NetworkRequest(port_id="p2"), NetworkRequest(port_id="p1"))
    )


def test_sriov_ports_from_the_pci_requests() -> None:
    assert find(source=["pci_requests"], sriov_ports={PORT_1: "request"}) == Found(
        source="pci_requests",
        requests=(NetworkRequest(port_id=PORT_1, pci_request_id="request"),),
    )


def test_the_single_network() -> None:
    things = [network(), network(NET_B, project_id=OTHER, external=True)]
    assert find(*things, source=["single_network"]) == Found(
        source="single_network", requests=(NetworkRequest(network_id=NET_A),)
    )


@pytest.mark.parametrize("things", [[], [network(), network(NET_B)]])
def test_no_or_several_networks_are_not_guessed_from(things: list[Network]) -> None:
    found = find(*things, source=["ports", "single_network"])
    assert codes(found) == ["networks_unknown"]
    assert found.requests is None
    assert "ports, single_network" in found.problems[0].message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (["ports", "given"], "ports"),
        (["given", "ports"], "given"),
        (["pci_requests", "given"], "given"),
    ],
)
def test_the_first_source_that_tells_any_is_taken(source: list[str], expected: str) -> None:
    assert find(port(device_id="u"), networks="none", source=source).source == expected


@pytest.mark.parametrize("source", ["ports", "single_network"])
def test_a_source_that_misses_an_sriov_port_does_not_tell_all(source: str) -> None:
    things = [network(), port(PORT_2, device_id="u")]
    found = find(*things, source=[source], sriov_ports={PORT_1: "request"})
    assert codes(found) == ["networks_incomplete"]
    assert PORT_1 in found.problems[0].message


def test_what_is_stored_is_kept_unless_networks_are_given() -> None:
    things = [network()]
    for stored in ((), NO_REQUEST):
        kept = find(*things, source=["single_network"], stored=stored)
        assert kept == Found(source="stored", requests=stored)
    found = find(*things, networks="auto", stored=NO_REQUEST)
    assert found == Found(source="given", requests=AUTO_REQUEST)


def test_every_source_is_asked_once_for_all_instances() -> None:
    cloud = FakeNeutron(network(), port())
    subjects = [Subject(instance_uuid=f"u{n}", project_id=PROJECT) for n in range(300)]
    wanted = parse_networks([{"network": "a"}, {"port": "one"}, {"port": PORT_1}])
    assert len(find_requests(cloud, subjects, wanted, SOURCES)) == 300
    assert sorted(cloud.calls) == ["networks", "ports_by_id", "ports_by_name", "ports_of"]
