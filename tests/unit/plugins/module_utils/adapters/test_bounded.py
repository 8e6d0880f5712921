# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workers end within their time, whatever they do; with real processes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.bounded import (
    Worker,
    WorkerDied,
    WorkerHung,
    stream,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)

# Enough for a slow machine where an answer is expected.
PLENTY = 30.0


def received(work: Callable[[], Iterator[Any]]) -> list[Any]:
    return list(stream(work, first_within=PLENTY, next_within=PLENTY))


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody waits for yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PLENTY
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_what_it_yields_arrives_in_order() -> None:
    def work() -> Iterator[Any]:
        yield os.getpid()
        yield {"a": [1, "ä"]}
        # More than fits into a pipe at once.
        yield "x" * 1_000_000

    pid, second, third = received(work)
    assert pid != os.getpid()
    assert (second, len(third)) == ({"a": [1, "ä"]}, 1_000_000)
    assert gone(pid)


def test_items_come_while_it_works() -> None:
    reading, writing = os.pipe()

    def work() -> Iterator[str]:
        yield "first"
        os.read(reading, 1)
        yield "second"

    with Worker(work) as worker:
        assert worker.receive(PLENTY) == "first"
        os.write(writing, b"x")
        assert worker.receive(PLENTY) == "second"
        assert worker.receive(PLENTY) is None
        assert worker.receive(PLENTY) is None
    os.close(reading)
    os.close(writing)


def test_an_error_keeps_all_that_it_says() -> None:
    def work() -> Iterator[int]:
        yield 1
        error = RecoveryError("a_code", "what to do", retriable=True, details={"a": 1})
        error.changed = True
        raise error

    found = stream(work, first_within=PLENTY, next_within=PLENTY)
    assert next(found) == 1
    with pytest.raises(RecoveryError) as caught:
        next(found)
    error = caught.value
    assert (error.code, error.message, error.retriable) == ("a_code", "what to do", True)
    assert (error.details, error.changed) == ({"a": 1}, True)


def test_an_exception_that_nobody_expected_is_told() -> None:
    def work() -> Iterator[int]:
        yield 1 // 0

    with pytest.raises(WorkerDied, match="ZeroDivisionError"):
        received(work)


def test_so_is_an_end_that_python_does_not_see() -> None:
    def work() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(WorkerDied, match=f"killed by signal {signal.SIGKILL.value}"):
        received(work)


def test_sys_exit_is_no_way_out() -> None:
    def work() -> Iterator[int]:
        yield 1
        sys.exit(0)

    with pytest.raises(WorkerDied, match="SystemExit"):
        received(work)


def test_what_cannot_be_sent_is_told() -> None:
    with pytest.raises(WorkerDied, match="pickle"):
        received(lambda: iter([threading.Lock()]))


def hanging(tmp_path: Path, *, deaf: bool) -> Callable[[], Iterator[int]]:
    """Writes the numbers of its process and of a child, and hangs."""

    def work() -> Iterator[int]:
        if deaf:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "1000"])
        (tmp_path / "pids").write_text(f"{os.getpid()} {child.pid}")
        yield 1
        time.sleep(1000)
        yield 2

    return work


def pids(tmp_path: Path) -> list[int]:
    return [int(pid) for pid in (tmp_path / "pids").read_text().split()]


@pytest.mark.parametrize("deaf", [False, True])
def test_a_hang_ends_within_the_time_with_all_that_was_started(tmp_path: Path, deaf: bool) -> None:
    found = stream(hanging(tmp_path, deaf=deaf), first_within=PLENTY, next_within=0.3)
    assert next(found) == 1
    began = time.monotonic()
    with pytest.raises(WorkerHung, match=r"no answer within 0\.3 s"):
        next(found)
    assert 0.3 <= time.monotonic() - began < 5
    wait_until(lambda: all(gone(pid) for pid in pids(tmp_path)))


def test_one_that_was_stopped_ends_too() -> None:
    def work() -> Iterator[int]:
        yield os.getpid()
        os.kill(os.getpid(), signal.SIGSTOP)
        yield 2

    with Worker(work) as worker:
        pid = worker.receive(PLENTY)
        with pytest.raises(WorkerHung):
            worker.receive(0.3)
    assert gone(pid)


def test_half_an_item_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    writing: list[int] = []
    pipe = os.pipe

    def noted() -> tuple[int, int]:
        ends = pipe()
        writing.append(ends[1])
        return ends

    def work() -> Iterator[int]:
        # The length of what follows, and a part of it.
        os.write(writing[0], b"\x00\x00\x01\x00half")
        time.sleep(1000)
        yield 1

    monkeypatch.setattr(os, "pipe", noted)
    with Worker(work) as worker, pytest.raises(WorkerHung):
        worker.receive(0.5)


def test_who_is_not_asked_any_more_ends(tmp_path: Path) -> None:
    found = stream(hanging(tmp_path, deaf=True), first_within=PLENTY, next_within=PLENTY)
    assert next(found) == 1
    found.close()
    wait_until(lambda: all(gone(pid) for pid in pids(tmp_path)))


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = os.fork()
    if parent == 0:
        with Worker(hanging(tmp_path, deaf=True)) as worker:
            worker.receive(PLENTY)
            (tmp_path / "ready").touch()
            time.sleep(1000)
        os._exit(0)
    wait_until((tmp_path / "ready").exists)
    assert not any(gone(pid) for pid in pids(tmp_path))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    wait_until(lambda: all(gone(pid) for pid in pids(tmp_path)))


def test_nothing_of_it_shows_and_nothing_of_its_parent_is_done_twice(tmp_path: Path) -> None:
    # As in a module that runs from a zip in a temporary folder, which it removes at its end.
    script = f"""
import atexit, os, pathlib, sys, time
sys.path[:0] = {sys.path!r}
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.bounded import Worker

def work():
    print("to standard output", flush=True)
    os.write(2, b"to standard error")
    yield os.read(0, 1)

atexit.register(lambda: pathlib.Path({str(tmp_path / "ends")!r}).open("a").write("x"))
print("ours, not written out yet")
with Worker(work) as worker:
    print([worker.receive({PLENTY}), worker.receive({PLENTY})])
    # Time to do at its end what it should not.
    time.sleep(0.5)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, input="secret", check=True
    )
    assert (done.stdout, done.stderr) == ("ours, not written out yet\n[b'', None]\n", "")
    assert (tmp_path / "ends").read_text() == "x"


def test_no_file_stays_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for _number in range(3):
        received(lambda: iter([1]))
    assert count() == before


def test_a_process_that_the_system_reaps_itself_is_no_error() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert received(lambda: iter([1])) == [1]
    finally:
        signal.signal(signal.SIGCHLD, before)
    with pytest.raises(ChildProcessError) as caught:
        os.waitpid(-1, os.WNOHANG)
    assert caught.value.errno == errno.ECHILD
