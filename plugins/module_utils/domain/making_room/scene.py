# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that a plan for making room is made from, read once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..capacity.cloud import Circumstances
from ..capacity.limits import Limits, Mover, count_group, group_resource, with_groups
from ..capacity.needs import Flavor, Needs, needs_of
from ..capacity.room import Host, ResourceRequest, copied
from ..errors import RecoveryError
from ..nova import COMPUTE, Instance, ServerGroup
from ..policy.decision import Decision, decide
from .candidates import LEAVING, Candidate, Excluded, Spared, find_candidates
from .cloud import PreemptionCloud
from .plan import Request

_APART, _TOGETHER = "anti-affinity", "affinity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one waiting instance asks for.

    :param hosts: names of those that Nova's scheduler may take, as far as limits go.
    :param against: by host why it may not.
    :param together: the affinity group that it is in.
    """

    instance: Instance
    priority: int
    request: ResourceRequest
    unknown: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    against: Mapping[str, str] = field(default_factory=dict)
    together: str | None = None


@dataclass(slots=True, kw_only=True)
class Scene:
    """``asked`` are those that need room, in their order; ``settled`` those that have it: the host
    of each, by id.

    ``leaving`` are instances that leave by themselves; ``hosts`` count as free only what those hold
    that are ``awaited``. ``held`` has what each candidate and each of these holds on its host, places
    in anti-affinity groups too.
    """

    asked: list[Asked]
    settled: dict[str, str | None]
    waiting: list[Instance]
    hosts: list[Host]
    candidates: list[Candidate]
    spared: list[Spared]
    held: dict[str, Mapping[str, int]]
    leaving: list[Instance]
    notes: tuple[str, ...]
    awaited: list[Instance] = field(default_factory=list)

    def with_leaving_gone(self) -> Scene:
        """As it will be then."""
        hosts = {host.name: host for host in copied(self.hosts)}
        for instance in self.leaving:
            amounts = self.held[instance.id]
            hosts[instance.host or ""].give_back(ResourceRequest(resources=amounts))
        return replace(self, hosts=list(hosts.values()), leaving=[], awaited=self.leaving)


def look(cloud: PreemptionCloud, request: Request, excluded: Excluded) -> Scene:
    """Read it.

    :raises RecoveryError: ``instance_not_found``, or when the cloud does not answer.
    """
    waiting = _waiting(cloud, request.instances)
    everyone = {instance.id: instance for instance in cloud.instances_everywhere()}
    everyone.update({instance.id: instance for instance in waiting})
    facts = cloud.policy_facts(request.policy, everyone.values())
    decisions = {i: decide(request.policy, facts.subjects[i]) for i in everyone}
    groups = [g for g in cloud.server_groups() if g.member_ids & {one.id for one in waiting}]
    settled = _settled(cloud, waiting)
    asking = [instance for instance in waiting if instance.id not in settled]
    failed = frozenset(one.id for one in asking if one.vm_state == "error")
    around = _Surroundings(everyone, decisions, groups, failed)
    asked = _asked(cloud, request, asking, around)
    scene = Scene(
        asked=asked,
        settled=settled,
        waiting=waiting,
        hosts=cloud.hosts(frozenset[str]().union(*(one.hosts for one in asked))),
        candidates=[],
        spared=[],
        held={},
        leaving=[],
        notes=facts.notes,
    )
    _fill(scene, cloud, around, excluded)
    return scene


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """``failed`` are ids of instances whose build has failed, and that are to be built anew."""

    everyone: Mapping[str, Instance]
    decisions: Mapping[str, Decision]
    groups: list[ServerGroup]
    failed: frozenset[str]

    def of(self, instance: Instance, policy: str) -> list[ServerGroup]:
        return [g for g in self.groups if g.policy == policy and instance.id in g.member_ids]

    def hosts_of(self, group: ServerGroup) -> Counter[str]:
        """How many members are on each host. One whose build has failed there is not."""
        members = (self.everyone.get(member) for member in group.member_ids - self.failed)
        return Counter(one.host for one in members if one is not None and one.host is not None)


def _waiting(cloud: PreemptionCloud, ids: Iterable[str]) -> list[Instance]:
    wanted = list(dict.fromkeys(ids))
    found = {
        instance.id: instance
        for instance in cloud.instances_named(wanted)
        # For one that goes itself nothing is removed.
        if not instance.is_being_deleted
    }
    if missing := [one for one in wanted if one not in found]:
        raise RecoveryError(
            "instance_not_found",
            f"no instance has the UUID {', '.join(missing)}, or it is being deleted; nothing was done",
            details={"instances": missing},
        )
    return [found[one] for one in wanted]


def _settled(cloud: PreemptionCloud, waiting: Iterable[Instance]) -> dict[str, str | None]:
    """Those that need no room any more: they have booted, or Nova has given them some."""
    settled: dict[str, str | None] = {}
    for instance in waiting:
        if instance.launched:
            settled[instance.id] = instance.host
        # One in ERROR may still hold what the next build gets anew.
        elif instance.vm_state != "error":
            given = cloud.allocation_hosts(instance.id)
            if given:
                settled[instance.id] = min(given)
    return settled


def _asked(
    cloud: PreemptionCloud,
    request: Request,
    waiting: list[Instance],
    around: _Surroundings,
) -> list[Asked]:
    if not waiting:
        return []
    services = [service for service in cloud.compute_services() if service.binary == COMPUTE]
    limits = Limits(services, cloud.aggregates())
    usable = limits.usable()
    circumstances = cloud.circumstances(waiting)
    flavor = cloud.flavor_named(request.flavor) if request.flavor else None
    found = []
    for instance in waiting:
        tied = circumstances.get(instance.id, Circumstances(image_properties=None))
        needs = _needs(instance, flavor, tied)
        mover = Mover(
            project_id=instance.project_id,
            source_zone=instance.zone,
            extra_specs=(flavor or Flavor.of(instance)).extra_specs,
            circumstances=tied,
            required_traits=needs.request.required_traits,
        )
        objections = limits.objections(mover)
        against = {host: objections[host][0].reason for host in usable if objections[host]}
        hosts, together = frozenset(usable) - against.keys(), None
        for group in around.of(instance, _TOGETHER):
            together = group.id
            if members := around.hosts_of(group):
                for host in sorted(hosts - members.keys()):
                    against[host] = f"the affinity group {group.name} is elsewhere"
                hosts &= members.keys()
        apart = [group.id for group in around.of(instance, _APART)]
        found.append(
            Asked(
                instance=instance,
                priority=around.decisions[instance.id].priority,
                request=with_groups(needs.request, apart),
                unknown=needs.unknown,
                hosts=hosts,
                against=against,
                together=together,
            )
        )
    # The order in which they were given decides where priorities are the same.
    return sorted(found, key=lambda one: -one.priority)


def _needs(instance: Instance, flavor: Flavor | None, tied: Circumstances) -> Needs:
    return needs_of(
        flavor or Flavor.of(instance),
        volume_backed=instance.image_id is None,
        image_properties=tied.image_properties,
    )


def _fill(scene: Scene, cloud: PreemptionCloud, around: _Surroundings, excluded: Excluded) -> None:
    """What is on the hosts, and which of it may go."""
    hosts = {host.name: host for host in scene.hosts}
    waiting = {instance.id for instance in scene.waiting}
    here = [i for i in around.everyone.values() if i.host in hosts and i.id not in waiting]
    apart = [group for group in around.groups if group.policy == _APART]
    limits = cloud.group_limits() if apart else {}
    for group in apart:
        count_group(scene.hosts, group.id, limits.get(group.id), around.hosts_of(group))
    anchors = {
        member: "it holds the place of an affinity group that a waiting instance is in"
        for group in around.groups
        if group.policy == _TOGETHER
        for member in group.member_ids
    }
    leaving = {
        instance.id: instance
        for instance in here
        if instance.task_state in LEAVING and instance.id not in excluded.instances
    }
    candidates, scene.spared = find_candidates(
        [instance for instance in here if instance.id not in leaving],
        around.decisions,
        Excluded(instances={**anchors, **excluded.instances}, actions=excluded.actions),
    )
    left = {
        one.instance.id: cloud.allocation_hosts(one.instance.id) & hosts.keys()
        for one in scene.asked
        if one.instance.vm_state == "error"
    }
    held = {host.name: host.held for host in scene.hosts}
    places: dict[str, dict[str, int]] = defaultdict(dict)
    for group in apart:
        for member in group.member_ids:
            places[member][group_resource(group.id)] = 1
    for instance_id, its_hosts in left.items():
        for host in its_hosts:
            own = held[host].get(instance_id, {})
            hosts[host].give_back(ResourceRequest(resources=own))
    for instance in (*leaving.values(), *(one.instance for one in candidates)):
        amounts = held[instance.host or ""].get(instance.id, {})
        # One that holds nothing there gives nothing.
        if amounts:
            scene.held[instance.id] = {**amounts, **places[instance.id]}
    scene.leaving = [one for one in leaving.values() if one.id in scene.held]
    scene.candidates = [one for one in candidates if one.instance.id in scene.held]


def emptied(host: Host) -> Host:
    """The host as if nothing were on it."""
    return Host(
        name=host.name,
        inventories={
            name: [replace(inventory, used=0) for inventory in inventories]
            for name, inventories in host.inventories.items()
        },
        traits=host.traits,
    )
