# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Room is counted as Placement counts it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Host,
    Inventory,
    ResourceRequest,
    copied,
    have_room,
)
from fakes.capacity import sized
from hypothesis import given
from hypothesis import strategies as st

ONE = ResourceRequest(resources={"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 10})


def test_the_allocation_ratio_is_for_what_is_not_reserved() -> None:
    inventory = Inventory(total=10, reserved=2, allocation_ratio=4.0, used=5)
    assert inventory.free == 27


@pytest.mark.parametrize(
    ("limits", "amount", "reason"),
    [
        ({}, 11, "10 free"),
        ({"used": 12}, 1, "0 free"),
        ({"max_unit": 4}, 5, "at most 4 for one instance"),
        ({"min_unit": 4}, 3, "at least 4 for one instance"),
        ({"step_size": 3}, 4, "only multiples of 3"),
    ],
)
def test_an_amount_that_is_not_admitted(limits: Any, amount: int, reason: str) -> None:
    inventory = Inventory(total=10, **limits)
    assert not inventory.admits(amount)
    assert inventory.why_not(amount) == reason


def test_what_a_host_lacks_is_told() -> None:
    host = sized("a", 4, 1024, 20, "FAST", used=3)
    assert host.lacks(ONE) == "VCPU 2 wanted, 1 free"
    assert host.lacks(ResourceRequest(resources={"VGPU": 1})) == "VGPU 1 wanted, none here"
    needs_trait = ResourceRequest(resources={}, required_traits=frozenset({"SSD"}))
    assert host.lacks(needs_trait) == "no trait SSD"
    shuns_trait = ResourceRequest(resources={}, forbidden_traits=frozenset({"FAST"}))
    assert host.lacks(shuns_trait) == "has the trait FAST"
    assert host.lacks(ResourceRequest(resources={"VCPU": 1})) is None


def test_nothing_is_taken_of_a_request_that_does_not_fit() -> None:
    host = sized("a", 4, 100, 20)
    with pytest.raises(ValueError, match="MEMORY_MB 512 wanted, 100 free"):
        host.take(ONE)
    assert host.free("VCPU") == 4


def test_one_provider_has_to_give_all_of_a_resource_class() -> None:
    host = Host(name="a", inventories={"VGPU": [Inventory(total=1), Inventory(total=2)]})
    assert host.free("VGPU") == 3
    assert not host.fits(ResourceRequest(resources={"VGPU": 3}))
    host.take(ResourceRequest(resources={"VGPU": 2}))
    assert [inventory.free for inventory in host.inventories["VGPU"]] == [1, 0]


def test_of_several_providers_nothing_is_guessed_to_come_free() -> None:
    vgpus = [Inventory(total=1), Inventory(total=2, used=2)]
    host = Host(name="a", inventories={"VGPU": vgpus, "VCPU": [Inventory(total=2, used=2)]})
    host.give_back(ResourceRequest(resources={"VGPU": 1, "VCPU": 2}))
    assert (host.free("VGPU"), host.free("VCPU")) == (1, 2)


@given(
    free=st.lists(st.integers(0, 4), max_size=3),
    amounts=st.lists(st.integers(1, 3), max_size=4),
)
def test_what_has_room_at_several_providers_can_be_taken(
    free: list[int], amounts: list[int]
) -> None:
    providers = [Inventory(total=total) for total in free]
    told = have_room(providers, amounts)
    ways = itertools.product(range(len(free)), repeat=len(amounts))
    possible = any(
        all(
            sum(a for a, at in zip(amounts, way, strict=True) if at == n) <= total
            for n, total in enumerate(free)
        )
        for way in ways
    )
    assert possible or not told
    if len(set(amounts)) == 1:
        assert told == possible
    assert [provider.used for provider in providers] == [0] * len(free)


def test_storage_that_hosts_share_is_taken_from_all_also_in_copies() -> None:
    shared = Inventory(total=10)
    hosts = copied(Host(name=name, inventories={"DISK_GB": [shared]}) for name in "ab")
    hosts[0].take(ResourceRequest(resources={"DISK_GB": 8}))
    assert [host.free("DISK_GB") for host in hosts] == [2, 2]
    assert shared.used == 0


def test_a_view_counts_with_its_host_and_has_classes_of_its_own() -> None:
    host = sized("a", 4)
    view = host.view()
    view.inventories["place"] = [Inventory(total=1)]
    view.take(ResourceRequest(resources={"VCPU": 3, "place": 1}))
    assert host.free("VCPU") == 1
    assert "place" not in host.inventories


REQUESTS = st.lists(
    st.builds(
        lambda cpus, memory, disk: ResourceRequest(
            resources={"VCPU": cpus, "MEMORY_MB": memory, "DISK_GB": disk}
        ),
        st.integers(0, 4),
        st.integers(0, 600),
        st.integers(0, 12),
    ),
    max_size=12,
)


@given(requests=REQUESTS)
def test_never_more_is_taken_than_there_is_and_all_comes_back(
    requests: list[ResourceRequest],
) -> None:
    host = sized("a", 8, 1000, 20)
    taken = []
    for request in requests:
        if host.fits(request):
            host.take(request)
            taken.append(request)
        assert all(i.free >= 0 for of_class in host.inventories.values() for i in of_class)
    for request in taken:
        host.give_back(request)
    assert [host.free(name) for name in ("VCPU", "MEMORY_MB", "DISK_GB")] == [8, 1000, 20]
