"""What else runs on this machine: leftovers of this lab, and holders of its ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

from .console import LabError, say
from .programs import CHILD_MARK
from .settings import DATABASE_SERVERS, PORT_OFFSETS, Settings


def leftovers(settings: Settings) -> list[int]:
    """Processes that an earlier supervisord of this state folder started."""
    mark = f"{CHILD_MARK}={settings.state}".encode()
    session = _session(settings)
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            marked = mark in (folder / "environ").read_bytes().split(b"\0")
            # Services that set their process title overwrite their environment.
            at_home = (folder / "cwd").readlink() == settings.state
            if marked or (at_home and os.getsid(int(folder.name)) == session):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _session(settings: Settings) -> int | None:
    """The session of the last supervisord, which is its process id, and of its children."""
    try:
        return int((settings.state / "supervisord.pid").read_text())
    except (OSError, ValueError):
        return None


def end_leftovers(settings: Settings) -> None:
    """Kill what a dead supervisord left behind. Only for use when no supervisord runs."""
    deadline = time.monotonic() + 10
    told = False
    while pids := leftovers(settings):
        if not told:
            say(f"ending {len(pids)} processes that an earlier supervisord left behind")
            told = True
        if time.monotonic() > deadline:
            raise LabError(f"left-over processes do not end: {pids}")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    databases = [f"{name}.{kind}" for name in DATABASE_SERVERS for kind in ("sock", "pid")]
    for name in ("supervisor.sock", "supervisord.pid", *databases):
        (settings.state / name).unlink(missing_ok=True)


def check_ports(settings: Settings) -> None:
    """All ports must be free before anything starts."""
    deadline = time.monotonic() + 5  # a process that was just killed may hold one a little longer
    for name in PORT_OFFSETS:
        port = settings.port(name)
        while not _is_free(port):
            if time.monotonic() > deadline:
                raise LabError(
                    f"port {port} (for {name}) is in use by {_holder(port)}:"
                    " choose another --base-port or end it"
                )
            time.sleep(0.1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rsplit(":", 1)[1], 16) == port and fields[3] == "0A":
                inodes.add(f"socket:[{fields[9]}]")
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            for handle in (folder / "fd").iterdir():
                if str(handle.readlink()) in inodes:
                    return f"process {folder.name} ({(folder / 'comm').read_text().strip()})"
        except OSError:
            continue
    return "another process"
