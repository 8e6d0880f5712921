# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run over many instances has come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from .work import FAILED, GONE, IN_PROGRESS, NOT_STARTED, VERIFIED, Work

SKIPPED = "skipped"


@dataclass(slots=True, kw_only=True)
class Result:
    """What a module returns, before it is made a dictionary; ``seconds`` are those of the run."""

    changed: bool
    seconds: float
    instances: list[dict[str, Any]]
    error: RecoveryError | None

    def totals(self) -> dict[str, int]:
        return totals(self.instances)


def totals(instances: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Counts by status; ``planned`` are all but those skipped and those deleted meanwhile.

    :param instances: the results, each with its ``status``.
    """
    states = Counter(entry["status"] for entry in instances)
    left_out = states[SKIPPED] + states[GONE]
    return {
        "planned": len(instances) - left_out,
        **{
            state: states[state]
            for state in (VERIFIED, FAILED, IN_PROGRESS, NOT_STARTED, SKIPPED, GONE)
        },
    }


def failure(works: Sequence[Work], halt: RecoveryError | None, code: str) -> RecoveryError | None:
    """Why the whole is a failure, or None; retriable when running again can help.

    :param code: of one that is incomplete.
    """
    counts = totals([work.as_dict() for work in works])
    unfinished = {state: counts[state] for state in (FAILED, IN_PROGRESS, NOT_STARTED)}
    if not any(unfinished.values()) and halt is None:
        return None
    if halt is not None and halt.code != "failure_limit":
        return halt
    parts = [f"{counts[VERIFIED]} of {counts['planned']} instances verified"]
    parts += [
        f"{number} {state.replace('_', ' ')}" for state, number in unfinished.items() if number
    ]
    first = next((work for work in works if work.state == FAILED), None)
    because = f". The first to fail is {first.subject.name}: {first.reason}" if first else ""
    return RecoveryError(
        halt.code if halt else code,
        f"{', '.join(parts)}{because}. Each instance has its reason; running again goes on from what"
        " Nova says by then.",
        retriable=True,
        details={**unfinished, **(halt.details if halt else {})},
    )
