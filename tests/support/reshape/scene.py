# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two zones, images, flavors and instances; and all that can be seen of an instance.

web-1 and web-2 (stopped) boot from an image, db-1 from a volume, in a zone of two hosts. edge-1 is
locked, in a zone of one host: nothing can be moved there.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import openstack
from expecting import require, wait
from lab_access import connect

SECONDS = 300
HOSTS = os.environ.get("RECOVERY_TEST_HOSTS", "compute-1,compute-2,compute-3").split(",")
ZONES = {"reshape-a": HOSTS[:1], "reshape-b": HOSTS[1:]}
OLD, NEW = "lab-image", "reshape-new"
SMALL, LARGE = "lab.tiny", "reshape.large"
IMAGES: dict[str, dict[str, Any]] = {
    NEW: {},
    "reshape-numa": {"hw_numa_nodes": "2"},
    "reshape-disk": {"min_disk": 2},
    "reshape-ram": {"min_ram": 4096},
    "reshape-trait": {"trait:CUSTOM_NOWHERE": "required"},
    "reshape-arm": {"hw_architecture": "aarch64"},
    "reshape-private": {"visibility": "private"},
}
FLAVORS = {
    LARGE: {"vcpus": 1, "ram": 128, "disk": 2},
    "reshape.nodisk": {"vcpus": 1, "ram": 128, "disk": 0},
}
FILE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "reshape.json"


def prepare() -> None:
    cloud = connect()
    for name, hosts in ZONES.items():
        aggregate = cloud.compute.create_aggregate(name=name, availability_zone=name)
        for host in hosts:
            cloud.compute.add_host_to_aggregate(aggregate, host)
    # A second aggregate with the same host.
    other = cloud.compute.create_aggregate(name="reshape-ssd")
    cloud.compute.add_host_to_aggregate(other, HOSTS[-1])
    for name, fields in IMAGES.items():
        cloud.image.create_image(
            name=name,
            data=f"the disk of {name}\n".encode(),
            disk_format="raw",
            container_format="bare",
            **{"visibility": "public", **fields},
        )
    for name, sizes in FLAVORS.items():
        cloud.compute.create_flavor(name=name, **sizes)
    _boot(cloud)
    save()


def _boot(cloud: Any) -> None:
    cloud.compute.create_keypair(name="reshape-key", public_key=_public_key())
    volume = cloud.block_storage.create_volume(size=1, name="reshape-data")
    image = cloud.image.find_image(OLD).id
    network = cloud.network.find_network("lab-net").id
    root = {
        "boot_index": 0,
        "uuid": image,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 3,
        "delete_on_termination": True,
    }
    own: dict[str, dict[str, Any]] = {
        "web-1": {
            "image_id": image,
            "key_name": "reshape-key",
            "user_data": base64.b64encode(b"#!/bin/sh\n").decode(),
            "config_drive": True,
            "metadata": {"tier": "web"},
            "tags": ["gold"],
            "description": "one that has everything",
        },
        "web-2": {"image_id": image},
        "db-1": {"block_device_mapping": [root]},
        "edge-1": {"image_id": image},
    }
    for name, fields in own.items():
        cloud.compute.create_server(
            name=name,
            flavor_id=cloud.compute.find_flavor(SMALL).id,
            networks=[{"uuid": network}],
            availability_zone="reshape-a" if name == "edge-1" else "reshape-b",
            **fields,
        )
    wait("ACTIVE instances", lambda: set(statuses().values()) == {"ACTIVE"}, SECONDS)
    cloud.compute.create_volume_attachment(servers()["web-1"], volume_id=volume.id)
    act("web-2", {"os-stop": None})
    act("edge-1", {"lock": None})
    wait("web-2 that is stopped", lambda: statuses()["web-2"] == "SHUTOFF", SECONDS)
    wait("volume", lambda: cloud.block_storage.get_volume(volume.id).status == "in-use")


def _public_key() -> str:
    """One whose private half nobody has."""
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", bytes(32)))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def act(name: str, body: dict[str, Any]) -> None:
    answer = connect().compute.post(f"/servers/{servers()[name].id}/action", json=body)
    openstack.exceptions.raise_from_response(answer)


def servers() -> dict[str, Any]:
    return {server.name: server for server in connect().compute.servers(all_projects=True)}


def statuses() -> dict[str, str]:
    return {name: server.status for name, server in servers().items()}


def actions(server_id: str) -> list[str]:
    """What was asked of it, the oldest first."""
    return [entry.action for entry in connect().compute.server_actions(server_id)][::-1]


def observe() -> dict[str, dict[str, Any]]:
    """Everything, by name; with the names of image and flavor."""
    cloud = connect()
    images = {image.id: image.name for image in cloud.image.images()}
    hosts = {h.id: h.service_details["host"] for h in cloud.compute.hypervisors(details=True)}
    found = {}
    for name, server in servers().items():
        volumes = [cloud.block_storage.get_volume(one["id"]) for one in server.attached_volumes]
        noted = [(one.volume_image_metadata or {}).get("image_id") for one in volumes]
        image = (server.image or {}).get("id") or next(filter(None, noted), None)
        held = cloud.placement.get(f"/allocations/{server.id}").json()["allocations"]
        found[name] = {
            "id": server.id,
            "status": server.status,
            "host": server.compute_host,
            "power_state": server.power_state,
            "image": images.get(image),
            "flavor": server.flavor["original_name"],
            "allocations": {hosts[uuid]: one["resources"] for uuid, one in held.items()},
            "volumes": sorted([one.id, one.status] for one in volumes),
            "ports": sorted(
                [
                    port.id,
                    port.mac_address,
                    port.status,
                    [ip["ip_address"] for ip in port.fixed_ips],
                ]
                for port in cloud.network.ports(device_id=server.id)
            ),
            "kept": {
                "metadata": dict(server.metadata),
                "tags": sorted(server.tags),
                "key": server.key_name,
                "user_data": server.user_data,
                "config_drive": server.has_config_drive,
                "description": server.description,
                "zone": server.availability_zone,
                "locked": server.is_locked,
            },
            "actions": actions(server.id),
        }
    return found


def save() -> None:
    FILE.write_text(json.dumps(observe()))


def saved() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    return found


def require_reshaped(name: str, image: str, flavor: str, ram: int) -> None:
    """It has these, runs as it did, and everything else of it is as it was."""
    before, now = saved()[name], observe()[name]
    require((now["image"], now["flavor"]) == (image, flavor), f"{name}: {now}")
    require(now["power_state"] == before["power_state"], f"{name}: {now['power_state']}")
    for same in ("id", "kept", "volumes", "status"):
        require(now[same] == before[same], f"{name}: {same}: {before[same]} and {now[same]}")
    # The port of an instance that is off may be in any state.
    ports = [[port[:2] + port[3:] for port in one["ports"]] for one in (before, now)]
    require(ports[0] == ports[1], f"{name}: ports: {ports}")
    require(list(now["allocations"]) == [now["host"]], f"{name}: {now['allocations']}")
    held = now["allocations"][now["host"]]["MEMORY_MB"]
    require(held == ram, f"{name} holds {held} MiB")
    require(now["host"] in ZONES[now["kept"]["zone"]], f"{name} is on {now['host']}")
