# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a rebuilt instance is what was asked for: five checks, each reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..check import Check
from ..nova import RUNNING, Instance, Port, VolumeAttachment
from .network_request import AUTO, NONE
from .request_spec import RequestSpec

CHECKS = ("status", "host", "ports", "volumes", "allocation")


def verify(
    instance: Instance,
    requested: Sequence[Mapping[str, Any]] | None,
    ports: Sequence[Port],
    allocation_hosts: frozenset[str],
    volumes: Mapping[str, VolumeAttachment] | None,
) -> dict[str, Check]:
    """All checks by name.

    :param requested: fields of each NetworkRequest; None where it is not known any more.
    :param volumes: None when the cloud has no block storage service.
    """
    host = instance.host or ""
    checks = (
        _status(instance),
        Check("host", bool(host), "a host", host or "none"),
        _ports(host, requested, ports),
        _volumes(instance, volumes),
        Check(
            "allocation",
            bool(host) and allocation_hosts == {host},
            host or "one host",
            ", ".join(sorted(allocation_hosts)) or "none",
        ),
    )
    return {check.name: check for check in checks}


def requested_networks(spec: RequestSpec | None) -> list[dict[str, Any]] | None:
    """What a stored RequestSpec says of them."""
    return None if spec is None else spec.requested_networks


def _status(instance: Instance) -> Check:
    observed = f"{instance.vm_state}, power state {instance.power_state}"
    if instance.task_state:
        observed += f", {instance.task_state}"
    passed = (
        instance.vm_state == "active"
        and instance.power_state == RUNNING
        and instance.task_state is None
    )
    return Check("status", passed, f"active, power state {RUNNING}", observed)


def _ports(
    host: str, requested: Sequence[Mapping[str, Any]] | None, ports: Sequence[Port]
) -> Check:
    wrong = []
    for port in ports:
        if port.binding_host != host:
            wrong.append(f"{port.id} bound to {port.binding_host or 'no host'}")
        elif port.admin_state_up and port.status != "ACTIVE":
            wrong.append(f"{port.id} {port.status}")
    wanted = f"each bound to {host or 'its host'}"
    if requested is not None:
        wanted = f"{_how_many(requested)} bound to {host or 'its host'}"
        wrong += _not_as_requested(requested, ports)
    observed = "; ".join(wrong) or f"{len(ports)} bound to {host}"
    return Check("ports", not wrong, wanted, observed)


def _how_many(requested: Sequence[Mapping[str, Any]]) -> str:
    networks = [request.get("network_id") for request in requested]
    if networks == [NONE]:
        return "0"
    # Nova chose a network itself.
    return "1 or 0" if networks in ([AUTO], []) else str(len(requested))


def _not_as_requested(
    requested: Sequence[Mapping[str, Any]], ports: Sequence[Port]
) -> Iterable[str]:
    networks = [request.get("network_id") for request in requested]
    if networks in ([AUTO], []):
        if len(ports) > 1:
            yield f"{len(ports)} ports"
        return
    left = list(ports)
    # The most particular requests choose first.
    order = sorted(requested, key=lambda one: (not one.get("port_id"), not one.get("address")))
    for request in order if networks != [NONE] else ():
        match = next((port for port in left if _is_for(port, request)), None)
        if match is None:
            yield f"no port for {_words(request)}"
        else:
            left.remove(match)
    for port in left:
        yield f"{port.id} was not requested"


def _is_for(port: Port, request: Mapping[str, Any]) -> bool:
    if request.get("port_id"):
        return port.id == str(request["port_id"])
    if port.network_id != request.get("network_id"):
        return False
    return not request.get("address") or str(request["address"]) in port.fixed_ips


def _words(request: Mapping[str, Any]) -> str:
    if request.get("port_id"):
        return f"port {request['port_id']}"
    address = f" with {request['address']}" if request.get("address") else ""
    return f"network {request.get('network_id')}{address}"


def _volumes(instance: Instance, volumes: Mapping[str, VolumeAttachment] | None) -> Check:
    wrong = []
    if volumes is not None:
        for volume_id in sorted(instance.volume_ids):
            volume = volumes.get(volume_id)
            if volume is None:
                wrong.append(f"{volume_id} is unknown to the block storage service")
            elif volume.status != "in-use" or instance.id not in volume.attached_to:
                wrong.append(f"{volume_id} is {volume.status}")
    expected = f"{len(instance.volume_ids)} attached"
    return Check("volumes", not wrong, expected, "; ".join(wrong) or expected)
