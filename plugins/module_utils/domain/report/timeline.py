# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time line as a picture: where each piece lies, in parts of a thousand of its width.

Nothing here knows of HTML. What is given in any order, with any times, ends up inside of the picture
and in its order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from .entry import Entry
from .words import BAD, BUSY, LATE, LEFT, OK, PHASES, ends, level_of, phase_after

WIDTH = 1000.0
# A step that took no time at all is still to be seen.
_THINNEST = 2.0
_MOST_TICKS = 7
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
# Columns of the overview: as many as can be told apart.
_COLUMNS = 160
# From the bottom to the top; what ended well is the ground.
LAYERS = (OK, LEFT, BAD, BUSY, LATE, *reversed(PHASES))


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which one thing went on; ``phase`` is one of PHASES."""

    x: float
    width: float
    phase: str


@dataclass(frozen=True, slots=True)
class Track:
    """One instance's way. ``end`` is where it ended, and ``level`` how; both None when it has not."""

    segments: tuple[Segment, ...]
    end: float | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Layer:
    """How many instances were in one state at each column, on top of the layers below.

    :param low, high: of each column, from 0 to the number of instances.
    """

    name: str
    low: tuple[int, ...]
    high: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that the picture shows."""

    begin: datetime
    seconds: float

    @classmethod
    def around(cls, entries: Sequence[Entry]) -> Window | None:
        """From the first event to the last; None when there is none."""
        moments = [event.at for entry in entries for event in entry.events]
        if not moments:
            return None
        begin = min(moments)
        # A picture of a single moment is one of a second.
        return cls(begin, max((max(moments) - begin).total_seconds(), 1.0))

    def x(self, moment: datetime) -> float:
        share = (moment - self.begin).total_seconds() / self.seconds
        return min(max(share, 0.0), 1.0) * WIDTH

    def ticks(self) -> list[Tick]:
        """At round numbers of seconds since the begin, few enough to be read."""
        step = next((s for s in _STEPS if self.seconds / s <= _MOST_TICKS), None)
        if step is None:
            step = 86400 * (int(self.seconds / 86400 / _MOST_TICKS) + 1)
        return [
            Tick(self.x(self.begin + timedelta(seconds=second)), duration(second))
            for second in range(0, int(self.seconds) + 1, step)
        ]


def track_of(entry: Entry, window: Window) -> Track:
    """:param entry: its events are in their order."""
    segments: list[Segment] = []
    events = entry.events
    for event, following in pairwise(events):
        if ends(event.event):
            continue
        begin, end = min(window.x(event.at), WIDTH - _THINNEST), window.x(following.at)
        segments.append(
            Segment(x=begin, width=max(end - begin, _THINNEST), phase=phase_after(event.event))
        )
    last = events[-1] if events else None
    if last is None or not ends(last.event):
        return Track(tuple(segments), None, None)
    return Track(tuple(segments), window.x(last.at), level_of(last.event, entry.code))


def overview(entries: Sequence[Entry], window: Window) -> list[Layer]:
    """How many instances were where, over the whole time; empty layers are left out."""
    shown = [entry for entry in entries if entry.events]
    counts = {name: [0] * _COLUMNS for name in LAYERS}
    for entry in shown:
        times = [event.at for event in entry.events]
        for column in range(_COLUMNS):
            # A column shows what had come of it by its end, the last one how all of it ended.
            now = window.begin + timedelta(seconds=window.seconds * (column + 1) / _COLUMNS)
            counts[_state_at(entry, times, now)][column] += 1
    layers: list[Layer] = []
    low = [0] * _COLUMNS
    for name in LAYERS:
        high = [below + count for below, count in zip(low, counts[name], strict=True)]
        if any(counts[name]):
            layers.append(Layer(name, tuple(low), tuple(high)))
        low = high
    return layers


def _state_at(entry: Entry, times: Sequence[datetime], now: datetime) -> str:
    """What it had come to by then; before its first event it waits."""
    # The last column may lie a rounding error before the last event.
    seen = bisect_right(times, now + timedelta(milliseconds=1))
    if seen == 0:
        return phase_after("waiting")
    event = entry.events[seen - 1].event
    return level_of(event, entry.code) if ends(event) else phase_after(event)


def duration(seconds: float) -> str:
    """For example: 45 s, 2 min, 2 min 5 s, 1 h 30 min; below ten seconds with a decimal."""
    if 0 < seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    for position, (size, unit) in enumerate(units[:-1]):
        if whole >= size:
            finer, word = units[position + 1]
            rest = whole % size // finer
            return f"{whole // size} {unit}" + (f" {rest} {word}" if rest else "")
    return f"{whole} s"
