# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the plan: for all that wait, or for as many as can be had, the most urgent first."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from ..capacity.room import Host, ResourceRequest, copied, have_room
from ..nova import Instance
from ..policy.policy import SHELVE
from .candidates import Candidate, Excluded
from .choice import Choice, Chooser
from .cloud import PreemptionCloud
from .covering import Occupant
from .plan import GETS_ROOM, HAS_ROOM, NO_ROOM, Plan, Removal, Request, Waiter
from .scene import Asked, Scene, emptied, look
from .taking import Place, Want

# A reason names so many hosts.
_EXPLAINED_HOSTS = 5


def build_plan(
    cloud: PreemptionCloud,
    request: Request,
    *,
    limit: int | None = None,
    excluded: Excluded | None = None,
    awaits: bool = True,
) -> Plan:
    """The plan. It counts on instances that leave by themselves only where that is of use.

    :param limit: how many may be removed, instead of what the request says.
    :param awaits: False for what can be had without waiting for any to leave.
    :raises RecoveryError: when something cannot be read, or an instance is not there.
    """
    scene = look(cloud, request, excluded or Excluded())
    most = request.most if limit is None else limit
    plan = _Planner(scene, most).plan()
    if not awaits or not scene.leaving or not (plan.removals or plan.without_room()):
        return plan
    awaiting = _Planner(scene.with_leaving_gone(), most).plan()
    return awaiting if _worth(awaiting) > _worth(plan) else plan


def _worth(plan: Plan) -> tuple[list[bool], int, int, list[int]]:
    """Who has room, the most urgent first, then how few go for that, and how little they are worth."""
    values = sorted(-one.candidate.preemptible.value for one in plan.removals)
    has_room = [one.fits != NO_ROOM for one in plan.waiting]
    return has_room, -len(values), sum(values), values


class _Planner:
    def __init__(self, scene: Scene, limit: int) -> None:
        self._scene = scene
        self._limit = limit
        self._hosts = {host.name: host for host in scene.hosts}
        self._empty = {name: emptied(host) for name, host in self._hosts.items()}
        self._candidates = {one.instance.id: one for one in scene.candidates}
        self._occupants = [
            Occupant(
                id=one.instance.id,
                host=one.instance.host or "",
                value=one.preemptible.value,
                holds=self._gives(one.instance),
            )
            for one in scene.candidates
        ]
        self._chooser = Chooser(map(_place, scene.hosts), self._occupants)
        self._alone: dict[tuple[Hashable, int], int | None] = {}
        self._wants = {one.instance.id: self._want(one) for one in scene.asked}

    def _gives(self, instance: Instance) -> Mapping[str, int]:
        """What is known to come free where the instance is, when it goes."""
        host = self._hosts[instance.host or ""]
        held = self._scene.held[instance.id]
        return {name: amount for name, amount in held.items() if not host.has_several(name)}

    def _want(self, asked: Asked) -> Want:
        fitting = (h for h in asked.hosts & self._hosts.keys() if not self._never(asked, h))
        return Want(
            id=asked.instance.id,
            needs=asked.request.resources,
            hosts=frozenset(fitting),
            together=asked.together,
        )

    def _never(self, asked: Asked, host: str) -> str | None:
        """Why the host could not take it even if nothing were there."""
        return self._empty[host].lacks(asked.request)

    def plan(self) -> Plan:
        accepted, choice = self._accepted()
        choice = choice or Choice(removed=(), placed={})
        removed_on: dict[str, list[Occupant]] = {}
        for one in choice.removed:
            removed_on.setdefault(one.host, []).append(one)
        return Plan(
            waiting=tuple(self._waiters(accepted, choice, removed_on)),
            removals=tuple(self._removals(choice)),
            awaited=tuple(
                sorted(i.id for i in self._scene.awaited if i.host in choice.placed.values())
            ),
            spared=tuple(self._scene.spared),
            notes=self._scene.notes,
            fewest=choice.proven,
        )

    def _accepted(self) -> tuple[list[Asked], Choice | None]:
        """Those that there is room for, and how to make it."""
        possible = [
            one
            for one in self._scene.asked
            if not one.unknown and self._number_alone(one, self._limit) is not None
        ]
        whole = self._choose(possible)
        if whole is not None:
            return possible, whole
        accepted: list[Asked] = []
        best: Choice | None = None
        refused = set[Hashable]()
        for one in possible:
            kind = self._wants[one.instance.id].kind
            # What has no room beside some has none beside more of them.
            found = None if kind in refused else self._choose([*accepted, one])
            if found is not None:
                accepted, best = [*accepted, one], found
            else:
                refused.add(kind)
        return accepted, best

    def _choose(self, these: Iterable[Asked]) -> Choice | None:
        wants = [self._wants[one.instance.id] for one in these]
        return self._chooser.choose(wants, self._limit)

    def _number_alone(self, asked: Asked, limit: int) -> int | None:
        """How many have to be removed for this one if no other waits; None: more than the limit."""
        want = self._wants[asked.instance.id]
        if (want.kind, limit) not in self._alone:
            found = self._chooser.choose([want], limit)
            self._alone[want.kind, limit] = None if found is None else len(found.removed)
        return self._alone[want.kind, limit]

    def _waiters(
        self,
        accepted: Sequence[Asked],
        choice: Choice,
        removed_on: Mapping[str, Sequence[Occupant]],
    ) -> Iterable[Waiter]:
        asked = {one.instance.id: one for one in self._scene.asked}
        fitting = {one.instance.id for one in accepted}
        # In the order of those that ask, the others where they were.
        order = [*asked, *self._scene.settled]
        instances = {instance.id: instance for instance in self._scene.waiting}
        made = removed_on.keys() | {instance.host for instance in self._scene.awaited}
        for instance_id in order:
            instance = instances[instance_id]
            if instance_id in self._scene.settled:
                host = self._scene.settled[instance_id]
                reason = "it has booted" if instance.launched else "Nova has given it room"
                yield Waiter(instance=instance, fits=HAS_ROOM, host=host, reason=reason)
                continue
            one = asked[instance_id]
            needs = one.request.resources
            if instance_id in fitting:
                host = choice.placed[instance_id]
                fits = GETS_ROOM if host in made else HAS_ROOM
                yield Waiter(instance=instance, fits=fits, needs=needs, host=host)
            else:
                code, reason = self._why_not(one)
                yield Waiter(instance=instance, fits=NO_ROOM, needs=needs, code=code, reason=reason)

    def _removals(self, choice: Choice) -> list[Removal]:
        """What can be undone comes first, and of it the least valuable."""
        found = []
        for gone in choice.removed:
            candidate: Candidate = self._candidates[gone.id]
            waiters = tuple(sorted(i for i, host in choice.placed.items() if host == gone.host))
            found.append(
                Removal(candidate=candidate, frees=self._scene.held[gone.id], waiters=waiters)
            )
        return sorted(
            found,
            key=lambda one: (one.action != SHELVE, one.candidate.preemptible.value, one.id),
        )

    def _why_not(self, asked: Asked) -> tuple[str, str]:
        if asked.unknown:
            return (
                "placement_cannot_tell",
                f"Nova also looks at {', '.join(asked.unknown)}, which Placement does not count: to"
                " remove something could be in vain",
            )
        want = self._wants[asked.instance.id]
        if not want.hosts:
            return "no_host", f"no host could take it: {self._told(asked)}"
        number = self._number_alone(asked, len(self._occupants))
        if number is None:
            if several := self._several(asked):
                return (
                    "placement_cannot_tell",
                    f"{several}, and it is not worked out from which of them a removal would free"
                    " something: to remove something could be in vain",
                )
            return (
                "too_few_preemptible",
                f"even without the {len(self._occupants)} instances that may be removed there would"
                f" be no room: {self._told(asked)}",
            )
        if number > self._limit:
            return (
                "over_limit",
                f"{number} instances would have to be removed, and the limit is {self._limit}",
            )
        return (
            "others_first",
            "those before it take the room, and for it as well more than"
            f" {self._limit} would have to be removed",
        )

    def _several(self, asked: Asked) -> str | None:
        """Where those that may go hold something of a class that several providers have."""
        for one in self._scene.candidates:
            host = self._hosts[one.instance.host or ""]
            if host.name not in self._wants[asked.instance.id].hosts:
                continue
            for name in self._scene.held[one.instance.id]:
                amount = asked.request.resources.get(name, 0)
                if host.has_several(name) and not have_room(host.inventories[name], [amount]):
                    return f"{host.name} has several providers of {name}"
        return None

    def _told(self, asked: Asked) -> str:
        """What speaks against each host."""
        against = dict(asked.against)
        for name in sorted(asked.hosts):
            host = self._hosts.get(name)
            if host is None:
                against[name] = "Placement does not know it"
            else:
                against[name] = self._never(asked, name) or self._lacking(asked, host)
        if not against:
            return "no host is up and enabled"
        told = [f"{name}: {reason}" for name, reason in sorted(against.items())]
        more = len(told) - _EXPLAINED_HOSTS
        return "; ".join([*told[:_EXPLAINED_HOSTS], *([f"and {more} more"] if more > 0 else [])])

    def _lacking(self, asked: Asked, host: Host) -> str:
        """What would be missing with all gone that may go."""
        (copy,) = copied([host])
        for one in self._occupants:
            if one.host == host.name:
                copy.give_back(ResourceRequest(resources=one.holds))
        return copy.lacks(asked.request) or "it would have room"


def _place(host: Host) -> Place:
    free, several = {}, {}
    for name, inventories in host.inventories.items():
        if host.has_several(name):
            several[name] = inventories
        elif inventories:
            free[name] = inventories[0].free
    return Place(host=host.name, free=free, several=several)
