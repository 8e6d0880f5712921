# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Nova writes of a flavor into the objects of a new instance that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..errors import RecoveryError
from .nova_rows import Row
from .versioned_object import primitive, timestamp

GIBIBYTE = 1024**3
# What makes a flavor another one. The description is cleared in what Nova stores of an instance.
_COMPARED = (
    *("id", "flavorid", "memory_mb", "vcpus", "root_gb", "ephemeral_gb", "swap"),
    *("rxtx_factor", "extra_specs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFlavor:
    """One flavor of Nova's API database. Memory and swap in MiB, disks in GiB.

    ``id`` is what instances point to, ``flavorid`` what the API calls its id. ``project_ids`` are
    the projects that may use one that is not public.
    """

    id: int
    flavorid: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemeral_gb: int
    swap: int
    rxtx_factor: float
    vcpu_weight: int
    disabled: bool
    is_public: bool
    description: str | None
    created_at: datetime | None
    updated_at: datetime | None
    extra_specs: Mapping[str, str]
    project_ids: frozenset[str] = frozenset()

    def require_usable_by(self, project_id: str) -> None:
        """:raises RecoveryError: ``flavor_disabled``, ``flavor_not_accessible``."""
        if self.disabled:
            raise RecoveryError(
                "flavor_disabled", f"flavor {self.name} is disabled: enable it, or give another"
            )
        if not self.is_public and project_id not in self.project_ids:
            raise RecoveryError(
                "flavor_not_accessible",
                f"project {project_id} may not use flavor {self.name}: give it access, or give"
                " another flavor",
            )

    def primitive(self) -> dict[str, Any]:
        """The Flavor primitive, as in a BuildRequest and in a RequestSpec."""
        return primitive(
            "Flavor",
            {
                "id": self.id,
                "name": self.name,
                "memory_mb": self.memory_mb,
                "vcpus": self.vcpus,
                "root_gb": self.root_gb,
                "ephemeral_gb": self.ephemeral_gb,
                "flavorid": self.flavorid,
                "swap": self.swap,
                "rxtx_factor": self.rxtx_factor,
                "vcpu_weight": self.vcpu_weight,
                "disabled": self.disabled,
                "is_public": self.is_public,
                "extra_specs": dict(self.extra_specs),
                "description": self.description,
                "created_at": timestamp(self.created_at),
                "updated_at": timestamp(self.updated_at),
                "deleted_at": None,
                "deleted": False,
            },
        )

    def columns(self) -> dict[str, Any]:
        """Columns of instances that follow from the flavor."""
        return {
            "instance_type_id": self.id,
            "memory_mb": self.memory_mb,
            "vcpus": self.vcpus,
            "root_gb": self.root_gb,
            "ephemeral_gb": self.ephemeral_gb,
        }


class Flavors(Protocol):
    """Nova's flavors."""

    def flavor(self, name_or_id: str) -> ChosenFlavor | None:
        """The one with this id, or else this name."""


def same_flavor(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two have the same fields, but for name, description and times."""
    return all(one.get(name) == other.get(name) for name in _COMPARED)


def with_local_disks(
    devices: Sequence[Row], before: Mapping[str, Any], flavor: Mapping[str, Any]
) -> list[Row]:
    """The rows of block_device_mapping with the empty local disks of another flavor.

    :param before: fields of the flavor that it had.
    :param flavor: fields of the other one.
    :raises RecoveryError: ``local_disks``.
    """
    if _sizes(before) == _sizes(flavor):
        return list(devices)
    blank = [row for row in devices if _is_blank(row)]
    shapes = [(row["guest_format"], row["volume_size"]) for row in blank]
    if shapes != _shapes(before) or not all(map(_is_as_nova_adds_it, blank)):
        raise RecoveryError(
            "local_disks",
            "its user asked for empty local disks, or a host has named them, so which of them follow"
            " the flavor can not be told: give a flavor with the same ephemeral disk and swap",
        )
    kept = [row for row in devices if not any(row is gone for gone in blank)]
    return [*kept, *_added(devices, _shapes(flavor))]


def _sizes(flavor: Mapping[str, Any]) -> tuple[int, int]:
    return flavor.get("ephemeral_gb") or 0, flavor.get("swap") or 0


def _shapes(flavor: Mapping[str, Any]) -> list[tuple[str | None, int]]:
    """Guest format and size, in Nova's order."""
    ephemeral, swap = _sizes(flavor)
    disks: list[tuple[str | None, int]] = [(None, ephemeral), ("swap", swap)]
    return [disk for disk in disks if disk[1]]


def _is_blank(row: Row) -> bool:
    return (
        not row.get("deleted")
        and row["source_type"] == "blank"
        and row["destination_type"] == "local"
    )


def _is_as_nova_adds_it(row: Row) -> bool:
    stated = ("device_name", "disk_bus", "tag", "volume_type")
    return (
        not any(row.get(name) for name in (*stated, "encrypted"))
        and row["device_type"] == "disk"
        and row["boot_index"] == -1
        and bool(row["delete_on_termination"])
    )


def _added(devices: Sequence[Row], shapes: Sequence[tuple[str | None, int]]) -> list[Row]:
    last = max(row["id"] for row in devices)
    # Not every release has the same columns.
    empty = dict.fromkeys(devices[0])
    return [
        {
            **empty,
            "id": last + number,
            "instance_uuid": devices[0]["instance_uuid"],
            "deleted": 0,
            "source_type": "blank",
            "destination_type": "local",
            "device_type": "disk",
            "guest_format": guest_format,
            "volume_size": size,
            "boot_index": -1,
            "delete_on_termination": 1,
            "no_device": 0,
            **({"encrypted": 0} if "encrypted" in empty else {}),
        }
        for number, (guest_format, size) in enumerate(shapes, 1)
    ]
