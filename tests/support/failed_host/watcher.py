# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches that no instance ever runs twice, by the hypervisors' processes.

    python -m failed_host.watcher FILE

Appends a line of JSON to FILE for every change of what runs where, and one for every second in which
an instance has two guests, with how libvirt has them: a guest that is paused writes nothing. Runs
until it is ended, by its process id in FILE.pid; the last line then tells how often it has looked, and
its longest pause.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from . import hypervisors

_PERIOD = 0.25
# States of libvirt in which a guest executes nothing.
_STILL = frozenset({"paused", "shut off", "crashed"})


class Watcher:
    """Looks four times a second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[str, list[str]] = {}
        self._looks = 0
        self._longest = 0.0
        self.ended = False

    def watch(self) -> None:
        last = time.monotonic()
        while not self.ended:
            now = time.monotonic()
            self._longest = max(self._longest, now - last)
            last = now
            self._look()
            self._looks += 1
            time.sleep(_PERIOD)
        self._write({"looks": self._looks, "longest": round(self._longest, 2)})

    def _look(self) -> None:
        where = hypervisors.hosts_by_guest()
        twice = {uuid: hosts for uuid, hosts in where.items() if len(hosts) > 1}
        for uuid, hosts in twice.items():
            states = {host: hypervisors.state(host, uuid) for host in hosts}
            running = [host for host, state in states.items() if state not in _STILL]
            if len(running) > 1:
                self._write({"violation": uuid, "states": states})
        if where != self._seen:
            self._write({"guests": where})
            self._seen = where

    def _write(self, line: dict[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": time.time(), **line}) + "\n")


def main() -> None:
    file = Path(sys.argv[1])
    file.with_name(f"{file.name}.pid").write_text(str(os.getpid()))
    watcher = Watcher(file)

    def end(_number: int, _frame: object) -> None:
        watcher.ended = True

    signal.signal(signal.SIGTERM, end)
    watcher.watch()


if __name__ == "__main__":
    main()
