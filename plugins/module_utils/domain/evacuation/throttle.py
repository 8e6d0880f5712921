# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many evacuations may run at once, overall and on one destination.

Nova itself does not limit evacuations (max_concurrent_builds is for builds only).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """``per_destination`` None means: no limit of its own."""

    concurrency: int
    per_destination: int | None = None

    def admits_one_more(self, destinations: Iterable[str | None]) -> bool:
        """Whether one more evacuation may be submitted.

        :param destinations: of each evacuation in progress the host, None while Nova has not
            placed it. The scheduler picks the host, so the limit per destination is kept for the
            worst case: that all that is not placed yet goes to the busiest host.
        """
        moving = list(destinations)
        if len(moving) >= self.concurrency:
            return False
        if self.per_destination is None:
            return True
        placed = Counter(host for host in moving if host is not None)
        unplaced = len(moving) - sum(placed.values())
        busiest = max(placed.values(), default=0)
        return busiest + unplaced < self.per_destination
