# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One instance on its way: its state, and how it changes with what is observed.

    waiting -> submitted -> moving -> verifying -> verified
       ^            |          |          |
       +-- backoff <+----------+          +-> failed
                    (or failed, skipped, gone)

A move ends in one of END_STATES; in_progress is the end of one that Nova is still working on when
the time is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..check import Check, failing
from ..nova import Instance, MigrationRecord
from ..records import FAILED, SUCCEEDED, in_progress
from ..timeline import Timeline, WallTime
from .plan import PlannedMove
from .verification import all_passed

WAITING = "waiting"
BACKOFF = "backoff"
SUBMITTED = "submitted"
MOVING = "moving"
VERIFYING = "verifying"

VERIFIED = "verified"
FAILED_END = "failed"
SKIPPED = "skipped"
GONE = "gone"
IN_PROGRESS = "in_progress"
NOT_STARTED = "not_started"

END_STATES = frozenset({VERIFIED, FAILED_END, SKIPPED, GONE, IN_PROGRESS, NOT_STARTED})
# States in which Nova is working, or may be, and that count for the throttle.
BUSY = frozenset({SUBMITTED, MOVING})


@dataclass(slots=True)
class Move:
    """The run of one planned move. Times are of the run's monotonic clock, in seconds."""

    planned: PlannedMove
    timeline: Timeline
    state: str = WAITING
    attempts: int = 0
    record: MigrationRecord | None = None
    seen: Instance | None = None
    checks: dict[str, Check] = field(default_factory=dict)
    code: str | None = None
    reason: str | None = None
    request_ids: list[str] = field(default_factory=list)
    known_record_ids: frozenset[int] = frozenset()
    started: float | None = None
    answered: float = 0.0
    ended: float | None = None
    not_before: float = 0.0
    # When it was first and last verified, successfully or not.
    first_checked: float | None = None
    last_checked: float = 0.0
    stop_requested: float | None = None

    @classmethod
    def of(cls, planned: PlannedMove, wall: WallTime, now: float) -> Move:
        """A move that an earlier run submitted starts where it was left."""
        move = cls(
            planned=planned,
            timeline=Timeline(wall),
            record=planned.record,
            known_record_ids=planned.ended_record_ids,
        )
        if planned.record is None:
            move._become(WAITING, now)
        else:
            move.started = now
            move._become(MOVING, now, "an earlier run has submitted it")
            move.observe_records([planned.record], now)
        return move

    def _become(self, state: str, now: float, note: str | None = None) -> None:
        self.state = state
        self.timeline.add(state, now, note)

    @property
    def id(self) -> str:
        return self.planned.instance.id

    @property
    def name(self) -> str:
        return self.planned.instance.name

    @property
    def source(self) -> str:
        return self.planned.baseline.source

    @property
    def destination(self) -> str | None:
        return self.record.dest_compute if self.record else None

    @property
    def ended_already(self) -> bool:
        return self.state in END_STATES

    def begin_attempt(self, now: float) -> None:
        """The call is about to be made; its record is one that is not known now."""
        self.attempts += 1
        self._become(SUBMITTED, now, f"attempt {self.attempts}")
        self.record = None
        self.answered = now
        if self.started is None:
            self.started = now

    def observe_records(self, records: Iterable[MigrationRecord], now: float) -> None:
        """Take over the record that counts: one in progress, else the newest that is not known.

        Whoever has written it: an evacuation that somebody else has begun is this move's too.
        """
        new = [record for record in records if record.id not in self.known_record_ids]
        running = [record for record in new if in_progress(record)]
        current = max(running or new, key=lambda record: record.id, default=None)
        if current is None:
            return
        if self.state not in BUSY:
            if current.status in FAILED:
                self.known_record_ids |= {current.id}
                return
            self.started = self.started if self.started is not None else now
        known, self.record = self.destination, current
        note = f"record {current.id} {current.status}, to {self.destination or 'a host'}"
        if current.status in SUCCEEDED:
            self._become(VERIFYING, now, note)
        elif current.status not in FAILED and (self.state, known) != (MOVING, self.destination):
            self._become(MOVING, now, note)

    @property
    def attempt_failed(self) -> bool:
        """Nova itself says that this attempt is over without success."""
        return self.state in BUSY and self.record is not None and self.record.status in FAILED

    def back_off(self, now: float, delay: float, code: str, reason: str) -> None:
        self._become(BACKOFF, now, reason)
        self.not_before = now + delay
        if self.record is not None:
            self.known_record_ids |= {self.record.id}
        self.code, self.reason = code, reason

    def observe_checks(self, checks: dict[str, Check], now: float) -> None:
        failing, self.checks = self.failing_checks(), checks
        self.first_checked = self.first_checked if self.first_checked is not None else now
        self.last_checked = now
        if all_passed(checks):
            self.end(VERIFIED, now)
            self.code = self.reason = None
        elif self.failing_checks() != failing:
            self.timeline.add(VERIFYING, now, self.failing_checks())

    def end(self, state: str, now: float, code: str | None = None, reason: str = "") -> None:
        self._become(state, now, reason)
        self.ended = now
        if code is not None:
            self.code, self.reason = code, reason

    def time_out(self, now: float, trouble: str | None) -> None:
        """The time is over; ``trouble`` is what kept the run from seeing more of it."""
        if self.state == WAITING:
            self.end(NOT_STARTED, now, "timeout", "the time was over before its turn came")
        elif self.state == BACKOFF:
            self.end(FAILED_END, now)
        elif self.state == VERIFYING:
            failing = self.failing_checks() or trouble or "it was not seen on its new host"
            self.end(FAILED_END, now, "not_verified", failing)
        else:
            record = (
                f"record {self.record.id} is {self.record.status}"
                if self.record
                else "the call was not answered and no record has been seen"
            )
            self.end(
                IN_PROGRESS,
                now,
                "timeout",
                f"Nova is still working on it ({record}): nothing was reset or repeated. Run again"
                " to go on waiting.",
            )

    def note_request(self, request_id: str | None) -> None:
        if request_id:
            self.request_ids.append(request_id)

    def failing_checks(self) -> str:
        return failing(self.checks.values())

    @property
    def found_room(self) -> bool | None:
        """Whether Nova has found a host at its newest attempt; None while that is open."""
        if self.record is None:
            return None
        if self.record.dest_compute is not None:
            return True
        return False if self.record.status in FAILED else None

    def _prediction(self) -> dict[str, Any] | None:
        """The plan's prediction, and whether it was right."""
        predicted, found = self.planned.prediction, self.found_room
        if predicted is None:
            return None
        right = None if predicted.fits is None or found is None else predicted.fits == found
        return {**predicted.as_dict(), "right": right}

    def as_dict(self) -> dict[str, Any]:
        """The result of this instance, as the module returns it."""
        seconds = None
        if self.started is not None and self.ended is not None:
            seconds = round(self.ended - self.started, 1)
        return {
            "id": self.id,
            "name": self.name,
            "project_id": self.planned.instance.project_id,
            "from": self.source,
            "to": self.destination,
            "status": self.state,
            "action": self.planned.action,
            "code": self.code,
            "reason": self.reason,
            "attempts": self.attempts,
            "seconds": seconds,
            "power_state": self.planned.baseline.power,
            "record_id": self.record.id if self.record else None,
            "verifications": {name: check.as_dict() for name, check in self.checks.items()},
            "prediction": self._prediction(),
            "request_ids": self.request_ids,
            "timeline": self.timeline.as_list(),
        }
