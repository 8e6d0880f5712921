# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries an operation out: begins as many as may be in progress, looks, acts, verifies.

Everything follows from what is observed: the operation says from one look what comes next. A call
that was not answered is repeated only when Nova has shown nothing of it for a while, one that was
answered never, and no state is ever reset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from ..clock import Clock
from ..errors import ApiRefused, RecoveryError
from ..progress import Progress, abandoned
from ..timeline import Timeline, WallTime
from . import work as states
from .progress import summary
from .settings import OperationSettings
from .step import Act, Arrived, Fail, Gone, Operation, Seen, Subject, Wait
from .work import SentCall, Work

# A call without an answer: how long Nova may still take it up (an API worker that was slow).
_UNANSWERED_WAIT = 90.0


class OperationRun(Generic[Seen]):
    """One run over these subjects, in their order.

    :param send_progress: takes a line for whoever watches.
    :param watched: False once nobody waits for the result any more; the run then ends.
    """

    def __init__(
        self,
        operation: Operation[Seen],
        subjects: Sequence[Subject],
        settings: OperationSettings,
        clock: Clock,
        *,
        send_progress: Callable[[str], None] = lambda line: None,
        watched: Callable[[], bool] = lambda: True,
    ) -> None:
        wall, now = WallTime.of(clock), clock.monotonic()
        self._operation = operation
        self._settings = settings
        self._clock = clock
        self._watched = watched
        self._progress = Progress(send_progress, now)
        self._deadline = now + settings.timeout
        self.works = [Work(subject, Timeline(wall)) for subject in subjects]
        # Whether a call was sent that changes something.
        self.changed = False
        # Why nothing more may be begun.
        self.halt: RecoveryError | None = None

    def run(self) -> None:
        """Until every work has ended; their states are the result."""
        while True:
            trouble = self._tick()
            self._expire(trouble)
            self._progress.update(summary(self.works), self._clock.monotonic(), trouble)
            if all(work.has_ended for work in self.works):
                return
            self._clock.sleep(self._settings.poll_interval)

    def _in(self, *wanted: str) -> list[Work]:
        return [work for work in self.works if work.state in wanted]

    def _tick(self) -> str | None:
        """Look at all that is in progress and act on it; what did not work, for people.

        What fails is tried again at the next tick: an error of the cloud says nothing of an
        instance.
        """
        if not self._watched():
            self._abandon()
            return None
        self._begin()
        looked_at = self._in(states.WORKING, states.VERIFYING, states.IN_PROGRESS)
        if not looked_at:
            return None
        trouble = None
        try:
            seen = self._operation.look([work.id for work in looked_at])
        except RecoveryError as error:
            return _trying_again(error)
        arrived = []
        for work in looked_at:
            try:
                if self._has_arrived(work, seen.get(work.id)):
                    arrived.append(work)
            except RecoveryError as error:
                trouble = _trying_again(error)
        try:
            self._verify(arrived, seen)
        except RecoveryError as error:
            trouble = _trying_again(error)
        return trouble

    def _begin(self) -> None:
        """Take up as many as may be in progress at once, in their order."""
        for work in self._in(states.WAITING):
            failed = len(self._in(*states.BAD_ENDS))
            allowed = self._settings.max_failures
            if allowed is not None and failed > allowed and not self.halt:
                self._halt(
                    RecoveryError(
                        "failure_limit",
                        f"{failed} instances have failed and {allowed} may: no further one is begun."
                        " Look at why, then run again.",
                        retriable=True,
                        details={"failed": failed, "max_failures": allowed},
                    )
                )
            busy = self._in(states.WORKING, states.VERIFYING)
            # One whose time was over keeps its place until Nova lets go of it.
            busy += [late for late in self._in(states.IN_PROGRESS) if late.is_busy]
            if self.halt or len(busy) >= self._settings.concurrency:
                return
            if self._may_join(work.subject, [other.subject for other in busy]):
                work.begin(self._clock.monotonic())

    def _may_join(self, subject: Subject, busy: Sequence[Subject]) -> bool:
        if any(subject.not_with & other.not_with for other in busy):
            return False
        allowed = self._settings.concurrency_per_source
        if allowed is None or subject.leaves is None:
            return True
        return sum(other.leaves == subject.leaves for other in busy) < allowed

    def _has_arrived(self, work: Work, seen: Seen | None) -> bool:
        """Go on with it; whether it is to be verified now."""
        if work.state == states.IN_PROGRESS:
            return self._look_again(work, seen)
        self._advance(work, seen)
        return work.state == states.VERIFYING

    def _look_again(self, work: Work, seen: Seen | None) -> bool:
        """One whose time was over: nothing more is begun with it. Whether it has arrived now."""
        now = self._clock.monotonic()
        work.standing = self._operation.standing(work.id, seen)
        verdict = self._operation.judge(work.id, seen)
        work.is_busy = isinstance(verdict, Wait) or any(
            call.is_open and now - call.at <= _UNANSWERED_WAIT for call in work.calls.values()
        )
        if isinstance(verdict, Gone):
            _end_as_gone(work, now)
        return isinstance(verdict, Arrived)

    def _advance(self, work: Work, seen: Seen | None) -> None:
        now = self._clock.monotonic()
        work.standing = self._operation.standing(work.id, seen)
        verdict = self._operation.judge(work.id, seen)
        if isinstance(verdict, Gone):
            _end_as_gone(work, now)
        elif isinstance(verdict, Wait):
            work.state = states.WORKING
            work.enter(verdict.phase, now)
        elif work.is_failing:
            self._make_usable(work, seen)
        elif isinstance(verdict, Act):
            self._act(work, verdict.step, seen)
        elif isinstance(verdict, Fail):
            step = None if verdict.not_by_step else work.last_answered
            if step is None:
                work.end(states.FAILED, now, verdict.code, verdict.reason)
            else:
                self._step_failed(work, step, seen)
        elif isinstance(verdict, Arrived) and work.state != states.VERIFYING:
            work.state = states.VERIFYING
            work.timeline.add(states.VERIFYING, now)

    def _act(self, work: Work, step: str, seen: Seen | None) -> None:
        """Send the step, unless it was sent: then it has come to nothing, or may still begin."""
        now, call = self._clock.monotonic(), work.calls.get(step)
        work.state = states.WORKING
        if call is None:
            self._send(work, step)
        elif call.refused is not None:
            work.end(states.FAILED, now, "nova_refused", call.refused.message)
        elif call.answered:
            self._step_failed(work, step, seen)
        elif now - call.at > _UNANSWERED_WAIT:
            self._send(work, step)

    def _step_failed(self, work: Work, step: str, seen: Seen | None) -> None:
        why = self._operation.why_ended(work.id, step)
        work.code = f"{step}_failed"
        work.reason = f"Nova has ended '{step}' without success{f': {why}' if why else ''}"
        work.is_failing = True
        work.timeline.add(work.code, self._clock.monotonic(), why)
        self._make_usable(work, seen)

    def _make_usable(self, work: Work, seen: Seen | None) -> None:
        """One step after another, each once, until there is none left."""
        step = self._operation.remedy(work.id, seen)
        if step is None or step in work.calls:
            work.end(states.FAILED, self._clock.monotonic())
        else:
            self._send(work, step)

    def _send(self, work: Work, step: str) -> None:
        now = self._clock.monotonic()
        call = work.calls[step] = SentCall(at=now)
        work.state, work.phase = states.WORKING, None
        work.timeline.add(step, now)
        self.changed = True
        try:
            self._note_request(work, self._operation.send(work.id, step))
            call.answered = True
        except ApiRefused as error:
            # The next look tells whether somebody else is at work on it, or that it is refused.
            call.refused = error
            self._note_request(work, error.request_id)
            if error.status == 401:
                self._halt(error)
        except RecoveryError as error:
            # Unknown whether Nova took it: what is seen next will tell.
            self._note_request(work, error.request_id)
            work.timeline.add("not_answered", now, error.message)
            call.at = self._clock.monotonic()

    def _note_request(self, work: Work, request_id: str | None) -> None:
        if request_id:
            work.request_ids.append(request_id)

    def _verify(self, arrived: Sequence[Work], seen: Mapping[str, Seen]) -> None:
        if not arrived:
            return
        checks = self._operation.verify({work.id: seen.get(work.id) for work in arrived})
        for work in arrived:
            if work.id in checks:
                work.observe_checks(checks[work.id], self._clock.monotonic())

    def _abandon(self) -> None:
        self._halt(abandoned())
        self._deadline = self._clock.monotonic()

    def _halt(self, error: RecoveryError) -> None:
        """Begin nothing more; what is in progress is brought to its end."""
        self.halt = error
        for work in self._in(states.WAITING):
            work.end(states.NOT_STARTED, self._clock.monotonic(), error.code, error.message)

    def _expire(self, trouble: str | None) -> None:
        now = self._clock.monotonic()
        over = now >= self._deadline
        for work in self.works:
            if work.has_ended:
                continue
            late = work.started is not None and now - work.started > self._settings.instance_timeout
            if over or late or self._verified_too_long(work):
                work.time_out(now, trouble)

    def _verified_too_long(self, work: Work) -> bool:
        # By the times of checks: while the cloud does not answer nothing is known of the instance.
        return (
            work.state == states.VERIFYING
            and work.first_checked is not None
            and work.last_checked - work.first_checked > self._settings.verify_timeout
        )


def _end_as_gone(work: Work, now: float) -> None:
    work.end(states.GONE, now, "deleted", "it was deleted")


def _trying_again(error: RecoveryError) -> str:
    return f"the cloud does not answer, trying again: {error.message}"
