# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many evacuations run at once."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.throttle import (
    Throttle,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("concurrency", "per_destination", "moving", "admitted"),
    [
        (1, None, [], True),
        (1, None, [None], False),
        (3, None, ["a", "a"], True),
        (3, None, ["a", "a", "b"], False),
        (9, 1, ["a"], False),
        (9, 2, ["a", "b"], True),
        # The one without a destination may yet go to a.
        (9, 2, ["a", None], False),
        (9, 3, ["a", None], True),
        (9, 3, ["a", "a", "b", "b"], True),
        (9, 3, ["a", "a", "b", None], False),
    ],
)
def test_one_more(
    concurrency: int, per_destination: int | None, moving: list[str | None], admitted: bool
) -> None:
    throttle = Throttle(concurrency=concurrency, per_destination=per_destination)
    assert throttle.admits_one_more(moving) is admitted


@given(
    concurrency=st.integers(1, 5),
    per_destination=st.none() | st.integers(1, 4),
    # What happens: ask for one more, or the n-th one moving is placed on a host, or it ends.
    events=st.lists(
        st.just(("submit", 0, ""))
        | st.tuples(st.sampled_from(["place", "end"]), st.integers(0, 9), st.sampled_from("ab")),
        max_size=60,
    ),
)
def test_no_limit_is_exceeded_wherever_the_scheduler_puts_them(
    concurrency: int, per_destination: int | None, events: list[tuple[str, int, str]]
) -> None:
    throttle = Throttle(concurrency=concurrency, per_destination=per_destination)
    moving: list[str | None] = []
    for event, which, host in events:
        if event == "submit" and throttle.admits_one_more(moving):
            moving.append(None)
        elif event == "place" and which < len(moving):
            moving[which] = moving[which] or host
        elif event == "end" and which < len(moving):
            moving.pop(which)
        assert len(moving) <= concurrency
        # The worst case: all that is not placed goes to one host.
        for there in ("a", "b"):
            most = Counter(moving)[there] + moving.count(None)
            assert per_destination is None or most <= per_destination


@given(st.integers(1, 9), st.none() | st.integers(1, 9))
def test_there_is_always_room_for_the_first(concurrency: int, per_destination: int | None) -> None:
    throttle = Throttle(concurrency=concurrency, per_destination=per_destination)
    assert throttle.admits_one_more([])
