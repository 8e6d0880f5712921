# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of the images that instances were made from, read for many at once, and only once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..domain.nova import Instance
from .image_volume_status import ImageVolumeStatus
from .openstack_connection import CloudConnection


class InstanceImages:
    """What is read stays: the properties of an image do not change while a module runs."""

    def __init__(self, connection: CloudConnection) -> None:
        self._cloud = ImageVolumeStatus(connection)
        self._images: dict[str, dict[str, Any]] = {}
        self._volumes: dict[str, dict[str, Any]] = {}

    def properties_of(self, instances: Iterable[Instance]) -> dict[str, Mapping[str, Any] | None]:
        """By instance id those of its image, or those that its boot volume has kept of one.

        None where the image, or which volume it boots from, is not known.
        """
        instances = list(instances)
        images = {i.image_id for i in instances if i.image_id} - set(self._images)
        volumes = {v for i in instances if not i.image_id for v in i.volume_ids}
        if images:
            self._images |= self._cloud.read_images(sorted(images))
        if new := volumes - set(self._volumes):
            self._volumes |= self._cloud.read_volumes(new) or {}
        return {instance.id: self._properties(instance) for instance in instances}

    def _properties(self, instance: Instance) -> Mapping[str, Any] | None:
        if instance.image_id:
            return self._images.get(instance.image_id)
        volume = self._boot_volume(instance)
        return None if volume is None else volume.get("volume_image_metadata") or {}

    def _boot_volume(self, instance: Instance) -> Mapping[str, Any] | None:
        volumes = [self._volumes[v] for v in sorted(instance.volume_ids) if v in self._volumes]
        for volume in volumes:
            for attachment in volume.get("attachments", ()):
                is_root = attachment.get("device") == instance.root_device_name
                if is_root and attachment.get("server_id") == instance.id:
                    return volume
        # Before it has booted no attachment is shown; then the only one that can be booted counts.
        able = [volume for volume in volumes if volume.get("bootable") != "false"]
        return able[0] if len(able) == 1 and len(volumes) == len(instance.volume_ids) else None
