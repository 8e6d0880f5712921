# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole evacuation: plan, lock, plan again under the lock, run, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..clock import Clock
from ..cloud import EvacuationCloud
from ..errors import RecoveryError
from ..operation import result as operation
from ..patience import ask_patiently
from ..progress import Watcher
from ..run_lock import LockStore, RunLock
from .move import (
    FAILED_END,
    IN_PROGRESS,
    NOT_STARTED,
    SKIPPED,
    VERIFIED,
    Move,
)
from .plan import Plan, Request
from .planner import build_plan
from .run import EvacuationRun
from .settings import Settings


@dataclass(slots=True, kw_only=True)
class Result:
    """What the module returns, before it is made a dictionary."""

    plan: Plan
    moves: Sequence[Move] = ()
    changed: bool = False
    halt: RecoveryError | None = None
    seconds: float = 0.0
    instances: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        bad = (FAILED_END, IN_PROGRESS, NOT_STARTED)
        return self.halt is not None or any(move.state in bad for move in self.moves)

    def totals(self) -> dict[str, int]:
        """Counts by status; ``planned`` are all but those skipped and those deleted meanwhile.

        ``predicted`` are those of which it was foretold whether they find room, and it has shown.
        """
        foretold = [(entry.get("prediction") or {}).get("right") for entry in self.instances]
        return {
            **operation.totals(self.instances),
            "predicted": sum(right is not None for right in foretold),
            "predicted_right": foretold.count(True),
        }

    def error(self) -> RecoveryError:
        """Why the whole is a failure; retriable when running again can help."""
        if self.halt is not None:
            return self.halt
        totals = self.totals()
        waiting = totals[IN_PROGRESS] + totals[NOT_STARTED]
        parts = [f"{totals[VERIFIED]} of {totals['planned']} instances verified"]
        parts.extend(
            f"{totals[state]} {state.replace('_', ' ')}"
            for state in (FAILED_END, IN_PROGRESS, NOT_STARTED)
            if totals[state]
        )
        return RecoveryError(
            "evacuation_incomplete" if totals[FAILED_END] else "evacuation_timeout",
            f"{', '.join(parts)}. Each instance has its reason; running again goes on from what"
            " Nova says by then.",
            retriable=True,
            details={"failed": totals[FAILED_END], "unfinished": waiting},
        )


def plan_patiently(
    cloud: EvacuationCloud, request: Request, clock: Clock, watcher: Watcher
) -> Plan:
    """The plan; a cloud that does not answer for a moment is asked again."""
    return ask_patiently(lambda: build_plan(cloud, request), clock, watcher)


def recover(
    cloud: EvacuationCloud,
    lock_store: LockStore,
    request: Request,
    settings: Settings,
    clock: Clock,
    *,
    run_id: str,
    holder: str,
    watcher: Watcher,
) -> Result:
    """Evacuate what the request names, and verify it.

    :raises RecoveryError: when nothing was begun: bad request, host up, another run at work.
    """
    began = clock.monotonic()
    plan = plan_patiently(cloud, request, clock, watcher)
    locks: list[RunLock] = []
    try:
        locked: set[str] = set()
        while plan.needs_lock and not locked >= set(plan.sources):
            for source in sorted(set(plan.sources) - locked):
                lock = RunLock(
                    lock_store,
                    clock,
                    host=source,
                    run_id=run_id,
                    holder=holder,
                    on_wait=watcher.send,
                )
                lock.acquire()
                locks.append(lock)
                locked.add(source)
            for lock in locks:
                lock.keep()
            # What another run did before this one had the locks must be in the plan.
            plan = plan_patiently(cloud, request, clock, watcher)
        run = EvacuationRun(
            cloud,
            plan,
            settings,
            clock,
            locks=locks,
            send_progress=watcher.send,
            watched=watcher.watched,
        )
        run.run()
    finally:
        for lock in locks:
            lock.release()
    return Result(
        plan=plan,
        moves=run.moves,
        changed=run.changed,
        halt=run.halt,
        seconds=round(clock.monotonic() - began, 1),
        instances=[move.as_dict() for move in run.moves]
        + [{**skipped.as_dict(), "status": SKIPPED} for skipped in plan.skipped],
    )
