# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the domain needs of the outside systems, as Protocols that adapters implement.

Every call can raise RecoveryError: ApiUnavailable when the cloud did not answer (what it did with
the request is unknown), ApiRefused when it answered with a 4xx status (it has done nothing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from .capacity.cloud import Capacity
from .nova import (
    ComputeService,
    Instance,
    MigrationRecord,
    Port,
    PowerAction,
    ServerGroup,
    VolumeAttachment,
)
from .policy.matching import PolicyFacts


class ComputeServices(Protocol):
    """os-services of the compute API."""

    def compute_services(self) -> list[ComputeService]:
        """Every service of every binary, of every cell."""

    def update_service(self, service_id: str, body: Mapping[str, Any]) -> None:
        """PUT these fields (forced_down, status, disabled_reason)."""


class EvacuationRecords(Protocol):
    """os-migrations of the compute API."""

    def migrations(
        self,
        *,
        host: str | None = None,
        source_compute: str | None = None,
        migration_type: str | None = None,
        status: str | None = None,
        instance_id: str | None = None,
    ) -> list[MigrationRecord]:
        """Every record that matches, of any age; ``host`` is its source or its destination."""


class EvacuationCloud(ComputeServices, EvacuationRecords, PolicyFacts, Protocol):
    """What an evacuation reads and does."""

    def api_time(self) -> datetime:
        """The compute API's clock (UTC), from its newest answer."""

    def instances_on(self, host: str) -> list[Instance]:
        """Instances of all projects whose host is exactly this one."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids or exact names."""

    def instances_changed_since(self, since: datetime) -> list[Instance]:
        """Instances of all projects that Nova has changed since then, deleted ones too."""

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

    def capacity(self) -> Capacity:
        """What tells which instances will find room."""

    def evacuate(self, instance_id: str, *, leave_off: bool) -> str | None:
        """Ask Nova to evacuate to a host that the scheduler picks; the request id.

        :param leave_off: stop it on its destination, where Nova can. Elsewhere it runs then.
        """

    def stop(self, instance_id: str) -> str | None:
        """Ask Nova to stop the instance; the request id."""
