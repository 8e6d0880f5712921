# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the build of a prepared instance needs of the cloud's APIs, as a Protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ..nova import Instance, Port, VolumeAttachment
from .conductor import BuildSubmission
from .nova_rows import BuildRequestRow, RequestSpecRow


class BuildCloud(Protocol):
    """Every call can raise RecoveryError."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids."""

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        """Ports whose device_id is one of these instances."""

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        """Hosts whose resource provider tree holds an allocation of this instance."""

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        """These volumes by id, unknown ones left out; None without a block storage service."""

    def delete_allocations(self, instance_id: str) -> None:
        """Free what Placement holds for an instance that is on no host."""

    def free_ports(self, instance_id: str, port_ids: Iterable[str]) -> None:
        """Have these ports belong to nobody, if they belong to the instance.

        Nova refuses a port that has a device, also when that is the instance itself, which a failed
        build can leave behind.
        """

    def compose(self, request: BuildRequestRow, spec: RequestSpecRow) -> BuildSubmission:
        """The message to the conductor, with a token that lives long enough."""
