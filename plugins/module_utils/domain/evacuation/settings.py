# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast, how often and for how long a run works."""

from __future__ import annotations

from dataclasses import dataclass

from ..bounds import require_at_least
from ..errors import RecoveryError
from ..run_lock import RENEW_SECONDS
from .throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Times in seconds. ``retries`` is per instance, after the first attempt."""

    throttle: Throttle
    retries: int = 2
    retry_delay: float = 10.0
    instance_timeout: float = 1800.0
    verify_timeout: float = 300.0
    timeout: float = 3600.0
    poll_interval: float = 2.0

    def validate(self, *, wait: bool) -> None:
        """:raises RecoveryError: ``invalid_options``."""
        if not wait:
            raise RecoveryError(
                "invalid_options",
                "wait=false is not possible: an evacuation that was not waited for was not"
                " verified. Run the task with async if something else is to go on meanwhile.",
            )
        require_at_least(
            {
                "concurrency": (self.throttle.concurrency, 1),
                "concurrency_per_destination": (self.throttle.per_destination, 1),
                "retries": (self.retries, 0),
                "retry_delay": (self.retry_delay, 0),
                "instance_timeout": (self.instance_timeout, 1),
                "verify_timeout": (self.verify_timeout, 1),
                "timeout": (self.timeout, 1),
                "poll_interval": (self.poll_interval, 1),
            }
        )
        if self.poll_interval > RENEW_SECONDS:
            raise RecoveryError(
                "invalid_options",
                f"poll_interval must be at most {RENEW_SECONDS:.0f} seconds, not"
                f" {self.poll_interval}: the lock is renewed between two looks",
            )
