# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One recovery run at a time for a host.

Nova accepts two evacuations of one instance, so two runs must never work on the same host. The
lock lives in Nova, where every controller sees it, behind a store that can create a name exactly
once. Its holder renews it; a lock that was not renewed for a whole lease belongs to a run that is
dead, and the next run takes it over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .clock import Clock
from .errors import ApiUnavailable, RecoveryError

LEASE_SECONDS = 45.0
RENEW_SECONDS = 10.0
# For so long after a renewal its holder is sure of it, the clocks' differences considered.
SAFE_SECONDS = LEASE_SECONDS - RENEW_SECONDS
# Longer than a lease: whoever has not renewed by then is dead and its lock was taken over.
PATIENCE_SECONDS = LEASE_SECONDS + RENEW_SECONDS
_WATCH_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRecord:
    """A lock as it stands in the store. ``renewed_at`` is by the API's clock."""

    id: str
    host: str
    run_id: str
    holder: str
    renewed_at: datetime


def is_live(lock: LockRecord, now: datetime) -> bool:
    """Whether its holder may still be at work.

    :param now: by the API's clock.
    """
    return (now - lock.renewed_at).total_seconds() <= LEASE_SECONDS


class LockStore(Protocol):
    """Where locks are kept; every call can raise ApiUnavailable."""

    def api_time(self) -> datetime:
        """The API's own time, so that runs on several machines compare one clock."""

    def create(self, host: str, run_id: str, holder: str) -> LockRecord | None:
        """Create the lock of this host, or None when there is one: atomic."""

    def read(self, host: str) -> LockRecord | None:
        """The lock of this host."""

    def renew(self, record: LockRecord) -> LockRecord | None:
        """Renew exactly this lock; None when it is gone."""

    def delete(self, record: LockRecord) -> bool:
        """Delete exactly this lock; False when it is gone already."""


class RunLock:
    """The lock of one host, held by one run.

    :param holder: who holds it, for people: user, machine and process.
    """

    def __init__(
        self,
        store: LockStore,
        clock: Clock,
        *,
        host: str,
        run_id: str,
        holder: str,
        on_wait: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._host = host
        self._run_id = run_id
        self._holder = holder
        self._on_wait = on_wait
        self._record: LockRecord | None = None
        self._renewed = 0.0
        # Taken from a run that has died: what it sent last may still be on its way to Nova.
        self.taken_over = False
        # When it was last taken anew it was not there any more: another run may have had it.
        self.lapsed = False

    def acquire(self) -> None:
        """Take the lock.

        Another holder is given PATIENCE_SECONDS to end: one that was killed stops by itself, or
        its lease runs out.

        :raises RecoveryError: ``run_in_progress`` when another run goes on.
        """
        began = self._clock.monotonic()
        while not self._create():
            other = self._store.read(self._host)
            if self._clock.monotonic() - began >= PATIENCE_SECONDS:
                raise self._in_progress(other)
            if other is not None:
                now = self._store.api_time()
                if not is_live(other, now):
                    # Whoever deletes it creates the next; a second one finds it gone.
                    self.taken_over = True
                    if self._store.delete(other):
                        continue
                else:
                    age = (now - other.renewed_at).total_seconds()
                    self._on_wait(
                        f"run {other.run_id} ({other.holder}) has the lock of {self._host},"
                        f" renewed {max(age, 0):.0f} s ago; waiting to see whether it ends"
                    )
            self._clock.sleep(_WATCH_SECONDS)

    def keep(self) -> bool:
        """Renew the lock when that is due; to be called every few seconds.

        A lock whose lease may have run out is never renewed, because another run may be taking it
        over: it is given up and taken anew, which only one of the two can.

        :returns: True when it was taken anew: what was read before may be out of date.
        :raises RecoveryError: ``lock_lost`` when another run has it; ApiUnavailable when it is
            taken anew and the API does not answer.
        """
        if self._record is None:
            raise self._lost()
        age = self._clock.monotonic() - self._renewed
        if age >= SAFE_SECONDS:
            return self._take_anew()
        if age >= RENEW_SECONDS:
            asked = self._clock.monotonic()
            try:
                renewed = self._store.renew(self._record)
            except ApiUnavailable:
                return False
            if renewed is None:
                self._record = None
                raise self._lost()
            if self._clock.monotonic() - self._renewed >= SAFE_SECONDS:
                # The call took so long that another run may have seen the lease run out.
                return self._take_anew()
            # Counted from before the call: the lease may have begun then.
            self._record, self._renewed = renewed, asked
        return False

    def _take_anew(self) -> bool:
        if self._record is not None:
            self.lapsed = not self._store.delete(self._record)
        if not self._create():
            self._record = None
            raise self._lost()
        return True

    def is_held(self) -> bool:
        """Whether the lock is ours, and will be for longer than a call takes.

        Nothing may be submitted otherwise: a call that is sent with an old lock could reach Nova
        when another run has taken over.
        """
        age = self._clock.monotonic() - self._renewed
        return self._record is not None and age < 2 * RENEW_SECONDS

    def _create(self) -> bool:
        asked = self._clock.monotonic()
        created = self._store.create(self._host, self._run_id, self._holder)
        if created is None:
            return False
        self._record, self._renewed = created, asked
        return True

    def release(self) -> None:
        """Give the lock back; a lock that cannot be deleted now runs out by itself."""
        if self._record is None:
            return
        record, self._record = self._record, None
        try:
            self._store.delete(record)
        except RecoveryError as error:
            # The result of the run must not be lost for it.
            self._on_wait(
                f"the lock of {self._host} could not be released and runs out by itself:"
                f" {error.message}"
            )

    def _in_progress(self, other: LockRecord | None) -> RecoveryError:
        run_id, holder = (other.run_id, other.holder) if other else ("unknown", "unknown")
        return RecoveryError(
            "run_in_progress",
            f"run {run_id} ({holder}) is working on {self._host} and alive; this run has changed"
            " nothing. Wait for it, or end it and run again.",
            retriable=True,
            details={"host": self._host, "run_id": run_id, "holder": holder},
        )

    def _lost(self) -> RecoveryError:
        return RecoveryError(
            "lock_lost",
            f"another run took over the lock of {self._host}, because this one had not renewed it"
            " in time; this run has stopped submitting. Run again to see how the instances are.",
            retriable=True,
            details={"host": self._host},
        )
