# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes room: plan, lock, plan again under the lock, remove, and plan once more to see the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..clock import Clock
from ..errors import RecoveryError
from ..operation.result import failure
from ..operation.run import OperationRun
from ..operation.settings import OperationSettings
from ..operation.step import Subject
from ..operation.work import FAILED, IN_PROGRESS, NOT_STARTED, Work
from ..patience import ask_patiently
from ..policy.policy import DELETE, SHELVE
from ..progress import Watcher
from ..run_lock import LockStore, RunLock
from .candidates import Excluded
from .cloud import PreemptionCloud
from .leaving import Departures, still_leaving
from .plan import GETS_ROOM, NO_ROOM, Plan, Removal, Request
from .planner import build_plan
from .removing import Look, Removing, counts_as_removed
from .turn import PLAN_OUTDATED, Turn

# One run at a time in the whole cloud: two could take each other's room for their own.
_LOCK = "make_room"
_INCOMPLETE = "removal_incomplete"
_NOT_DELETED = "another could not be shelved, so this run deletes none"


@dataclass(slots=True, kw_only=True)
class Result:
    """``first`` is the plan that was begun with, ``last`` what was seen at the end.

    ``instances`` are the results of all that was to be removed.
    """

    first: Plan
    last: Plan
    instances: list[dict[str, Any]] = field(default_factory=list)
    changed: bool = False
    error: RecoveryError | None = None
    seconds: float = 0.0


def make_room(
    cloud: PreemptionCloud,
    lock_store: LockStore,
    request: Request,
    settings: OperationSettings,
    clock: Clock,
    *,
    run_id: str,
    holder: str,
    watcher: Watcher,
) -> Result:
    """Remove what the plan says, and see whether there is room then.

    :raises RecoveryError: when nothing was begun: ``insufficient_room``, another run at work, or
        what a plan can raise.
    """
    began = clock.monotonic()
    plan = ask_patiently(lambda: build_plan(cloud, request), clock, watcher)
    plan.require_room(request.policy)
    if not plan.removals and not plan.awaited:
        return Result(first=plan, last=plan)
    lock = RunLock(
        lock_store, clock, host=_LOCK, run_id=run_id, holder=holder, on_wait=watcher.send
    )
    lock.acquire()
    try:
        # What another run did before this one had the lock must be in the plan.
        turn = Turn(lock, clock, watcher)
        result = _Run(cloud, request, settings, clock=clock, turn=turn, watcher=watcher).run()
    finally:
        lock.release()
    result.seconds = round(clock.monotonic() - began, 1)
    return result


class _Run:
    def __init__(
        self,
        cloud: PreemptionCloud,
        request: Request,
        settings: OperationSettings,
        *,
        clock: Clock,
        turn: Turn,
        watcher: Watcher,
    ) -> None:
        self._cloud = cloud
        self._request = request
        self._settings = settings
        self._clock = clock
        self._turn = turn
        self._watcher = watcher
        self._deadline = clock.monotonic() + settings.timeout
        self._excluded = Excluded()
        self._departures = Departures(cloud, settings, clock, turn, self._excluded)
        # Ids of those that count against the limit.
        self._removed: set[str] = set()
        self._works: dict[str, Work] = {}
        self._changed = False

    def run(self) -> Result:
        """Rounds of a plan and what it says, until there is room or none is to be had.

        One that could not be removed stays out of the next plan. What was removed, or only begun
        with, counts against the limit.
        """
        first = plan = self._plan()
        plan.require_room(self._request.policy)
        error: RecoveryError | None = None
        while error is None and (plan.awaited or plan.removals):
            try:
                error = self._carry_out(plan)
                if error is None or self._may_go_on(error):
                    plan = self._plan_again()
                    error = self._shortage(first, plan)
            except RecoveryError as problem:
                # What was removed must be told.
                error = problem
        return Result(
            first=first,
            last=self._as_it_is(plan) if error else plan,
            instances=[work.as_dict() for work in self._works.values()],
            changed=self._changed,
            error=error,
        )

    def _carry_out(self, plan: Plan) -> RecoveryError | None:
        """First it is seen whether what is counted on comes free: else others would go in vain."""
        if plan.awaited:
            return self._departures.wait(plan.awaited)
        return self._remove(plan.removals)

    def _plan(self) -> Plan:
        limit = max(self._request.most - len(self._removed), 0)
        return self._turn.read(lambda: self._planned(limit))

    def _planned(self, limit: int, *, awaits: bool = True) -> Plan:
        return build_plan(
            self._cloud, self._request, limit=limit, excluded=self._excluded, awaits=awaits
        )

    def _plan_again(self) -> Plan:
        """Without those that wait no more, as they were deleted meanwhile."""
        # It may take up again what the last one did not begin.
        self._works = {
            one: work
            for one, work in self._works.items()
            if work.calls or (work.state != NOT_STARTED and work.code != PLAN_OUTDATED)
        }
        try:
            return self._plan()
        except RecoveryError as error:
            gone = error.details["instances"] if error.code == "instance_not_found" else []
            left = tuple(one for one in self._request.instances if one not in gone)
            if not gone or not left:
                raise
            self._request = replace(self._request, instances=left)
            return self._plan_again()

    def _as_it_is(self, plan: Plan) -> Plan:
        """Who has room now, without anything that is still to be done.

        :param plan: of which nothing more is promised when that cannot be read.
        """
        try:
            return self._planned(0, awaits=False)
        except RecoveryError:
            # The result of the run must not be lost for it.
            unknown = "it could not be seen whether there is room by now"
            waiting = [
                replace(one, fits=NO_ROOM, reason=unknown) if one.fits == GETS_ROOM else one
                for one in plan.waiting
            ]
            return replace(plan, waiting=tuple(waiting))

    def _may_go_on(self, error: RecoveryError) -> bool:
        """After single instances have failed; not when the run has to stop, or Nova is still busy.

        Nor when something has gone whose room Placement does not give back: to remove more would not
        help.
        """
        is_open = any(
            work.state == IN_PROGRESS or work.code == "not_verified"
            for work in self._works.values()
        )
        in_time = self._clock.monotonic() < self._deadline
        return not is_open and in_time and error.code in (_INCOMPLETE, "failure_limit")

    def _remove(self, removals: Sequence[Removal]) -> RecoveryError | None:
        """First what can be undone. What cannot be is not begun once anything of that has failed."""
        shelved = [removal for removal in removals if removal.action == SHELVE]
        deleted = [removal for removal in removals if removal.action != SHELVE]
        for some in (shelved, deleted):
            error = self._remove_some(some) if some else None
            if error is not None:
                return error
        return None

    def _remove_some(self, removals: Sequence[Removal]) -> RecoveryError | None:
        subjects = [
            Subject(
                id=removal.id,
                name=removal.candidate.instance.name,
                project_id=removal.candidate.instance.project_id,
                source=removal.candidate.instance.host,
                action=removal.action,
            )
            for removal in removals
        ]
        run: OperationRun[Look] = OperationRun(
            Removing(self._cloud, self._request.policy, removals, self._turn),
            subjects,
            self._settings,
            self._clock,
            send_progress=self._watcher.send,
            watched=self._turn.goes_on,
        )
        run.run()
        self._changed = self._changed or run.changed
        for work in run.works:
            self._works[work.id] = work
            if counts_as_removed(work):
                self._removed.add(work.id)
            if work.state == FAILED and work.code != PLAN_OUTDATED:
                self._excluded.instances[work.id] = work.reason or "it could not be removed"
                if work.subject.action == SHELVE:
                    self._excluded.actions[DELETE] = _NOT_DELETED
        return self._turn.lost or failure(run.works, run.halt, _INCOMPLETE)

    def _shortage(self, first: Plan, now: Plan) -> RecoveryError | None:
        """What had room in the first plan must have it still, or get it."""
        before, still = set(first.room_for()), set(now.room_for())
        missing = [one for one in now.waiting if one.instance.id in before - still]
        if not missing:
            return None
        if self._departures.given_up and not self._removed:
            return still_leaving(self._departures.given_up)
        told = "; ".join(f"{one.instance.name}: {one.reason}" for one in missing)
        return RecoveryError(
            "room_incomplete",
            f"{len(self._removed)} instances were removed or begun with, and there is still no room for"
            f" {len(missing)} of those that wait. {told}. Each instance has its reason; running"
            " again begins with a new plan.",
            retriable=True,
            details={"removed": len(self._removed), "waiting": [one.as_dict() for one in missing]},
        )
