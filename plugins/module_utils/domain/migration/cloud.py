# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What bringing instances to given hosts needs of the cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ..cloud import ComputeServices, EvacuationRecords
from ..nova import Instance, Port, VolumeAttachment


class MigrationCloud(ComputeServices, EvacuationRecords, Protocol):
    """Nova, and what Neutron, Placement and Cinder know of its instances."""

    def instances_on(self, host: str) -> list[Instance]:
        """Instances of all projects whose host is exactly this one."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids; unknown ones are left out."""

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        """Ports whose device_id is one of these instances."""

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        """Hosts on which this consumer, an instance or a migration record, holds an allocation."""

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        """These volumes by id, unknown ones left out; None without a block storage service."""

    def live_migrate(self, instance_id: str, host: str) -> str | None:
        """Ask Nova to live-migrate to this host, which the scheduler checks; the request id."""

    def cold_migrate(self, instance_id: str, host: str) -> str | None:
        """Ask Nova to migrate to this host, which the scheduler checks; the request id."""

    def confirm_resize(self, instance_id: str) -> str | None:
        """Ask Nova to confirm a migration that has finished; the request id."""

    def failure_of(self, instance_id: str) -> str | None:
        """Nova's words for why the instance's newest action has failed; None if it has not."""
