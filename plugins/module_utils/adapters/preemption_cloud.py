# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What making room needs of Nova and Placement: who is where and holds what, and how it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..domain.capacity.cloud import Aggregate, Circumstances
from ..domain.capacity.needs import Flavor
from ..domain.capacity.room import Host
from ..domain.nova import Instance
from .evacuation_cloud import OpenStackEvacuationCloud
from .nova_api import instance_of
from .openstack_connection import CloudConnection, cloud_errors


class OpenStackPreemptionCloud(OpenStackEvacuationCloud):
    """Implements PreemptionCloud."""

    def __init__(self, connection: CloudConnection) -> None:
        super().__init__(connection)
        self._capacity = self.capacity()

    def instances_everywhere(self) -> list[Instance]:
        with cloud_errors("list the instances"):
            # Nova leaves out what is deleted softly, also where that status is asked for, unless it is
            # told not to.
            queries: tuple[dict[str, Any], ...] = (
                {},
                {"status": "SOFT_DELETED", "is_soft_deleted": True},
            )
            return [
                instance_of(server)
                for query in queries
                for server in self._compute.servers(all_projects=True, **query)
            ]

    def flavor_named(self, name_or_id: str) -> Flavor:
        return self._flavors.choose(name_or_id)

    # What PlacementCapacity reads.

    def aggregates(self) -> list[Aggregate]:
        return self._capacity.aggregates()

    def circumstances(self, instances: Iterable[Instance]) -> Mapping[str, Circumstances]:
        return self._capacity.circumstances(instances)

    def group_limits(self) -> Mapping[str, int]:
        return self._capacity.group_limits()

    def hosts(self, names: Iterable[str]) -> list[Host]:
        return self._capacity.hosts(names)

    # How an instance leaves its host.

    def shelve(self, instance_id: str) -> str | None:
        with cloud_errors(f"shelve instance {instance_id}"):
            return self._send("post", f"/servers/{instance_id}/action", {"shelve": None})

    def shelve_offload(self, instance_id: str) -> str | None:
        with cloud_errors(f"offload instance {instance_id}"):
            return self._send("post", f"/servers/{instance_id}/action", {"shelveOffload": None})

    def delete_instance(self, instance_id: str) -> None:
        with cloud_errors(f"delete instance {instance_id}"):
            self._connection.delete(self._compute, f"/servers/{instance_id}")

    def force_delete(self, instance_id: str) -> str | None:
        with cloud_errors(f"delete instance {instance_id} for good"):
            return self._send("post", f"/servers/{instance_id}/action", {"forceDelete": None})
