# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the requested networks of an instance are taken from, and names made ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import RecoveryError
from .network_check import NetworkProblem, usable_networks
from .network_request import AUTO, AUTO_REQUEST, NO_REQUEST, NetworkRequest, Requests
from .network_subject import Subject
from .network_vocabulary import Reference, Wanted, WantedInterface
from .neutron import Network, NetworkCloud, Port

GIVEN = "given"
PORTS = "ports"
PCI_REQUESTS = "pci_requests"
SINGLE_NETWORK = "single_network"
SOURCES = (GIVEN, PORTS, PCI_REQUESTS, SINGLE_NETWORK)
# What the RequestSpec has already. It is not replaced by something that was only inferred.
STORED = "stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``requests`` are those that were found, not all of them where there are ``problems``.

    ``source`` is where they are from; None where nothing tells them.
    """

    source: str | None = None
    requests: Requests | None = None
    problems: Sequence[NetworkProblem] = ()


@dataclass(slots=True)
class _Neutron:
    """What was read for all instances."""

    networks: Sequence[Network] = ()
    ports: list[Port] = field(default_factory=list)
    ports_of: dict[str, list[Port]] = field(default_factory=dict)


def check_sources(wanted: Wanted | None, sources: Sequence[str]) -> None:
    """:raises RecoveryError: ``invalid_options`` where nothing can be found."""
    if wanted is not None and GIVEN not in sources:
        raise RecoveryError(
            "invalid_options",
            "networks are given, but source leaves out 'given': add it or leave networks out",
        )
    if wanted is None and not set(sources) - {GIVEN}:
        raise RecoveryError(
            "invalid_options",
            "no networks are given: state them, or allow to look for them with source"
            f" ({', '.join(SOURCES[1:])})",
        )


def find_requests(
    cloud: NetworkCloud,
    subjects: Sequence[Subject],
    wanted: Wanted | None,
    sources: Sequence[str] = (GIVEN,),
) -> dict[str, Found]:
    """The requests of each instance by uuid, from the first source that has them.

    :param wanted: what the operator states for all of them; None when nothing.
    :param sources: those that may be used, in order.
    :raises RecoveryError: ``invalid_options``.
    """
    check_sources(wanted, sources)
    neutron = _read(cloud, subjects, wanted, sources)
    return {subject.instance_uuid: _find(subject, wanted, sources, neutron) for subject in subjects}


def _read(
    cloud: NetworkCloud, subjects: Sequence[Subject], wanted: Wanted | None, sources: Sequence[str]
) -> _Neutron:
    interfaces = wanted if isinstance(wanted, tuple) else ()
    seen = _Neutron()
    if SINGLE_NETWORK in sources or any(w.network is not None for w in interfaces):
        seen.networks = cloud.networks()
    ports = [w.port for w in interfaces if w.port is not None]
    ids = sorted({port.value.lower() for port in ports if port.may_be_id})
    names = sorted({port.value for port in ports if port.may_be_name})
    if ids:
        seen.ports += cloud.ports_by_id(ids)
    if names:
        seen.ports += cloud.ports_by_name(names)
    if PORTS in sources:
        # The order of the interfaces in the guest; Neutron's own is none.
        every = cloud.ports_of([subject.instance_uuid for subject in subjects])
        for port in sorted(every, key=lambda port: (port.created_at, port.id)):
            seen.ports_of.setdefault(port.device_id, []).append(port)
    return seen


def _find(
    subject: Subject, wanted: Wanted | None, sources: Sequence[str], neutron: _Neutron
) -> Found:
    if wanted is None and subject.stored is not None:
        return Found(source=STORED, requests=subject.stored)
    for source in sources:
        if source == GIVEN:
            if wanted is not None:
                return _given(subject, wanted, neutron)
            continue
        requests = _inferred(subject, source, neutron)
        if requests:
            return _complete(subject, source, requests)
    looked = ", ".join(source for source in sources if source != GIVEN)
    return Found(
        problems=[
            NetworkProblem(
                code="networks_unknown",
                message=f"its networks are not known ({looked} tell nothing): state them",
            )
        ]
    )


def _inferred(subject: Subject, source: str, neutron: _Neutron) -> Requests:
    if source == PORTS:
        ports = neutron.ports_of.get(subject.instance_uuid, [])
        return tuple(_of_port(subject, port.id) for port in ports)
    if source == PCI_REQUESTS:
        return tuple(_of_port(subject, port_id) for port_id in subject.sriov_ports)
    usable = usable_networks(neutron.networks, subject.project_id)
    return (NetworkRequest(network_id=usable[0].id),) if len(usable) == 1 else ()


def _complete(subject: Subject, source: str, requests: Requests) -> Found:
    """An SR-IOV port that was asked for, and that a source does not know, shows its gaps."""
    missing = sorted(set(subject.sriov_ports) - {request.port_id for request in requests})
    if not missing:
        return Found(source=source, requests=requests)
    return Found(
        source=source,
        requests=requests,
        problems=[
            NetworkProblem(
                code="networks_incomplete",
                message=f"{source} does not tell all of its networks: it was created with SR-IOV"
                f" port {', '.join(missing)}, too. State them all",
            )
        ],
    )


def _of_port(subject: Subject, port_id: str, tag: str | None = None) -> NetworkRequest:
    return NetworkRequest(port_id=port_id, tag=tag, pci_request_id=subject.sriov_ports.get(port_id))


def _given(subject: Subject, wanted: Wanted, neutron: _Neutron) -> Found:
    if isinstance(wanted, str):
        requests = AUTO_REQUEST if wanted == AUTO else NO_REQUEST
        return Found(source=GIVEN, requests=requests)
    resolved = [_interface(subject, interface, neutron) for interface in wanted]
    return Found(
        source=GIVEN,
        requests=tuple(item for item in resolved if isinstance(item, NetworkRequest)),
        problems=tuple(item for item in resolved if isinstance(item, NetworkProblem)),
    )


def _interface(
    subject: Subject, wanted: WantedInterface, neutron: _Neutron
) -> NetworkRequest | NetworkProblem:
    if wanted.port is not None:
        mine = [port for port in neutron.ports if port.project_id == subject.project_id]
        port_id = _resolve("port", wanted.port, _names(neutron.ports), _names(mine))
        if isinstance(port_id, NetworkProblem):
            return port_id
        return _of_port(subject, port_id, wanted.tag)
    visible = usable_networks(neutron.networks, subject.project_id)
    reference = wanted.network or Reference(value="")
    network_id = _resolve("network", reference, _names(neutron.networks), _names(visible))
    if isinstance(network_id, NetworkProblem):
        return network_id
    return NetworkRequest(network_id=network_id, address=wanted.address, tag=wanted.tag)


def _names(things: Iterable[Network | Port]) -> dict[str, str]:
    return {thing.id: thing.name for thing in things}


def _resolve(
    kind: str, reference: Reference, every: Mapping[str, str], visible: Mapping[str, str]
) -> str | NetworkProblem:
    """The id; names are looked up among what the instance's project can use.

    An id that does not exist is left to the check, which says so of stored requests, too.
    """
    if reference.may_be_id and (reference.value.lower() in every or not reference.may_be_name):
        return reference.value.lower()
    name = reference.value
    matches = sorted(key for key, value in visible.items() if value == name)
    if len(matches) == 1:
        return matches[0]
    if matches:
        return NetworkProblem(
            code=f"{kind}_ambiguous",
            message=f"several {kind}s are named {name!r} ({', '.join(matches)}): state the id",
        )
    if name in every.values():
        return NetworkProblem(
            code=f"{kind}_not_visible",
            message=f"{kind} {name!r} exists, but the instance's project cannot use it",
        )
    return NetworkProblem(
        code=f"{kind}_gone", message=f"{kind} {name!r} does not exist: name another one"
    )
