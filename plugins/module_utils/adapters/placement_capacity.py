# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placement, and what Nova's scheduler reads beside it, for predictions."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ..domain.capacity.cloud import Aggregate, Circumstances, Hypervisor
from ..domain.capacity.room import Host, Inventory, ResourceRequest
from ..domain.nova import Instance
from .instance_images import InstanceImages
from .nova_api import cell_down
from .nova_lists import all_of, server_groups
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing
from .resource_providers import ResourceProviders

# From here on the answer says to which tree a provider belongs.
_CANDIDATES_MICROVERSION = "1.29"
# From here on the API tells the availability zone that a user has asked for.
_PINNED_ZONE_MICROVERSION = (2, 96)
# From so many on, to list the instances of all projects is less than one request for each.
_ONE_BY_ONE = 20


class PlacementCapacity:
    """Implements Capacity."""

    def __init__(
        self, connection: CloudConnection, images: InstanceImages, providers: ResourceProviders
    ) -> None:
        self._connection = connection
        self._images = images
        self._providers = providers
        self._compute = connection.sdk.compute
        # One object for each resource class of a provider, whichever answer it came with.
        self._inventories: dict[tuple[str, str], Inventory] = {}

    def _read_placement(self, path: str, microversion: str | None = None) -> Any:
        return self._connection.read(self._connection.placement, path, microversion)

    def _read_compute(self, path: str, microversion: str | None = None) -> Any:
        return self._connection.read(self._compute, path, microversion)

    def hypervisors(self) -> list[Hypervisor]:
        listed = self._providers.hypervisors()
        with cloud_errors("list the hypervisors"):
            return [_hypervisor(entry) for entry in listed]

    def candidates(self, request: ResourceRequest) -> list[Host]:
        wanted = {
            "resources": ",".join(f"{name}:{count}" for name, count in request.resources.items())
        }
        traits = [*sorted(request.required_traits)]
        traits.extend(f"!{trait}" for trait in sorted(request.forbidden_traits))
        if traits:
            wanted["required"] = ",".join(traits)
        hosts = self._providers.hosts_by_root()
        with cloud_errors("ask Placement for allocation candidates"):
            path = f"/allocation_candidates?{urlencode(wanted)}"
            answer = self._read_placement(path, _CANDIDATES_MICROVERSION)
            summaries = answer["provider_summaries"]
            found: dict[str, Host] = {}
            for allocation in answer["allocation_requests"]:
                allocations = allocation["allocations"]
                # Storage that hosts share is a tree of its own, and no host's.
                roots = {summaries[provider]["root_provider_uuid"] for provider in allocations}
                for root in roots & hosts.keys():
                    host = found.setdefault(root, Host(name=hosts[root]))
                    self._add(host, root, allocations, summaries)
            return sorted(found.values(), key=lambda host: host.name)

    def _add(
        self, host: Host, root: str, allocations: Mapping[str, Any], summaries: Mapping[str, Any]
    ) -> None:
        """What one allocation candidate says of the host."""
        host.traits |= {
            trait
            for summary in summaries.values()
            if summary["root_provider_uuid"] == root
            for trait in summary["traits"]
        }
        for provider, allocated in allocations.items():
            for resource_class in allocated["resources"]:
                counted = summaries[provider]["resources"][resource_class]
                inventory = self._inventories.setdefault(
                    (provider, resource_class),
                    Inventory(total=counted["capacity"], used=counted["used"]),
                )
                of_class = host.inventories.setdefault(resource_class, [])
                if inventory not in of_class:
                    of_class.append(inventory)

    def hosts(self, names: Iterable[str]) -> list[Host]:
        wanted = frozenset(names)
        roots = {
            root: host for root, host in self._providers.hosts_by_root().items() if host in wanted
        }
        trees = self._providers.trees() if roots else {}
        with cloud_errors("read the inventories and allocations of hosts"):
            return [
                self._whole(host, trees.get(root, ()))
                for root, host in sorted(roots.items(), key=lambda pair: pair[1])
            ]

    def _whole(self, name: str, providers: Iterable[str]) -> Host:
        held: dict[str, dict[str, int]] = {}
        host = Host(name=name, held=held)
        for provider in providers:
            path = f"/resource_providers/{provider}"
            host.traits |= set(self._read_placement(f"{path}/traits")["traits"])
            inventories = self._read_placement(f"{path}/inventories")["inventories"]
            # What is used is the sum of what consumers hold, so it need not be read as well.
            used = Counter[str]()
            consumers = self._read_placement(f"{path}/allocations")["allocations"]
            for consumer, of_one in consumers.items():
                amounts = held.setdefault(consumer, {})
                for resource_class, amount in of_one["resources"].items():
                    used[resource_class] += amount
                    amounts[resource_class] = amounts.get(resource_class, 0) + amount
            for resource_class, counted in inventories.items():
                host.inventories.setdefault(resource_class, []).append(
                    Inventory(
                        total=counted["total"],
                        used=used[resource_class],
                        reserved=counted["reserved"],
                        allocation_ratio=counted["allocation_ratio"],
                        min_unit=counted["min_unit"],
                        max_unit=counted["max_unit"],
                        step_size=counted["step_size"],
                    )
                )
        return host

    def aggregates(self) -> list[Aggregate]:
        with cloud_errors("list the host aggregates"):
            return [
                Aggregate(
                    uuid=entry["uuid"],
                    name=entry["name"],
                    hosts=frozenset(entry["hosts"]),
                    metadata=entry["metadata"],
                )
                for entry in self._read_compute("/os-aggregates")["aggregates"]
            ]

    def circumstances(self, instances: Iterable[Instance]) -> Mapping[str, Circumstances]:
        instances = list(instances)
        on_hosts = [instance for instance in instances if instance.host is not None]
        pinned = self._pinned_zones(on_hosts) if on_hosts else {}
        properties = self._images.properties_of(instances)
        found = {}
        for instance in instances:
            zone, known = instance.zone, True
            # While it has no host Nova shows the zone that its user has asked for.
            if instance.host is not None:
                if pinned is not None and instance.id not in pinned:
                    continue
                zone, known = (pinned or {}).get(instance.id), pinned is not None
            found[instance.id] = Circumstances(
                pinned_zone=zone,
                pinned_zone_known=known,
                image_properties=_texts(properties[instance.id]),
            )
        return found

    def _pinned_zones(self, instances: Iterable[Instance]) -> dict[str, str | None] | None:
        """By instance id; None where Nova does not tell."""
        with cloud_errors("read the zones that instances are pinned to"):
            newest = self._compute.get_endpoint_data().max_microversion or (0, 0)
            if newest < _PINNED_ZONE_MICROVERSION:
                return None
            microversion = ".".join(str(number) for number in _PINNED_ZONE_MICROVERSION)
            found: dict[str, str | None] = {}
            for host in sorted({instance.host or "" for instance in instances}):
                for server in self._servers(microversion, host=host):
                    found[server["id"]] = server["pinned_availability_zone"]
            return found

    def _servers(self, microversion: str | None = None, **filters: str) -> Iterable[Any]:
        path = "/servers/detail"
        for server in all_of(self._connection, path, microversion, all_tenants="1", **filters):
            # Nova shows no more of it, and leaves its cell out of the pages that follow.
            if server["status"] == "UNKNOWN":
                raise cell_down(server["id"])
            yield server

    def group_limits(self) -> Mapping[str, int]:
        with cloud_errors("list the server groups' rules"):
            return {
                group["id"]: int(most)
                for group in server_groups(self._connection)
                if (most := (group["rules"] or {}).get("max_server_per_host"))
            }

    def hosts_of(self, instance_ids: Iterable[str]) -> Mapping[str, str]:
        wanted = frozenset(instance_ids)
        with cloud_errors("read where instances are"):
            if len(wanted) > _ONE_BY_ONE:
                listed = [server for server in self._servers() if server["id"] in wanted]
            else:
                listed = [server for one in sorted(wanted) for server in self._server(one)]
        hosts = {server["id"]: server["OS-EXT-SRV-ATTR:host"] for server in listed}
        return {instance_id: host for instance_id, host in hosts.items() if host}

    def _server(self, instance_id: str) -> list[Any]:
        """It, or none when it is gone."""
        read = functools.partial(self._read_compute, f"/servers/{instance_id}")
        found = none_if_missing(read)
        return [] if found is None else [found["server"]]


def _hypervisor(entry: Mapping[str, Any]) -> Hypervisor:
    disk = entry["free_disk_gb"]
    least = entry["disk_available_least"]
    return Hypervisor(
        host=entry["service"]["host"],
        free_ram_mb=entry["free_ram_mb"],
        free_disk_gb=disk if least is None else min(disk, least),
        io_operations=entry["current_workload"] or 0,
    )


def _texts(properties: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    if properties is None:
        return None
    return {str(key): str(value) for key, value in properties.items()}
