# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far an operation is, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .work import END_STATES, VERIFIED, VERIFYING, WAITING, WORKING, Work


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
