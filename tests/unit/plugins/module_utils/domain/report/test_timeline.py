# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time line as a picture: nothing lies outside of it, and the order stays."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.entry import (
    Entry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.timeline import (
    WIDTH,
    Window,
    duration,
    overview,
    track_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.words import (
    LEVELS,
    PHASES,
)
from fakes.reports import BEGAN, entry
from hypothesis import given
from hypothesis import strategies as st

WORDS = ("waiting", "submitted", "moving", "verifying", "backoff", "resizing", "verified", "failed")
ways = st.lists(
    st.tuples(
        st.floats(0, 40_000_000, allow_nan=False)
        | st.sampled_from([0.0, 0.001, 1.0, 59.999, 86400.0]),
        st.sampled_from(WORDS),
    ),
    max_size=12,
)
many_ways = st.lists(ways, max_size=8).map(lambda all_: [entry(*one) for one in all_])


@given(many_ways)
def test_nothing_lies_outside_and_everything_is_in_its_order(entries: list[Entry]) -> None:
    window = Window.around(entries)
    if window is None:
        assert not any(one.events for one in entries)
        return
    for one in entries:
        track = track_of(one, window)
        for segment in track.segments:
            assert segment.x >= 0
            assert 0 < segment.width <= WIDTH
            assert segment.x + segment.width <= WIDTH + 1e-6
            assert segment.phase in PHASES
        assert all(a.x <= b.x for a, b in pairwise(track.segments))
        if track.end is not None:
            assert 0 <= track.end <= WIDTH
            assert track.level in LEVELS
            assert all(s.x <= track.end for s in track.segments)


@given(many_ways)
def test_the_overview_has_every_instance_in_each_column_once(entries: list[Entry]) -> None:
    window = Window.around(entries)
    if window is None:
        return
    layers = overview(entries, window)
    shown = sum(bool(one.events) for one in entries)
    assert layers[0].low == (0,) * len(layers[0].low)
    for below, above in pairwise(layers):
        assert all(b <= a for b, a in zip(below.high, above.low, strict=True))
    for column in range(len(layers[0].low)):
        assert sum(layer.high[column] - layer.low[column] for layer in layers) == shown
        assert max(layer.high[column] for layer in layers) == shown


@given(st.floats(0.001, 100_000_000, allow_nan=False))
def test_ticks_can_be_read(seconds: float) -> None:
    window = Window(BEGAN, seconds)
    ticks = window.ticks()
    assert 1 <= len(ticks) <= 9
    assert ticks[0].x == 0
    assert all(a.x < b.x <= WIDTH for a, b in pairwise(ticks))
    assert len({tick.label for tick in ticks}) == len(ticks)


def test_a_way() -> None:
    one = entry((0, "waiting"), (25, "submitted"), (50, "verifying"), (100, "verified"))
    window = Window.around([one])
    assert window is not None
    track = track_of(one, window)
    assert [(s.x, s.width, s.phase) for s in track.segments] == [
        (0, 250, "waiting"),
        (250, 250, "working"),
        (500, 500, "checking"),
    ]
    assert (track.end, track.level) == (1000, "ok")


def test_a_step_that_took_no_time_is_seen_all_the_same() -> None:
    one = entry((0, "waiting"), (100, "submitted"), (100, "failed"), status="failed", code="x")
    window = Window(BEGAN, 100)
    assert track_of(one, window).segments[-1].width > 0


def test_one_that_goes_on_has_no_end() -> None:
    one = entry((0, "waiting"), (5, "submitted"))
    track = track_of(one, Window(BEGAN, 10))
    assert (track.end, track.level) == (None, None)


def test_an_instance_waits_before_its_first_event() -> None:
    early, late = (
        entry((0, "submitted"), (10, "verified")),
        entry((9, "submitted"), (10, "verified")),
    )
    window = Window.around([early, late])
    assert window is not None
    layers = {layer.name: layer for layer in overview([early, late], window)}
    assert layers["waiting"].high[0] - layers["waiting"].low[0] == 1
    assert layers["ok"].high[-1] == 2


def test_no_events_no_picture() -> None:
    assert Window.around([]) is None
    assert Window.around([entry()]) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.25, "0.2 s"), (9.96, "10.0 s"), (45, "45 s"), (60, "1 min"), (125, "2 min 5 s"),
        (3600, "1 h"), (5400, "1 h 30 min"), (90_000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_window_begins_with_the_first_event() -> None:
    window = Window.around([entry((5, "waiting"), (25, "verified"))])
    assert window == Window(BEGAN + timedelta(seconds=5), 20)
