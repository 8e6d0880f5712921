# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line that says how far a run is, often enough for somebody who watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from .move import BACKOFF, BUSY, END_STATES, VERIFIED, VERIFYING, WAITING, Move

EVERY_SECONDS = 8.0
# After a change: not more often than this, so that many changes make few lines.
_AT_MOST_EVERY = 3.0


class Progress:
    """Sends a line when something has changed, and in any case every EVERY_SECONDS."""

    def __init__(self, send: Callable[[str], None], sources: Iterable[str], now: float) -> None:
        self._send = send
        self._sources = ", ".join(sources)
        self._started = now
        self._sent_at = float("-inf")
        self._sent = ""

    def update(self, moves: Sequence[Move], now: float, trouble: str | None = None) -> None:
        line = summary(moves) + (f"; {trouble}" if trouble else "")
        age = now - self._sent_at
        if age >= EVERY_SECONDS or (line != self._sent and age >= _AT_MOST_EVERY):
            self._send_line(line, now)

    def finish(self, moves: Sequence[Move], now: float) -> None:
        """The last line, if it was not sent yet."""
        line = summary(moves)
        if moves and line != self._sent:
            self._send_line(line, now)

    def _send_line(self, line: str, now: float) -> None:
        self._send(f"{self._sources}: {line} ({now - self._started:.0f} s)")
        self._sent, self._sent_at = line, now


def summary(moves: Sequence[Move]) -> str:
    """For example: 5 of 12 verified, 4 moving, 2 waiting, 1 to be tried again."""
    states = Counter(move.state for move in moves)
    parts = [f"{states[VERIFIED]} of {len(moves)} verified"]
    moving = sum(states[state] for state in BUSY)
    for count, word in (
        (moving, "moving"),
        (states[VERIFYING], "being verified"),
        (states[WAITING], "waiting"),
        (states[BACKOFF], "to be tried again"),
    ):
        if count:
            parts.append(f"{count} {word}")
    parts.extend(
        f"{states[state]} {state.replace('_', ' ')}"
        for state in sorted(END_STATES - {VERIFIED})
        if states[state]
    )
    return ", ".join(parts)
