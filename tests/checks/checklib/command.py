"""Run one command: log file, live lines, time limit, warnings."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WARNING = re.compile(r"\[(DEPRECATION )?WARNING\]")

_running: set[int] = set()
_stopping = threading.Event()


class Stopped(Exception):
    """The run is being ended; nothing new is started."""


def stop_all() -> None:
    """End every running command, whichever thread it belongs to."""
    _stopping.set()
    for pid in list(_running):
        _kill(pid)


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    returncode: int
    seconds: float
    output: str
    log: Path

    @property
    def ok(self) -> bool:
        return self.returncode == 0

    def ansible_warnings(self) -> list[str]:
        """Lines in which Ansible warned. There is no allow-list, on purpose."""
        return [line.strip() for line in self.output.splitlines() if _WARNING.search(line)]

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.output.splitlines()[-lines:])


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    on_line: Callable[[str], None] | None = None,
    timeout: float = 1800,
) -> Outcome:
    """Run `argv`, write what it prints to `log`, return everything at the end."""
    if _stopping.is_set():
        raise Stopped
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    lines: list[str] = []
    # A session of its own, so that a time-out or Ctrl-C ends the grandchildren too.
    with (
        log.open("w", encoding="utf-8") as sink,
        subprocess.Popen(
            [str(arg) for arg in argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process,
    ):
        expired = threading.Event()
        timer = threading.Timer(timeout, _expire, (process.pid, expired))
        timer.start()
        _running.add(process.pid)
        try:
            if process.stdout is not None:
                for raw in process.stdout:
                    line = _COLOUR.sub("", raw.rstrip("\n"))
                    lines.append(line)
                    sink.write(line + "\n")
                    sink.flush()
                    if on_line:
                        on_line(line)
            process.wait()
        except BaseException:
            _kill(process.pid)
            raise
        finally:
            timer.cancel()
            _running.discard(process.pid)
        if expired.is_set():
            lines.append(f"killed: ran for more than {timeout:.0f} s")
            sink.write(lines[-1] + "\n")
    return Outcome(process.returncode, time.monotonic() - start, "\n".join(lines), log)


def _expire(pid: int, expired: threading.Event) -> None:
    expired.set()
    _kill(pid)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
