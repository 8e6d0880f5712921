# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one instance's build has come to, step by step, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..bounds import require_at_least
from ..check import Check
from ..errors import RecoveryError

# How a build can end.
ACTIVE = "active"
NOT_VERIFIED = "not_verified"
BURIED_AGAIN = "buried_again"
DIED = "died"
DELETED = "deleted"
STUCK = "stuck"
NOT_SENT = "not_sent"
REFUSED = "refused"


# Seconds in which even an idle Nova may not have touched a message.
SHORTEST_SETTLE = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """Times in seconds.

    ``settle_time`` is how long an earlier message may still be at work: only after it, and with an
    empty queue, is a message taken for lost. ``build_timeout`` is for one instance, from when it
    was submitted; ``timeout`` for all.
    """

    settle_time: float
    concurrency: int = 8
    build_timeout: float = 900.0
    verify_timeout: float = 120.0
    timeout: float = 3600.0
    poll_interval: float = 3.0

    def validate(self) -> None:
        """:raises RecoveryError: ``invalid_options``."""
        names = ("concurrency", "build_timeout", "verify_timeout", "timeout", "poll_interval")
        require_at_least({name: (getattr(self, name), 1) for name in names})
        if self.settle_time < SHORTEST_SETTLE:
            raise RecoveryError(
                "invalid_options",
                f"settle_time must be at least {SHORTEST_SETTLE:.0f} seconds, not"
                f" {self.settle_time:.0f}: a message that was sent just now is not lost",
            )


@dataclass(slots=True, kw_only=True)
class Build:
    """One instance on its way. ``result`` is None until it has come to an end.

    ``since`` is when it was seen in the conductor's hands first, ``booted_since`` when it was seen
    to have booted (monotonic seconds). ``changed`` says whether this run has changed anything.
    """

    instance_uuid: str
    result: str | None = None
    code: str | None = None
    message: str = ""
    changed: bool = False
    since: float | None = None
    booted_since: float | None = None
    not_before: float = 0.0
    host: str | None = None
    request_id: str | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    last_error: RecoveryError | None = None

    @property
    def in_flight(self) -> bool:
        return self.result is None and self.since is not None

    def end(self, result: str, code: str | None = None, message: str = "") -> None:
        self.result, self.code, self.message = result, code, message

    def as_dict(self) -> dict[str, Any]:
        return {
            "uuid": self.instance_uuid,
            "result": self.result,
            "code": self.code,
            "message": self.message,
            "changed": self.changed,
            "host": self.host,
            "request_id": self.request_id,
            "verification": {name: check.as_dict() for name, check in self.checks.items()},
        }
