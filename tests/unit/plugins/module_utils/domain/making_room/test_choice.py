# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances are removed, against every set of them and every way to place what waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Inventory,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room import (
    choice,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.choice import (
    Choice,
    Chooser,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.covering import (
    Occupant,
    Removed,
    cost_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.taking import (
    Place,
    Want,
)
from hypothesis import given, settings
from hypothesis import strategies as st

HOSTS = ["h1", "h2", "h3"]
Case = tuple[list[Place], list[Occupant], list[Want], int]


def choose(
    places: Sequence[Place], occupants: Sequence[Occupant], wants: Sequence[Want], limit: int
) -> Choice | None:
    return Chooser(places, occupants).choose(wants, limit)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small enough to try everything: 3 hosts, 6 instances, 3 that wait."""
    hosts = HOSTS[: draw(st.integers(1, 3))]
    amount = st.fixed_dictionaries({"VCPU": st.integers(-2, 4), "MEMORY_MB": st.integers(-2, 4)})
    gpus = st.lists(st.builds(Inventory, total=st.integers(0, 2)), min_size=2, max_size=2)
    places = [Place(host=host, free=draw(amount), several={"VGPU": draw(gpus)}) for host in hosts]
    held = st.fixed_dictionaries({"VCPU": st.integers(0, 3), "MEMORY_MB": st.integers(0, 3)})
    occupants = [
        Occupant(
            id=f"o{number}",
            host=draw(st.sampled_from(hosts)),
            value=draw(st.integers(1, 3)),
            holds=draw(held),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    wants = [
        Want(
            id=f"w{number}",
            needs={**draw(held), "VGPU": draw(st.sampled_from([0, 0, 1]))},
            hosts=frozenset(draw(st.lists(st.sampled_from(hosts), min_size=0, max_size=3))),
            together=draw(st.sampled_from([None, None, None, "group"])),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    return places, occupants, wants, draw(st.integers(0, 4))


def suffices(
    places: Sequence[Place],
    removed: Sequence[Occupant],
    wants: Sequence[Want],
    placed: Mapping[str, str],
) -> bool:
    needed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for want in wants:
        if placed[want.id] not in want.hosts:
            return False
        for name, amount in want.needs.items():
            needed[placed[want.id]][name] += amount
    groups = {(want.together, placed[want.id]) for want in wants if want.together}
    if len(groups) > len({group for group, _host in groups}):
        return False
    return all(
        amount <= free_of(place, name) + given_back(removed, place.host, name)
        for place in places
        for name, amount in needed[place.host].items()
        if amount > 0
    )


def free_of(place: Place, name: str) -> int:
    """Nobody wants more than one of what several providers have, so what they have adds up."""
    if name in place.several:
        return sum(provider.free for provider in place.several[name])
    return place.free.get(name, 0)


def given_back(removed: Sequence[Occupant], host: str, name: str) -> int:
    return sum(one.holds.get(name, 0) for one in removed if one.host == host)


def brute_force(case: Case) -> Removed | None:
    places, occupants, wants, limit = case
    ways = [
        {want.id: host for want, host in zip(wants, hosts, strict=True)}
        for hosts in product([place.host for place in places], repeat=len(wants))
    ]
    sets = [
        removed
        for size in range(min(limit, len(occupants)) + 1)
        for removed in combinations(occupants, size)
        if any(suffices(places, removed, wants, placed) for placed in ways)
    ]
    return min(sets, key=cost_of, default=None)


@settings(max_examples=600, deadline=None)
@given(case=cases())
def test_no_choice_is_better(case: Case) -> None:
    places, occupants, wants, limit = case
    found = choose(places, occupants, wants, limit)
    best = brute_force(case)
    assert (found is None) == (best is None)
    if found is not None and best is not None:
        assert found.proven
        assert suffices(places, found.removed, wants, found.placed)
        assert cost_of(found.removed) == cost_of(best)


@settings(max_examples=150, deadline=None)
@given(case=cases(), random=st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_makes_no_difference(case: Case, random: Random) -> None:
    places, occupants, wants, limit = case
    found = choose(places, occupants, wants, limit)
    for each in (places, occupants, wants):
        random.shuffle(each)
    again = choose(places, occupants, wants, limit)
    assert (again and again.removed) == (found and found.removed)
    assert (again and again.placed) == (found and found.placed)


@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_what_a_killed_run_has_removed_is_not_removed_in_vain(case: Case) -> None:
    """With a part of the choice gone, the rest of it is the best choice."""
    places, occupants, wants, limit = case
    found = choose(places, occupants, wants, limit)
    if found is None or not found.removed:
        return
    gone, *rest = found.removed
    free = {
        name: amount + (gone.holds.get(name, 0))
        for place in places
        if place.host == gone.host
        for name, amount in place.free.items()
    }
    after = [replace(p, free=free) if p.host == gone.host else p for p in places]
    left = [one for one in occupants if one is not gone]
    again = choose(after, left, wants, limit)
    assert again is not None
    assert list(again.removed) == rest


@settings(max_examples=300, deadline=None)
@given(case=cases())
def test_with_too_much_to_try_what_is_found_still_suffices(case: Case) -> None:
    places, occupants, wants, limit = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "_MOST_WORK", 0)
        found = choose(places, occupants, wants, limit)
    if found is not None and wants:
        assert suffices(places, found.removed, wants, found.placed)
        assert len(found.removed) <= limit
        best = brute_force(case)
        assert best is not None
        assert cost_of(best) <= cost_of(found.removed)


def test_all_choices_of_a_plan_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_MOST_WORK_OF_ALL", 100)
    chooser = Chooser([place("h", VCPU=0)], [occupant("a", "h", 1, VCPU=2)])
    found = [chooser.choose([want("w", "h", VCPU=amount)], 1) for amount in (1, 2, 1, 2)]
    assert [ids(one) for one in found] == [["a"]] * 4
    assert [one and one.proven for one in found] == [True, True, False, False]


def place(host: str, **free: int) -> Place:
    return Place(host=host, free=free)


def occupant(name: str, host: str, value: int, **holds: int) -> Occupant:
    return Occupant(id=name, host=host, value=value, holds=holds)


def want(name: str, *hosts: str, together: str | None = None, **needs: int) -> Want:
    return Want(id=name, needs=needs, hosts=frozenset(hosts), together=together)


def ids(found: Choice | None) -> list[str] | None:
    return None if found is None else [one.id for one in found.removed]


def test_nothing_is_removed_where_there_is_room() -> None:
    found = choose(
        [place("h", VCPU=2)], [occupant("a", "h", 1, VCPU=9)], [want("w", "h", VCPU=2)], 3
    )
    assert found == Choice(removed=(), placed={"w": "h"})


def test_nothing_is_removed_when_it_would_not_suffice() -> None:
    places = [place("h", VCPU=0, MEMORY_MB=0)]
    occupants = [occupant("a", "h", 1, VCPU=2)]
    assert choose(places, occupants, [want("w", "h", VCPU=2, MEMORY_MB=1)], 3) is None


def test_one_instance_makes_room_for_two_that_wait() -> None:
    places = [place("h1"), place("h2")]
    occupants = [
        occupant("a", "h1", 1, VCPU=1),
        occupant("b", "h2", 1, VCPU=1),
        occupant("c", "h2", 9, VCPU=2),
    ]
    both = [want("v", "h1", "h2", VCPU=1), want("w", "h1", "h2", VCPU=1)]
    found = choose(places, occupants, both, 3)
    assert ids(found) == ["c"]
    assert found is not None
    assert found.placed == {"v": "h2", "w": "h2"}


def test_what_must_be_together_comes_onto_one_host() -> None:
    places = [place("h1", VCPU=1), place("h2", VCPU=1)]
    occupants = [occupant("a", "h1", 5, VCPU=1), occupant("b", "h2", 4, VCPU=1)]
    apart = [want(name, "h1", "h2", VCPU=1) for name in ("v", "w")]
    assert ids(choose(places, occupants, apart, 3)) == []
    together = [want(name, "h1", "h2", together="g", VCPU=1) for name in ("v", "w")]
    assert ids(choose(places, occupants, together, 3)) == ["b"]


def test_a_large_cloud_is_no_effort() -> None:
    """200 hosts that are full, 2,000 instances, 6 that wait of two kinds."""
    hosts = [f"h{number:03}" for number in range(200)]
    places = [place(host, VCPU=number % 3, MEMORY_MB=0) for number, host in enumerate(hosts)]
    occupants = [
        occupant(f"{host}-{n}", host, 1 + (number * 7 + n) % 500, VCPU=1 + n % 4, MEMORY_MB=1)
        for number, host in enumerate(hosts)
        for n in range(10)
    ]
    wants = [want(f"w{n:02}", *hosts, VCPU=1 + n % 2, MEMORY_MB=1 + n % 2) for n in range(6)]
    found = choose(places, occupants, wants, 30)
    assert found is not None
    assert found.proven
    assert suffices(places, found.removed, wants, found.placed)
    assert len(found.removed) == 9


def test_the_limit_is_one_for_all_hosts() -> None:
    places = [place("h1"), place("h2")]
    occupants = [occupant("a", "h1", 1, VCPU=1), occupant("b", "h2", 1, VCPU=1)]
    both = [want("v", "h1", VCPU=1), want("w", "h2", VCPU=1)]
    assert choose(places, occupants, both, 1) is None
    assert ids(choose(places, occupants, both, 2)) == ["a", "b"]
