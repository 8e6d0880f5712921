# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of those that wait are alike, and what a host could take of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.covering import (
    Occupant,
    Steps,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.taking import (
    Kinds,
    Place,
    Taker,
    Want,
)


def want(name: str, vcpus: int = 1, *hosts: str, together: str | None = None) -> Want:
    return Want(
        id=name, needs={"VCPU": vcpus}, hosts=frozenset(hosts or ("a", "b")), together=together
    )


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (want("w"), True),
        (Want(id="w", needs={"VCPU": 1, "DISK_GB": 0}, hosts=frozenset({"a", "b"})), True),
        (want("w", 2), False),
        (want("w", 1, "a"), False),
        (want("w", together="g"), False),
    ],
)
def test_those_that_need_the_same_on_the_same_hosts_are_of_one_kind(
    other: Want, alike: bool
) -> None:
    assert (want("v").kind == other.kind) is alike
    assert len(Kinds([want("v"), other]).all) == (1 if alike else 2)


def test_each_is_placed_once_in_the_order_of_their_ids() -> None:
    kinds = Kinds([want("c"), want("d", 2), want("a"), want("b")])
    assert kinds.all == (3, 1)
    takes: Any = [("h1", (1, 1)), ("h2", (2, 0))]
    assert kinds.placed(takes) == {"a": "h1", "d": "h1", "b": "h2", "c": "h2"}


def test_a_host_that_none_may_go_to_is_of_no_use() -> None:
    kinds = Kinds([want("a", 1, "h1"), want("b", 1, "h2")])
    assert [kinds.could_use(host) for host in ("h1", "h2", "h3")] == [True, True, False]


def test_those_that_belong_together_are_all_in_or_none() -> None:
    kinds = Kinds([want("a", together="g"), want("b", 2, together="g"), want("c", 3)])
    told = {counts: kinds.keeps_together(counts) for counts in ((1, 1, 0), (0, 0, 1), (1, 0, 1))}
    assert told == {(1, 1, 0): True, (0, 0, 1): True, (1, 0, 1): False}


def test_what_is_lacking_is_searched_for_once_whatever_lacks_it() -> None:
    """Two of one vCPU need what one of two needs."""
    kinds = Kinds([want("a"), want("b"), want("c", 2)])
    occupants = [Occupant(id="o", host="a", value=1, holds={"VCPU": 2})]
    covers: dict[Any, Any] = {}
    place = Place(host="a", free={"VCPU": 0})
    taker = Taker(place, occupants, kinds, 1, covers=covers, steps=Steps())
    assert taker.removed_for((2, 0)) == taker.removed_for((0, 1)) == tuple(occupants)
    assert len(covers) == 1
    assert list(taker.fitting(kinds.all, 1)) == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert list(taker.fitting(kinds.all, 0)) == [(0, 0)]
