# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message by which Nova's API hands a new instance to the conductor, made again.

Compared with the message that Nova's API sent when the instance was created, these differ:

=========================================== =====================================================
field                                       why
=========================================== =====================================================
admin_password                              Nova stores none; a new random one is sent
build_requests: id, created_at              those of the BuildRequest that was written anew
build_requests: fields of PCI requests      Nova stores a value also for those that were unset
build_requests, request_specs: versions     the oldest that every supported release reads
request_specs: num_instances                1: an instance of a batch is built by itself
request_specs: network_metadata             Nova does not store it. Only the NUMA filter looks at it,
                                            when [neutron]physnets ties networks to NUMA nodes
request_specs: requested_destination,       Nova does not store them: a host that was asked for, and
requested_resources, request_level_params   what ports with QoS need
request_specs: nova_object.changes          every field: the conductor does not look at it
request_specs: instance_group.members       as they are now: the API reads them before it adds the
                                            instance
context: auth_token, roles, is_admin        the operator's
context: service_catalog                    as the operator's token has it
context: user_name, project_name            from the instance, or as Keystone names them now
context: remote_address                     there was no request from outside
context: request_id, timestamp              new
=========================================== =====================================================
"""

from __future__ import annotations

import copy
import json
import secrets
import string
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import RecoveryError
from .build_context import BuildIdentity, build_context
from .conductor import BuildSubmission
from .nova_rows import BuildRequestRow, RequestSpecRow
from .request_spec import RequestSpec
from .versioned_object import data_of, object_list, primitive, timestamp

_PASSWORD_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInput:
    """All that goes into one message.

    :param build_request: as it is in the database, with ``id`` and ``created_at``.
    :param requested_networks: the primitive of a NetworkRequestList.
    :param image: what Nova knows of the image, see image.py.
    :param injected_files: pairs of a path and the content in base64; Nova does not store them.
    :param group_members: uuids of all instances of the server group that the RequestSpec names;
        None when there is none, or when it was deleted.
    """

    build_request: BuildRequestRow
    request_spec: RequestSpecRow
    requested_networks: Mapping[str, Any]
    image: Mapping[str, Any]
    identity: BuildIdentity
    injected_files: Sequence[tuple[str, str]] = field(default=(), repr=False)
    group_members: Sequence[str] | None = None
    global_request_id: str | None = None


def build_message(given: BuildInput, now: datetime) -> BuildSubmission:
    """The message for one instance.

    :param now: UTC, for the context.
    :raises RecoveryError: ``unexpected_object``, ``build_input_mismatch``, ``catalog_incomplete``.
    """
    row = given.build_request
    if (
        row.id is None
        or row.created_at is None
        or row.instance_uuid != given.request_spec.instance_uuid
    ):
        raise RecoveryError(
            "build_input_mismatch",
            f"the BuildRequest of instance {row.instance_uuid} was not read from the database, or"
            " the RequestSpec is another instance's; this is a defect of the collection, please"
            " report it",
        )
    # The columns are only read, and a BuildRequest without them cannot be loaded by Nova either.
    instance, devices, tags = (
        _without_changes(json.loads(text))
        for text in (row.instance, row.block_device_mappings, row.tags)
    )
    request_id = f"req-{uuid.uuid4()}"
    fields = data_of(instance, "Instance")
    arguments = {
        "build_requests": [_build_request(row, instance, devices, tags)],
        "request_specs": [_request_spec(given)],
        "image": dict(given.image),
        "admin_password": _password(),
        "injected_files": [list(file) for file in given.injected_files],
        "requested_networks": dict(given.requested_networks),
        "block_device_mapping": _block_device_mapping(devices),
        "tags": _tags(tags),
    }
    return BuildSubmission(
        instance_uuid=row.instance_uuid,
        request_id=request_id,
        context=build_context(
            given.identity,
            instance=fields,
            has_volumes=any(_has_volume(device) for device in _objects(devices)),
            request_id=request_id,
            global_request_id=given.global_request_id,
            now=now,
        ),
        arguments=arguments,
    )


def _build_request(
    row: BuildRequestRow,
    instance: Mapping[str, Any],
    devices: Mapping[str, Any],
    tags: Mapping[str, Any],
) -> dict[str, Any]:
    """As Nova reads it from its database: it sets some of the instance's fields then."""
    created_at = timestamp(row.created_at)
    fields = data_of(instance, "Instance")
    fields.setdefault("deleted", False)
    fields.setdefault("hidden", False)
    fields.setdefault("locked_by", None)
    fields.update(
        disable_terminate=False,
        terminated_at=None,
        host=None,
        launched_at=None,
        launched_on=None,
        cell_name=None,
        created_at=created_at,
        updated_at=None,
        tags=tags,
    )
    # A release that has no compute_id cannot be told a node without one by those that have it.
    if "compute_id" in fields:
        fields.update(node=None, compute_id=None)
    return primitive(
        "BuildRequest",
        {
            "id": row.id,
            "instance_uuid": row.instance_uuid,
            "project_id": row.project_id,
            "instance": instance,
            "block_device_mappings": devices,
            "created_at": created_at,
            "updated_at": None,
            "tags": tags,
        },
    )


def _request_spec(given: BuildInput) -> dict[str, Any]:
    row = given.request_spec
    spec = RequestSpec.loads(row.spec, row.instance_uuid)
    fields: dict[str, Any] = {
        "id": row.id,
        "instance_uuid": row.instance_uuid,
        "num_instances": 1,
        "requested_networks": dict(given.requested_networks),
        "requested_resources": [],
        "request_level_params": primitive("RequestLevelParams", {}),
        "requested_destination": None,
        # They would keep the instance off the hosts of an earlier attempt.
        "retry": None,
        "ignore_hosts": None,
    }
    if spec.get("instance_group"):
        fields.update(_group(spec, given.group_members))
    made = dict(spec.with_fields(fields).primitive)
    made["nova_object.changes"] = sorted(made["nova_object.data"])
    return made


def _group(spec: RequestSpec, members: Sequence[str] | None) -> dict[str, Any]:
    """The server group as it is now: Nova stores it without members, and reads them when it sends.

    The stored form says that nobody knows its hosts. The conductor would take that for "none".
    """
    if not members:
        hints = {k: v for k, v in (spec.get("scheduler_hints") or {}).items() if k != "group"}
        return {"instance_group": None, "scheduler_hints": hints}
    group = copy.deepcopy(spec.get("instance_group"))
    fields = data_of(group, "InstanceGroup")
    fields.pop("hosts", None)
    fields["members"] = list(members)
    return {"instance_group": _without_changes(group)}


def _block_device_mapping(devices: Mapping[str, Any]) -> dict[str, Any]:
    """The devices as requested: the conductor writes, for each instance, the fields in changes."""
    objects = []
    for device in _objects(devices):
        fields = {
            name: value
            for name, value in data_of(device, "BlockDeviceMapping").items()
            if name not in ("id", "instance_uuid", "instance")
        }
        version = device["nova_object.version"]
        objects.append(primitive("BlockDeviceMapping", fields, sorted(fields), version=version))
    return {
        **object_list("BlockDeviceMappingList", objects, ["objects"]),
        "nova_object.version": devices["nova_object.version"],
    }


def _has_volume(device: Mapping[str, Any]) -> bool:
    return bool(data_of(device, "BlockDeviceMapping").get("destination_type") == "volume")


def _tags(tags: Mapping[str, Any]) -> dict[str, Any]:
    names = [data_of(tag, "Tag")["tag"] for tag in data_of(tags, "TagList")["objects"]]
    return object_list(
        "TagList", [primitive("Tag", {"tag": n}, ["tag"]) for n in names], ["objects"]
    )


def _objects(devices: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = data_of(devices, "BlockDeviceMappingList")["objects"]
    return list(found)


def _without_changes(value: Any) -> Any:
    """Nova forgets what has changed of all that it loads."""
    if isinstance(value, Mapping):
        return {k: _without_changes(v) for k, v in value.items() if k != "nova_object.changes"}
    if isinstance(value, list):
        return [_without_changes(item) for item in value]
    return value


def _password() -> str:
    """Of letters and digits with one of each kind, as Nova's own."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    while True:
        made = "".join(secrets.choice("".join(kinds)) for _place in range(_PASSWORD_LENGTH))
        if all(set(kind) & set(made) for kind in kinds):
            return made
