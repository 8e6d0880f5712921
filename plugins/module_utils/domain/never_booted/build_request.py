# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a BuildRequest is written from what a cell's database holds of an instance.

The three texts of a row in build_requests are what Nova itself writes when the API accepts a
server, but for the flavor's description, which Nova clears when it stores an instance, and the
order of tags, which it does not store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .nova_rows import BuildRequestRow, InstanceRows, Row
from .versioned_object import object_list, primitive, timestamp

# Columns of instances that are no fields of the object, or that name the row which is to go.
# What the API leaves unset and Nova sets on load or on a host is left out as well.
_NOT_FIELDS = frozenset(
    {
        "id",
        "internal_id",
        "cleaned",
        "deleted_at",
        "default_ephemeral_device",
        "default_swap_device",
    }
)
_TIMES = frozenset({"created_at", "updated_at", "launched_at", "terminated_at"})
_FLAGS = frozenset(
    {"locked", "auto_disk_config", "shutdown_terminate", "disable_terminate", "hidden"}
)
# What the instance was before scheduling failed.
_NEVER_PLACED: dict[str, Any] = {
    "vm_state": "building",
    "task_state": "scheduling",
    "power_state": 0,
    "host": None,
    "node": None,
    "launched_on": None,
    "launched_at": None,
    "terminated_at": None,
    "updated_at": None,
    "deleted": False,
    "progress": 0,
}
# The uuid names the row that is to go: the conductor gives the new one another.
_BDM_NOT_FIELDS = frozenset({"id", "uuid", "deleted", "deleted_at", "created_at", "updated_at"})
_BDM_FLAGS = frozenset({"delete_on_termination", "no_device", "encrypted"})


def build_request(rows: InstanceRows, availability_zone: str | None) -> BuildRequestRow:
    """The row of build_requests for an instance.

    :param availability_zone: the one that was asked for, from the RequestSpec: an instance that had
        been placed has its host's zone in its row.
    """
    return BuildRequestRow(
        instance_uuid=rows.instance_uuid,
        project_id=rows.instance["project_id"],
        instance=json.dumps(_instance(rows, availability_zone)),
        block_device_mappings=json.dumps(_block_device_mappings(rows)),
        tags=json.dumps(_tags(rows)),
    )


def _instance(rows: InstanceRows, availability_zone: str | None) -> dict[str, Any]:
    row = rows.instance
    fields = {name: _column(name, value) for name, value in row.items() if name not in _NOT_FIELDS}
    fields.update(_NEVER_PLACED)
    fields["availability_zone"] = availability_zone
    fields["metadata"] = _pairs(rows.live("instance_metadata"))
    fields["system_metadata"] = _pairs(rows.live("instance_system_metadata"))
    fields["info_cache"] = primitive(
        "InstanceInfoCache", {"instance_uuid": rows.instance_uuid, "network_info": "[]"}
    )
    fields["security_groups"] = object_list("SecurityGroupList", [])
    fields["tags"] = _tags(rows)
    fields.update(_extra(rows))
    # From 2024.1 on an instance has a compute_id, which must be given when node is: 2.8.
    version = None
    if "compute_id" in row:
        fields["compute_id"] = None
        version = "2.8"
    else:
        del fields["node"]
    return primitive("Instance", fields, version=version)


def _column(name: str, value: Any) -> Any:
    if name in _TIMES:
        return timestamp(value)
    if name in _FLAGS:
        return bool(value)
    return value


def _pairs(rows: Iterable[Row]) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in rows}


def _extra(rows: InstanceRows) -> dict[str, Any]:
    """The fields that instance_extra holds as JSON; null where it holds none."""
    stored = rows.one("instance_extra") or {}

    def load(column: str) -> Any:
        return json.loads(stored[column]) if stored.get(column) else None

    flavor = load("flavor") or {}
    requests = [_pci_request(request) for request in load("pci_requests") or ()]
    fields = {
        "flavor": flavor.get("cur"),
        "old_flavor": None,
        "new_flavor": None,
        "numa_topology": load("numa_topology"),
        "pci_requests": primitive("InstancePCIRequests", {"requests": requests}),
        "trusted_certs": load("trusted_certs"),
        "vcpu_model": load("vcpu_model"),
        "keypairs": load("keypairs") or object_list("KeyPairList", []),
    }
    if fields["vcpu_model"] is None:
        del fields["vcpu_model"]
    return fields


def _pci_request(stored: Mapping[str, Any]) -> dict[str, Any]:
    """instance_extra has a bare list of these, not primitives."""
    fields = {
        name: stored.get(name)
        for name in ("count", "spec", "alias_name", "request_id", "requester_id", "numa_policy")
    }
    # A policy that InstancePCIRequest knows only since 1.4.
    version = "1.4" if fields["numa_policy"] == "socket" else None
    return primitive("InstancePCIRequest", {**fields, "is_new": False}, version=version)


def _block_device_mappings(rows: InstanceRows) -> dict[str, Any]:
    stored = sorted(rows.live("block_device_mapping"), key=lambda row: row["id"])
    return object_list("BlockDeviceMappingList", [_block_device_mapping(row) for row in stored])


def _block_device_mapping(row: Row) -> dict[str, Any]:
    fields = {
        name: bool(value) if name in _BDM_FLAGS else value
        for name, value in row.items()
        if name not in _BDM_NOT_FIELDS
    }
    if fields.get("attachment_id") is None:
        fields.pop("attachment_id", None)
    # It was never connected: what a failed attempt left there belongs to that attempt.
    fields["connection_info"] = None
    return primitive("BlockDeviceMapping", fields, version="1.21" if "encrypted" in row else None)


def _tags(rows: InstanceRows) -> dict[str, Any]:
    names = sorted(row["tag"] for row in rows.live("tags"))
    return object_list(
        "TagList",
        [primitive("Tag", {"resource_id": rows.instance_uuid, "tag": name}) for name in names],
    )
