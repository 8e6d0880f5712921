# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Nova writes of an image into the objects of a new instance that boots from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from .image_fields import OLDEST, is_true
from .image_properties import as_text, known_properties
from .nova_rows import Row
from .versioned_object import data_of, primitive

_PREFIX = "image_"
_TEXTS = ("name", "checksum", "owner", "container_format", "disk_format")
_FIELDS = (
    *("id", "name", "status", "checksum", "owner", "size", "container_format", "disk_format"),
    *("created_at", "updated_at", "min_ram", "min_disk"),
)
_NOT_KEPT = frozenset(
    {"mappings", "block_device_mapping", "img_mappings", "img_block_device_mapping"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenImage:
    """An image to boot from.

    ``nova`` is in Nova's form. ``project_ids`` are the projects that may use it, None for all.
    """

    nova: Mapping[str, Any]
    project_ids: frozenset[str] | None

    @property
    def id(self) -> str:
        return str(self.nova["id"])

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.nova["properties"]
        return found

    def require_usable_by(self, project_id: str) -> None:
        """:raises RecoveryError: ``image_not_accessible``, ``image_not_bootable``."""
        if self.project_ids is not None and project_id not in self.project_ids:
            raise RecoveryError(
                "image_not_accessible",
                f"project {project_id} may not use image {self.id}: share the image with it, or"
                " give another",
            )
        if self.properties.get("cinder_encryption_key_id"):
            raise RecoveryError(
                "image_not_bootable",
                f"image {self.id} is of an encrypted volume, and Nova boots none of these directly:"
                " give another image",
            )

    def meta(self, stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """The ImageMeta primitive of a RequestSpec.

        :param stored: that of the image before, which tells the versions that this Nova writes.
        :raises RecoveryError: ``image_property_invalid``, ``image_needs_nova``.
        """
        before = data_of(stored, "ImageMeta").get("properties") if stored else None
        version = before["nova_object.version"] if before else f"1.{OLDEST}"
        known = known_properties(self.properties, int(version.partition(".")[2]))
        fields = {name: self.nova[name] for name in _FIELDS if name in self.nova}
        fields.update({name: "" for name in _TEXTS if name in fields and fields[name] is None})
        fields["size"] = fields.get("size") or 0
        for name in ("created_at", "updated_at"):
            if fields.get(name):
                # 2026-03-01T02:15:00.000000 as a message has it, 2026-03-01T02:15:00Z as an object.
                fields[name] = f"{fields[name][:19]}Z"
        fields["properties"] = primitive("ImageMetaProps", known, sorted(known), version=version)
        return primitive(
            "ImageMeta",
            fields,
            sorted(fields),
            version=stored["nova_object.version"] if stored else None,
        )

    def columns(self, row: Row, properties_before: Mapping[str, Any]) -> dict[str, Any]:
        """Columns of instances that follow from the image.

        :param row: that of the instance.
        :param properties_before: of the image before, as its system_metadata has them.
        :raises RecoveryError: ``auto_disk_config_disabled``, ``devices_named``.
        """
        named_before = _root_device_name(properties_before)
        if (row["root_device_name"] or None) != named_before:
            raise RecoveryError(
                "devices_named",
                "a host has named its disks for the image it had, and what its user asked for can"
                " not be told from that: prepare it without another image",
            )
        kernel = self.properties.get("kernel_id")
        ramdisk = self.properties.get("ramdisk_id")
        if kernel == "nokernel":
            kernel = ramdisk = None
        return {
            "image_ref": self.id,
            "kernel_id": kernel or "",
            "ramdisk_id": ramdisk or "",
            "os_type": self.properties.get("os_type"),
            "architecture": self.properties.get("architecture"),
            "vm_mode": self.properties.get("vm_mode"),
            "root_device_name": _root_device_name(self.properties),
            "auto_disk_config": self._auto_disk_config(row, properties_before),
        }

    def _auto_disk_config(self, row: Row, properties_before: Mapping[str, Any]) -> int:
        """What the user stated; where it is as the image before had it, what the new one says."""
        present = bool(row["auto_disk_config"])
        if present == is_true(properties_before.get("auto_disk_config")):
            return int(is_true(self.properties.get("auto_disk_config")))
        stated = str(self.properties.get("auto_disk_config", "")).strip().lower()
        if present and stated == "disabled":
            raise RecoveryError(
                "auto_disk_config_disabled",
                f"its user asked for an automatic disk configuration, which image {self.id} has"
                " disabled: give another image",
            )
        return int(present)

    def system_metadata(self) -> dict[str, str]:
        """But for what depends on the flavor."""
        kept = {
            f"{_PREFIX}{name}": as_text(value)
            for name, value in self.properties.items()
            if name not in _NOT_KEPT
        }
        for name in ("min_ram", "disk_format", "container_format"):
            if self.nova.get(name) is not None:
                kept[f"{_PREFIX}{name}"] = str(self.nova[name])
        kept.setdefault(f"{_PREFIX}base_image_ref", self.id)
        return kept


def least_disk(meta: Mapping[str, Any], root_gb: int) -> str:
    """The image's min_disk as system_metadata has it: GiB, at least the flavor's.

    :param meta: fields of an ImageMeta.
    """
    if meta.get("disk_format") == "vhd":
        return str(root_gb)
    return str(max(int(meta.get("min_disk") or 0), root_gb))


def is_of_image(key: str) -> bool:
    """Whether a key of system_metadata came from the image."""
    return key.startswith(_PREFIX)


def properties_of(system_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of the image, as far as system_metadata has them."""
    return {
        key.removeprefix(_PREFIX): value
        for key, value in system_metadata.items()
        if is_of_image(key)
    }


def with_root_image(devices: Sequence[Row], image_id: str) -> list[Row]:
    """The rows of block_device_mapping with another image on the root disk.

    :raises RecoveryError: ``volume_backed``.
    """
    roots = [row for row in devices if row["boot_index"] == 0 and not row.get("deleted")]
    if not roots or any(
        (row["source_type"], row["destination_type"]) != ("image", "local") for row in roots
    ):
        raise RecoveryError(
            "volume_backed",
            "its root disk is a volume, which holds the image: it can only be prepared without"
            " another one",
        )
    return [
        {**row, "image_id": image_id} if any(row is root for root in roots) else row
        for row in devices
    ]


def _root_device_name(properties: Mapping[str, Any]) -> str | None:
    name = properties.get("root_device_name")
    if not name:
        return None
    return str(name) if str(name).startswith("/dev/") else f"/dev/{name}"
