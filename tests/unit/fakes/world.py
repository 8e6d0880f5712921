# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time that passes only when somebody sleeps, so that hours of waiting take milliseconds."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
# A run that sleeps that often does not end.
_TOO_MANY_STEPS = 50_000


class Killed(BaseException):
    """kill -9: nothing may catch it, and whoever was killed cannot call anything any more."""


class NeverEnds(BaseException):
    """Somebody sleeps for ever."""


class World:
    """A clock (see domain/clock.py) and what is due to happen."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kill_at: float | None = None
        self.slept: list[float] = []
        self._dead = False
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._steps = 0
        self._stepper: Stepper | None = None

    def monotonic(self) -> float:
        return self.now

    def utc_now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0, "nobody can sleep backwards"
        self.slept.append(seconds)
        self.spend(seconds)

    def spend(self, seconds: float) -> None:
        """Let time pass, as a call does that takes its time."""
        if self._dead:
            raise Killed
        self.count_step()
        if self._stepper is not None:
            self._stepper.sleep(seconds)
        else:
            self.pass_to(self.now + seconds)

    def count_step(self) -> None:
        """Fail instead of hanging: also for loops that call without sleeping."""
        self._steps += 1
        if self._steps > _TOO_MANY_STEPS:
            raise NeverEnds

    def pass_to(self, then: float) -> None:
        """Everything that is due until then happens, in order."""
        killed = self.kill_at is not None and self.kill_at <= then
        if killed and self.kill_at is not None:
            then = max(self.kill_at, self.now)
        while self._due and self._due[0][0] <= then:
            when, _order, action = heapq.heappop(self._due)
            self.now = max(self.now, when)
            action()
        self.now = max(self.now, then)
        if killed:
            self._dead = True
            raise Killed

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._order), action))

    def api_time(self) -> datetime:
        return self.utc_now()

    def revive(self) -> None:
        """The next run begins: a new process."""
        self.kill_at, self._dead, self._steps = None, False, 0

    def run_together(
        self,
        jobs: Mapping[str, Callable[[], Any]],
        pauses: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    ) -> dict[str, Any]:
        """Run several jobs at once; what each returns, or the exception that ended it.

        Only one runs at any moment, until it sleeps or makes a call: what happens is the same each
        time.

        :param pauses: by job (moment, seconds): a process or its machine stands still for so long.
        """
        self._stepper = Stepper(self, pauses or {})
        try:
            return self._stepper.run(jobs)
        finally:
            self._stepper = None


class Stepper:
    """Threads of which one at a time runs: the one whose sleep ends first."""

    def __init__(self, world: World, pauses: Mapping[str, Sequence[tuple[float, float]]]) -> None:
        self._world = world
        self._pauses = {name: sorted(of_job) for name, of_job in pauses.items()}
        self._wakes: dict[str, float] = {}
        self._turns: dict[str, threading.Semaphore] = {}
        self._back = threading.Semaphore(0)
        self._results: dict[str, Any] = {}

    def run(self, jobs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        for name, job in jobs.items():
            self._wakes[name], self._turns[name] = self._world.now, threading.Semaphore(0)
            threading.Thread(target=self._work, args=(name, job), name=name, daemon=True).start()
        while self._wakes:
            name = min(self._wakes, key=lambda name: (self._wakes[name], name))
            self._world.pass_to(max(self._wakes[name], self._world.now))
            self._turns[name].release()
            self._back.acquire()
        return self._results

    def _work(self, name: str, job: Callable[[], Any]) -> None:
        self._turns[name].acquire()
        try:
            self._results[name] = job()
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            self._results[name] = error
        del self._wakes[name]
        self._back.release()

    def sleep(self, seconds: float) -> None:
        name = threading.current_thread().name
        wake = self._world.now + seconds
        pauses = self._pauses.get(name, [])
        while pauses and pauses[0][0] <= wake:
            wake += pauses.pop(0)[1]
        self._wakes[name] = wake
        self._back.release()
        self._turns[name].acquire()
