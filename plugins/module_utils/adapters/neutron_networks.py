# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks, ports and who may use them, read from Neutron in a constant number of calls."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..domain.batches import in_batches
from ..domain.errors import ApiRefused
from ..domain.never_booted.neutron import EVERYONE, Network, Port, Subnet
from .openstack_connection import CloudConnection, cloud_errors

# Values of one request: an id takes 40 characters with its name, a URL may have 8 KiB.
_BATCH = 100


class NeutronNetworks:
    """Implements NetworkCloud."""

    def __init__(self, connection: CloudConnection) -> None:
        self._network = connection.sdk.network

    @functools.cached_property
    def _networks(self) -> list[Network]:
        shared_with = self._shared_with()
        subnets = defaultdict(list)
        with cloud_errors("list the subnets"):
            for subnet in self._network.subnets():
                subnets[subnet.network_id].append(
                    Subnet(
                        cidr=subnet.cidr,
                        automatic=subnet.ipv6_address_mode in ("slaac", "dhcpv6-stateless"),
                    )
                )
        with cloud_errors("list the networks"):
            return [
                Network(
                    id=network.id,
                    name=network.name or "",
                    project_id=network.project_id or "",
                    # Without the right to read the policies, or the extension, there is only this.
                    shared_with=frozenset(
                        shared_with.get(network.id, {EVERYONE} if network.is_shared else ())
                    ),
                    external=bool(network.is_router_external),
                    subnets=tuple(subnets[network.id]),
                )
                for network in self._network.networks()
            ]

    def networks(self) -> list[Network]:
        return self._networks

    def _shared_with(self) -> dict[str, set[str]]:
        """Projects by network, or ``*``: what an administrator sees as shared says nothing of
        whether the instance's project does."""
        targets: dict[str, set[str]] = defaultdict(set)
        try:
            with cloud_errors("list the RBAC policies of networks"):
                for policy in self._network.rbac_policies(
                    object_type="network", action="access_as_shared"
                ):
                    targets[policy.object_id].add(policy.target_project_id)
        except ApiRefused as error:
            if error.status not in (403, 404):
                raise
        return dict(targets)

    def ports_by_id(self, port_ids: Iterable[str]) -> list[Port]:
        return self._ports("id", port_ids)

    def ports_by_name(self, names: Iterable[str]) -> list[Port]:
        return self._ports("name", names)

    def ports_of(self, instance_uuids: Iterable[str]) -> list[Port]:
        return self._ports("device_id", instance_uuids)

    def ports_at(self, addresses: Iterable[str]) -> list[Port]:
        return self._ports("fixed_ips", (f"ip_address={address}" for address in addresses))

    def can_allocate_topology(self) -> bool:
        with cloud_errors("list Neutron's extensions"):
            found = [extension.alias for extension in self._network.extensions()]
        if "auto-allocated-topology" not in found:
            return False
        try:
            with cloud_errors("ask whether Neutron can make a network"):
                self._network.validate_auto_allocated_topology()
        except ApiRefused as error:
            if error.status != 409:
                raise
            return False
        return True

    def _ports(self, field: str, values: Iterable[str]) -> list[Port]:
        found: dict[str, Port] = {}
        for batch in in_batches(values, _BATCH):
            with cloud_errors("list ports"):
                found.update(
                    {port.id: _port(port) for port in self._network.ports(**{field: batch})}
                )
        return list(found.values())


def _port(port: Any) -> Port:
    request = port.resource_request or {}
    return Port(
        id=port.id,
        name=port.name or "",
        project_id=port.project_id or "",
        network_id=port.network_id,
        device_id=port.device_id or "",
        device_owner=port.device_owner or "",
        addresses=frozenset(ip["ip_address"] for ip in port.fixed_ips or ()),
        ip_allocation=port.ip_allocation,
        vnic_type=port.binding_vnic_type or "normal",
        vif_type=port.binding_vif_type or "",
        dns_name=port.dns_name or None,
        device_profile=port.device_profile or None,
        # In the extended form of a request everything is in its groups, which may be none.
        qos=bool(request.get("request_groups") if "request_groups" in request else request),
        created_at=port.created_at or "",
    )
