# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values with defaults, so that a test names only what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    StoragePolicy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
    ComputeService,
    Instance,
    MigrationRecord,
    Port,
    ServerGroup,
)

from .world import EPOCH

SHARED = StoragePolicy(shared=True, on_local_storage="fail")
LOCAL_FAIL = StoragePolicy(shared=False, on_local_storage="fail")
LOCAL_SKIP = StoragePolicy(shared=False, on_local_storage="skip")
LOCAL_REBUILD = StoragePolicy(shared=False, on_local_storage="rebuild")


def service(host: str = "compute-1", **values: Any) -> ComputeService:
    return ComputeService(
        **{
            "id": f"service-{host}",
            "host": host,
            "binary": "nova-compute",
            "status": "enabled",
            "state": "up",
            "updated_at": EPOCH,
            "zone": "nova",
            **values,
        }
    )


def instance(name: str = "web-1", **values: Any) -> Instance:
    return Instance(
        **{
            "id": f"id-{name}",
            "name": name,
            "project_id": "project",
            "host": "compute-1",
            "vm_state": "active",
            "power_state": RUNNING,
            **values,
        }
    )


def record(number: int = 1, status: str = "accepted", **values: Any) -> MigrationRecord:
    return MigrationRecord(
        **{
            "id": number,
            "uuid": f"record-{number}",
            "instance_id": "id-web-1",
            "status": status,
            "migration_type": "evacuation",
            "source_compute": "compute-1",
            "dest_compute": None if status in ("accepted", "error") else "compute-2",
            "created_at": EPOCH,
            **values,
        }
    )


def port(number: int = 1, **values: Any) -> Port:
    return Port(
        **{
            "id": f"port-{number}",
            "instance_id": "id-web-1",
            "status": "ACTIVE",
            "binding_host": "compute-1",
            "vif_type": "ovs",
            **values,
        }
    )


def group(policy: str, *members: str, name: str = "group") -> ServerGroup:
    return ServerGroup(id=f"group-{name}", name=name, policy=policy, member_ids=frozenset(members))


def at(seconds: float) -> datetime:
    """That many seconds after the beginning of the world."""
    return datetime.fromtimestamp(EPOCH.timestamp() + seconds, EPOCH.tzinfo)
