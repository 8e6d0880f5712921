"""Talk to the lab's supervisord over its unix socket, with the standard library."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .console import LabError
from .settings import Settings

# Process states that mean "there is a process".
ALIVE = {"STARTING", "RUNNING", "STOPPING"}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


@dataclass(frozen=True)
class Process:
    """One program as supervisord sees it."""

    name: str
    state: str
    pid: int
    description: str

    @property
    def alive(self) -> bool:
        return self.state in ALIVE


class Supervisor:
    """The few calls the lab needs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._proxy = xmlrpc.client.ServerProxy(
            "http://localhost", transport=_UnixTransport(settings.supervisor_socket)
        )

    def _call(self, method: str, *arguments: object) -> Any:
        return getattr(self._proxy.supervisor, method)(*arguments)

    def is_running(self) -> bool:
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, http.client.HTTPException):
            return False

    def pid(self) -> int:
        return int(self._call("getPID"))

    def processes(self) -> dict[str, Process]:
        return {
            entry["name"]: Process(
                entry["name"], entry["statename"], entry["pid"], entry["description"]
            )
            for entry in self._call("getAllProcessInfo")
        }

    def start(self, *names: str) -> None:
        """Start programs without waiting; one that runs already is left alone."""
        for name in names:
            try:
                self._call("startProcess", name, False)
            except xmlrpc.client.Fault as fault:
                if "ALREADY_STARTED" not in fault.faultString:
                    raise LabError(f"cannot start {name}: {fault.faultString}") from None

    def kill(self, *names: str) -> None:
        """SIGKILL whole process groups and wait until they are gone."""
        running = [process for process in self.processes().values() if process.name in names]
        for process in running:
            if process.alive and process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(self.processes()[name].alive for name in names):
            if time.monotonic() > deadline:
                raise LabError(f"still alive after SIGKILL: {', '.join(names)}")
            time.sleep(0.05)

    def stop(self, name: str) -> None:
        """Stop one program in its own way and wait for it."""
        try:
            self._call("stopProcess", name, True)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise LabError(f"cannot stop {name}: {fault.faultString}") from None

    def shutdown(self) -> None:
        pid = self.pid()
        self._call("shutdown")
        deadline = time.monotonic() + 60
        while Path(f"/proc/{pid}").exists():
            if time.monotonic() > deadline:
                raise LabError(f"supervisord (pid {pid}) does not end")
            time.sleep(0.1)

    def launch(self, command: list[str], environment: dict[str, str]) -> None:
        """Start supervisord itself as a daemon."""
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd="/"
        )
        deadline = time.monotonic() + 10
        while not self.is_running():
            if time.monotonic() > deadline:
                raise LabError(f"supervisord did not start: {done.stdout}{done.stderr}")
            time.sleep(0.1)

    def log_tail(self, name: str, lines: int = 15) -> str:
        log = self._settings.logs / f"{name}.log"
        if not log.exists():
            return "(no log)"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
