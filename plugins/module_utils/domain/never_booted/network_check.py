# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether requested networks can still be had: what Nova itself would refuse, told before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .network_request import NetworkRequest, Requests, is_auto, is_none
from .network_subject import Subject
from .neutron import Network, NetworkCloud, Port


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkProblem:
    """Why a request cannot be met: ``code`` for playbooks, ``message`` with what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read of Neutron for many instances."""

    networks: Mapping[str, Network]
    ports: Mapping[str, Port]
    holders: Mapping[tuple[str, str], Port]
    can_allocate: bool
    claimed_ports: Mapping[str, int]
    claimed_addresses: Mapping[tuple[str, str], int]


def check_requests(
    cloud: NetworkCloud, wanted: Iterable[tuple[Subject, Requests]]
) -> dict[str, list[NetworkProblem]]:
    """The problems of each instance, by uuid; without an entry all is well.

    Instances that ask for the same port or address are in each other's way. The number of calls
    does not depend on the number of instances, but for the batches of ids in one call.
    """
    pairs = list(wanted)
    seen = _look(cloud, [requests for _subject, requests in pairs])
    found = {
        subject.instance_uuid: list(_problems(subject, requests, seen))
        for subject, requests in pairs
    }
    return {uuid: problems for uuid, problems in found.items() if problems}


def _look(cloud: NetworkCloud, wanted: Sequence[Requests]) -> _Seen:
    every = [request for requests in wanted if not is_none(requests) for request in requests]
    ports = Counter(request.port_id for request in every if request.port_id)
    addresses = Counter(
        (request.network_id, request.address)
        for request in every
        if request.address and request.network_id
    )
    # Requests for ports and for nothing need no network.
    lists = any(not requests for requests in wanted) or any(not r.port_id for r in every)
    holders: dict[tuple[str, str], Port] = {}
    if addresses:
        for port in cloud.ports_at(sorted({address for _network, address in addresses})):
            holders.update({(port.network_id, address): port for address in port.addresses})
    return _Seen(
        networks={network.id: network for network in cloud.networks()} if lists else {},
        ports={port.id: port for port in cloud.ports_by_id(sorted(ports))} if ports else {},
        holders=holders,
        can_allocate=any(map(is_auto, wanted)) and cloud.can_allocate_topology(),
        claimed_ports=ports,
        claimed_addresses=addresses,
    )


def usable_networks(networks: Iterable[Network], project_id: str) -> list[Network]:
    """Those among which Nova chooses for an instance that asks for none: its own and shared ones.

    A network that the project sees only because it is external is not among them.
    """
    return [network for network in networks if network.is_visible_to(project_id)]


def _problems(subject: Subject, requests: Requests, seen: _Seen) -> Iterator[NetworkProblem]:
    if is_none(requests):
        return
    if not requests or is_auto(requests):
        yield from _unnamed(subject, requests, seen)
        return
    for request in requests:
        if request.port_id:
            yield from _port(subject, request.port_id, seen)
        else:
            yield from _network(subject, request, request.network_id or "", seen)


def _unnamed(subject: Subject, requests: Requests, seen: _Seen) -> Iterator[NetworkProblem]:
    usable = usable_networks(seen.networks.values(), subject.project_id)
    ids = ", ".join(sorted(network.id for network in usable))
    if len(usable) > 1:
        yield NetworkProblem(
            code="network_ambiguous",
            message=f"no network is named and the project can use several ({ids}): name one",
        )
    elif usable:
        yield from _usable(usable[0], subject)
    elif requests and not seen.can_allocate:
        yield NetworkProblem(
            code="auto_allocation_unavailable",
            message="the project has no network and Neutron cannot make one: it lacks the extension"
            " auto-allocated-topology, a default external network or a default subnet pool. Make a"
            " network or request 'none'",
        )


def _network(
    subject: Subject, request: NetworkRequest, network_id: str, seen: _Seen
) -> Iterator[NetworkProblem]:
    network = seen.networks.get(network_id)
    if network is None:
        yield NetworkProblem(
            code="network_gone", message=f"network {network_id} does not exist: name another one"
        )
        return
    if not network.is_visible_to(subject.project_id) and not network.external:
        yield NetworkProblem(
            code="network_not_visible",
            message=f"network {network_id} is neither owned by the instance's project"
            f" {subject.project_id} nor shared with it: share it or name another one",
        )
        return
    yield from _usable(network, subject)
    if request.address and network.subnets:
        yield from _address(network, request.address, seen)


def _usable(network: Network, subject: Subject) -> Iterator[NetworkProblem]:
    if network.is_forbidden_to(subject.project_id):
        yield NetworkProblem(
            code="network_external",
            message=f"network {network.id} is external and not shared: Nova lets only"
            " administrators attach to it. Name another one",
        )
    if not network.subnets:
        yield NetworkProblem(
            code="network_without_subnet",
            message=f"network {network.id} has no subnet: add one or name another network",
        )


def _address(network: Network, address: str, seen: _Seen) -> Iterator[NetworkProblem]:
    if not any(subnet.holds(address) for subnet in network.subnets):
        cidrs = ", ".join(subnet.cidr for subnet in network.subnets)
        yield NetworkProblem(
            code="address_outside_subnets",
            message=f"{address} cannot be asked for in the subnets of network {network.id}"
            f" ({cidrs}): choose another address or leave it out",
        )
    holder = seen.holders.get((network.id, address))
    if holder is not None:
        yield NetworkProblem(
            code="address_taken",
            message=f"{address} on network {network.id} belongs to port {holder.id}: choose another"
            " one, or request the port if it is meant for the instance",
        )
    if seen.claimed_addresses[network.id, address] > 1:
        yield NetworkProblem(
            code="address_duplicate",
            message=f"{address} on network {network.id} is requested more than once",
        )


def _port(subject: Subject, port_id: str, seen: _Seen) -> Iterator[NetworkProblem]:
    if seen.claimed_ports[port_id] > 1:
        yield NetworkProblem(
            code="port_duplicate", message=f"port {port_id} is requested more than once"
        )
    port = seen.ports.get(port_id)
    if port is None:
        yield NetworkProblem(
            code="port_gone",
            message=f"port {port_id} does not exist: name another one, or its network",
        )
        return
    tests = (
        (
            port.project_id != subject.project_id,
            "port_not_visible",
            f"belongs to project {port.project_id} and not to the instance's {subject.project_id}",
        ),
        (
            port.device_id not in ("", subject.instance_uuid),
            "port_taken",
            f"is used by {port.device_owner or 'device'} {port.device_id}: detach it there",
        ),
        (
            port.qos,
            "port_qos",
            "needs resources of its own (QoS): Nova does not keep what was asked for, so that a"
            " rebuild would not get them. Remove its QoS policy or create the instance anew",
        ),
        (
            port.is_accelerator,
            "port_accelerator",
            "has a device profile: Nova does not keep what was asked for it",
        ),
        (
            port.is_sriov and port_id not in subject.sriov_ports,
            "port_sriov",
            f"is an SR-IOV port ({port.vnic_type}) that the instance was not created with: no PCI"
            " device would be claimed for it",
        ),
        (
            port.vif_type == "binding_failed",
            "port_binding_failed",
            "could not be bound by Neutron: unset its host first",
        ),
        (port.lacks_address, "port_without_address", "has no address: give it one"),
        (
            bool(port.dns_name) and subject.hostname not in (None, port.dns_name),
            "port_dns_name",
            f"has the DNS name {port.dns_name!r}, which must be the instance's host name"
            f" {subject.hostname!r}: unset it",
        ),
    )
    for is_wrong, code, text in tests:
        if is_wrong:
            yield NetworkProblem(code=code, message=f"port {port_id} {text}")
