# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which reserved hosts are enabled."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.forecast import (
    Prediction,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.spares import (
    fewest,
    reserved_hosts,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    disabled_reason,
)
from fakes import values
from hypothesis import given
from hypothesis import strategies as st

SPARES = Aggregate(uuid="u", name="spares", hosts=frozenset({"spare", "compute-1"}))


@pytest.mark.parametrize(
    ("service", "counts"),
    [
        ({}, True),
        ({"disabled_reason": "a reserve"}, True),
        ({"status": "enabled"}, False),
        ({"state": "down"}, False),
        ({"forced_down": True}, False),
        ({"disabled_reason": disabled_reason("run-1", "")}, False),
        ({"host": "elsewhere"}, False),
        ({"host": "compute-1"}, False),
    ],
)
def test_what_counts_as_reserve(service: dict[str, Any], counts: bool) -> None:
    found = values.service(**{"host": "spare", "status": "disabled", **service})
    assert reserved_hosts(SPARES, [found], ["compute-1"]) == (["spare"] if counts else [])


def predictor(base: int, room: Mapping[str, int], needed: int) -> Any:
    """So many of the needed find room without a reserve, and more with each."""

    def predict(enabled: Sequence[str]) -> dict[str, Prediction]:
        places = base + sum(room[host] for host in enabled)
        return {str(number): Prediction(fits=number < places) for number in range(needed)}

    return predict


def test_none_is_enabled_when_all_fit_or_when_none_helps() -> None:
    assert fewest(["a"], predictor(3, {"a": 9}, 3)) == ()
    assert fewest(["a", "b"], predictor(1, {"a": 0, "b": 0}, 3)) == ()
    assert fewest([], predictor(0, {}, 3)) == ()


def test_one_large_rather_than_two_small() -> None:
    assert fewest(["a", "b", "c"], predictor(1, {"a": 1, "b": 2, "c": 1}, 3)) == ("b",)


def test_what_helps_is_enabled_also_when_not_all_can_fit() -> None:
    assert fewest(["a", "b"], predictor(0, {"a": 1, "b": 0}, 5)) == ("a",)


def test_many_are_added_one_at_a_time() -> None:
    names = [f"s{number:02}" for number in range(12)]
    assert len(fewest(names, predictor(0, dict.fromkeys(names, 1), 5))) == 5


@given(
    room=st.dictionaries(st.sampled_from("abcde"), st.integers(0, 4), max_size=5),
    base=st.integers(0, 4),
    needed=st.integers(0, 9),
)
def test_nothing_smaller_does_as_much(room: dict[str, int], base: int, needed: int) -> None:
    predict, names = predictor(base, room, needed), sorted(room)

    def placed(enabled: Sequence[str]) -> int:
        return sum(prediction.fits is True for prediction in predict(enabled).values())

    chosen = fewest(names, predict)
    assert placed(chosen) == placed(names)
    for number in range(len(chosen)):
        assert all(placed(fewer) < placed(names) for fewer in itertools.combinations(names, number))


@given(
    rooms=st.lists(st.integers(0, 4), min_size=6, max_size=30),
    base=st.integers(0, 4),
    needed=st.integers(0, 40),
)
def test_of_many_none_can_be_left_out_and_few_sets_are_tried(
    rooms: list[int], base: int, needed: int
) -> None:
    room = {f"s{number:02}": places for number, places in enumerate(rooms)}
    predict, tried = predictor(base, room, needed), list[Sequence[str]]()

    def counted(enabled: Sequence[str]) -> Any:
        tried.append(enabled)
        return predict(enabled)

    chosen = fewest(list(room), counted)
    enough = min(base + sum(rooms), needed)
    assert base + sum(room[host] for host in chosen) >= enough
    assert all(base + sum(room[h] for h in chosen if h != host) < enough for host in chosen)
    assert len(set(map(tuple, tried))) == len(tried) <= max(32, len(chosen) + 8)


def test_what_is_first_in_the_order_comes_before_more_of_the_others() -> None:
    """The host that takes the first one, not that which takes the other two."""

    def predict(enabled: Sequence[str]) -> dict[str, Prediction]:
        first = "large" in enabled
        others = "small" in enabled and not first
        return {name: Prediction(fits=first if name == "a" else others) for name in "abc"}

    assert fewest(["large", "small"], predict) == ("large",)
