# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of the collection in a process of its own, which can be made to kill itself or wait.

Events are counted: one before and one after every SQL statement (transactions begin and end by
one), and one before and one after every message that is published. A pause is at an event that is
told by the statement's text.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import re
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp.channel
import pymysql.connections
from ansible.module_utils.testing import patch_module_args

# Of Linux: have a signal when the parent dies.
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Run:
    """How it ended: by SIGKILL, or with a result."""

    killed: bool
    events: int
    result: dict[str, Any]
    # Events when something more is stored or was sent than before.
    lasting: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pause:
    """Where a module waits: once each of these expressions has been found, one event after another.

    They are searched in SQL statements, values included, and in messages, which begin with
    ``PUBLISH``.

    :param before: wait when the last one is about to be done, rather than when it is done.
    """

    name: str
    events: tuple[str, ...]
    before: bool = False


class Counter:
    """:param kill_at: number of the event at which the process kills itself; 0 for never.
    :param stop: called with the name of a pause.
    """

    def __init__(
        self, kill_at: int, pauses: Sequence[Pause] = (), stop: Callable[[str], None] = print
    ) -> None:
        self.events = 0
        self.lasting: list[int] = []
        self._kill_at = kill_at
        self._pauses = [(pause, list(pause.events)) for pause in pauses]
        self._stop = stop

    def wrap(self, original: Callable[..., Any], text_of: Callable[..., str]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            text = text_of(*arguments)
            self._event(text, done=False)
            answer = original(*arguments, **options)
            self._event(text, done=True)
            return answer

        return counted

    def _event(self, text: str, *, done: bool) -> None:
        self.events += 1
        if done and text.startswith(("COMMIT", "PUBLISH")):
            self.lasting.append(self.events)
        if self.events == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        for pause, missing in self._pauses:
            # What comes before the last one counts when it is done.
            now = not pause.before if len(missing) == 1 else True
            if missing and done == now and re.search(missing[0], text):
                missing.pop(0)
                if not missing:
                    self._stop(pause.name)


def _statement(_connection: Any, sql: str | bytes, *_rest: Any) -> str:
    return sql if isinstance(sql, str) else sql.decode(errors="replace")


def _message(_channel: Any, message: Any, *_rest: Any) -> str:
    body = message.body
    return "PUBLISH " + (body if isinstance(body, str) else body.decode())


class Running:
    """A module at work in a process of its own."""

    def __init__(
        self,
        name: str,
        options: dict[str, Any],
        *,
        kill_at: int = 0,
        check_mode: bool = False,
        pauses: Sequence[Pause] = (),
    ) -> None:
        module = load(name)
        self._name = name
        self._kill_at = kill_at
        self._folder = tempfile.TemporaryDirectory()
        self._output = Path(self._folder.name, "output")
        self._events = Path(self._folder.name, "events")
        self._reports, reports = os.pipe()
        orders, self._orders = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            # It must not go on when a test fails and ends.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

            def stop(at: str) -> None:
                os.write(reports, f"{at}\n".encode())
                os.read(orders, 1)

            counter = Counter(kill_at, pauses, stop)
            arguments = {**options, "_ansible_check_mode": check_mode}
            _run_here(module, arguments, counter, self._output, self._events)
        os.close(reports)
        os.close(orders)

    def reach(self, pause: str, seconds: float = 120) -> None:
        """Wait until it waits there."""
        ready, _, _ = select.select([self._reports], [], [], seconds)
        told = os.read(self._reports, 1000).decode().strip() if ready else "nothing"
        if told != pause:
            shown = "" if told else json.dumps(self.end().result)[:2000]
            sys.exit(f"{self._name} is at '{told}' and not at '{pause}' {shown}")

    def go_on(self) -> None:
        os.write(self._orders, b"!")

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def end(self) -> Run:
        """How it has ended."""
        _pid, status = os.waitpid(self._pid, 0)
        os.close(self._reports)
        os.close(self._orders)
        with self._folder:
            if os.WIFSIGNALED(status):
                return Run(killed=True, events=self._kill_at, result={})
            if status:
                sys.exit(f"{self._name} ended with an exception, see above")
            events = json.loads(self._events.read_text())
            return Run(
                killed=False,
                events=events["all"],
                lasting=tuple(events["lasting"]),
                result=json.loads(self._output.read_text(encoding="utf-8")),
            )


def use_collections() -> None:
    """Find the collection where Ansible does."""
    for path in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(":"):
        if path and path not in sys.path:
            sys.path.insert(0, path)


def load(name: str) -> Any:
    return importlib.import_module(
        f"ansible_collections.openstack_recovery.nova.plugins.modules.{name}"
    )


def run(name: str, options: dict[str, Any], *, kill_at: int = 0, check_mode: bool = False) -> Run:
    """Run a module; what it returns, also when it fails."""
    return Running(name, options, kill_at=kill_at, check_mode=check_mode).end()


def _run_here(
    module: Any, options: dict[str, Any], counter: Counter, output: Path, events: Path
) -> None:
    """In the child: never returns."""
    connection, channel = pymysql.connections.Connection, amqp.channel.Channel
    connection.query = counter.wrap(connection.query, _statement)  # type: ignore[method-assign]
    channel._basic_publish = counter.wrap(channel._basic_publish, _message)
    code = 1
    try:
        with (
            output.open("w", encoding="utf-8") as out,
            contextlib.redirect_stdout(out),
            contextlib.suppress(SystemExit),
            patch_module_args(options),
        ):
            module.main()
        events.write_text(json.dumps({"all": counter.events, "lasting": counter.lasting}))
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def succeed(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Run a module that must not fail."""
    done = run(name, options)
    if done.result.get("failed"):
        sys.exit(f"{name} failed: {json.dumps(done.result)[:2000]}")
    return done.result
