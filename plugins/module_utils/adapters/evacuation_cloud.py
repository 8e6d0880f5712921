# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that an evacuation needs of a cloud: Nova, and what Neutron, Placement and Cinder know."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from ..domain.batches import in_batches
from ..domain.nova import Instance, Port, VolumeAttachment
from ..domain.policy.matching import Facts
from ..domain.policy.policy import Policy
from .flavor_choice import Flavors
from .instance_images import InstanceImages
from .nova_api import NovaApi
from .openstack_connection import (
    CloudConnection,
    cloud_errors,
    none_if_missing,
)
from .placement_capacity import PlacementCapacity
from .policy_facts import OpenStackPolicyFacts
from .resource_providers import ResourceProviders

# Instances of one port request: an id takes 47 characters, a URL may have 8 KiB.
_PORT_BATCH = 100


class OpenStackEvacuationCloud(NovaApi):
    """Implements EvacuationCloud."""

    def __init__(self, connection: CloudConnection) -> None:
        super().__init__(connection)
        self._network = connection.sdk.network
        self._resource_providers = ResourceProviders(connection)
        self._instance_images = InstanceImages(connection)
        self._flavors = Flavors(connection)
        self._facts = OpenStackPolicyFacts(connection, self._instance_images, self._flavors)
        self._has_block_storage = connection.has_service("block-storage")

    def capacity(self) -> PlacementCapacity:
        return PlacementCapacity(self._connection, self._instance_images, self._resource_providers)

    def policy_facts(
        self, policy: Policy, instances: Iterable[Instance], *, reshapes: bool = False
    ) -> Facts:
        return self._facts.policy_facts(policy, instances, reshapes=reshapes)

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        found: list[Port] = []
        for batch in in_batches(instance_ids, _PORT_BATCH):
            with cloud_errors("list the instances' ports"):
                found.extend(
                    Port(
                        id=port.id,
                        instance_id=port.device_id,
                        status=port.status or "",
                        binding_host=port.binding_host_id or "",
                        vif_type=port.binding_vif_type or "",
                        admin_state_up=bool(port.is_admin_state_up),
                        device_profile=port.device_profile,
                        network_id=port.network_id or "",
                        fixed_ips=frozenset(ip["ip_address"] for ip in port.fixed_ips or ()),
                        asks_placement=bool(port.resource_request),
                    )
                    for port in self._network.ports(device_id=batch)
                )
        return found

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        with cloud_errors(f"read the allocations of instance {instance_id}"):
            providers = self._providers_of(instance_id)
        return self._resource_providers.hosts_of(providers)

    def _providers_of(self, consumer_id: str) -> frozenset[str]:
        """Resource providers of which this consumer has allocations."""
        return frozenset(self._read_placement(f"/allocations/{consumer_id}")["allocations"])

    def _read_placement(self, path: str) -> Any:
        return self._connection.read(self._connection.placement, path)

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        if not self._has_block_storage:
            return None
        found = {}
        for volume_id in volume_ids:
            with cloud_errors(f"read volume {volume_id}"):
                read = self._connection.sdk.block_storage.get_volume
                volume = none_if_missing(functools.partial(read, volume_id))
            if volume is not None:
                attachments = volume.attachments or []
                found[volume_id] = VolumeAttachment(
                    volume_id=volume_id,
                    status=volume.status or "",
                    attached_to=frozenset(a["server_id"] for a in attachments),
                    attached_hosts=frozenset(
                        a["host_name"] for a in attachments if a.get("host_name")
                    ),
                )
        return found
