# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of a run, as the numbers and words that a template puts in their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .entry import Entry
from .timeline import LAYERS, WIDTH, Layer, Window, duration, overview, track_of
from .values import clock
from .words import LEVEL_WORDS, MARKS, PHASE_WORDS, in_words

# Fewer instances than this are seen one by one.
_OVERVIEW_FROM = 5
_OVERVIEW_HEIGHT = 100.0


def way_in_words(entry: Entry) -> str:
    """The picture for those who do not see it."""
    begin = entry.events[0].at if entry.events else None
    return ", ".join(
        f"{in_words(event.event)} at {duration((event.at - begin).total_seconds())}"
        for event in entry.events
        if begin is not None
    )


def drawn(entry: Entry, window: Window) -> dict[str, Any]:
    """Its track, in parts of a thousand of the width."""
    track = track_of(entry, window)
    return {
        "segments": [
            {"x": round(s.x, 1), "width": round(s.width, 1), "phase": s.phase}
            for s in track.segments
        ],
        "end": None if track.end is None else round(track.end, 1),
        "level": track.level,
    }


def axis_of(window: Window | None) -> dict[str, Any] | None:
    if window is None:
        return None
    ticks = window.ticks()
    return {
        "begin": clock(window.begin),
        "length": duration(window.seconds),
        "ticks": [
            {"percent": round(tick.x / WIDTH * 100, 2), "label": tick.label} for tick in ticks
        ],
        # The column of a table is narrow: every second or third one is enough there.
        "sparse": 1 + len(ticks) // 3,
    }


def overview_of(entries: Sequence[Entry], window: Window | None) -> dict[str, Any] | None:
    shown = sum(bool(entry.events) for entry in entries)
    if window is None or shown < _OVERVIEW_FROM:
        return None
    return {
        "number": shown,
        "layers": [
            {"name": layer.name, "points": _points(layer, shown)}
            for layer in overview(entries, window)
        ],
    }


def _points(layer: Layer, number: int) -> str:
    """The outline of a layer: in steps along its top, and back along its bottom."""
    step = WIDTH / len(layer.low)

    def stairs(counts: Sequence[int]) -> list[tuple[float, float]]:
        return [
            (step * edge, _OVERVIEW_HEIGHT * (1 - count / number))
            for column, count in enumerate(counts)
            for edge in (column, column + 1)
        ]

    outline = [*stairs(layer.high), *reversed(stairs(layer.low))]
    return " ".join(f"{x:.1f},{y:.2f}" for x, y in outline)


def legend_of(
    tracks: Iterable[Mapping[str, Any]], over_all: Mapping[str, Any] | None
) -> list[dict[str, str]]:
    """What is to be seen in the pictures, and no more.

    :param tracks: as :func:`drawn` has made them.
    :param over_all: as :func:`overview_of` has.
    """
    seen = {layer["name"] for layer in over_all["layers"]} if over_all else set()
    for track in tracks:
        seen |= {segment["phase"] for segment in track["segments"]} | {track["level"]}
    return [
        {"name": name, "mark": MARKS.get(name, ""), "word": {**PHASE_WORDS, **LEVEL_WORDS}[name]}
        for name in reversed(LAYERS)
        if name in seen
    ]
