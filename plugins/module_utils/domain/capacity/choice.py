# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of several hosts Nova's scheduler takes: that which its default weighers like best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from .cloud import Hypervisor
from .needs import Flavor
from .room import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Members of the instance's soft groups by host: those it wants near, and those far."""

    near: Mapping[str, int]
    far: Mapping[str, int]


ALONE = Company(near={}, far={})

# A multiplier, what counts as nothing (None: the smallest count), and the count by host.
_Count: TypeAlias = "tuple[int, int | None, Mapping[str, int]]"


class Weighers:
    """Nova's own count of each host, and the pick by it.

    :param settled: whether an instance that was placed counts before the next is: Nova counts it
        only once the destination has begun with it, so calls in quick succession are weighed alike.
    """

    def __init__(self, hypervisors: Iterable[Hypervisor], *, settled: bool = True) -> None:
        self._hypervisors = {hypervisor.host: hypervisor for hypervisor in hypervisors}
        self._settled = settled
        self._free_cpus: dict[str, int] = {}

    def pick(self, hosts: Collection[Host], company: Company = ALONE) -> Host:
        """The host with most weight; by name where several have the same, which Nova leaves open."""
        known = {host.name: self._of(host.name) for host in hosts}
        measured: list[_Count] = [
            (1, 0, {name: found.free_ram_mb for name, found in known.items()}),
            (1, 0, {host.name: self._cpus_of(host) for host in hosts}),
            (1, 0, {name: found.free_disk_gb for name, found in known.items()}),
            (-1, 0, {name: found.io_operations for name, found in known.items()}),
        ]
        for multiplier, members in ((1, company.near), (-1, company.far)):
            if members:
                measured.append((multiplier, None, {name: members.get(name, 0) for name in known}))
        weights = dict.fromkeys(known, 0.0)
        for multiplier, lower, counts in measured:
            # Nova measures the first ones from 0, the others from the smallest.
            least = min(counts.values()) if lower is None else lower
            span = max(counts.values()) - least
            if span > 0:
                for name, count in counts.items():
                    weights[name] += multiplier * max(count - least, 0) / span
        return min(hosts, key=lambda host: (-weights[host.name], host.name))

    def place(self, host: str, flavor: Flavor) -> None:
        """Count an instance as placed there."""
        if not self._settled:
            return
        known = self._of(host)
        self._hypervisors[host] = replace(
            known,
            free_ram_mb=known.free_ram_mb - flavor.memory_mb,
            free_disk_gb=known.free_disk_gb - flavor.root_gb - flavor.ephemeral_gb,
        )

    def _cpus_of(self, host: Host) -> int:
        free = host.free("VCPU")
        return free if self._settled else self._free_cpus.setdefault(host.name, free)

    def _of(self, host: str) -> Hypervisor:
        return self._hypervisors.get(host) or Hypervisor(host=host)
