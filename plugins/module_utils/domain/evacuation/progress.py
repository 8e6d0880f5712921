# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far an evacuation is, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .move import BACKOFF, BUSY, END_STATES, VERIFIED, VERIFYING, WAITING, Move


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
