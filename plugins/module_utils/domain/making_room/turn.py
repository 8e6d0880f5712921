# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time in which a run may act: it has the lock, and somebody waits for its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..clock import Clock
from ..errors import ApiUnavailable, RecoveryError
from ..operation.step import Fail, Verdict, Wait
from ..patience import ask_patiently
from ..progress import Watcher, abandoned
from ..run_lock import RunLock

# Why one was not begun that the plan names: another run may have changed what the plan builds on.
PLAN_OUTDATED = "plan_outdated"

_Read = TypeVar("_Read")


class Turn:
    """Keeps the lock, and knows whether another run may have had it since the plan.

    ``lost`` is the error that has ended the turn, if one has.
    """

    def __init__(self, lock: RunLock, clock: Clock, watcher: Watcher) -> None:
        self._lock = lock
        self._clock = clock
        self._watcher = watcher
        self._is_outdated = False
        self.lost: RecoveryError | None = None

    def read(self, ask: Callable[[], _Read]) -> _Read:
        """What ``ask`` returns; it is asked again where another run had the lock meanwhile.

        :raises RecoveryError: what ``ask`` raises, and ``lock_lost``.
        """

        def read() -> _Read:
            while True:
                self._keep()
                self._is_outdated = False
                found = ask()
                self._keep()
                if not self._is_outdated:
                    return found

        return ask_patiently(read, self._clock, self._watcher)

    def goes_on(self) -> bool:
        """Asked at every look: keeps the lock, too."""
        try:
            self._keep()
        except ApiUnavailable:
            # Until it is ours again nothing is sent.
            pass
        except RecoveryError as error:
            self.lost = error
            return False
        return self._watcher.watched()

    def why_ended(self) -> RecoveryError:
        """What has ended it."""
        return self.lost or abandoned()

    def against(self, *, begun: bool) -> Verdict | None:
        """What speaks against a call now; None for nothing.

        :param begun: whether it finishes what has begun.
        """
        if not self._lock.is_held():
            return Wait("lock")
        if self._is_outdated and not begun:
            return Fail(
                PLAN_OUTDATED,
                "another run may have made room since the plan, so it waits for a new one",
                not_by_step=True,
            )
        return None

    def _keep(self) -> None:
        if self._lock.keep() and self._lock.lapsed:
            self._is_outdated = True
