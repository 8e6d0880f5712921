# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line that says how far a run is, often enough for somebody who watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from .work import END_STATES, VERIFIED, VERIFYING, WAITING, WORKING, Work

_EVERY_SECONDS = 8.0
# After a change: not more often than this, so that many changes make few lines.
_AT_MOST_EVERY = 3.0


class Progress:
    """Sends a line when something has changed, and in any case every few seconds."""

    def __init__(self, send: Callable[[str], None], now: float) -> None:
        self._send = send
        self._started = now
        self._sent_at = float("-inf")
        self._sent = ""

    def update(self, works: Sequence[Work], now: float, trouble: str | None = None) -> None:
        line = summary(works) + (f"; {trouble}" if trouble else "")
        age = now - self._sent_at
        if age >= _EVERY_SECONDS or (line != self._sent and age >= _AT_MOST_EVERY):
            self._send(f"{line} ({now - self._started:.0f} s)")
            self._sent, self._sent_at = line, now


def summary(works: Sequence[Work]) -> str:
    """For example: 5 of 12 verified, 4 working, 2 waiting, 1 failed."""
    states = Counter(work.state for work in works)
    parts = [f"{states[VERIFIED]} of {len(works)} verified"]
    parts.extend(
        f"{states[state]} {state.replace('_', ' ')}"
        for state in (WORKING, VERIFYING, WAITING, *sorted(END_STATES - {VERIFIED}))
        if states[state]
    )
    return ", ".join(parts)
