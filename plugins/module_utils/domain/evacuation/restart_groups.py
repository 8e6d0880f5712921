# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the turn of each restart group has come.

A group is over some time after its last instance has ended, however it has ended, or when it has
taken too long. Until then nothing of a later group is submitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..policy.policy import Policy, RestartGroup
from .move import Move


class RestartGroups:
    """The groups of one run.

    :param moves: all moves of the run; what happens to them is seen as it happens.
    """

    def __init__(self, policy: Policy, moves: Iterable[Move]) -> None:
        self._policy = policy
        self._members: dict[int, list[Move]] = {}
        # Those without room go after all groups: no group waits for them.
        for move in (move for move in moves if not move.planned.without_room):
            self._members.setdefault(self._index(move), []).append(move)

    def _index(self, move: Move) -> int:
        return self._policy.group_index(move.planned.decision.restart_group)

    def waits_for(self, move: Move, now: float) -> RestartGroup | None:
        """The first earlier group that is not over yet, or None when the move may be submitted.

        :param now: the run's monotonic clock, in seconds.
        """
        for index, group in enumerate(self._policy.restart_groups[: self._index(move)]):
            if now < _over_at(group, self._members.get(index, ())):
                return group
        return None


def _over_at(group: RestartGroup, members: Sequence[Move]) -> float:
    """When later groups may begin; infinite while nobody can tell."""
    if not members:
        return -math.inf
    began = [move.started for move in members if move.started is not None]
    over = min(began) + group.timeout if began else math.inf
    ended = [move.ended for move in members if move.ended is not None]
    if len(ended) == len(members):
        over = min(over, max(ended) + group.wait)
    return over
