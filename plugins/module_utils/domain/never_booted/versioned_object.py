# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nova's versioned objects as primitives: the JSON in which it stores and sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import RecoveryError

# Versions that every release from Zed to 2026.2 reads: it takes an object of the same major and of
# a lower minor version, ignores fields that it does not know, and lets missing ones default.
VERSIONS = {
    "BlockDeviceMapping": "1.20",
    "BlockDeviceMappingList": "1.17",
    "BuildRequest": "1.3",
    "Flavor": "1.2",
    "ImageMeta": "1.8",
    "ImageMetaProps": "1.12",
    "Instance": "2.7",
    "InstanceInfoCache": "1.5",
    "InstancePCIRequest": "1.3",
    "InstancePCIRequests": "1.1",
    "KeyPairList": "1.3",
    "NetworkRequest": "1.3",
    "NetworkRequestList": "1.1",
    "RequestLevelParams": "1.0",
    "SecurityGroupList": "1.1",
    "Tag": "1.1",
    "TagList": "1.1",
}


def primitive(
    name: str,
    data: Mapping[str, Any],
    changes: Sequence[str] | None = None,
    *,
    version: str | None = None,
) -> dict[str, Any]:
    """The primitive of one object.

    :param data: its fields, already as primitives.
    :param changes: fields that Nova has to write when it saves the object.
    :param version: where it depends on the database's columns; from VERSIONS otherwise.
    """
    made: dict[str, Any] = {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": version or VERSIONS[name],
        "nova_object.data": dict(data),
    }
    if changes:
        made["nova_object.changes"] = list(changes)
    return made


def object_list(
    name: str, objects: Sequence[Mapping[str, Any]], changes: Sequence[str] | None = None
) -> dict[str, Any]:
    """The primitive of a list object."""
    return primitive(name, {"objects": list(objects)}, changes)


def data_of(value: Any, name: str) -> dict[str, Any]:
    """The fields of a primitive, which must be one of this class.

    :raises RecoveryError: ``unexpected_object``.
    """
    found = value.get("nova_object.name") if isinstance(value, Mapping) else type(value).__name__
    data = value.get("nova_object.data") if isinstance(value, Mapping) else None
    if found != name or not isinstance(data, dict):
        raise RecoveryError(
            "unexpected_object",
            f"Nova's database holds {found or 'something else'} where a {name} should be. This"
            " collection does not know that form: leave the instance alone and report it.",
            details={"expected": name, "found": found},
        )
    return data


def timestamp(value: datetime | None) -> str | None:
    """A database's naive UTC time in the form of a primitive, for example 2026-03-01T02:15:00Z."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")
