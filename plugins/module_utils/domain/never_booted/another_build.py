# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A never-booted instance with another image or flavor: what Nova has stored of it, rewritten.

The result is what Nova writes for a new instance with that image and flavor. Where Nova derives
it with code that cannot be repeated from outside, the instance is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from . import left_to_nova
from .another_flavor import GIBIBYTE, ChosenFlavor, same_flavor, with_local_disks
from .another_image import ChosenImage, is_of_image, least_disk, properties_of, with_root_image
from .nova_rows import InstanceRows, Row
from .request_spec import RequestSpec
from .versioned_object import data_of

_IMAGE_COMPARED = ("id", "min_ram", "min_disk", "size", "disk_format", "container_format")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What an instance is built from: fields of its Flavor, ImageMeta and ImageMetaProps."""

    flavor: Mapping[str, Any]
    image: Mapping[str, Any]
    properties: Mapping[str, Any]

    @classmethod
    def of(cls, spec: RequestSpec) -> Build:
        """:raises RecoveryError: ``unexpected_object``."""
        stored = spec.get("image")
        image = data_of(stored, "ImageMeta") if stored else {}
        properties = image.get("properties")
        return cls(
            flavor=data_of(spec.get("flavor"), "Flavor"),
            image=image,
            properties=data_of(properties, "ImageMetaProps") if properties else {},
        )

    @property
    def names(self) -> dict[str, str | None]:
        """For people; no image is one that a volume holds."""
        return {
            "flavor": self.flavor.get("name") or self.flavor.get("flavorid"),
            "image": self.image.get("name") or self.image.get("id"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The image and the flavor to be given; None for what stays."""

    image: ChosenImage | None = None
    flavor: ChosenFlavor | None = None

    def target(self, spec: RequestSpec) -> tuple[dict[str, Any], Build]:
        """Fields of the spec that are written for it, and what it is built from then.

        :raises RecoveryError: as of :meth:`rewrite`.
        """
        fields: dict[str, Any] = {}
        if self.image is not None:
            _require_derivable(self.image.properties)
            fields["image"] = self.image.meta(spec.get("image"))
        if self.flavor is not None:
            fields["flavor"] = self.flavor.primitive()
        return fields, Build.of(spec.with_fields(fields))

    def differs(self, spec: RequestSpec) -> bool:
        """Whether it is other than what is stored.

        :raises RecoveryError: as of :meth:`rewrite`.
        """
        present, wanted = Build.of(spec), self.target(spec)[1]
        return (
            not same_flavor(present.flavor, wanted.flavor)
            or present.properties != wanted.properties
            or any(present.image.get(name) != wanted.image.get(name) for name in _IMAGE_COMPARED)
        )

    def rewrite(self, rows: InstanceRows, spec: RequestSpec) -> tuple[InstanceRows, RequestSpec]:
        """What Nova would have written.

        :raises RecoveryError: why it cannot be, with the code for the instance's refusal.
        """
        before = Build.of(spec)
        fields, after = self.target(spec)
        extra = _one(rows, "instance_extra")
        instance, devices = dict(rows.instance), list(rows.all("block_device_mapping"))
        metadata = list(rows.all("instance_system_metadata"))
        project_id = instance["project_id"]
        _require_known_devices(before, devices)
        if self.image is not None:
            self.image.require_usable_by(project_id)
            devices = with_root_image(devices, self.image.id)
            properties = properties_of({row["key"]: row["value"] for row in _live(metadata)})
            instance.update(self.image.columns(instance, properties))
            metadata = [row for row in metadata if not is_of_image(row["key"])]
            metadata += [_pair(rows, *pair) for pair in self.image.system_metadata().items()]
        if self.flavor is not None:
            self.flavor.require_usable_by(project_id)
            devices = with_local_disks(devices, before.flavor, after.flavor)
            instance.update(self.flavor.columns())
            stored = {"cur": fields["flavor"], "old": None, "new": None}
            extra = {**extra, "flavor": json.dumps(stored)}
        least = least_disk(after.image, after.flavor["root_gb"])
        metadata = [row for row in metadata if row["key"] != "image_min_disk"]
        metadata.append(_pair(rows, "image_min_disk", least))
        _require_fit(after, is_volume_backed=bool(spec.get("is_bfv")))
        left_to_nova.require_agreement(after.flavor.get("extra_specs") or {}, after.properties)
        if not self._keeps_derived(before):
            fields.update(_without_derived(before, spec))
            extra = {**extra, "numa_topology": None, "pci_requests": _ports_only(extra)}
        tables = {
            **rows.tables,
            "instances": (instance,),
            "instance_extra": (extra,),
            "instance_system_metadata": tuple(metadata),
            "block_device_mapping": tuple(devices),
        }
        made = InstanceRows(instance_uuid=rows.instance_uuid, tables=tables)
        return made, spec.with_fields(fields)

    def _keeps_derived(self, before: Build) -> bool:
        """Whether what only Nova can derive stays as it is; False where there is to be none of it.

        :raises RecoveryError: ``flavor_needs_nova``, ``image_needs_nova``.
        """
        specs_before = before.flavor.get("extra_specs") or {}
        specs = specs_before if self.flavor is None else self.flavor.extra_specs
        properties = before.properties if self.image is None else self.image.properties
        _require_derivable(properties)
        of_flavor = left_to_nova.of_flavor(specs)
        same = self.flavor is None or same_flavor(before.flavor, self.flavor_fields)
        if of_flavor and not (same and not left_to_nova.of_image(before.properties)):
            raise RecoveryError(
                "flavor_needs_nova",
                f"the flavor has the extra spec {of_flavor[0]}, of which only Nova can derive what"
                " to store: give a flavor without it, or create a new instance",
            )
        return bool(of_flavor)

    @property
    def flavor_fields(self) -> Mapping[str, Any]:
        """Of the flavor to be given; none without one."""
        return {} if self.flavor is None else data_of(self.flavor.primitive(), "Flavor")


def _one(rows: InstanceRows, table: str) -> Row:
    row = rows.one(table)
    if row is None:
        raise RecoveryError(
            "rows_missing", f"its cell holds no row of it in {table}: look into Nova's databases"
        )
    return row


def _live(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.get("deleted")]


def _pair(rows: InstanceRows, key: str, value: str) -> Row:
    return {"instance_uuid": rows.instance_uuid, "key": key, "value": value, "deleted": 0}


def _require_derivable(properties: Mapping[str, Any]) -> None:
    of_image = left_to_nova.of_image(properties)
    if of_image:
        raise RecoveryError(
            "image_needs_nova",
            f"the image has the property {of_image[0]}, of which only Nova can derive what to"
            " store: give an image without it, or create a new instance",
        )


def _require_known_devices(before: Build, devices: Iterable[Row]) -> None:
    of_image = before.properties.get("img_block_device_mapping") or before.properties.get(
        "img_mappings"
    )
    if of_image or any(row.get("encrypted") for row in _live(devices)):
        raise RecoveryError(
            "disks_need_nova",
            "its disks follow from the block device mapping of its image, or are encrypted, which"
            " only Nova can derive: prepare it without another image and flavor",
        )


def _require_fit(after: Build, *, is_volume_backed: bool) -> None:
    """What Nova's API refuses.

    :raises RecoveryError: ``flavor_memory_too_small``, ``flavor_disk_too_small``,
        ``flavor_without_disk``.
    """
    flavor, image = after.flavor, after.image
    name = flavor.get("name")
    if flavor["memory_mb"] < (image.get("min_ram") or 0):
        raise RecoveryError(
            "flavor_memory_too_small",
            f"flavor {name} has {flavor['memory_mb']} MiB of memory, and the image needs"
            f" {image['min_ram']}: give a larger flavor",
        )
    if is_volume_backed:
        return
    if not flavor["root_gb"]:
        raise RecoveryError(
            "flavor_without_disk",
            f"flavor {name} has no root disk, which is for instances that boot from a volume: give"
            " another",
        )
    needed = max(image.get("size") or 0, (image.get("min_disk") or 0) * GIBIBYTE)
    if needed > flavor["root_gb"] * GIBIBYTE:
        raise RecoveryError(
            "flavor_disk_too_small",
            f"flavor {name} has a root disk of {flavor['root_gb']} GiB, and the image needs"
            f" {needed / GIBIBYTE:.1f}: give a larger flavor",
        )


def _ports_only(extra: Row) -> str:
    """Requests for PCI devices without those of the flavor, which have an alias."""
    requests = json.loads(extra["pci_requests"]) if extra.get("pci_requests") else []
    return json.dumps([request for request in requests if not request.get("alias_name")])


def _without_derived(before: Build, spec: RequestSpec) -> dict[str, Any]:
    """Fields of a spec whose flavor and image ask for nothing that only Nova can derive.

    :raises RecoveryError: ``ports_need_nova``.
    """
    fields: dict[str, Any] = {"numa_topology": None}
    stored = spec.get("pci_requests")
    if stored is None:
        return fields
    of_ports = [
        request
        for request in data_of(stored, "InstancePCIRequests")["requests"]
        if not data_of(request, "InstancePCIRequest").get("alias_name")
    ]
    stated = {*(before.flavor.get("extra_specs") or {}), *before.properties}
    if of_ports and stated & left_to_nova.PCI_POLICIES:
        raise RecoveryError(
            "ports_need_nova",
            "its ports with PCI devices follow the NUMA policy of the flavor or image it had: give"
            " it back that flavor and image",
        )
    fields["pci_requests"] = {
        **stored,
        "nova_object.data": {**stored["nova_object.data"], "requests": of_ports},
    }
    return fields
