# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What another image or flavor needs of a cloud: Nova, Glance, and what Cinder says of a root volume."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..domain.errors import RecoveryError
from ..domain.nova import Instance
from ..domain.records import newest_by_instance
from ..domain.reshape.shape import MISSING, FlavorWanted, ImageWanted, RootVolume, Shape
from .evacuation_cloud import OpenStackEvacuationCloud
from .glance_image import GlanceImages
from .image_choice import choose_image
from .nova_api import instance_of
from .nova_lists import all_of
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing

# The newest that still shows the processors of a hypervisor.
_SHOWS_PROCESSORS = "2.87"
# The newest that shows the id of an instance's flavor, instead of what is in it.
_SHOWS_FLAVOR_IDS = "2.46"
_RESIZE = "resize"
# What Cinder notes of a volume's image that is no property of it.
_NOT_PROPERTIES = frozenset(
    {"image_id", "image_name", "checksum", "size", "min_disk", "min_ram"}
    | {"disk_format", "container_format"}
)


class OpenStackReshapeCloud(OpenStackEvacuationCloud):
    """Implements domain.reshape.shape.ReshapeCloud."""

    def __init__(self, connection: CloudConnection) -> None:
        super().__init__(connection)
        self._images = GlanceImages(connection)
        self._root_volumes: dict[str, RootVolume | None] = {}
        self._architectures: dict[str, str | None] | None = None
        # By resource provider, of which a host has few and its instances ask many times.
        self._traits: dict[str, frozenset[str]] = {}

    def shapes(self, instance_ids: Iterable[str]) -> dict[str, Shape]:
        found = {}
        for instance_id in instance_ids:
            with cloud_errors(f"read instance {instance_id}"):
                read = functools.partial(self._compute.get_server, instance_id)
                server = none_if_missing(read)
                if server is not None:
                    found[instance_id] = self._shape(server, instance_of(server))
        return found

    def _shape(self, server: Any, now: Instance) -> Shape:
        return Shape(
            instance=now,
            flavor_name=str((server.flavor or {}).get("original_name") or ""),
            root_volume=self._root_volume(now) if now.image_id is None else None,
            kept=_kept(server),
            resize_status=self._resize_status(now) if now.vm_state == "resized" else None,
            newest_action=self._newest_action(now) if now.vm_state == "error" else None,
        )

    def _root_volume(self, now: Instance) -> RootVolume | None:
        # While Nova works on the instance nothing follows from it.
        if now.task_state is None or now.id not in self._root_volumes:
            self._root_volumes[now.id] = self._read_root_volume(now)
        return self._root_volumes[now.id]

    def _read_root_volume(self, now: Instance) -> RootVolume | None:
        for attachment in self._compute.volume_attachments(now.id):
            if attachment.device == now.root_device_name:
                get_volume = self._connection.sdk.block_storage.get_volume
                volume = none_if_missing(functools.partial(get_volume, attachment.volume_id))
                if volume is None:
                    return RootVolume(
                        id=attachment.volume_id, status=MISSING, size_gb=0, image_id=None
                    )
                noted = volume.volume_image_metadata or {}
                return RootVolume(
                    id=volume.id,
                    status=volume.status or "",
                    size_gb=int(volume.size or 0),
                    image_id=noted.get("image_id"),
                    image_properties={
                        name: value for name, value in noted.items() if name not in _NOT_PROPERTIES
                    },
                )
        return None

    def _resize_status(self, now: Instance) -> str | None:
        newest = newest_by_instance(self.migrations(instance_id=now.id)).get(now.id)
        # A cold migration waits for its confirmation, too.
        return newest.status if newest and newest.migration_type == _RESIZE else None

    def _newest_action(self, now: Instance) -> str | None:
        actions = self.power_actions(now.id)
        return max(actions, key=lambda action: action.start_time).action if actions else None

    def image(self, name_or_id: str) -> ImageWanted:
        chosen = choose_image(self._connection, name_or_id)
        with cloud_errors(f"read image {chosen.id}"):
            # Nova does not look at the size of the disk in the image, the host does.
            body = self._connection.read(self._connection.sdk.image, f"/images/{chosen.id}")
        if chosen.properties.get("cinder_encryption_key_id"):
            raise RecoveryError(
                "image_not_bootable",
                f"image {name_or_id} is of an encrypted volume, and Nova boots none of these"
                " directly: give another image",
            )
        return ImageWanted(
            id=chosen.id,
            name=str(chosen.nova.get("name") or chosen.id),
            size=int(chosen.nova.get("size") or 0),
            virtual_size=int(body.get("virtual_size") or 0),
            min_disk=int(chosen.nova.get("min_disk") or 0),
            min_ram=int(chosen.nova.get("min_ram") or 0),
            properties=chosen.properties,
            project_ids=chosen.project_ids,
        )

    def image_properties(self, image_id: str) -> Mapping[str, Any] | None:
        try:
            properties: Mapping[str, Any] = self._images.image(image_id)["properties"]
        except RecoveryError as error:
            if error.code in ("image_not_found", "image_not_active"):
                return None
            raise
        return properties

    def flavor(self, name_or_id: str) -> FlavorWanted:
        return self._flavors.choose(name_or_id)

    def flavor_id(self, instance_id: str) -> str:
        with cloud_errors(f"read instance {instance_id}"):
            body = self._connection.read(
                self._compute, f"/servers/{instance_id}", _SHOWS_FLAVOR_IDS
            )
            return str(body["server"]["flavor"]["id"])

    def traits(self, instance_id: str) -> frozenset[str]:
        with cloud_errors(f"read the traits where instance {instance_id} is"):
            return frozenset().union(
                *(self._traits_of(provider) for provider in self._providers_of(instance_id))
            )

    def _traits_of(self, provider: str) -> frozenset[str]:
        if provider not in self._traits:
            body = self._read_placement(f"/resource_providers/{provider}/traits")
            self._traits[provider] = frozenset(body["traits"])
        return self._traits[provider]

    def architecture(self, host: str) -> str | None:
        if self._architectures is None:
            with cloud_errors("list the hypervisors"):
                path = "/os-hypervisors/detail"
                self._architectures = {
                    found["service"]["host"]: _architecture(found.get("cpu_info"))
                    for found in all_of(self._connection, path, _SHOWS_PROCESSORS)
                }
        return self._architectures.get(host)


def _architecture(processors: Any) -> str | None:
    if isinstance(processors, str):
        try:
            processors = json.loads(processors)
        except ValueError:
            return None
    return (processors or {}).get("arch") if isinstance(processors, Mapping) else None


def _kept(server: Any) -> dict[str, str]:
    """What only the instance's user may change; of user data a digest, since it can hold secrets."""
    user_data = (server.user_data or "").encode()
    return {
        "name": server.name or "",
        "project": server.project_id or "",
        "description": server.description or "",
        "hostname": server.hostname or "",
        "key_name": server.key_name or "",
        "config_drive": str(bool(server.has_config_drive)),
        "user_data": hashlib.sha256(user_data).hexdigest(),
        "metadata": json.dumps(dict(server.metadata or {}), sort_keys=True),
        "tags": ", ".join(sorted(server.tags or ())),
    }
