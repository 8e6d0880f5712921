# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Placement with hosts as large as a test says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
    Circumstances,
    Hypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Host,
    Inventory,
    ResourceRequest,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import Instance


def sized(
    name: str, vcpus: int = 0, memory_mb: int = 0, disk_gb: int = 0, *traits: str, used: int = 0
) -> Host:
    """A host with so much of each, of which so many CPUs are used."""
    return Host(
        name=name,
        inventories={
            "VCPU": [Inventory(total=vcpus, used=used)],
            "MEMORY_MB": [Inventory(total=memory_mb)],
            "DISK_GB": [Inventory(total=disk_gb)],
        },
        traits=frozenset(traits),
    )


class FakeCapacity:
    """Implements Capacity."""

    def __init__(
        self, hosts: Iterable[Host], aggregates: Iterable[Aggregate] = (), **zones: str | None
    ) -> None:
        self.all = list(hosts)
        self._aggregates = list(aggregates)
        # The zone that an instance is pinned to, by its name.
        self.pinned = zones
        self.pinned_known = True
        self.image_properties: dict[str, Mapping[str, str] | None] = {}
        self.limits: dict[str, int] = {}
        self.where: dict[str, str] = {}
        self.error: RecoveryError | None = None

    def candidates(self, request: ResourceRequest) -> list[Host]:
        return [host.view() for host in self.all if host.fits(request)]

    def hosts(self, names: Iterable[str]) -> list[Host]:
        wanted = set(names)
        return [host.view() for host in self.all if host.name in wanted]

    def aggregates(self) -> list[Aggregate]:
        if self.error is not None:
            raise self.error
        return self._aggregates

    def hypervisors(self) -> list[Hypervisor]:
        return [
            Hypervisor(
                host=host.name,
                free_ram_mb=host.free("MEMORY_MB"),
                free_disk_gb=host.free("DISK_GB"),
            )
            for host in self.all
        ]

    def circumstances(self, instances: Iterable[Instance]) -> Mapping[str, Circumstances]:
        return {
            instance.id: Circumstances(
                pinned_zone=self.pinned.get(instance.name),
                pinned_zone_known=self.pinned_known,
                image_properties=self.image_properties.get(instance.name, {}),
            )
            for instance in instances
        }

    def group_limits(self) -> Mapping[str, int]:
        return self.limits

    def hosts_of(self, instance_ids: Iterable[str]) -> Mapping[str, str]:
        return {i: self.where[i] for i in instance_ids if i in self.where}
