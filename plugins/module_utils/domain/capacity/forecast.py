# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances of a plan will find a host, worked out in the order in which they go.

Each takes its room away from those after it, on the host that Nova would take for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ..nova import ComputeService, Instance, ServerGroup
from .choice import Company, Weighers
from .cloud import Aggregate, Capacity, Circumstances, Hypervisor
from .limits import Limits, Mover, Objection, count_group, group_resource, with_groups
from .needs import Flavor, Needs, needs_of
from .room import Copies, Host

_HARD = "anti-affinity"
# A reason names so many hosts; who has more looks at Placement.
_EXPLAINED_HOSTS = 10
# A host with what leaves it in doubt, if anything.
_Chance: TypeAlias = tuple[Host, tuple[Objection, ...]]
_HANGS_ON_PICKS = "this hangs on which hosts Nova picks for those before it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What is expected of one instance.

    :param fits: None when it cannot be known from outside.
    :param hosts: those that it could go to when its turn comes, or might where ``fits`` is None.
    :param reason: why it does not fit, or why that cannot be known.
    """

    fits: bool | None
    hosts: tuple[str, ...] = ()
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"fits": self.fits, "hosts": list(self.hosts), "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An instance that is to be placed.

    :param leaves: the host that it leaves, which it cannot go to; None for one that has none.
    :param asks_more: what its ports ask of Placement cannot be seen here.
    """

    instance: Instance
    leaves: str | None = None
    asks_more: bool = False


@dataclass(slots=True, kw_only=True)
class Scene:
    """All that a prediction is made from, read once; :meth:`predict` changes none of it."""

    services: Sequence[ComputeService]
    aggregates: Sequence[Aggregate]
    hypervisors: Sequence[Hypervisor]
    groups: Mapping[str, Sequence[ServerGroup]]
    needs: dict[str, Needs] = field(default_factory=dict)
    circumstances: Mapping[str, Circumstances] = field(default_factory=dict)
    # The hosts that have room for an instance alone, by its id; what they count is shared.
    rooms: dict[str, list[Host]] = field(default_factory=dict)
    members: dict[str, Counter[str]] = field(default_factory=dict)
    # Hosts whole, to say what they lack.
    known: dict[str, Host] = field(default_factory=dict)
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.services, self.aggregates)

    def predict(
        self, order: Sequence[Waiting], enabled: Iterable[str] = ()
    ) -> dict[str, Prediction]:
        """By instance id.

        :param enabled: disabled hosts that are looked at as if they were enabled.
        """
        turns = [_Turn(self, waiting) for waiting in order]
        found = _Pass(self, enabled, settled=True).predict(turns)
        in_a_row = _Pass(self, enabled, settled=False).predict(turns)
        for instance_id, prediction in found.items():
            if prediction.fits != in_a_row[instance_id].fits:
                reason = f"{prediction.reason}; " if prediction.reason else ""
                found[instance_id] = replace(prediction, reason=f"{reason}{_HANGS_ON_PICKS}")
        return found


class _Pass:
    """All in their order, once."""

    def __init__(self, scene: Scene, enabled: Iterable[str], *, settled: bool) -> None:
        self._scene = scene
        self._usable = scene.limits.usable(frozenset(enabled))
        self._weighers = Weighers(scene.hypervisors, settled=settled)
        self._copies = Copies()
        self._rooms: dict[int, list[Host]] = {}
        self._members = {name: Counter(counts) for name, counts in scene.members.items()}
        # Where those of a kind had room at the last turn. What is taken never comes back.
        self._left: dict[Hashable, list[_Chance]] = {}

    def predict(self, turns: Iterable[_Turn]) -> dict[str, Prediction]:
        found = {}
        for turn in turns:
            instance = turn.waiting.instance
            prediction, choices = self._decide(turn)
            found[instance.id] = prediction
            if choices:
                host = self._weighers.pick(choices, turn.company(self._members))
                host.take(turn.request)
                self._weighers.place(host.name, Flavor.of(instance))
                for group in turn.groups:
                    self._members[group.id][host.name] += 1
        return found

    def _decide(self, turn: _Turn) -> tuple[Prediction, list[Host]]:
        """The prediction, and the hosts of which Nova takes one."""
        chances = self._left.get(turn.kind)
        if chances is None:
            chances = self._chances(turn)
        chances = [chance for chance in chances if chance[0].fits(turn.request)]
        self._left[turn.kind] = chances
        if not chances:
            return Prediction(fits=False, reason=self._why_not(turn)), []
        sure = [host for host, doubts in chances if not doubts]
        if sure and not turn.unknown:
            return Prediction(fits=True, hosts=_names(sure)), sure
        reasons = [objection.reason for _host, doubts in chances for objection in doubts]
        if turn.unknown:
            reasons.insert(0, f"Nova also looks at {', '.join(turn.unknown)}")
        reason = f"cannot be known from outside: {'; '.join(dict.fromkeys(reasons))}"
        doubtful = [host for host, _doubts in chances]
        return Prediction(fits=None, hosts=_names(doubtful), reason=reason), doubtful

    def _chances(self, turn: _Turn) -> list[_Chance]:
        """The hosts that nothing speaks against for certain, with what leaves them in doubt."""
        room = {host.name: host for host in self._room(turn)}
        return [
            (room[name], turn.objections[name])
            for name in self._usable
            if name != turn.waiting.leaves
            and name in room
            and not any(objection.sure for objection in turn.objections[name])
        ]

    def _room(self, turn: _Turn) -> list[Host]:
        room = turn.room
        if id(room) not in self._rooms:
            self._rooms[id(room)] = self._copies.of(room)
        return self._rooms[id(room)]

    def _why_not(self, turn: _Turn) -> str:
        room = {host.name: host for host in self._room(turn)}
        against: dict[str, list[str]] = {}
        for name in self._usable:
            if name == turn.waiting.leaves:
                continue
            refusal = next((o.reason for o in turn.objections[name] if o.sure), None)
            lacks = refusal or turn.lacks(room.get(name), self._scene.known.get(name))
            against.setdefault(str(lacks), []).append(name)
        return _told(against)


class _Turn:
    """One instance, the same in each pass."""

    def __init__(self, scene: Scene, waiting: Waiting) -> None:
        instance = waiting.instance
        self.waiting = waiting
        self.groups = scene.groups.get(instance.id, ())
        # Those that ask for the same share this list.
        self.room = scene.rooms.get(instance.id, [])
        needs = scene.needs[instance.id]
        self._alone = needs.request
        self.unknown = [*needs.unknown, *(["what its ports ask for"] if waiting.asks_more else [])]
        self.request = with_groups(
            needs.request, [group.id for group in self.groups if group.policy == _HARD]
        )
        mover = Mover(
            project_id=instance.project_id,
            source_zone=instance.zone,
            extra_specs=instance.extra_specs,
            circumstances=scene.circumstances.get(instance.id, Circumstances()),
            required_traits=needs.request.required_traits,
        )
        self.objections = scene.limits.objections(mover)
        self.kind: Hashable = (id(self.room), id(self.objections), waiting.leaves)

    def lacks(self, host: Host | None, whole: Host | None) -> str | None:
        """For a person, the first thing that is missing there."""
        if host is None:
            # It had no room from the beginning, or Placement leaves it out for a reason of its own.
            return (whole and whole.lacks(self._alone)) or "Placement has no room for it there"
        for group in self.groups:
            if group.policy == _HARD and not host.free(group_resource(group.id)):
                return f"it has a member of the anti-affinity group {group.name}"
        return host.lacks(self.request)

    def company(self, members: Mapping[str, Counter[str]]) -> Company:
        """Where members of its soft groups are by now."""
        near, far = Counter[str](), Counter[str]()
        for group in self.groups:
            if group.policy == "soft-affinity":
                near += members[group.id]
            elif group.policy == "soft-anti-affinity":
                far += members[group.id]
        return Company(near=near, far=far)


def _names(hosts: Iterable[Host]) -> tuple[str, ...]:
    return tuple(sorted(host.name for host in hosts))


def _told(against: Mapping[str, Sequence[str]]) -> str:
    if not against:
        return "no other host is up and enabled"
    shown = sorted(against.items(), key=lambda item: (-len(item[1]), item[1]))
    return "; ".join(
        f"{', '.join(hosts[:3])}{f' and {len(hosts) - 3} more' if len(hosts) > 3 else ''}: {reason}"
        for reason, hosts in shown[:_EXPLAINED_HOSTS]
    )


def look(
    capacity: Capacity,
    services: Sequence[ComputeService],
    groups: Mapping[str, Sequence[ServerGroup]],
    order: Sequence[Waiting],
) -> Scene:
    """Read all that the prediction of these instances needs, in few requests.

    :param services: nova-compute of every host.
    :param groups: server groups by the id of each member.
    :raises RecoveryError: when Placement or Nova does not answer or refuses.
    """
    scene = Scene(
        services=services,
        aggregates=capacity.aggregates(),
        hypervisors=capacity.hypervisors(),
        groups={w.instance.id: groups.get(w.instance.id, ()) for w in order},
        circumstances=capacity.circumstances([waiting.instance for waiting in order]),
    )
    asked: dict[Any, list[Host]] = {}
    for waiting in order:
        instance = waiting.instance
        around = scene.circumstances.get(instance.id, Circumstances())
        needs = needs_of(
            Flavor.of(instance),
            volume_backed=instance.image_id is None,
            image_properties=around.image_properties,
        )
        scene.needs[instance.id] = needs
        request = needs.request
        key = (
            frozenset(request.resources.items()),
            request.required_traits,
            request.forbidden_traits,
        )
        if key not in asked:
            asked[key] = capacity.candidates(request)
        room = asked[key]
        if any(group.policy == _HARD for group in scene.groups[instance.id]):
            # A view of its own on what all share: the groups that it is in are its own affair.
            room = [host.view() for host in room]
        scene.rooms[instance.id] = room
    _count_members(scene, capacity, {w.instance.id: w.instance.host for w in order})
    _read_those_without_room(scene, capacity)
    return scene


def _count_members(scene: Scene, capacity: Capacity, known: Mapping[str, str | None]) -> None:
    """Where the members of all groups are; of those that are to be placed it is known."""
    groups = {group.id: group for of_one in scene.groups.values() for group in of_one}
    if not groups:
        return
    limits = capacity.group_limits()
    others = {m for group in groups.values() for m in group.member_ids} - known.keys()
    where = {**known, **(capacity.hosts_of(sorted(others)) if others else {})}
    for group in groups.values():
        members = Counter(host for member in group.member_ids if (host := where.get(member)))
        scene.members[group.id] = members
        if group.policy == _HARD:
            inside = [i for i, of_one in scene.groups.items() if group in of_one]
            hosts = [host for instance_id in inside for host in scene.rooms[instance_id]]
            count_group(hosts, group.id, limits.get(group.id), members)


def _read_those_without_room(scene: Scene, capacity: Capacity) -> None:
    everywhere = {service.host for service in scene.services if service.state == "up"}
    roomless = sorted(
        {
            host
            for room in scene.rooms.values()
            for host in everywhere - {found.name for found in room}
        }
    )
    scene.known = {host.name: host for host in capacity.hosts(roomless[:_EXPLAINED_HOSTS])}
