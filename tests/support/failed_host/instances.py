# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of the tests, as Nova, Placement and the hypervisors have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openstack
from expecting import require, wait
from lab_access import connect

from . import hypervisors

# How long anything may take.
SECONDS = 300
# Booted from an image, on the host's own disk; and from a volume.
FROM_IMAGE, FROM_VOLUME = ("app-1", "app-2"), "db-1"
NAMES = (*FROM_IMAGE, FROM_VOLUME)


def boot(host: str) -> None:
    """All of them, on this host."""
    cloud = connect()
    image = cloud.image.find_image("lab-image").id
    flavor = cloud.compute.find_flavor("lab.tiny").id
    network = cloud.network.find_network("lab-net").id
    disk = {
        "boot_index": 0,
        "uuid": image,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 1,
        "delete_on_termination": True,
    }
    for name in NAMES:
        root = {"block_device_mapping": [disk]} if name == FROM_VOLUME else {"image_id": image}
        cloud.compute.create_server(
            name=name,
            flavor_id=flavor,
            networks=[{"uuid": network}],
            # Forces the host and leaves no trace in the scheduler's later choices.
            availability_zone=f"nova:{host}",
            **root,
        )
    wait("instances that are ACTIVE", lambda: set(statuses().values()) == {"ACTIVE"}, SECONDS)
    for name, server in servers().items():
        require(server.compute_host == host, f"{name} is on {server.compute_host}")


def home() -> str:
    """The host that all of them are on."""
    hosts = {server.compute_host for server in servers().values()}
    require(len(hosts) == 1, f"they are on {hosts}")
    found: str = hosts.pop()
    return found


@contextmanager
def only_destination(source: str) -> Iterator[None]:
    """One other host alone may be chosen, so that all of them stay together."""
    closed = service([host for host in hypervisors.HOSTS if host != source][-1])
    _set_status(closed, "disabled")
    try:
        yield
    finally:
        _set_status(closed, "enabled")


def _set_status(found: Any, status: str) -> None:
    answer = connect().compute.put(f"/os-services/{found.id}", json={"status": status})
    openstack.exceptions.raise_from_response(answer)


def servers() -> dict[str, Any]:
    return {server.name: server for server in connect().compute.servers(all_projects=True)}


def statuses() -> dict[str, str]:
    found = {name: server.status for name, server in servers().items()}
    require("ERROR" not in found.values() or len(found) == len(NAMES), f"instances: {found}")
    return found


def service(host: str) -> Any:
    found = [
        s for s in connect().compute.services() if (s.host, s.binary) == (host, "nova-compute")
    ]
    return found[0] if found else None


def wait_down(host: str) -> None:
    wait(f"{host} that is down", lambda: service(host).state == "down", SECONDS)


def records(host: str) -> list[Any]:
    """Evacuations from this host, the oldest first."""
    found = connect().compute.migrations(source_compute=host, migration_type="evacuation")
    return sorted(found, key=lambda record: int(record["id"]))


def is_evacuated(host: str) -> bool:
    """Whether a run holds its lock, or an evacuation from it goes on."""
    lock = f"openstack_recovery lock {host}"
    locked = any(aggregate.name == lock for aggregate in connect().compute.aggregates())
    return locked or any(r.status in ("accepted", "pre-migrating") for r in records(host))


def allocations(uuid: str) -> int:
    """How many resource providers it takes something of."""
    answer = connect().placement.get(f"/allocations/{uuid}")
    return len(answer.json()["allocations"])


def require_whole(names: tuple[str, ...] = NAMES) -> None:
    """ACTIVE, and one guest, on the host that Nova names."""
    guests, found = hypervisors.hosts_by_guest(), servers()
    for name in names:
        server = found[name]
        require(server.status == "ACTIVE", f"{name} is {server.status}: {server.fault}")
        on = guests.get(server.id, [])
        require(on == [server.compute_host], f"{name} of {server.compute_host} runs on {on}")
        state = hypervisors.state(server.compute_host, server.id)
        require(state == "running", f"{name} is {state}")


def require_readmitted(host: str) -> None:
    """Up, enabled, all records completed, and nothing of those that have left."""
    seen = service(host)
    require((seen.state, seen.status) == ("up", "enabled"), f"{host} is {seen.state} {seen.status}")
    require(not seen.is_forced_down, f"{host} is forced down")
    states = {record.status for record in records(host)}
    require(states <= {"completed", "failed", "error"}, f"records of {host}: {states}")
    for name, server in servers().items():
        require(allocations(server.id) == 1, f"{name} has {allocations(server.id)} allocations")
        if server.compute_host != host:
            require(
                server.id not in hypervisors.defined(host), f"{name} is still defined on {host}"
            )
