# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image as Nova's API hands it to the conductor."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

# Too large for system_metadata: what Nova keeps out of it, and never reads from it.
_NOT_KEPT = frozenset(
    {"mappings", "block_device_mapping", "img_mappings", "img_block_device_mapping"}
)
_PREFIX = "image_"
_OF_THE_IMAGE = frozenset({"min_ram", "min_disk", "disk_format", "container_format"})
_LEFT_OUT = frozenset(
    {"self", "schema", "protected", "virtual_size", "file", "tags", "direct_url", "locations"}
)
_TIMES = ("created_at", "updated_at", "deleted_at")
GIBIBYTE = 1024**3


def image_id_of(instance: Mapping[str, Any], devices: Iterable[Mapping[str, Any]]) -> str | None:
    """The image to read from Glance; None when the root disk is a volume that was there before.

    :param instance: fields of the Instance.
    :param devices: fields of its BlockDeviceMappings.
    """
    if instance.get("image_ref"):
        return str(instance["image_ref"])
    root = next((device for device in devices if device.get("boot_index") == 0), None)
    image_id = root.get("image_id") if root else None
    return str(image_id) if image_id else None


def image_from_glance(body: Mapping[str, Any], base_properties: Collection[str]) -> dict[str, Any]:
    """What Nova makes of an image of Glance's API.

    :param body: the answer to GET /v2/images/ID.
    :param base_properties: names that Glance's schema of an image has, and that are not marked as
        ``is_base: false``; everything else is a property.
    """
    properties: dict[str, Any] = {}
    image: dict[str, Any] = {
        "properties": properties,
        "deleted": False,
        "deleted_at": None,
        "disk_format": None,
        "container_format": None,
        "name": None,
        "checksum": None,
    }
    for name, value in body.items():
        if name in _LEFT_OUT:
            continue
        if name == "visibility":
            image["is_public"] = value == "public"
        elif name == "size":
            image["size"] = value or 0
        elif name in base_properties:
            image[name] = value
        else:
            properties[name] = value
    for name in _TIMES:
        if image.get(name):
            image[name] = _time(image[name])
    for name in ("block_device_mapping", "mappings"):
        if isinstance(properties.get(name), str):
            properties[name] = json.loads(properties[name])
    return image


def image_from_system_metadata(
    system_metadata: Mapping[str, Any], root_volume_size: int
) -> dict[str, Any]:
    """For an instance that boots from a volume: what Nova reads from the volume's image metadata.

    The same properties stand in the instance's system_metadata, cut to 255 characters. min_disk does
    not: the flavor's root disk is there. It is 0 here; only the API looks at it.

    :param root_volume_size: GiB; 0 where it is not known, as Nova does.
    """
    properties = {}
    min_ram = 0
    for key, value in system_metadata.items():
        name = key.removeprefix(_PREFIX)
        # Nova puts its own notes (owner_user_name, boot_roles) there, without the prefix.
        if not key.startswith(_PREFIX) or value is None or name in _NOT_KEPT:
            continue
        if name == "min_ram":
            min_ram = int(value or 0)
        elif name not in _OF_THE_IMAGE and name != "base_image_ref":
            properties[name] = value
    return {
        "properties": properties,
        "size": root_volume_size * GIBIBYTE,
        "min_ram": min_ram,
        "min_disk": 0,
        "status": "active",
    }


def _time(value: str) -> str:
    """As oslo's JSON has a datetime: 2026-03-01T02:15:00.000000, in UTC."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
