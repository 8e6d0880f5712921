# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a returning host needs of Nova and Placement."""

from __future__ import annotations

from typing import Any

from ..domain.host_return.cloud import ConsumerAllocations
from ..domain.run_lock import LockRecord
from .aggregate_lock import AggregateLockStore
from .nova_api import NovaApi
from .openstack_connection import CloudConnection, cloud_errors


class OpenStackReturnCloud(NovaApi):
    """Implements ReturnCloud."""

    def __init__(self, connection: CloudConnection) -> None:
        super().__init__(connection)
        self._locks = AggregateLockStore(connection)

    def _read(self, path: str) -> Any:
        return self._connection.read(self._connection.placement, path)

    def evacuation_lock(self, host: str) -> LockRecord | None:
        return self._locks.read(host)

    def providers_of(self, host: str) -> frozenset[str]:
        # A compute node and its root resource provider have the same UUID.
        nodes = [hypervisor.id for hypervisor in self._hypervisors_of(host)]
        found = frozenset[str]()
        with cloud_errors(f"list the resource providers of {host}"):
            for node in nodes:
                tree = self._read(f"/resource_providers?in_tree={node}")["resource_providers"]
                found |= {provider["uuid"] for provider in tree}
        return found

    def consumers_on(self, provider: str) -> frozenset[str]:
        with cloud_errors(f"list the allocations of resource provider {provider}"):
            answer = self._read(f"/resource_providers/{provider}/allocations")
            return frozenset(answer["allocations"])

    def allocations_of(self, consumer: str) -> ConsumerAllocations:
        with cloud_errors(f"read the allocations of instance {consumer}"):
            answer = self._read(f"/allocations/{consumer}")
            return ConsumerAllocations(
                consumer=consumer,
                by_provider=answer["allocations"],
                # All of these are missing when it holds nothing.
                generation=answer.get("consumer_generation"),
                project_id=answer.get("project_id", ""),
                user_id=answer.get("user_id", ""),
            )

    def replace_allocations(self, wanted: ConsumerAllocations) -> None:
        body = {
            "allocations": {
                provider: {"resources": held["resources"]}
                for provider, held in wanted.by_provider.items()
            },
            "consumer_generation": wanted.generation,
            "project_id": wanted.project_id,
            "user_id": wanted.user_id,
        }
        with cloud_errors(f"rewrite the allocations of instance {wanted.consumer}"):
            path = f"/allocations/{wanted.consumer}"
            self._connection.send_once(self._connection.placement, "put", path, body)
