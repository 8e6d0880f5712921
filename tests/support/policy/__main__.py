# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenario policy needs of a cloud, and what it finds afterwards.

python -m policy equip          aggregates, zones, a flavor and an image that rules match on
python -m policy verify         instances and migration records are as the policy wants them
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

from expecting import require
from lab_access import connect

HOSTS = os.environ.get("RECOVERY_TEST_HOSTS", "compute-1,compute-2,compute-3").split(",")
FAILED, *OTHERS = HOSTS
AMPHORA = "amphora-0b2b9c6e-43c1-4e0f-9d2f-1f4ad4a2c7b5"
# As files/policy.yml has it: groups first, each in order of priority.
ORDER = ["db-first", "db-second", "app", "gold", "debian", "debian-volume"]
LAST = {"scratch", "scratch-broken"}
LEFT = {"other-project", AMPHORA}
WAITS = {"app": (("db-first", "db-second"), 8), "gold": (("app",), 4)}


def equip() -> None:
    cloud = connect()
    for name, zone, hosts in (
        ("ssd", "zone-a", [FAILED, OTHERS[0]]),
        ("hdd", "zone-b", [OTHERS[1]]),
        ("odd", None, [FAILED, OTHERS[1]]),
    ):
        aggregate = cloud.compute.create_aggregate(name=name, availability_zone=zone)
        for host in hosts:
            cloud.compute.add_host_to_aggregate(aggregate, host)
    flavor = cloud.compute.create_flavor(name="policy.gold", vcpus=1, ram=64, disk=1)
    cloud.compute.create_flavor_extra_specs(flavor, {"ha:level": "gold"})
    cloud.compute.create_flavor(name="policy.silver", vcpus=2, ram=64, disk=1)
    cloud.image.create_image(
        name="policy-debian",
        data=b"\0" * 1024,
        disk_format="raw",
        container_format="bare",
        visibility="public",
        os_distro="debian",
    )


def verify() -> None:
    cloud = connect()
    instances = {server.name: server for server in cloud.compute.servers(all_projects=True)}
    names = {server.id: name for name, server in instances.items()}
    records = sorted(cloud.compute.migrations(), key=lambda record: int(record["id"]))
    resized = [r for r in records if r.migration_type == "resize"]
    require([names[r.server_id] for r in resized] == ["gold"], f"resized: {resized}")
    require(instances["gold"].flavor["original_name"] == "policy.silver", "gold has its old flavor")
    records = [record for record in records if record.migration_type == "evacuation"]
    moved = {names[record.server_id]: record for record in records}
    order = list(moved)
    require(len(order) == len(records), f"more than one record of some instance: {order}")
    require(order[: len(ORDER)] == ORDER, f"order of the records: {order}")
    require(set(order[len(ORDER) :]) == LAST, f"the last ones: {order}")
    for name, (group, wait) in WAITS.items():
        ended = max(_time(moved[member].updated_at) for member in group)
        began = _time(moved[name].created_at)
        # Nova's times have whole seconds.
        gap = (began - ended).total_seconds()
        require(gap >= wait - 1, f"{name} began {gap} s after {group} had ended, not {wait} s")
    for name in [*ORDER, *LAST]:
        _verify_moved(instances[name], moved[name], name in LAST)
    for name in LEFT:
        require(instances[name].compute_host == FAILED, f"{name} has left")
    require(instances["app"].compute_host == OTHERS[0], "app has left its zone")
    print("policy: ok")


def _verify_moved(seen: Any, record: Any, off: bool) -> None:
    state = ("stopped", 4) if off else ("active", 1)
    require(record.status == "done", f"{seen.name}: the record is {record.status}")
    there = seen.name == "gold" or seen.compute_host == record.dest_compute
    require(there, f"{seen.name} is on {seen.compute_host}")
    found = (seen.vm_state, seen.power_state)
    require(found == state, f"{seen.name} is {found}, not {state}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


{"equip": equip, "verify": verify}[sys.argv[1]]()
