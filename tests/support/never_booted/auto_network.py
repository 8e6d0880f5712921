# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance that asked for 'auto' networks is rebuilt, and Neutron makes its network.

python3 -m never_booted.auto_network

It is of a project that can use no network; what the lab has is shared with another project only.
"""

from __future__ import annotations

from typing import Any

from expecting import require
from lab_access import connect

from . import cloud
from .crash import BUILD, PREP, databases, say, with_cloud
from .modules import run, succeed, use_collections

NAME = "auto"
_REQUEST = "network_request"


def main() -> None:
    use_collections()
    admin, other = connect(), connect("-other")
    share_with(admin, connect("-demo").current_project_id)
    outside = topology(admin)
    cloud.set_room(room=False)
    uuid = cloud.create(other, {"name": NAME, "networks": "auto"})
    cloud.wait(other, "ERROR", NAME, 1)
    cloud.set_room(room=True)
    options = {**with_cloud(), "instances": [uuid], "networks": "auto"}
    # Nova's API refuses that, too.
    admin.network.update_network(outside, is_default=False)
    error = run(_REQUEST, options).result.get("error", {})
    problems = error.get("details", {}).get("problems", {}).get(uuid, [])
    codes = [problem["code"] for problem in problems]
    require(codes == ["auto_allocation_unavailable"], f"without a default network: {error}")
    admin.network.update_network(outside, is_default=True)
    succeed(_REQUEST, options)
    succeed(PREP, {**databases(), "instances": [uuid]})
    result = succeed(BUILD, {**with_cloud(), "instances": [uuid], "poll_interval": 1})
    require(result["instances"][0]["result"] == "active", f"{result}")
    (port,) = admin.network.ports(device_id=uuid)
    network = admin.network.get_network(port.network_id)
    require(port.status == "ACTIVE", f"{port}")
    require(network.project_id == other.current_project_id, f"{network}")
    require(not network.is_shared, f"{network}")
    say(f"auto: built on {network.name}, which Neutron has made for its project")


def share_with(admin: Any, project: str) -> None:
    """The shared networks, with this project only."""
    policies = admin.network.rbac_policies(object_type="network", action="access_as_shared")
    for policy in [each for each in policies if each.target_project_id == "*"]:
        admin.network.create_rbac_policy(
            object_type="network",
            object_id=policy.object_id,
            action=policy.action,
            target_tenant=project,
        )
        admin.network.delete_rbac_policy(policy)


def topology(admin: Any) -> Any:
    """What a deployment needs for it; the default external network."""
    admin.network.create_subnet_pool(
        name=NAME,
        prefixes=["10.99.0.0/16"],
        default_prefix_length=24,
        is_default=True,
        is_shared=True,
    )
    outside = admin.network.create_network(name="outside", is_router_external=True, is_default=True)
    admin.network.create_subnet(
        name="outside",
        network_id=outside.id,
        ip_version=4,
        cidr="203.0.113.0/24",
        is_dhcp_enabled=False,
    )
    return outside


if __name__ == "__main__":
    main()
