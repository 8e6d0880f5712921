# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a situation real on the lab, lets the host fail, and tells what became of each instance.

Through Nova's and Placement's own APIs, without the collection.
"""

from __future__ import annotations

import functools
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import openstack
from expecting import require, wait
from lab_access import connect, lab, lab_settings

from .situations import FAST, OTHERS, SLOW, SOURCE, Situation, Size, Wanted

_PREFIX = "placement-"
_PLACEMENT_MICROVERSION = "1.28"
# Larger than any room that a situation asks for.
_HOST_SIZE = {"vcpus": 24, "memory_mb": 8192, "local_gb": 120}
_BUILDS = 3
# A change of a host's size is seen by nova-compute within a minute.
_RESIZE_LIMIT = 150


def _answer(response: Any) -> Any:
    openstack.exceptions.raise_from_response(response)
    return response.json() if response.content else None


class Lab:
    """The lab's cloud as its administrator."""

    def __init__(self) -> None:
        self.cloud = connect()
        self.cloud.placement.default_microversion = _PLACEMENT_MICROVERSION
        self._image = self.cloud.image.find_image("lab-image").id
        self._providers = {
            provider["name"]: provider["uuid"]
            for provider in self._placement("get", "/resource_providers")["resource_providers"]
        }
        self._state = Path(lab_settings().state)

    def _compute(self, method: str, path: str, **options: Any) -> Any:
        return _answer(getattr(self.cloud.compute, method)(path, **options))

    def _placement(self, method: str, path: str, **options: Any) -> Any:
        return _answer(getattr(self.cloud.placement, method)(path, **options))

    # Hosts

    def set_sizes(self) -> None:
        """Give all hosts a size that can be filled."""
        for host in (SOURCE, *OTHERS):
            (self._state / "computes" / host / "capacity.json").write_text(json.dumps(_HOST_SIZE))
        wait("host with its new size", self._has_sizes, _RESIZE_LIMIT)

    def _has_sizes(self) -> bool:
        return all(
            self._inventory(host)["MEMORY_MB"]["total"] == _HOST_SIZE["memory_mb"]
            for host in (SOURCE, *OTHERS)
        )

    def _inventory(self, host: str) -> Any:
        path = f"/resource_providers/{self._providers[host]}/inventories"
        return self._placement("get", path)["inventories"]

    def service(self, host: str) -> Any:
        """The compute service of a host, as Nova's API shows it."""
        found = self._compute("get", f"/os-services?host={host}&binary=nova-compute")["services"]
        return found[0]

    def _enable(self, host: str, status: str) -> None:
        service = self.service(host)
        if service["status"] != status:
            self._compute("put", f"/os-services/{service['id']}", json={"status": status})

    def _set_traits(self, host: str, wanted: Iterable[str]) -> None:
        path = f"/resource_providers/{self._providers[host]}/traits"
        now = self._placement("get", path)
        kept = {trait for trait in now["traits"] if trait not in (FAST, SLOW)}
        body = {
            "resource_provider_generation": now["resource_provider_generation"],
            "traits": sorted(kept | set(wanted)),
        }
        self._placement("put", path, json=body)

    def _fill(self, host: str, leave: Mapping[str, int]) -> None:
        """Have somebody else use all but this much of a host."""
        used = self._placement("get", f"/resource_providers/{self._providers[host]}/usages")
        for name, found in self._inventory(host).items():
            capacity = int((found["total"] - found["reserved"]) * found["allocation_ratio"])
            taken = capacity - used["usages"].get(name, 0) - leave[name]
            while taken > 0:
                # One consumer gets no more than this.
                part = min(taken, found["max_unit"])
                self._take(host, {name: part})
                taken -= part

    def _take(self, host: str, resources: Mapping[str, int]) -> None:
        body = {
            "allocations": {self._providers[host]: {"resources": resources}},
            "consumer_generation": None,
            "project_id": self.cloud.current_project_id,
            "user_id": self.cloud.current_user_id,
        }
        self._placement("put", f"/allocations/{uuid.uuid4()}", json=body)

    # What is there

    def make(self, wanted: Situation) -> dict[str, str]:
        """The instances' ids by name, all running on the first host."""
        for trait in (FAST, SLOW):
            self._placement("put", f"/traits/{trait}")
        for host in (SOURCE, *OTHERS):
            traits = [FAST] if host in wanted.fast else []
            self._set_traits(host, [*traits, SLOW] if host in wanted.slow else traits)
        for zone, hosts in wanted.zones.items():
            self._make_aggregate(zone, hosts, zone)
        if wanted.reserved:
            self._make_aggregate("spares", wanted.reserved)
        group = self._make_group(wanted.per_host)
        flavors = {one.size: self._flavor(one.size) for one in wanted.instances}
        small = self._flavor(Size(1, 64, 1))
        here = [
            (one, flavors[one.size], SOURCE, group if one.grouped else None)
            for one in wanted.instances
        ]
        there = [
            (Wanted(f"{_PREFIX}member-{host}", Size(1, 64, 1)), small, host, group)
            for host in wanted.members
        ]
        ids = self._build([*here, *there])
        for host in OTHERS:
            self._fill(host, wanted.room[host])
            self._enable(host, "disabled" if host in wanted.disabled else "enabled")
        return {one.name: ids[one.name] for one in wanted.instances}

    def _build(self, wanted: Iterable[tuple[Wanted, str, str, str | None]]) -> dict[str, str]:
        """On a machine that is too busy a host can look down for a moment: then once more."""
        ids: dict[str, str] = {}
        missing = {arguments[0].name: arguments for arguments in wanted}
        for _attempt in range(_BUILDS):
            made = {name: self._create(*arguments) for name, arguments in missing.items()}
            wait("instances that are built", functools.partial(self._are_built, made.values()), 300)
            for name, instance_id in made.items():
                if self._status(instance_id) == "ERROR":
                    self.cloud.compute.delete_server(instance_id)
                else:
                    ids[name] = instance_id
                    del missing[name]
        require(not missing, f"{sorted(missing)} could not be built")
        return ids

    def _make_aggregate(self, name: str, hosts: Iterable[str], zone: str | None = None) -> None:
        body = {"name": f"{_PREFIX}{name}", **({"availability_zone": zone} if zone else {})}
        made = self._compute("post", "/os-aggregates", json={"aggregate": body})["aggregate"]
        for host in hosts:
            path = f"/os-aggregates/{made['id']}/action"
            self._compute("post", path, json={"add_host": {"host": host}})

    def _make_group(self, per_host: int) -> str:
        body = {
            "name": f"{_PREFIX}group",
            "policy": "anti-affinity",
            "rules": {"max_server_per_host": per_host},
        }
        made = self._compute("post", "/os-server-groups", json={"server_group": body})
        return str(made["server_group"]["id"])

    def _flavor(self, size: Size) -> str:
        body = {
            "name": f"{_PREFIX}{uuid.uuid4()}",
            "vcpus": size.vcpus,
            "ram": size.memory_mb,
            "disk": size.root_gb,
            "OS-FLV-EXT-DATA:ephemeral": size.ephemeral_gb,
            "swap": size.swap_mb,
        }
        flavor = str(self._compute("post", "/flavors", json={"flavor": body})["flavor"]["id"])
        if size.traits:
            specs = {f"trait:{trait}": value for trait, value in size.traits}
            self._compute("post", f"/flavors/{flavor}/os-extra_specs", json={"extra_specs": specs})
        return flavor

    def _create(self, one: Wanted, flavor: str, host: str, group: str | None) -> str:
        server = {
            "name": one.name,
            "flavorRef": flavor,
            "imageRef": self._image,
            "networks": "none",
        }
        if one.zone is None:
            server["host"] = host
        else:
            server["availability_zone"] = f"{one.zone}:{host}"
        body: dict[str, Any] = {"server": server}
        if group is not None:
            body["os:scheduler_hints"] = {"group": group}
        return str(self._compute("post", "/servers", json=body)["server"]["id"])

    def _status(self, instance_id: str) -> str:
        return str(self._compute("get", f"/servers/{instance_id}")["server"]["status"])

    def _are_built(self, ids: Iterable[str]) -> bool:
        return all(self._status(instance_id) in ("ACTIVE", "ERROR") for instance_id in ids)

    # What happens

    def fail(self) -> None:
        """Power the first host off, and wait until Nova says that it is down."""
        lab("kill", SOURCE)
        wait("host that is down", lambda: self.service(SOURCE)["state"] == "down")

    def _servers(self) -> list[Any]:
        found = self._compute("get", "/servers/detail?all_tenants=1")["servers"]
        return [server for server in found if server["name"].startswith(_PREFIX)]

    def ids(self) -> dict[str, str]:
        """Of the instances, by name."""
        return {server["name"]: server["id"] for server in self._servers()}

    def hosts(self) -> dict[str, str]:
        """On which the instances are, by name."""
        return {server["name"]: server["OS-EXT-SRV-ATTR:host"] for server in self._servers()}

    def placed(self, ids: Iterable[str]) -> dict[str, bool]:
        """By instance id, whether the scheduler has found a host for the newest evacuation."""
        path = f"/os-migrations?migration_type=evacuation&source_compute={SOURCE}"
        newest: dict[str, Any] = {}
        for record in self._compute("get", path)["migrations"]:
            known = newest.get(record["instance_uuid"])
            if known is None or record["id"] > known["id"]:
                newest[record["instance_uuid"]] = record
        return {i: newest[i]["dest_compute"] is not None for i in ids if i in newest}

    def restore(self) -> None:
        """The first host returns, and nothing of the situation is left."""
        lab("start", SOURCE)
        for host in OTHERS:
            self._enable(host, "enabled")
            self._set_traits(host, [])
        for instance_id in self.ids().values():
            self.cloud.compute.delete_server(instance_id, ignore_missing=True)
        wait("cloud without instances", self._is_empty, 180)
        for host in OTHERS:
            # Without instances only what was made up is left, also by a run that was killed.
            path = f"/resource_providers/{self._providers[host]}/allocations"
            for consumer in self._placement("get", path)["allocations"]:
                _answer(self.cloud.placement.delete(f"/allocations/{consumer}"))
        for aggregate in self._compute("get", "/os-aggregates")["aggregates"]:
            if aggregate["name"].startswith(_PREFIX):
                self._remove_aggregate(aggregate)
        for group in self._compute("get", "/os-server-groups?all_projects=true")["server_groups"]:
            if group["name"].startswith(_PREFIX):
                _answer(self.cloud.compute.delete(f"/os-server-groups/{group['id']}"))
        for flavor in self._compute("get", "/flavors?is_public=None")["flavors"]:
            if flavor["name"].startswith(_PREFIX):
                _answer(self.cloud.compute.delete(f"/flavors/{flavor['id']}"))

    def _is_empty(self) -> bool:
        if self._servers():
            return False
        path = f"/resource_providers/{self._providers[SOURCE]}/usages"
        # The evacuated ones' places on the first host are given back by its nova-compute.
        return not any(self._placement("get", path)["usages"].values())

    def _remove_aggregate(self, aggregate: Any) -> None:
        path = f"/os-aggregates/{aggregate['id']}"
        for host in aggregate["hosts"]:
            self._compute("post", f"{path}/action", json={"remove_host": {"host": host}})
        _answer(self.cloud.compute.delete(path))


def seconds_since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"
