# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neutron behind its Protocol: what is put in, and how often it was asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.neutron import (
    Network,
    Port,
    Subnet,
)

# Ids that begin with what they are of.
NET_A, NET_B = (f"{n}0000000-0000-4000-8000-000000000000" for n in "ab")
PORT_1, PORT_2 = (f"{n}1111111-1111-4111-8111-111111111111" for n in "cd")
PROJECT, OTHER = "project", "other"


def network(network_id: str = NET_A, name: str = "a", **values: Any) -> Network:
    return Network(
        **{
            "id": network_id,
            "name": name,
            "project_id": PROJECT,
            "subnets": (Subnet(cidr="10.0.0.0/24"),),
            **values,
        }
    )


def port(port_id: str = PORT_1, name: str = "one", **values: Any) -> Port:
    return Port(
        **{
            "id": port_id,
            "name": name,
            "project_id": PROJECT,
            "network_id": NET_A,
            "addresses": frozenset({"10.0.0.9"}),
            **values,
        }
    )


class FakeNeutron:
    """Implements NetworkCloud."""

    def __init__(self, *things: Network | Port, allocates: bool = False) -> None:
        self.all_networks = [thing for thing in things if isinstance(thing, Network)]
        self.all_ports = [thing for thing in things if isinstance(thing, Port)]
        self.allocates = allocates
        self.calls: list[str] = []

    def networks(self) -> list[Network]:
        self.calls.append("networks")
        return self.all_networks

    def ports_by_id(self, port_ids: Iterable[str]) -> list[Port]:
        self.calls.append("ports_by_id")
        wanted = set(port_ids)
        return [found for found in self.all_ports if found.id in wanted]

    def ports_by_name(self, names: Iterable[str]) -> list[Port]:
        self.calls.append("ports_by_name")
        wanted = set(names)
        return [found for found in self.all_ports if found.name in wanted]

    def ports_of(self, instance_uuids: Iterable[str]) -> list[Port]:
        self.calls.append("ports_of")
        wanted = set(instance_uuids)
        return [found for found in self.all_ports if found.device_id in wanted]

    def ports_at(self, addresses: Iterable[str]) -> list[Port]:
        self.calls.append("ports_at")
        wanted = set(addresses)
        return [found for found in self.all_ports if found.addresses & wanted]

    def can_allocate_topology(self) -> bool:
        self.calls.append("can_allocate_topology")
        return self.allocates
