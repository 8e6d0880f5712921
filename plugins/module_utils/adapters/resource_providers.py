# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which host each resource provider of Placement belongs to, read in few requests for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from .nova_lists import all_of
from .openstack_connection import CloudConnection, cloud_errors

# The last one that shows what Nova counts on a hypervisor; 2.88 has left it to Placement.
_HYPERVISOR_MICROVERSION = "2.87"


class ResourceProviders:
    """What is read stays until there is a provider that is not among them."""

    def __init__(self, connection: CloudConnection) -> None:
        self._connection = connection
        self._host_of_root: dict[str, str] = {}
        self._root_of: dict[str, str] = {}

    def hypervisors(self) -> list[Any]:
        """What Nova shows of each now."""
        with cloud_errors("list the hypervisors"):
            path = "/os-hypervisors/detail"
            listed = list(all_of(self._connection, path, _HYPERVISOR_MICROVERSION))
            # A compute node and its root resource provider have the same UUID.
            self._host_of_root = {entry["id"]: entry["service"]["host"] for entry in listed}
            return listed

    def hosts_by_root(self) -> Mapping[str, str]:
        """The host of each root provider that is a compute node."""
        if not self._host_of_root:
            self.hypervisors()
        return self._host_of_root

    def trees(self) -> Mapping[str, list[str]]:
        """The providers of each tree, by its root, as they are now."""
        self._read()
        found: dict[str, list[str]] = defaultdict(list)
        for provider, root in self._root_of.items():
            found[root].append(provider)
        return found

    def hosts_of(self, providers: Collection[str]) -> frozenset[str]:
        """The hosts that these belong to; of a tree that is no host's, ``provider`` and its root."""
        if any(provider not in self._root_of for provider in providers):
            self._read()
        hosts = self.hosts_by_root() if providers else {}
        roots = (self._root_of.get(provider, provider) for provider in providers)
        return frozenset(hosts.get(root, f"provider {root}") for root in roots)

    def _read(self) -> None:
        with cloud_errors("list the resource providers"):
            found = self._connection.read(self._connection.placement, "/resource_providers")
            roots = {
                provider["uuid"]: provider["root_provider_uuid"]
                for provider in found["resource_providers"]
            }
        if self._root_of and not set(roots.values()) <= set(self._root_of.values()):
            # A host may have come.
            self._host_of_root = {}
        self._root_of = roots
