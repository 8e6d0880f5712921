# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of an instance in the end, by Nova, its databases, Neutron and Placement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expecting import require, wait
from lab_access import connect

from . import cloud
from .bus import Messages


def uuids_of(name: str, count: int) -> list[str]:
    """The buried instances of one request, which Nova has numbered."""
    found = cloud.wait(connect("-demo"), "ERROR", f"{name}-", count)
    require(len(found) == count, f"{len(found)} instances are called {name}-")
    return sorted(found.values())


def journal(uuid: str) -> list[str]:
    """The states of its rebuilds, the oldest first; an open one is marked."""
    rows = cloud.sql(
        f"SELECT state, is_open FROM nova_recovery.rebuilds WHERE instance_uuid = '{uuid}'"
        " ORDER BY id",
        cell0=True,
    )
    return [f"{state} (open)" if is_open else state for state, is_open in rows]


def steps(uuid: str, state: str) -> int:
    """How often its rebuilds have reached a state."""
    rows = cloud.sql(
        "SELECT COUNT(*) FROM nova_recovery.steps s JOIN nova_recovery.rebuilds r"
        f" ON r.id = s.rebuild_id WHERE r.instance_uuid = '{uuid}' AND s.state = '{state}'",
        cell0=True,
    )
    return int(rows[0][0])


def result_of(result: dict[str, Any], uuid: str) -> dict[str, Any]:
    found = [one for one in result.get("instances", []) if one["uuid"] == uuid]
    require(len(found) == 1, f"no result of {uuid}: {str(result)[:2000]}")
    return dict(found[0])


def require_results(result: dict[str, Any], wanted: dict[str, str], key: str = "result") -> None:
    """:param wanted: by uuid what is wanted under that key."""
    for uuid, value in wanted.items():
        one = result_of(result, uuid)
        require(one[key] == value, f"not {key}={value}: {one}")


def require_built(uuids: Sequence[str], messages: Messages) -> None:
    """ACTIVE, one guest, one host, one port; and the conductor was asked once."""
    seen = {server["id"]: server for server in cloud.observe().values()}
    counts = messages.counts()
    for uuid in uuids:
        server = seen[uuid]
        require(server["status"] == "ACTIVE", f"not ACTIVE: {server}")
        require(server["guests"] == [server["host"]], f"not one guest: {server}")
        require(len(server["ports"]) == 1, f"not one port: {server}")
        require(_allocations(uuid) == 1, f"it has {_allocations(uuid)} allocations: {server}")
        require(counts[uuid] == 1, f"{uuid} was submitted {counts[uuid]} times")
        # One that was put back meanwhile has a rebuild of its own for that.
        rebuilds = [state for state in journal(uuid) if state != "restored"]
        require(rebuilds == ["built"], f"the journal of {uuid} has {rebuilds}")


def require_gone(uuids: Sequence[str]) -> None:
    """Its user has deleted it: nothing is left of it anywhere, once Nova has cleaned up."""
    admin = connect()

    def shown() -> list[str]:
        there = {server.id for server in admin.compute.servers(all_projects=True)}
        return [uuid for uuid in uuids if uuid in there]

    wait("end of what was deleted", lambda: not shown())
    for uuid in uuids:
        for schema in ("nova_cell0", "nova_cell1"):
            rows = cloud.sql(
                f"SELECT uuid FROM {schema}.instances WHERE uuid = '{uuid}' AND deleted = 0",
                cell0=schema == "nova_cell0",
            )
            require(not rows, f"{schema} still has {uuid}")
        left = cloud.stored(uuid)["nova_api.build_requests"]
        require(not left, f"{uuid} has a BuildRequest")
        require(not list(admin.network.ports(device_id=uuid)), f"{uuid} has a port")
        require(_allocations(uuid) == 0, f"{uuid} has an allocation")
        require(not cloud.guests(uuid), f"{uuid} has a guest")
        opened = [state for state in journal(uuid) if "open" in state]
        require(not opened, f"the journal of {uuid} is {opened}")


def _allocations(uuid: str) -> int:
    """How many resource providers it takes something of."""
    answer = connect().placement.get(f"/allocations/{uuid}")
    return len(answer.json()["allocations"])
