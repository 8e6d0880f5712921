# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What making room reads and does, as a Protocol that an adapter implements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ..capacity.cloud import Aggregate, Circumstances
from ..capacity.needs import Flavor
from ..capacity.room import Host
from ..cloud import ComputeServices
from ..nova import Instance, ServerGroup
from ..policy.matching import PolicyFacts


class PreemptionCloud(ComputeServices, PolicyFacts, Protocol):
    """Nova, and what Placement counts."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids or exact names."""

    def instances_everywhere(self) -> list[Instance]:
        """Instances of all projects, also those that are deleted softly."""

    def server_groups(self) -> list[ServerGroup]:
        """Server groups of all projects."""

    def flavor_named(self, name_or_id: str) -> Flavor:
        """:raises RecoveryError: ``flavor_not_found``."""

    def aggregates(self) -> list[Aggregate]:
        """Every host aggregate of Nova."""

    def circumstances(self, instances: Iterable[Instance]) -> Mapping[str, Circumstances]:
        """What ties these instances to hosts, by id; those that are gone are left out."""

    def group_limits(self) -> Mapping[str, int]:
        """How many members a host may have, of each anti-affinity group that says so, by id."""

    def hosts(self, names: Iterable[str]) -> list[Host]:
        """All that Placement counts of these hosts; unknown ones are left out."""

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        """Hosts whose resource provider tree holds an allocation of this instance."""

    def failure_of(self, instance_id: str) -> str | None:
        """Nova's words for why the instance's newest action has failed; None if it has not."""

    def shelve(self, instance_id: str) -> str | None:
        """Ask Nova to shelve the instance; the request id."""

    def shelve_offload(self, instance_id: str) -> str | None:
        """Ask Nova to take a shelved instance off its host; the request id."""

    def stop(self, instance_id: str) -> str | None:
        """Ask Nova to stop the instance; the request id."""

    def delete_instance(self, instance_id: str) -> None:
        """Ask Nova to delete the instance; one that is gone is no error."""

    def force_delete(self, instance_id: str) -> str | None:
        """Ask Nova to delete what it has only marked as deleted; the request id."""
