# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What another image or flavor is decided from, and what it needs of the cloud.

Memory and swap in MiB, disks and volumes in GiB, the size of an image in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..capacity.needs import Flavor
from ..nova import ComputeService, Instance, Port, PowerAction, ServerGroup, VolumeAttachment

# Status of a root volume that Cinder does not know.
MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorWanted(Flavor):
    """A flavor of the cloud. ``project_ids`` are the projects that may use it, None for all."""

    id: str
    name: str
    project_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWanted:
    """``size`` is that of the file, ``virtual_size`` that of the disk in it, 0 where not known."""

    id: str
    name: str
    size: int = 0
    virtual_size: int = 0
    min_disk: int = 0
    min_ram: int = 0
    properties: Mapping[str, Any] = field(default_factory=dict)
    project_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """At least one of both. ``replace_root_disk``: that what is on root disks is lost is accepted."""

    image: ImageWanted | None = None
    flavor: FlavorWanted | None = None
    replace_root_disk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RootVolume:
    """The volume that an instance boots from. ``image_id`` is of the image that it was made from.

    ``status`` is Cinder's, or MISSING.
    """

    id: str
    status: str
    size_gb: int
    image_id: str | None
    image_properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An instance with its image and flavor, as it is now.

    ``kept`` are facts by name that neither a rebuild nor a resize changes. ``resize_status`` is that
    of its newest record, None if that is not of a resize, read only while one waits for its
    confirmation; ``newest_action`` is Nova's word for what was last asked of it, read only for one
    in ERROR.
    """

    instance: Instance
    flavor_name: str
    root_volume: RootVolume | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    resize_status: str | None = None
    newest_action: str | None = None

    @property
    def image_id(self) -> str | None:
        """The image that its root disk was made from."""
        if self.instance.image_id is not None:
            return self.instance.image_id
        return self.root_volume.image_id if self.root_volume else None

    def has_image(self, image: ImageWanted) -> bool:
        return self.image_id == image.id

    def has_flavor(self, flavor: FlavorWanted) -> bool:
        """Whether all of it is the same: a flavor that was made anew under its name is another one."""
        return self.has_sizes_of(flavor) and self.instance.extra_specs == flavor.extra_specs

    def has_sizes_of(self, flavor: FlavorWanted) -> bool:
        """Whether it has this flavor, as far as Nova lets nobody change one: all but extra specs."""
        now = self.instance
        return (
            self.flavor_name == flavor.name
            and (now.vcpus, now.memory_mb) == (flavor.vcpus, flavor.memory_mb)
            and (now.root_gb, now.ephemeral_gb) == (flavor.root_gb, flavor.ephemeral_gb)
            and now.swap_mb == flavor.swap_mb
        )


class ReshapeCloud(Protocol):
    """What a reshape reads and does. Errors as in domain/cloud.py."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids or exact names."""

    def instances_on(self, host: str) -> list[Instance]:
        """Instances of all projects whose host is exactly this one."""

    def shapes(self, instance_ids: Iterable[str]) -> dict[str, Shape]:
        """These instances as they are now; those that do not exist are missing."""

    def image(self, name_or_id: str) -> ImageWanted:
        """:raises RecoveryError: ``image_not_found``, ``image_not_active``, ``image_ambiguous``..."""

    def flavor(self, name_or_id: str) -> FlavorWanted:
        """:raises RecoveryError: ``flavor_not_found``, ``flavor_disabled``, ``flavor_ambiguous``."""

    def flavor_id(self, instance_id: str) -> str:
        """Of the flavor that the instance was given, which may be gone by now."""

    def image_properties(self, image_id: str) -> Mapping[str, Any] | None:
        """Properties of an image that was used before; None when it is gone."""

    def traits(self, instance_id: str) -> frozenset[str]:
        """Traits of the resource providers that the instance has allocations of."""

    def architecture(self, host: str) -> str | None:
        """Of the host's processors, None where Nova does not tell."""

    def compute_services(self) -> list[ComputeService]:
        """Every service of every binary, of every cell."""

    def server_groups(self) -> list[ServerGroup]:
        """Server groups of all projects."""

    def power_actions(self, instance_id: str) -> list[PowerAction]:
        """The instance's action log."""

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        """Ports whose device_id is one of these instances."""

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        """Hosts whose resource provider tree holds an allocation of this instance."""

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        """These volumes by id, unknown ones left out; None without a block storage service."""

    def failure_of(self, instance_id: str) -> str | None:
        """Nova's words for why the instance's newest action has failed; None if it has not."""

    def rebuild(self, instance_id: str, image_id: str) -> str | None:
        """Ask Nova to build its root disk anew from this image; the request id."""

    def resize(self, instance_id: str, flavor_id: str) -> str | None:
        """Ask Nova to give it this flavor; the request id."""

    def confirm_resize(self, instance_id: str) -> str | None:
        """Ask Nova to end a resize that has arrived; the request id."""

    def hard_reboot(self, instance_id: str) -> str | None:
        """Ask Nova to start it anew, whatever its state; the request id."""

    def stop(self, instance_id: str) -> str | None:
        """Ask Nova to stop the instance; the request id."""
