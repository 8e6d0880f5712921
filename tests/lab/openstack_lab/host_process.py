"""The processes of a libvirt host, seen from outside."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .settings import Settings


def init_process(folder: Path) -> int | None:
    """Its first process, or None while the host in this folder is without power."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "init.pid").read_text())
        status = Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        first = fields["NSpid"].split() == [str(pid), "1"]
        # The number may belong to another process by now.
        if first and str(folder) in _command(pid) and fields["State"].split()[0] not in "ZX":
            return pid
    return None


def namespace(settings: Settings, host: str) -> Path | None:
    """What all processes of this host share; None while it is without power."""
    init = init_process(settings.host_dir(host)) if settings.has_libvirt else None
    return None if init is None else Path(f"/proc/{init}/ns/pid").readlink()


def members(space: Path, name: str | None = None) -> list[int]:
    """The processes of a host, or those of this name, by their ids outside."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and (folder / "ns" / "pid").readlink() == space:
                comm, state = _stat(folder)
                if state not in "ZX" and name in (None, comm):
                    found.append(int(folder.name))
    return found


def _stat(folder: Path) -> tuple[str, str]:
    before, _, after = (folder / "stat").read_text().rpartition(")")
    return before.partition("(")[2], after.split()[0]


def guests(settings: Settings, host: str) -> list[str]:
    """UUIDs of the instances that really run on this host, whatever Nova or libvirt say."""
    folder = settings.host_dir(host)
    if not settings.has_libvirt:
        return sorted(path.name for path in (folder / "guests").iterdir())
    space = namespace(settings, host)
    if space is None:
        return []
    found = []
    for pid in members(space, "qemu-system-x86"):
        with contextlib.suppress(OSError, ValueError):
            words = _command(pid)
            found.append(words[words.index("-uuid") + 1])
    return sorted(found)


def _command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
