# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many at once, how many may fail, and for how long a run works."""

from __future__ import annotations

from dataclasses import dataclass

from ..bounds import require_at_least
from ..errors import RecoveryError


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSettings:
    """Times in seconds.

    ``max_failures`` is how many instances may fail: with one more, no further one is begun. None
    means that all are begun, whatever happens. ``concurrency_per_source`` is how many may leave one
    host at once; None means that this does not matter.
    """

    concurrency: int = 4
    concurrency_per_source: int | None = None
    max_failures: int | None = 0
    instance_timeout: float = 1800.0
    verify_timeout: float = 300.0
    timeout: float = 3600.0
    poll_interval: float = 2.0

    def validate(self, *, wait: bool) -> None:
        """:raises RecoveryError: ``invalid_options``."""
        if not wait:
            raise RecoveryError(
                "invalid_options",
                "wait=false is not possible: what was not waited for was not verified. Run the task"
                " with async if something else is to go on meanwhile.",
            )
        require_at_least(
            {
                "concurrency": (self.concurrency, 1),
                "concurrency_per_source": (self.concurrency_per_source, 1),
                "max_failures": (self.max_failures, 0),
                "instance_timeout": (self.instance_timeout, 1),
                "verify_timeout": (self.verify_timeout, 1),
                "timeout": (self.timeout, 1),
                "poll_interval": (self.poll_interval, 1),
            }
        )
