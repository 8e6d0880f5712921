# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud that is full: two zones, instances of different value, and what Nova and Placement say.

    az-a: compute-1   cheap-1 and cheap-2 (64 MB, worth 10), dear (128 MB, worth 900)
          compute-2   middle (128 MB, worth 50), locked (128 MB, worth 1)
    az-b: compute-3   elsewhere (128 MB, worth 1, to be deleted, by the aggregate scratch)

Everything else is taken by instances that no rule calls preemptible.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import openstack
from expecting import require, wait
from lab_access import connect
from never_booted import cloud

ZONES = {"az-a": ["compute-1", "compute-2"], "az-b": ["compute-3"]}
_MEGABYTES = {"room.double": 128, "room.triple": 192, "room.huge": 1024}
_INSTANCES: dict[str, dict[str, Any]] = {
    "cheap-1": {"host": "compute-1", "flavor": "lab.tiny", "metadata": {"work": "batch"}},
    "cheap-2": {"host": "compute-1", "flavor": "lab.tiny", "metadata": {"work": "batch"}},
    "dear": {"host": "compute-1", "flavor": "room.double", "tags": ["report"]},
    "middle": {"host": "compute-2", "flavor": "room.double", "tags": ["test"]},
    "locked": {"host": "compute-2", "flavor": "room.double", "tags": ["test"]},
    "elsewhere": {"host": "compute-3", "flavor": "room.double"},
}
POLICY: dict[str, Any] = {
    "version": 1,
    "rules": [
        {"name": "one that is locked", "match": {"names": ["locked"]}, "preemptible": {"value": 1}},
        {
            "name": "batch work",
            "match": {"metadata": {"work": "batch"}},
            "preemptible": {"value": 10},
        },
        {"name": "tests", "match": {"tags": ["test"]}, "preemptible": {"value": 50}},
        {"name": "reports", "match": {"tags": ["report"]}, "preemptible": {"value": 900}},
        {"name": "fillers", "match": {"names": ["filler-*"]}, "preemptible": False},
        {
            "name": "scratch",
            "match": {"aggregates": ["scratch"]},
            "preemptible": {"value": 1, "action": "delete", "stop_first": True},
        },
    ],
    "make_room": {"limit": 2},
}
_TESTCLOUD = Path(__file__).resolve().parents[1] / "testcloud"


def build() -> dict[str, str]:
    """Make it; ids by name."""
    admin = connect()
    for zone, hosts in {**ZONES, "scratch": ["compute-3"]}.items():
        options = {"availability_zone": zone} if zone in ZONES else {}
        aggregate = admin.compute.create_aggregate(name=zone, **options)
        for host in hosts:
            admin.compute.add_host_to_aggregate(aggregate, host)
    for name, megabytes in _MEGABYTES.items():
        admin.compute.create_flavor(name=name, ram=megabytes, vcpus=1, disk=1)
    ids = {name: _create(admin, name, entry) for name, entry in _INSTANCES.items()}
    wait_for(ids, "ACTIVE")
    fillers = [
        subprocess.Popen([sys.executable, _TESTCLOUD, "fill", host, "0"])
        for hosts in ZONES.values()
        for host in hosts
    ]
    act(ids["locked"], {"lock": None})
    act(ids["cheap-2"], {"os-stop": None})
    require(not any(filler.wait() for filler in fillers), "a host could not be filled")
    wait_for({"cheap-2": ids["cheap-2"]}, "SHUTOFF")
    return ids


def _create(admin: Any, name: str, entry: dict[str, Any]) -> str:
    zone = next(zone for zone, hosts in ZONES.items() if entry["host"] in hosts)
    server = admin.compute.create_server(
        name=name,
        flavor_id=admin.compute.find_flavor(entry["flavor"]).id,
        image_id=admin.image.find_image("lab-image").id,
        networks="none",
        availability_zone=f"{zone}:{entry['host']}",
        metadata=entry.get("metadata", {}),
        tags=entry.get("tags", []),
    )
    return str(server.id)


def wait_for(ids: dict[str, str], status: str) -> None:
    admin = connect()

    def there() -> bool:
        found = {s.id: s for s in admin.compute.servers(all_projects=True)}
        seen = [found[i] for i in ids.values() if i in found]
        return len(seen) == len(ids) and all(
            one.status == status and one.task_state is None for one in seen
        )

    wait(f"{status} of {', '.join(ids)}", there, 180)


def act(uuid: str, body: dict[str, Any]) -> None:
    answer = connect().compute.post(f"/servers/{uuid}/action", json=body)
    openstack.exceptions.raise_from_response(answer)


def ask_for(name: str, flavor: str, zone: str) -> str:
    """A user's request for an instance."""
    return cloud.create(
        connect("-demo"), {"name": name, "flavor": flavor, "availability_zone": zone}
    )


def allocated(uuid: str) -> dict[str, Any]:
    """What Placement counts of it, by host."""
    admin = connect()
    hosts = {h.id: h.service_details["host"] for h in admin.compute.hypervisors(details=True)}
    answer = admin.placement.get(f"/allocations/{uuid}").json()["allocations"]
    return {hosts[provider]: found["resources"] for provider, found in answer.items()}


def everything() -> dict[str, Any]:
    """Every instance, by name, with what it holds; the aggregates, and what lies in Glance."""
    admin = connect()
    instances = {
        server.name: {
            "id": server.id,
            "status": server.status,
            "host": server.compute_host,
            "locked": server.is_locked,
            "allocated": allocated(server.id),
            "guests": cloud.guests(server.id),
        }
        for server in admin.compute.servers(all_projects=True)
    }
    return {
        "instances": instances,
        "aggregates": sorted(aggregate.name for aggregate in admin.compute.aggregates()),
        "images": sorted(image.name for image in admin.image.images()),
    }
