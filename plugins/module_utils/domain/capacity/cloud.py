# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a prediction needs of the outside, as values and a Protocol that an adapter implements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..nova import Instance
from .room import Host, ResourceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A host aggregate; its UUID is that of Placement's."""

    uuid: str
    name: str
    hosts: frozenset[str]
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor:
    """What Nova's weighers look at: what its own count has left on a host, not Placement's."""

    host: str
    free_ram_mb: int = 0
    free_disk_gb: int = 0
    io_operations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What ties an instance to hosts, beside its size.

    :param pinned_zone: the availability zone that its user has asked for.
    :param pinned_zone_known: whether Nova's API tells it; it does from 2.96 on.
    :param image_properties: None when neither image nor volume can be read.
    """

    pinned_zone: str | None = None
    pinned_zone_known: bool = True
    image_properties: Mapping[str, str] | None = field(default_factory=dict)


class Capacity(Protocol):
    """Placement, and what Nova's scheduler reads beside it."""

    def candidates(self, request: ResourceRequest) -> list[Host]:
        """The hosts that have room for this request now, also those that are down or disabled.

        What two answers say of one provider is the same object: what is taken from one host is
        missing in all.
        """

    def hosts(self, names: Iterable[str]) -> list[Host]:
        """All that Placement counts of these hosts; unknown ones are left out."""

    def aggregates(self) -> list[Aggregate]:
        """Every host aggregate of Nova."""

    def hypervisors(self) -> list[Hypervisor]:
        """What Nova's own count has left on each host."""

    def circumstances(self, instances: Iterable[Instance]) -> Mapping[str, Circumstances]:
        """By instance id; those that are gone are left out."""

    def group_limits(self) -> Mapping[str, int]:
        """How many members a host may have, of each anti-affinity group that says so, by id."""

    def hosts_of(self, instance_ids: Iterable[str]) -> Mapping[str, str]:
        """The host that each of these instances is on, by id; those without a host are left out."""
