# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a report has it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from ..errors import RecoveryError
from .entry import Entry, by_id, parse_entry
from .listing import plan_of_listing
from .values import as_mapping, mappings, moment, number, text, texts
from .words import LEVELS

_NAME_LENGTH = 180
# Of a name that is longer, what stays of its end: a run id has at most 64 characters.
_END_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """Why the whole failed."""

    code: str
    retriable: bool
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``data`` is what was given, with all that is not looked at here.

    ``seconds`` follows from the times when it is not stated. ``begun`` is False when something before
    the work itself, such as fencing, has ended the run. ``without_room``: of instances that wait for
    room (make_room), those that get none.
    """

    data: Mapping[str, Any]
    kind: str
    subject: str
    run_id: str
    is_plan: bool
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    begun: bool
    error: RunError | None
    message: str | None
    entries: Sequence[Entry]
    plan: Sequence[Mapping[str, Any]]
    without_room: Sequence[Entry]

    def file_name(self, name: str = "") -> str:
        """Of its files, without a suffix. What tells of no instances never has the name of what does.

        A later run may take over the run id of an earlier one, whose report is still needed.

        :param name: instead of its kind, subject and run id.
        :raises RecoveryError: ``invalid_options`` for a name that none can have.
        """
        ending = "-plan" if self.is_plan else "-refused" if self.refused else ""
        return safe_name(f"{name or f'{self.kind}-{self.subject}-{self.run_id}'}{ending}")

    @property
    def refused(self) -> bool:
        """Whether it has ended before there was anything to tell of any instance."""
        return not self.entries and (self.error is not None or self.stopped or not self.begun)

    @property
    def stopped(self) -> bool:
        """Whether something has ended it that has no code.

        Work that has come to its end says how long it took; the message of a plan that has is one of
        its notes. That there are times says nothing: every role states them, whatever has happened.
        """
        if self.error is not None or self.message is None:
            return False
        if self.is_plan:
            ended = self.message in texts(self.data.get("notes"))
        else:
            ended = number(self.data.get("seconds")) is not None
        return not (self.begun and ended)

    def levels(self) -> dict[str, int]:
        """How many instances there are of each level, in the order of LEVELS."""
        counted = Counter(entry.level for entry in self.entries)
        return {level: counted[level] for level in LEVELS}

    def predictions(self) -> tuple[int, int]:
        """How many predictions were right, and how many could be compared with an outcome."""
        compared = [
            right
            for entry in self.entries
            if entry.prediction and (right := entry.prediction.was_right(entry)) is not None
        ]
        return sum(compared), len(compared)


def parse_run(data: Mapping[str, Any]) -> Run:
    """:raises RecoveryError: ``invalid_options`` when it does not say what was run."""
    named = {name: text(data.get(name)) for name in ("kind", "subject", "run_id")}
    if missing := [name for name, value in named.items() if not value]:
        raise RecoveryError(
            "invalid_options",
            f"'run' does not state {' and '.join(missing)}: a report needs kind, subject and run_id",
        )
    plan = mappings(data.get("plan")) or plan_of_listing(data)
    known = by_id(plan)
    started, finished = moment(data.get("started_at")), moment(data.get("finished_at"))
    seconds = number(data.get("seconds"))
    if seconds is None and started and finished:
        seconds = (finished - started).total_seconds()
    return Run(
        data=data,
        kind=named["kind"] or "",
        subject=named["subject"] or "",
        run_id=named["run_id"] or "",
        is_plan=data.get("check_mode") is True,
        started_at=started,
        finished_at=finished,
        seconds=seconds,
        begun=data.get("begun") is not False,
        error=_error(as_mapping(data.get("error"))),
        message=text(data.get("message")),
        entries=tuple(parse_entry(one, known) for one in mappings(data.get("instances"))),
        plan=plan,
        without_room=tuple(
            parse_entry({**one, "status": "not_started"}, {})
            for one in mappings(data.get("waiting"))
            if text(one.get("fits")) == "no_room"
        ),
    )


def safe_name(name: str) -> str:
    """A file name that is nothing but a name in its folder, whatever a host is called.

    Two names never become one. Of one that is too long the end stays, where the run id is.

    :raises RecoveryError: ``invalid_options`` for the name of the history.
    """
    safe = re.sub(r"[^A-Za-z0-9._@:\[\]-]", "_", name).lstrip(".")
    if safe in ("", "index"):
        raise RecoveryError("invalid_options", f"'{name}' is no name for a report")
    if safe == name and len(name) <= _NAME_LENGTH:
        return name
    mark = sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    if len(safe) + 1 + len(mark) <= _NAME_LENGTH:
        return f"{safe}_{mark}"
    begin = _NAME_LENGTH - _END_LENGTH - len(mark) - 2
    return f"{safe[:begin]}_{mark}_{safe[-_END_LENGTH:]}"


def _error(data: Mapping[str, Any]) -> RunError | None:
    code = text(data.get("code"))
    if code is None:
        return None
    return RunError(
        code=code,
        retriable=data.get("retriable") is True,
        request_id=text(data.get("request_id")),
    )
