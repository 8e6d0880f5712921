# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source as a process of its own, which prints its events."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expecting import wait
from never_booted.modules import use_collections


def folder() -> Path:
    """Where the sources are in the collection as it is built."""
    use_collections()
    inside = "ansible_collections/openstack_recovery/nova/extensions/eda/plugins/event_source"
    return next(Path(path, inside) for path in sys.path if Path(path, inside).is_dir())


class Source:
    """Its process, its events and what it logs."""

    def __init__(self, name: str, arguments: dict[str, Any], output: Path) -> None:
        self._events, self.log_file = output / "events", output / "log"
        program = [sys.executable, "-B", str(folder() / f"{name}.py"), json.dumps(arguments)]
        with self._events.open("wb") as events, self.log_file.open("wb") as log:
            self.process = subprocess.Popen(program, stdout=events, stderr=log)

    @classmethod
    @contextlib.contextmanager
    def running(cls, name: str, url: str, **arguments: Any) -> Iterator[Source]:
        with tempfile.TemporaryDirectory() as output:
            file = Path(output, "url")
            file.write_text(f"{url}\n", encoding="utf-8")
            source = cls(name, {"transport_url_file": str(file), **arguments}, Path(output))
            try:
                yield source
            finally:
                if source.process.poll() is None:
                    source.process.kill()
                source.process.wait()

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def events(self) -> list[dict[str, Any]]:
        text = self._events.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def requests(self) -> dict[str, Any]:
        """Networks by instance, of the source build_messages."""
        told = [request for event in self.events() for request in event["requests"]]
        return {request["instance"]: request["networks"] for request in told}

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def wait_for_request(self, instance: str) -> Any:
        wait(f"event of {instance}", lambda: instance in self.requests())
        return self.requests()[instance]

    def wait_for_event(self, **members: Any) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [event for event in self.events() if members.items() <= event.items()]

        return wait(f"event with {members}", found)[0]
