# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one host has to give up; against every set of its instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room import (
    covering,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.covering import (
    Cover,
    Occupant,
    Removed,
    Steps,
    cost_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

amounts = st.dictionaries(st.sampled_from(["VCPU", "MEMORY_MB", "DISK_GB"]), st.integers(1, 6))


@st.composite
def occupants(draw: st.DrawFn) -> list[Occupant]:
    found = draw(st.lists(st.tuples(st.integers(1, 4), amounts), max_size=7))
    return [
        Occupant(id=str(number), host="h", value=value, holds=holds)
        for number, (value, holds) in enumerate(found)
    ]


def occupant(name: str, value: int, **holds: int) -> Occupant:
    return Occupant(id=name, host="h", value=value, holds=holds)


def cover(these: Sequence[Occupant], lacking: Mapping[str, int], limit: int) -> Cover:
    return covering.cover(these, lacking, limit, Steps())


def gives(removed: Sequence[Occupant], lacking: Mapping[str, int]) -> bool:
    return all(sum(one.holds.get(c, 0) for one in removed) >= n for c, n in lacking.items())


def every_set(these: Sequence[Occupant], lacking: Mapping[str, int], limit: int) -> Removed | None:
    sets = [
        chosen
        for size in range(min(limit, len(these)) + 1)
        for chosen in combinations(these, size)
        if gives(chosen, lacking)
    ]
    return min(sets, key=cost_of, default=None)


@settings(max_examples=400, deadline=None)
@given(these=occupants(), lacking=amounts, limit=st.integers(0, 5))
def test_no_set_is_better(these: list[Occupant], lacking: dict[str, int], limit: int) -> None:
    found = cover(these, lacking, limit)
    best = every_set(these, lacking, limit)
    assert found.proven
    assert (found.removed is None) == (best is None)
    if found.removed is not None and best is not None:
        assert cost_of(found.removed) == cost_of(best)


def test_nothing_goes_where_nothing_is_lacking() -> None:
    assert cover([occupant("a", 1, VCPU=1)], {}, 3).removed == ()


def test_one_valuable_instance_goes_before_two_of_little_value() -> None:
    these = [occupant("a", 1, VCPU=1), occupant("b", 1, VCPU=1), occupant("c", 900, VCPU=2)]
    removed = cover(these, {"VCPU": 2}, 3).removed
    assert removed is not None
    assert [one.id for one in removed] == ["c"]


def test_of_as_many_those_of_the_smallest_sum_go_then_the_most_valuable_stays() -> None:
    these = [
        occupant("a", 1, VCPU=2),
        occupant("b", 5, VCPU=1),
        occupant("c", 3, MEMORY_MB=2),
        occupant("d", 3, VCPU=2),
    ]
    removed = cover(these, {"VCPU": 2, "MEMORY_MB": 2}, 3).removed
    assert removed is not None
    assert {one.id for one in removed} == {"a", "c"}
    # As many, as much in sum: 5 and 1, or 3 and 3.
    even = [occupant(n, v, VCPU=1) for n, v in (("a", 5), ("b", 1))]
    even += [occupant(n, v, VCPU=1, MEMORY_MB=1) for n, v in (("c", 3), ("d", 3))]
    assert cost_of(even[2:]) < cost_of(even[:2])


def test_many_instances_of_few_kinds_are_no_effort() -> None:
    these = [occupant(f"{n:03}", 1 + n % 90, VCPU=1 + n % 4, MEMORY_MB=512) for n in range(400)]
    found = cover(these, {"VCPU": 17, "MEMORY_MB": 4096}, 20)
    assert found.proven
    assert found.removed is not None
    assert len(found.removed) == 8


def test_it_says_so_when_not_every_set_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering, "_MOST_STEPS", 8)
    these = [occupant(str(n), 1, VCPU=1 + n, MEMORY_MB=9 - n) for n in range(9)]
    lacking = {"VCPU": 20, "MEMORY_MB": 20}
    found = cover(these, lacking, 5)
    assert not found.proven
    assert found.removed is None or gives(found.removed, lacking)


def test_the_hosts_of_a_plan_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first ones leave is enough for each to find something."""
    monkeypatch.setattr(covering, "_MOST_STEPS_OF_ALL", 20_000)
    monkeypatch.setattr(covering, "_LEAST_STEPS", 100)
    these = [
        occupant(str(n), 1 + n, VCPU=1 + n % 7, MEMORY_MB=9 + n * 5 % 11, DISK_GB=1 + n * 3 % 5)
        for n in range(40)
    ]
    steps, most = Steps(), list[int]()
    for _host in range(60):
        most.append(steps.most)
        found = covering.cover(these, {"VCPU": 40, "MEMORY_MB": 150, "DISK_GB": 30}, 30, steps)
        assert found.removed is not None
        assert not found.proven
    assert most[0] == 2_000
    assert most[-1] == 100
