# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts an instance may not go to, and where that cannot be known from outside.

What is decided by a filter or an option that Nova does not have on by default cannot be told from
its API: such a host is in doubt, neither allowed nor refused.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..nova import ComputeService
from .cloud import Aggregate, Circumstances
from .room import Host, Inventory, ResourceRequest

_ZONE = "availability_zone"
_TENANT = "filter_tenant_id"
_EXTRA_SPEC_SCOPE = "aggregate_instance_extra_specs:"
_REQUIRED_TRAIT = "trait:"
# Resource classes of Placement have no blanks, so nothing of it can be confused with this one.
_GROUP = "server group "


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a host is refused, or in doubt (``sure`` is False)."""

    reason: str
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """An instance that needs a host, as far as limits go."""

    project_id: str
    source_zone: str | None
    extra_specs: Mapping[str, str]
    circumstances: Circumstances
    required_traits: frozenset[str] = frozenset()

    @property
    def kind(self) -> Hashable:
        """The same for all that the same limits hold for."""
        return (
            self.project_id,
            self.source_zone,
            frozenset(self.extra_specs.items()),
            self.circumstances.pinned_zone,
            self.circumstances.pinned_zone_known,
            self.required_traits,
        )


class Limits:
    """What ties instances to hosts beside room; worked out once for each kind of them.

    :param services: nova-compute of every host.
    """

    def __init__(self, services: Iterable[ComputeService], aggregates: Sequence[Aggregate]) -> None:
        self._services = {service.host: service for service in services}
        self._aggregates = aggregates
        self._known: dict[Hashable, dict[str, tuple[Objection, ...]]] = {}

    def usable(self, enabled: Collection[str] = ()) -> list[str]:
        """The hosts that Nova gives anything at all, by name.

        :param enabled: hosts to look at as if they were enabled.
        """
        return sorted(
            host
            for host, service in self._services.items()
            if service.state == "up" and (service.status == "enabled" or host in enabled)
        )

    def objections(self, mover: Mover) -> Mapping[str, tuple[Objection, ...]]:
        """All that speaks against each host; empty when nothing does."""
        if mover.kind not in self._known:
            self._known[mover.kind] = {host: self._against(mover, host) for host in self._services}
        return self._known[mover.kind]

    def _against(self, mover: Mover, host: str) -> tuple[Objection, ...]:
        found = [
            self._zone(mover, host),
            self._tenants(mover, host),
            self._traits_of_aggregates(mover, host),
            self._extra_specs_of_aggregates(mover, host),
        ]
        return tuple(objection for objection in found if objection is not None)

    def _of(self, host: str) -> list[Aggregate]:
        return [aggregate for aggregate in self._aggregates if host in aggregate.hosts]

    def _zone(self, mover: Mover, host: str) -> Objection | None:
        if not mover.circumstances.pinned_zone_known:
            if self._services[host].zone == mover.source_zone:
                return None
            return Objection(
                f"it is not in the zone {mover.source_zone}, and Nova tells only from API 2.96 on"
                " whether the instance is tied to it",
                sure=False,
            )
        wanted = mover.circumstances.pinned_zone
        zones = [a for a in self._aggregates if wanted and a.metadata.get(_ZONE) == wanted]
        # A zone without aggregates is the default one, which ties to nothing.
        if not zones or any(host in aggregate.hosts for aggregate in zones):
            return None
        return Objection(f"it is not in the zone {wanted}")

    def _tenants(self, mover: Mover, host: str) -> Objection | None:
        def admits(aggregate: Aggregate) -> bool | None:
            listed = [
                value.split(",")
                for key, value in aggregate.metadata.items()
                if key.startswith(_TENANT)
            ]
            if not listed:
                return None
            return any(mover.project_id == one.strip() for ids in listed for one in ids)

        own = [aggregate for aggregate in self._aggregates if admits(aggregate)]
        foreign = [aggregate for aggregate in self._of(host) if admits(aggregate) is False]
        if foreign:
            return Objection(
                f"the aggregate {foreign[0].name} is for other projects ({_TENANT}), if Nova's"
                " scheduler is set up to heed that",
                sure=False,
            )
        if own and not any(host in aggregate.hosts for aggregate in own):
            return Objection(
                f"it is not in an aggregate of the instance's project ({_TENANT}), if Nova's"
                " scheduler is set up to heed that",
                sure=False,
            )
        return None

    def _traits_of_aggregates(self, mover: Mover, host: str) -> Objection | None:
        for aggregate in self._of(host):
            wanted = {
                key.removeprefix(_REQUIRED_TRAIT)
                for key, value in aggregate.metadata.items()
                if key.startswith(_REQUIRED_TRAIT) and value == "required"
            }
            if missing := wanted - mover.required_traits:
                return Objection(
                    f"the aggregate {aggregate.name} is for instances that ask for the trait"
                    f" {min(missing)}, if Nova's scheduler is set up to heed that",
                    sure=False,
                )
        return None

    def _extra_specs_of_aggregates(self, mover: Mover, host: str) -> Objection | None:
        for key, value in mover.extra_specs.items():
            if not key.startswith(_EXTRA_SPEC_SCOPE):
                continue
            name = key.removeprefix(_EXTRA_SPEC_SCOPE)
            if not any(aggregate.metadata.get(name) == value for aggregate in self._of(host)):
                return Objection(
                    f"no aggregate of it has {name}={value}, if Nova's scheduler is set up to heed"
                    " that",
                    sure=False,
                )
        return None


def group_resource(group_id: str) -> str:
    """The name under which a place in an anti-affinity group is counted like a resource class."""
    return f"{_GROUP}{group_id}"


def count_group(
    hosts: Iterable[Host], group_id: str, most: int | None, members: Mapping[str, int]
) -> None:
    """Let each host have room for so many members of an anti-affinity group.

    :param most: on one host; None means one.
    :param members: how many of it are on a host already, by its name.
    """
    places: dict[str, Inventory] = {}
    for host in hosts:
        place = places.setdefault(
            host.name, Inventory(total=most or 1, used=members.get(host.name, 0))
        )
        host.inventories[group_resource(group_id)] = [place]


def with_groups(request: ResourceRequest, group_ids: Iterable[str]) -> ResourceRequest:
    """The request, and a place in each of these anti-affinity groups."""
    places = {group_resource(group_id): 1 for group_id in group_ids}
    return ResourceRequest(
        resources={**request.resources, **places},
        required_traits=request.required_traits,
        forbidden_traits=request.forbidden_traits,
    )
