# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened to an instance, and at which time of day.

Runs reckon in seconds of the monotonic clock. The time of day is asked once, so that events keep
their order and their distances when somebody sets the machine's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .clock import Clock


@dataclass(frozen=True, slots=True)
class WallTime:
    """``utc`` is the time of day at ``monotonic`` seconds."""

    utc: datetime
    monotonic: float

    @classmethod
    def of(cls, clock: Clock) -> WallTime:
        return cls(clock.utc_now(), clock.monotonic())

    def at(self, monotonic: float) -> datetime:
        """The time of day (UTC) at these seconds of the monotonic clock."""
        return self.utc + timedelta(seconds=monotonic - self.monotonic)


@dataclass(frozen=True, slots=True)
class Event:
    """``event`` is a word, ``note`` a sentence or None."""

    at: datetime
    event: str
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"at": iso_milliseconds(self.at), "event": self.event, "note": self.note}


class Timeline:
    """The events of one instance, in their order."""

    def __init__(self, wall: WallTime) -> None:
        self._wall = wall
        self._events: list[Event] = []

    def add(self, event: str, now: float, note: str | None = None) -> None:
        """:param now: seconds of the monotonic clock."""
        self._events.append(Event(self._wall.at(now), event, note or None))

    def as_list(self) -> list[dict[str, Any]]:
        return [event.as_dict() for event in self._events]


def iso_milliseconds(moment: datetime) -> str:
    """For example: 2026-11-22T03:07:43.120Z"""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
