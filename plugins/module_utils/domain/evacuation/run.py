# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out a plan: submits, waits, tries again, verifies.

Everything follows from what is observed: a move goes on only when Nova's own record says so. A
call that was not answered is never repeated before the records have shown that it did nothing,
an instance whose record is in progress is never touched, and no state is ever reset.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..clock import Clock
from ..cloud import EvacuationCloud
from ..errors import ApiRefused, ApiUnavailable, RecoveryError
from ..nova import COMPUTE
from ..progress import Progress, abandoned
from ..run_lock import RunLock
from ..service_change import find_service
from ..timeline import WallTime
from . import move as states
from .move import Move
from .observer import Observer
from .plan import Plan
from .planner import require_down
from .power import OFF
from .progress import summary
from .restart_groups import RestartGroups
from .settings import Settings
from .source_heartbeat import HALTING, SourceHeartbeats

# A call without a record: how long its record may still appear (an API worker that was slow).
_RECORD_WAIT = 90.0
# After a run that has died: a call that it sent may still reach Nova. Together with the lease this is
# longer than the time-out of a call.
_TAKEOVER_WAIT = 40.0
# Before a call the records are read again when they are older than this.
_RECORDS_FRESH = 2.0
# They are read once in each tick that submits something, and again in a long one.
_HEARTBEATS_FRESH = 10.0
_STOP_AGAIN = 60.0


class EvacuationRun:
    """One run of a plan.

    :param locks: of every source; an empty list only when the plan submits nothing.
    :param send_progress: takes a line for whoever watches.
    :param watched: False once nobody waits for the result any more; the run then ends.
    """

    def __init__(
        self,
        cloud: EvacuationCloud,
        plan: Plan,
        settings: Settings,
        clock: Clock,
        *,
        locks: Sequence[RunLock] = (),
        send_progress: Callable[[str], None] = lambda line: None,
        watched: Callable[[], bool] = lambda: True,
    ) -> None:
        now = clock.monotonic()
        self._cloud = cloud
        self._settings = settings
        self._clock = clock
        self._locks = locks
        self._watched = watched
        self._observer = Observer(cloud, plan.sources, clock)
        self._heartbeats = SourceHeartbeats(cloud, plan.sources, plan.silent_sources, clock)
        self._progress = Progress(send_progress, now, f"{', '.join(plan.sources)}: ")
        self._began = now
        self._deadline = now + settings.timeout
        wall = WallTime.of(clock)
        self.moves = [Move.of(planned, wall, now) for planned in plan.moves]
        self._restart_groups = RestartGroups(plan.policy, self.moves)
        if any(lock.taken_over for lock in locks):
            for move in self._in(states.WAITING):
                move.not_before = now + _TAKEOVER_WAIT
        for move in self._in(states.WAITING):
            if move.planned.instance.task_state == "rebuilding":
                # A call that is under way has set this, and writes its record after it.
                move.not_before = now + _RECORD_WAIT
        self.changed = False
        # What did not work at the last tick.
        self._trouble: str | None = None
        self._service_changes = list(plan.service_changes)
        # Why nothing more may be submitted.
        self.halt: RecoveryError | None = None

    def run(self) -> None:
        """Until every move has ended; their states are the result."""
        while True:
            self._trouble = self._tick()
            self._expire()
            self._progress.update(
                summary(self.moves), self._clock.monotonic(), self._trouble or self._doubt()
            )
            if self._is_over():
                if self.moves:
                    self._progress.finish(summary(self.moves), self._clock.monotonic())
                return
            self._clock.sleep(self._settings.poll_interval)

    def _is_over(self) -> bool:
        waits = bool(self._service_changes) and not self._halted()
        return not waits and all(move.ended_already for move in self.moves)

    def _tick(self) -> str | None:
        """Observe and act once.

        What fails is tried again at the next tick: an error of the cloud says nothing of an
        instance, and one service that does not answer does not hold up the others' work.
        """
        if not self._watched():
            self._abandon()
            return None
        trouble = None
        for phase in (
            self._keep_locks,
            self._change_services,
            self._observe,
            self._verify,
            self._submit,
        ):
            try:
                phase()
            except RecoveryError as error:
                trouble = f"the cloud does not answer, trying again: {error.message}"
        return trouble

    def _abandon(self) -> None:
        self._halt(abandoned())
        self._deadline = self._clock.monotonic()

    def _keep_locks(self) -> None:
        if self._halted():
            return
        for lock in self._locks:
            try:
                if lock.keep():
                    self._observer.forget_records()
            except ApiUnavailable:
                raise
            except RecoveryError as error:
                if error.code != "lock_lost":
                    raise
                self._halt(error)

    def _in(self, *wanted: str) -> list[Move]:
        return [move for move in self.moves if move.state in wanted]

    # Attempts

    def _observe(self) -> None:
        if self._in(*states.BUSY):
            self._read_records()

    def _read_records(self) -> None:
        """Take over the records; an attempt that Nova has ended is tried again or given up."""
        self._observer.read_records()
        now = self._clock.monotonic()
        failed = []
        for move in self._in(*states.BUSY):
            move.observe_records(self._observer.records_of(move.id), now)
            if move.attempt_failed:
                failed.append(move)
            elif move.state == states.SUBMITTED and now - move.answered > _RECORD_WAIT:
                self._attempt_over(
                    move, "no_record", f"Nova wrote no migration record within {_RECORD_WAIT:.0f} s"
                )
        if failed:
            self._observer.read_instances(failed)
        for move in failed:
            self._judge_failed(move)

    def _judge_failed(self, move: Move) -> None:
        if self._is_deleted(move) or move.record is None:
            return
        fault = f": {move.seen.fault}" if move.seen and move.seen.fault else ""
        self._attempt_over(
            move,
            "evacuation_failed",
            f"Nova's record {move.record.id} is {move.record.status}{fault}",
        )

    def _is_deleted(self, move: Move) -> bool:
        if move.seen is None or move.seen.vm_state not in ("deleted", "soft-delete"):
            return False
        move.end(states.GONE, self._clock.monotonic(), "deleted", "it was deleted")
        return True

    def _attempt_over(self, move: Move, code: str, reason: str) -> None:
        now = self._clock.monotonic()
        if keep_away := move.planned.keep_away:
            move.end(states.FAILED_END, now, code, f"{reason}; not tried again: {keep_away.reason}")
        elif move.attempts > self._settings.retries or move.planned.without_room or self._halted():
            move.end(states.FAILED_END, now, code, reason)
        else:
            delay = self._settings.retry_delay * 2 ** max(move.attempts - 1, 0)
            move.back_off(now, delay, code, reason)

    # Verification

    def _verify(self) -> None:
        moves = self._in(states.VERIFYING)
        if not moves:
            return
        self._observer.read_instances(moves)
        arrived = []
        for move in moves:
            if move.seen is None or self._is_deleted(move):
                continue
            if move.seen.task_state is None:
                self._restore_power(move)
                arrived.append(move)
        if not arrived:
            return
        checks, errors = self._observer.checks(arrived)
        for move in arrived:
            if move.id in checks:
                move.observe_checks(checks[move.id], self._clock.monotonic())
        if errors:
            raise errors[0]

    def _restore_power(self, move: Move) -> None:
        """Nova starts an instance that was in ERROR; one that was off before is stopped again."""
        seen, now = move.seen, self._clock.monotonic()
        if seen is None or move.planned.baseline.power != OFF or seen.vm_state != "active":
            return
        if seen.host != move.destination:
            return
        if move.stop_requested is not None and now - move.stop_requested < _STOP_AGAIN:
            return
        move.stop_requested = now
        move.timeline.add("stopping", now, "it is meant to be off")
        self.changed = True
        try:
            move.note_request(self._cloud.stop(move.id))
        except ApiRefused as error:
            move.code, move.reason = error.code, error.message

    # Submission

    def _change_services(self) -> None:
        """Force the hosts down and disable them; what was not answered is sent again."""
        while self._service_changes and not self._halted() and self._locks_held():
            planned = self._service_changes[0]
            try:
                self._cloud.update_service(planned.service.id, planned.change.body)
            except ApiRefused as error:
                self._halt(error)
                return
            self.changed = True
            self._service_changes.pop(0)

    def _submit(self) -> None:
        if self._halted() or self._service_changes:
            return
        waiting, began = self._in(states.WAITING, states.BACKOFF), self._clock.monotonic()
        if waiting and not self._heartbeats.read_since(self._began):
            # Also when nothing may be submitted yet: later ones are compared with the first.
            self._read_heartbeats()
        for move in waiting:
            if self._is_early(move):
                continue
            destinations = [other.destination for other in self._occupying()]
            if not self._settings.throttle.admits_one_more(destinations):
                return
            fresh = max(began, self._clock.monotonic() - _HEARTBEATS_FRESH)
            if not self._heartbeats.read_since(fresh):
                self._read_heartbeats()
            if move.source in self._heartbeats.doubtful():
                continue
            if self._observer.records_age() > _RECORDS_FRESH:
                self._keep_locks()
                self._read_records()
            if self._halted() or not self._locks_held():
                return
            move.observe_records(self._observer.records_of(move.id), self._clock.monotonic())
            if move.state in (states.WAITING, states.BACKOFF):
                self._submit_one(move)
            self._progress.update(summary(self.moves), self._clock.monotonic())
            if self._halted():
                return

    def _read_heartbeats(self) -> None:
        try:
            self._heartbeats.read()
        except RecoveryError as error:
            if error.code not in HALTING:
                raise
            self._halt(error)

    def _doubt(self) -> str | None:
        """What those that are not submitted yet wait for, beside their turn."""
        waiting = self._in(states.WAITING, states.BACKOFF)
        if waiting and (hosts := self._heartbeats.doubtful()):
            return f"waiting to see whether {', '.join(hosts)} reports again"
        now = self._clock.monotonic()
        groups = [self._restart_groups.waits_for(move, now) for move in waiting]
        if group := next(filter(None, groups), None):
            return f"waiting for the restart group {group.name}"
        return None

    def _halted(self) -> bool:
        return self.halt is not None

    def _locks_held(self) -> bool:
        return bool(self._locks) and all(lock.is_held() for lock in self._locks)

    def _occupying(self) -> list[Move]:
        """Moves on which Nova works, those too that were not waited for any longer."""
        return self._in(*states.BUSY, states.IN_PROGRESS)

    def _is_early(self, move: Move) -> bool:
        now = self._clock.monotonic()
        return (
            move.not_before > now
            or self._group_is_moving(move)
            or self._restart_groups.waits_for(move, now) is not None
            or (move.planned.without_room and not self._others_have_ended())
        )

    def _others_have_ended(self) -> bool:
        """Those without room are left for last: Nova has the last word, but nothing of others'."""
        return all(move.ended_already for move in self.moves if not move.planned.without_room)

    def _group_is_moving(self, move: Move) -> bool:
        return any(
            move.planned.exclusive_groups & other.planned.exclusive_groups
            for other in self._occupying()
        )

    def _submit_one(self, move: Move) -> None:
        move.begin_attempt(self._clock.monotonic())
        self.changed = True
        try:
            move.note_request(
                self._cloud.evacuate(move.id, leave_off=move.planned.decision.leave_off)
            )
        except ApiRefused as error:
            self._refused(move, error)
        except RecoveryError as error:
            # Unknown whether Nova took it: the records will tell.
            move.note_request(error.request_id)
            move.code, move.reason = error.code, error.message
        # A record may still appear for a while after the answer, or after it was given up.
        move.answered = self._clock.monotonic()

    def _refused(self, move: Move, error: ApiRefused) -> None:
        now = self._clock.monotonic()
        move.note_request(error.request_id)
        if error.status in (401, 403):
            move.end(states.FAILED_END, now, error.code, error.message)
            self._halt(error)
        elif error.status == 404:
            self._refused_as_unknown(move, error)
        elif error.status == 400 and (halting := self._source_is_up(move)):
            move.end(states.FAILED_END, now, halting.code, halting.message)
            if halting.code == "host_is_up":
                self._halt(halting)
        else:
            lasting = error.status in (400, 409) and move.attempts == 1
            end = states.SKIPPED if lasting else states.FAILED_END
            move.end(end, now, "nova_refused", error.message)

    def _refused_as_unknown(self, move: Move, error: ApiRefused) -> None:
        """A 404 can come from a proxy; only Nova's own answer says that the instance is gone."""
        now = self._clock.monotonic()
        try:
            gone = not self._cloud.instances_named([move.id])
        except RecoveryError:
            gone = False
        if gone:
            move.end(states.GONE, now, "deleted", "it was deleted")
        else:
            move.end(states.FAILED_END, now, "nova_refused", error.message)

    def _source_is_up(self, move: Move) -> RecoveryError | None:
        """host_is_up, or why that cannot be told; None when the host is down."""
        try:
            require_down(find_service(self._cloud.compute_services(), move.source, COMPUTE))
        except RecoveryError as error:
            return error
        return None

    def _halt(self, error: RecoveryError) -> None:
        """Submit nothing more; what is moving is still waited for and verified."""
        self.halt = error
        now = self._clock.monotonic()
        for move in self._in(states.WAITING, states.BACKOFF):
            # One that was tried has failed; one that was not has not been touched.
            end = states.FAILED_END if move.attempts else states.NOT_STARTED
            move.end(end, now, move.code or error.code, move.reason or error.message)

    # Time

    def _expire(self) -> None:
        now = self._clock.monotonic()
        over = now >= self._deadline
        if over and self._service_changes and not self._halted():
            self._halt(
                RecoveryError(
                    "timeout",
                    "the time was over before the compute service could be changed:"
                    f" {self._trouble or 'the lock was not held'}",
                    retriable=True,
                )
            )
        for move in self.moves:
            if move.ended_already:
                continue
            late = move.started is not None and now - move.started > self._settings.instance_timeout
            if over or late or self._verified_too_long(move):
                move.time_out(now, self._trouble)

    def _verified_too_long(self, move: Move) -> bool:
        # By the times of checks: while the cloud does not answer nothing is known of the instance.
        return (
            move.state == states.VERIFYING
            and move.first_checked is not None
            and move.last_checked - move.first_checked > self._settings.verify_timeout
        )
