# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What requested networks are checked against: Neutron's things as values, and how to read them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

# vNIC types for which Nova makes a PCI request (network.model.VNIC_TYPES_SRIOV).
_SRIOV = frozenset(
    {"direct", "macvtap", "direct-physical", "virtio-forwarder", "vdpa", "remote-managed"}
)
_ACCELERATOR = frozenset({"accelerator-direct", "accelerator-direct-physical"})
EVERYONE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """``automatic`` is True where Neutron makes the addresses itself and none can be asked for."""

    cidr: str
    automatic: bool = False

    def holds(self, address: str) -> bool:
        """Whether an interface can have this address here, by Neutron's rules."""
        net, ip = ipaddress.ip_network(self.cidr), ipaddress.ip_address(address)
        if self.automatic or ip not in net or ip == net.network_address:
            return False
        return net.version == 6 or net.prefixlen > 30 or ip != net.broadcast_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """``shared_with`` are the projects that it is shared with, or ``*`` for all."""

    id: str
    name: str
    project_id: str
    shared_with: frozenset[str] = frozenset()
    external: bool = False
    subnets: tuple[Subnet, ...] = ()

    def is_shared_with(self, project_id: str) -> bool:
        return bool(self.shared_with & {EVERYONE, project_id})

    def is_visible_to(self, project_id: str) -> bool:
        """Whether Nova finds it for an instance of this project."""
        return self.project_id == project_id or self.is_shared_with(project_id)

    def is_forbidden_to(self, project_id: str) -> bool:
        """Nova lets only administrators attach to an external network that is not shared."""
        return self.external and not self.is_shared_with(project_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port, also one that no instance has: then ``device_id`` is empty.

    ``qos`` is True for a port that needs resources to be scheduled (a resource_request).
    """

    id: str
    name: str
    project_id: str
    network_id: str
    device_id: str = ""
    device_owner: str = ""
    addresses: frozenset[str] = frozenset()
    ip_allocation: str | None = None
    vnic_type: str = "normal"
    vif_type: str = ""
    dns_name: str | None = None
    device_profile: str | None = None
    qos: bool = False
    created_at: str = ""

    @property
    def is_sriov(self) -> bool:
        return self.vnic_type in _SRIOV

    @property
    def is_accelerator(self) -> bool:
        return bool(self.device_profile) or self.vnic_type in _ACCELERATOR

    @property
    def lacks_address(self) -> bool:
        return not self.addresses and self.ip_allocation not in ("deferred", "none")


class NetworkCloud(Protocol):
    """Neutron, read with the rights of an administrator. Every call can raise RecoveryError."""

    def networks(self) -> Sequence[Network]:
        """All of them; read once."""

    def ports_by_id(self, port_ids: Iterable[str]) -> Sequence[Port]: ...

    def ports_by_name(self, names: Iterable[str]) -> Sequence[Port]: ...

    def ports_of(self, instance_uuids: Iterable[str]) -> Sequence[Port]: ...

    def ports_at(self, addresses: Iterable[str]) -> Sequence[Port]:
        """On any network."""

    def can_allocate_topology(self) -> bool:
        """Whether the cloud can make a network for a project that has none."""
