# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance is: from a cell's rows, or from its BuildRequest, and from its RequestSpec."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import RecoveryError
from .image import image_id_of
from .listing import Listed
from .network_request import Requests, requests_from
from .network_subject import Subject, subject_of_build_request, subject_of_rows
from .nova_rows import BuildRequestRow, InstanceRows
from .request_spec import RequestSpec
from .versioned_object import data_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFault:
    """Why Nova could not build it; ``created_at`` is naive UTC."""

    message: str
    code: int
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededVolume:
    """A volume that it was created with, and the attachment that reserves it, where it has one."""

    volume_id: str
    attachment_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """``subject`` is what checks of its networks need. ``image_id`` is None for a root volume that
    was there before. ``unreadable`` says what could not be read of it."""

    name: str | None
    project_id: str | None
    user_id: str | None
    created_at: datetime | None
    subject: Subject
    fault: BuildFault | None = None
    flavor_name: str | None = None
    flavor_id: str | None = None
    image_id: str | None = None
    availability_zone: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[NeededVolume, ...] = ()
    unreadable: str | None = None


def describe(listed: Listed) -> Description:
    """What the databases tell of it."""
    uuid, text = listed.seen.instance_uuid, listed.seen.spec_text
    of_spec: dict[str, Any] = {}
    stored: Requests | None = None
    unreadable = None
    try:
        if text is not None:
            spec = RequestSpec.loads(text, uuid)
            of_spec = _of_spec(spec)
            stored = requests_from(spec.requested_networks)
    except RecoveryError as error:
        unreadable = error.message
    if listed.rows is not None:
        return _of_rows(listed.rows, stored, {**of_spec, "unreadable": unreadable})
    request = listed.seen.build_request
    try:
        if request is not None:
            return _of_request(request, stored, {**of_spec, "unreadable": unreadable})
    except (RecoveryError, ValueError) as error:
        unreadable = str(error)
    mapping = listed.seen.mapping
    project_id = mapping.project_id if mapping is not None else None
    return Description(
        name=None,
        project_id=project_id,
        user_id=mapping.user_id if mapping is not None else None,
        created_at=request.created_at if request is not None else None,
        subject=Subject(instance_uuid=uuid, project_id=project_id or "", stored=stored),
        unreadable=unreadable,
    )


def _of_spec(spec: RequestSpec) -> dict[str, Any]:
    flavor = spec.get("flavor")
    data = data_of(flavor, "Flavor") if flavor is not None else {}
    return {
        "flavor_name": data.get("name"),
        "flavor_id": data.get("flavorid"),
        "availability_zone": spec.get("availability_zone"),
    }


def _of_rows(rows: InstanceRows, stored: Requests | None, others: dict[str, Any]) -> Description:
    row = rows.instance
    devices = list(rows.live("block_device_mapping"))
    newest = max(rows.live("instance_faults"), key=lambda fault: fault["id"], default=None)
    return Description(
        name=row["display_name"],
        project_id=row["project_id"],
        user_id=row["user_id"],
        created_at=row["created_at"],
        subject=subject_of_rows(rows, stored),
        fault=None
        if newest is None
        else BuildFault(
            message=(newest["message"] or "").strip(),
            code=newest["code"],
            created_at=newest["created_at"],
        ),
        image_id=image_id_of(row, devices),
        tags=tuple(sorted(tag["tag"] for tag in rows.live("tags"))),
        metadata={pair["key"]: pair["value"] for pair in rows.live("instance_metadata")},
        volumes=_volumes(devices),
        **others,
    )


def _of_request(
    request: BuildRequestRow, stored: Requests | None, others: dict[str, Any]
) -> Description:
    instance = data_of(json.loads(request.instance), "Instance")
    devices = [
        data_of(device, "BlockDeviceMapping")
        for device in _objects(request.block_device_mappings, "BlockDeviceMappingList")
    ]
    tags = (data_of(tag, "Tag") for tag in _objects(request.tags, "TagList"))
    return Description(
        name=instance.get("display_name"),
        project_id=request.project_id,
        user_id=instance.get("user_id"),
        created_at=request.created_at,
        subject=subject_of_build_request(request, stored),
        image_id=image_id_of(instance, devices),
        tags=tuple(sorted(tag["tag"] for tag in tags)),
        metadata=dict(instance.get("metadata") or {}),
        volumes=_volumes(devices),
        **others,
    )


def _objects(text: str | None, name: str) -> list[Any]:
    found: list[Any] = data_of(json.loads(text), name)["objects"] if text else []
    return found


def _volumes(devices: Iterable[Mapping[str, Any]]) -> tuple[NeededVolume, ...]:
    return tuple(
        NeededVolume(volume_id=device["volume_id"], attachment_id=device.get("attachment_id"))
        for device in devices
        # A volume that Nova is to make has no id yet.
        if device.get("destination_type") == "volume" and device.get("volume_id")
    )
