# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of statuses and events, and what each means to a reader."""

from __future__ import annotations

# How an instance stands: fine, needs somebody, still at work, not yet looked at, left as it was.
OK = "ok"
BAD = "bad"
BUSY = "busy"
LATE = "late"
LEFT = "left"

LEVELS = (BAD, BUSY, LATE, OK, LEFT)
LEVEL_WORDS = {
    OK: "verified",
    BAD: "failed",
    BUSY: "still at work",
    LATE: "not begun",
    LEFT: "left as it was",
}
# Beside colour, for those who do not see it, and for print.
MARKS = {OK: "\u2713", BAD: "\u2715", BUSY: "\u2026", LATE: "\u25cb", LEFT: "\u2013"}

_STATUSES = {
    OK: ("verified", "active", "done"),
    BAD: ("failed", "not_verified", "died", "buried_again", "not_sent", "refused"),
    BUSY: ("in_progress", "stuck", "would_wait"),
    LATE: ("not_started", "would_build"),
    LEFT: ("skipped", "gone", "deleted"),
}
_LEVEL_OF = {status: level for level, statuses in _STATUSES.items() for status in statuses}

# What was going on with an instance between two events.
WAITING = "waiting"
TRYING_AGAIN = "again"
WORKING = "working"
CHECKING = "checking"
PHASES = (WAITING, TRYING_AGAIN, WORKING, CHECKING)
PHASE_WORDS = {
    WAITING: "waiting for its turn",
    TRYING_AGAIN: "waiting to be tried again",
    WORKING: "Nova at work",
    CHECKING: "being verified",
}
_PHASE_OF = {
    "waiting": WAITING,
    "backoff": TRYING_AGAIN,
    "verifying": CHECKING,
}


def level_of(status: str, code: str | None = None) -> str:
    """One of LEVELS; a status that is not known is judged by whether it has a code."""
    return _LEVEL_OF.get(status, BAD if code else OK)


def ends(event: str) -> bool:
    """Whether this event is the end of an instance's way, and so a status."""
    return event in _LEVEL_OF


def phase_after(event: str) -> str:
    """One of PHASES: what goes on after this event, until the next."""
    return _PHASE_OF.get(event, WORKING)


def in_words(word: str) -> str:
    """For example: in progress"""
    return word.replace("_", " ")
