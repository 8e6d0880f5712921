# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that never boot, made as users make them, and what Nova and its databases say of them.

python3 -m never_booted.cloud no-room            no host takes instances any more
python3 -m never_booted.cloud room               all do
python3 -m never_booted.cloud bury FILE          create the listed ones, wait until in ERROR
python3 -m never_booted.cloud bury-batch NAME N  one request for N instances
python3 -m never_booted.cloud observe            every instance of the project demo, as JSON
python3 -m never_booted.cloud stored UUID        rows of every table that names it, as JSON
"""

from __future__ import annotations

import base64
import functools
import getpass
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import openstack
import pymysql
import yaml
from lab_access import MICROVERSION, connect

SECONDS = 180
# Every table of a cell that names an instance, by the column that does; from Nova's schema.
CELL_TABLES = {
    "instances": "uuid",
    "instance_extra": "instance_uuid",
    "instance_info_caches": "instance_uuid",
    "instance_metadata": "instance_uuid",
    "instance_system_metadata": "instance_uuid",
    "instance_faults": "instance_uuid",
    "instance_actions": "instance_uuid",
    "instance_id_mappings": "uuid",
    "block_device_mapping": "instance_uuid",
    "security_group_instance_association": "instance_uuid",
    "migrations": "instance_uuid",
    "virtual_interfaces": "instance_uuid",
    "console_auth_tokens": "instance_uuid",
    "tags": "resource_id",
}


def set_room(*, room: bool) -> None:
    cloud = connect()
    for service in cloud.compute.services():
        if service.binary != "nova-compute":
            continue
        body = {"status": "enabled" if room else "disabled"}
        if not room:
            body["disabled_reason"] = "no room"
        answer = cloud.compute.put(f"/os-services/{service.id}", json=body)
        openstack.exceptions.raise_from_response(answer)


def create(demo: Any, entry: dict[str, Any]) -> str:
    """One POST, as a user's client sends it; the id of the (first) instance."""
    body = {
        "name": entry["name"],
        "flavorRef": demo.compute.find_flavor(entry.get("flavor", "lab.tiny")).id,
        "networks": _networks(demo, entry.get("networks", [{"network": "lab-net"}])),
    }
    for name in (
        "metadata",
        "tags",
        "description",
        "config_drive",
        "availability_zone",
        "min_count",
        "max_count",
        "trusted_image_certificates",
        "personality",
        "hostname",
    ):
        if name in entry:
            body[name] = entry[name]
    if "user_data" in entry:
        text = entry["user_data"] * entry.get("user_data_times", 1)
        body["user_data"] = base64.b64encode(text.encode()).decode()
    if "key_name" in entry:
        body["key_name"] = _keypair(demo, entry["key_name"])
    if "volume_gb" in entry:
        body["block_device_mapping_v2"] = [_boot_volume(demo, entry), *entry.get("more_disks", ())]
    else:
        body["imageRef"] = _image(demo, entry.get("image", "lab-image"))
    message: dict[str, Any] = {"server": body}
    if "hints" in entry:
        message["os:scheduler_hints"] = entry["hints"]
    if "group" in entry:
        made = demo.compute.create_server_group(name=entry["group"], policy="anti-affinity")
        message["os:scheduler_hints"] = {"group": made.id}
    version = entry.get("microversion", MICROVERSION)
    answer = demo.compute.post("/servers", json=message, microversion=version)
    openstack.exceptions.raise_from_response(answer)
    return str(answer.json()["server"]["id"])


def _networks(demo: Any, wanted: Any) -> Any:
    if isinstance(wanted, str):
        return wanted
    shown = []
    for entry in wanted:
        request: dict[str, Any] = {}
        network = demo.network.find_network(entry["network"])
        if entry.get("port"):
            options = {"binding_vnic_type": entry.get("vnic_type", "normal")}
            if "minimum_kbps" in entry:
                options["qos_policy_id"] = _qos_policy(entry["port"], entry["minimum_kbps"])
            made = demo.network.create_port(network_id=network.id, name=entry["port"], **options)
            request["port"] = made.id
        else:
            request["uuid"] = network.id
        if entry.get("fixed_ip_of_subnet"):
            subnet = next(demo.network.subnets(network_id=network.id))
            request["fixed_ip"] = f"{subnet.cidr.rsplit('.', 1)[0]}.{entry['fixed_ip_of_subnet']}"
        if entry.get("tag"):
            request["tag"] = entry["tag"]
        shown.append(request)
    return shown


def _qos_policy(name: str, minimum_kbps: int) -> str:
    """Only an administrator may make one; everybody may use it."""
    network = connect().network
    policy = network.create_qos_policy(name=name, is_shared=True)
    network.create_qos_minimum_bandwidth_rule(policy, min_kbps=minimum_kbps, direction="egress")
    return str(policy.id)


def _image(demo: Any, name: str) -> str:
    found = demo.image.find_image(name) or demo.image.create_image(
        name=name, data=b"nothing\n", disk_format="raw", container_format="bare"
    )
    return str(found.id)


def _keypair(demo: Any, name: str) -> str:
    if not demo.compute.find_keypair(name):
        # Nova wants a key that is one; nobody uses it.
        key = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + os.urandom(32)).decode()
        demo.compute.create_keypair(name=name, public_key=f"ssh-ed25519 {key} test")
    return name


def _boot_volume(demo: Any, entry: dict[str, Any]) -> dict[str, Any]:
    volume = demo.block_storage.create_volume(
        size=entry["volume_gb"],
        name=entry["name"],
        image_id=demo.image.find_image("lab-image").id if entry.get("from_image", True) else None,
    )
    demo.block_storage.wait_for_status(volume, "available", ["error"], interval=1, wait=SECONDS)
    return {
        "boot_index": 0,
        "source_type": "volume",
        "destination_type": "volume",
        "uuid": volume.id,
        "delete_on_termination": False,
    }


def wait(demo: Any, status: str, names_start: str, count: int) -> dict[str, str]:
    """Ids by name, once so many instances have that status."""
    deadline = time.monotonic() + SECONDS
    while True:
        servers = [s for s in demo.compute.servers() if s.name.startswith(names_start)]
        there = [s for s in servers if s.status == status and s.task_state is None]
        if len(there) >= count:
            return {server.name: server.id for server in there}
        if time.monotonic() > deadline:
            states = [(s.name, s.status, s.task_state) for s in servers]
            sys.exit(f"not {count} {status} after {SECONDS} s: {states}")
        time.sleep(1)


def bury(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Create these while no host takes any; ids by name."""
    set_room(room=False)
    demo = connect("-demo")
    ids = {entry["name"]: create(demo, entry) for entry in entries}
    for entry in entries:
        wait(demo, "ERROR", entry["name"], entry.get("min_count", 1))
    return ids


def bury_batch(name: str, count: int) -> list[str]:
    """One request for so many: Nova numbers their names."""
    set_room(room=False)
    demo = connect("-demo")
    create(demo, {"name": name, "min_count": count, "max_count": count})
    return sorted(wait(demo, "ERROR", f"{name}-", count).values())


def died(name: str) -> str:
    """Every host refuses to start it: its rows stay in a real cell, in ERROR."""
    marks = [
        folder / "refuse-spawn"
        for folder in Path(os.environ["OPENSTACK_LAB_STATE"], "computes").iterdir()
    ]
    for mark in marks:
        mark.touch()
    try:
        set_room(room=True)
        demo = connect("-demo")
        create(demo, {"name": name})
        return wait(demo, "ERROR", name, 1)[name]
    finally:
        for mark in marks:
            mark.unlink()


def forget(uuid: str) -> None:
    """As if another collection, or Nova itself, had left its build request behind."""
    sql(f"DELETE FROM nova_recovery.rebuilds WHERE instance_uuid = '{uuid}'", cell0=True)


def guests(server_id: str) -> list[str]:
    """Hosts whose hypervisor has this guest."""
    found = Path(os.environ["OPENSTACK_LAB_STATE"], "computes").glob(f"*/guests/{server_id}")
    return sorted(path.parent.parent.name for path in found)


def observe() -> dict[str, Any]:
    demo, admin = connect("-demo"), connect()
    ports: dict[str, list[dict[str, Any]]] = {}
    for port in admin.network.ports():
        ports.setdefault(port.device_id, []).append(
            {
                "id": port.id,
                "network": port.network_id,
                "addresses": sorted(ip["ip_address"] for ip in port.fixed_ips),
                "host": port.binding_host_id,
                "status": port.status,
            }
        )
    return {
        server.name: {
            "id": server.id,
            "status": server.status,
            "host": server.compute_host,
            "fault": (server.fault or {}).get("message"),
            "metadata": dict(server.metadata),
            "tags": sorted(server.tags or ()),
            "description": server.description,
            "key_name": server.key_name,
            "config_drive": server.has_config_drive,
            "image": (server.image or {}).get("id"),
            "flavor": (server.flavor or {}).get("original_name"),
            "volumes": sorted(volume["id"] for volume in server.attached_volumes or ()),
            "ports": sorted(ports.get(server.id, []), key=lambda port: str(port["id"])),
            "guests": guests(server.id),
        }
        for server in _servers(admin, demo)
    }


def _servers(admin: Any, demo: Any) -> list[Any]:
    wanted = demo.current_project_id
    return [s for s in admin.compute.servers(all_projects=True) if s.project_id == wanted]


def sql(statement: str, *, cell0: bool = False) -> list[tuple[Any, ...]]:
    """Rows of a SELECT, read as the database's own administrator."""
    shared = os.environ["OPENSTACK_LAB_DATABASE_SOCKET"]
    own = os.environ.get("OPENSTACK_LAB_CELL0_DATABASE_SOCKET") or shared
    connection = _connection(own if cell0 else shared)
    # A scenario may have restarted the server.
    connection.ping(reconnect=True)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@functools.cache
def _connection(socket: str) -> Any:
    return pymysql.connect(
        unix_socket=socket, user=getpass.getuser(), charset="utf8mb4", autocommit=True
    )


def stored(uuid: str) -> dict[str, Any]:
    """How many rows of it there are, by schema and table, soft-deleted ones too."""
    counts: dict[str, Any] = {}
    for schema in ("nova_cell0", "nova_cell1"):
        parts = [
            f"SELECT '{table}', COUNT(*) FROM {schema}.{table} WHERE {column} = '{uuid}'"
            for table, column in CELL_TABLES.items()
        ]
        found = sql(" UNION ALL ".join(parts), cell0=schema == "nova_cell0")
        counts |= {f"{schema}.{table}": number for table, number in found if number}
    for table in ("build_requests", "instance_mappings", "request_specs"):
        statement = f"SELECT COUNT(*) FROM nova_api.{table} WHERE instance_uuid = '{uuid}'"
        counts[f"nova_api.{table}"] = sql(statement)[0][0]
    return counts


def main(arguments: list[str]) -> None:
    match arguments:
        case ["no-room"]:
            set_room(room=False)
        case ["room"]:
            set_room(room=True)
        case ["bury", file]:
            json.dump(bury(yaml.safe_load(Path(file).read_text(encoding="utf-8"))), sys.stdout)
        case ["bury-batch", name, count]:
            json.dump(bury_batch(name, int(count)), sys.stdout)
        case ["port", name]:
            print(connect("-demo").network.find_port(name, ignore_missing=False).id, end="")
        case ["died", name]:
            print(died(name), end="")
        case ["forget", uuid]:
            forget(uuid)
        case ["observe"]:
            json.dump(observe(), sys.stdout, indent=1)
        case ["stored", uuid]:
            json.dump(stored(uuid), sys.stdout, indent=1)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
