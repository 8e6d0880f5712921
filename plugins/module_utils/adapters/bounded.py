# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work in a forked process that is killed when its time is over.

For libraries whose calls have no time-out of their own, or one that does not hold. A fork needs
nothing imported again, so that it works where a module's code lies in a zip.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Any, NoReturn, Self, TypeVar

from ..domain.errors import RecoveryError

_T = TypeVar("_T")
_LENGTH = struct.Struct("!I")
_AT_ONCE = 65536
# A killed process is gone in an instant, unless the kernel itself is stuck in it.
_REAP_SECONDS = 2.0

# What the worker says: an item of its work, that the work ended, an error, a crash.
_ITEM, _END, _ERROR, _CRASH = "item", "end", "error", "crash"


class WorkerHung(TimeoutError):
    """The worker said nothing within its time; it was killed."""


class WorkerDied(RuntimeError):
    """The worker ended before its work did; the text says how."""


class Worker:
    """Runs ``work`` in a process of its own and receives what it yields, one by one.

    On leaving, the process and all that it started (ssh, for example) are killed. They also are
    when the process that made the worker dies, however that happens.

    :param work: called in the worker; its items must be picklable.
    """

    def __init__(self, work: Callable[[], Iterable[Any]]) -> None:
        self._buffer = b""
        self._ended = False
        self._reading, writing = os.pipe()
        # Held open for as long as this process lives.
        lifeline, self._lifeline = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reading)
            os.close(self._lifeline)
            _be_the_worker(work, writing, lifeline)
        os.close(writing)
        os.close(lifeline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._kill()
        os.close(self._reading)
        os.close(self._lifeline)

    def receive(self, timeout: float) -> Any:
        """The next item, or None when the work has ended.

        :param timeout: seconds; a bound, whatever the worker does.
        :raises WorkerHung: nothing came, or not the whole of it.
        :raises WorkerDied: by a signal, for example, or an exception that nobody expected.
        :raises RecoveryError: that the work has raised.
        """
        if self._ended:
            return None
        deadline = time.monotonic() + timeout
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline, timeout))
        # Written by our own fork, so that nobody else can have put anything into it.
        kind, said = pickle.loads(self._read(length, deadline, timeout))  # noqa: S301
        if kind == _ITEM:
            return said
        self._ended = True
        if kind == _ERROR:
            raise _error_of(said)
        if kind == _CRASH:
            raise WorkerDied(said)
        return None

    def _read(self, size: int, deadline: float, timeout: float) -> bytes:
        while len(self._buffer) < size:
            left = max(0.0, deadline - time.monotonic())
            # Not select(): it cannot take a high number of a file.
            poll = select.poll()
            poll.register(self._reading, select.POLLIN)
            if not poll.poll(left * 1000):
                self._kill()
                raise WorkerHung(f"no answer within {timeout:g} s")
            read = os.read(self._reading, _AT_ONCE)
            if not read:
                raise WorkerDied(f"the worker {_how(self._kill())}")
            self._buffer += read
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _kill(self) -> int | None:
        """End the worker and its children; its wait status, or None when it is not known."""
        if self._pid == 0:
            return None
        pid, self._pid, self._ended = self._pid, 0, True
        # While it is not waited for, its number cannot be another's: first kill, then wait.
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            # It has no group of its own yet, and so no children.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _REAP_SECONDS
        while time.monotonic() < deadline:
            try:
                done, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                return None
            if done:
                return status
            time.sleep(0.005)
        return None


def stream(
    work: Callable[[], Iterable[_T]], *, first_within: float, next_within: float
) -> Generator[_T, None, None]:
    """What ``work`` yields, run by a worker.

    :param first_within: seconds until the first item.
    :param next_within: seconds from each item to the next one, or to the end.
    :raises WorkerHung, WorkerDied, RecoveryError: as Worker.receive().
    """
    within = first_within
    with Worker(work) as worker:
        while (item := worker.receive(within)) is not None:
            yield item
            within = next_within


def _be_the_worker(work: Callable[[], Iterable[Any]], writing: int, lifeline: int) -> NoReturn:
    """Never returns: what the parent has open, has buffered or would do at exit is not ours."""
    status = 1
    try:
        # A session of its own: one signal reaches all of it, and nothing can ask at a terminal.
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        threading.Thread(target=_die_with_the_parent, args=(lifeline,), daemon=True).start()
        _say(writing, *_work_through(work, writing))
        status = 0
    finally:
        os._exit(status)


def _work_through(work: Callable[[], Iterable[Any]], writing: int) -> tuple[str, Any]:
    try:
        for item in work():
            _say(writing, _ITEM, item)
    except RecoveryError as error:
        return _ERROR, {**error.as_dict(), "message": error.message, "changed": error.changed}
    except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
        return _CRASH, traceback.format_exc()
    return _END, None


def _say(writing: int, kind: str, said: Any) -> None:
    message = pickle.dumps((kind, said))
    left = _LENGTH.pack(len(message)) + message
    while left:
        left = left[os.write(writing, left) :]


def _die_with_the_parent(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def _error_of(said: dict[str, Any]) -> RecoveryError:
    changed = said.pop("changed")
    error = RecoveryError(said.pop("code"), said.pop("message"), **said)
    error.changed = changed
    return error


def _how(status: int | None) -> str:
    if status is None:
        return "does not end"
    code = os.waitstatus_to_exitcode(status)
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
