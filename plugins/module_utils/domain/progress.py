# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever waits for the result of a long run, and the line that says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import RecoveryError

EVERY_SECONDS = 8.0
# After a change: not more often than this, so that many changes make few lines.
_AT_MOST_EVERY = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """``send`` takes a line of progress; ``watched`` is False once nobody waits any more."""

    send: Callable[[str], None] = lambda line: None
    watched: Callable[[], bool] = lambda: True


def abandoned() -> RecoveryError:
    """Why a run has ended that nobody watches any more."""
    return RecoveryError(
        "abandoned",
        "whoever started this run is gone; it has stopped. Run again.",
        retriable=True,
    )


class Progress:
    """Sends a line when something has changed, and in any case every EVERY_SECONDS.

    :param prefix: of every line.
    """

    def __init__(self, send: Callable[[str], None], now: float, prefix: str = "") -> None:
        self._send = send
        self._prefix = prefix
        self._started = now
        self._sent_at = float("-inf")
        self._sent = ""

    def update(self, summary: str, now: float, trouble: str | None = None) -> None:
        """:param trouble: what did not work at the last look."""
        line = summary + (f"; {trouble}" if trouble else "")
        age = now - self._sent_at
        if age >= EVERY_SECONDS or (line != self._sent and age >= _AT_MOST_EVERY):
            self._send_line(line, now)

    def finish(self, summary: str, now: float) -> None:
        """The last line, if it was not sent yet."""
        if summary != self._sent:
            self._send_line(summary, now)

    def _send_line(self, line: str, now: float) -> None:
        self._send(f"{self._prefix}{line} ({now - self._started:.0f} s)")
        self._sent, self._sent_at = line, now
