# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One instance on its way through the steps of an operation.

    waiting -> working -> verifying -> verified
                  |           |
                  +-----------+-> failed, in_progress, gone

A work ends in one of END_STATES; in_progress is the end of one that Nova is still working on when
the time is over, not_started of one whose turn never came. As long as the run lasts, one that is
in_progress is looked at, and becomes verified or gone when that is seen of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..check import Check, failing
from ..errors import ApiRefused
from ..timeline import Timeline
from .step import Standing, Subject

WAITING = "waiting"
WORKING = "working"
VERIFYING = "verifying"

VERIFIED = "verified"
FAILED = "failed"
GONE = "gone"
IN_PROGRESS = "in_progress"
NOT_STARTED = "not_started"

END_STATES = frozenset({VERIFIED, FAILED, GONE, IN_PROGRESS, NOT_STARTED})
# Ends that count as failures.
BAD_ENDS = frozenset({FAILED, IN_PROGRESS})


@dataclass(slots=True, kw_only=True)
class SentCall:
    """The call of one step. ``answered`` is False while it is unknown what became of it."""

    at: float
    answered: bool = False
    refused: ApiRefused | None = None

    @property
    def is_open(self) -> bool:
        """Whether Nova may have taken it."""
        return not self.answered and self.refused is None


@dataclass(slots=True)
class Work:
    """The run of one subject. Times are of the run's monotonic clock, in seconds."""

    subject: Subject
    timeline: Timeline
    state: str = WAITING
    calls: dict[str, SentCall] = field(default_factory=dict)
    phase: str | None = None
    standing: Standing | None = None
    checks: dict[str, Check] = field(default_factory=dict)
    code: str | None = None
    reason: str | None = None
    request_ids: list[str] = field(default_factory=list)
    # A step has failed, and what it left is made usable again; code and reason are those of the step.
    is_failing: bool = False
    # When it was last seen, Nova was at work on it, or may still take up a call.
    is_busy: bool = False
    started: float | None = None
    ended: float | None = None
    # When it was first and last verified, successfully or not.
    first_checked: float | None = None
    last_checked: float = 0.0

    @property
    def id(self) -> str:
        return self.subject.id

    @property
    def has_ended(self) -> bool:
        return self.state in END_STATES

    @property
    def last_answered(self) -> str | None:
        """The newest step that Nova has taken up."""
        return next((step for step, call in reversed(self.calls.items()) if call.answered), None)

    def begin(self, now: float) -> None:
        self.state, self.started = WORKING, now
        self.timeline.add("begun", now)

    def enter(self, phase: str, now: float) -> None:
        """Nova is at work, in this phase."""
        if phase != self.phase:
            self.phase = phase
            self.timeline.add(phase, now)

    def observe_checks(self, checks: Mapping[str, Check], now: float) -> None:
        self.checks = dict(checks)
        self.first_checked = self.first_checked if self.first_checked is not None else now
        self.last_checked = now
        if all(check.passed for check in checks.values()):
            self.code = self.reason = None
            self.end(VERIFIED, now)

    def end(self, state: str, now: float, code: str | None = None, reason: str = "") -> None:
        self.state, self.ended = state, now
        if code is not None:
            self.code, self.reason = code, reason
        self.timeline.add(state, now, self.reason)

    def time_out(self, now: float, trouble: str | None) -> None:
        """The time is over; ``trouble`` is what kept the run from seeing more of it."""
        if self.state == WAITING:
            self.end(NOT_STARTED, now, "timeout", "the time was over before its turn came")
        elif self.state == VERIFYING:
            failing = self.failing_checks() or trouble or "it could not be looked at"
            self.end(FAILED, now, "not_verified", failing)
        else:
            what = self.phase or trouble or "nothing was seen of it yet"
            self.is_busy = True
            self.end(
                IN_PROGRESS,
                now,
                "timeout",
                f"Nova is still working on it ({what}): nothing was reset or repeated. Run again to"
                " go on waiting.",
            )

    def failing_checks(self) -> str:
        return failing(self.checks.values())

    def as_dict(self) -> dict[str, Any]:
        """The result of this instance, as a module returns it."""
        seconds = None
        if self.started is not None and self.ended is not None:
            seconds = round(self.ended - self.started, 1)
        return {
            "id": self.id,
            "name": self.subject.name,
            "project_id": self.subject.project_id,
            "from": self.subject.source,
            "to": self.standing.host if self.standing else None,
            "status": self.state,
            "action": self.subject.action,
            "state": self.standing.state if self.standing else None,
            "code": self.code,
            "reason": self.reason,
            "seconds": seconds,
            "verifications": {name: check.as_dict() for name, check in self.checks.items()},
            "request_ids": self.request_ids,
            "timeline": self.timeline.as_list(),
        }
