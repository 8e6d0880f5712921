# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's hosts from outside: commands of the lab, processes, and libvirt by its own client."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lab_access import lab, lab_module, lab_settings

HOSTS = ("compute-1", "compute-2", "compute-3")


@contextmanager
def fault(name: str, kind: str) -> Iterator[None]:
    """For example: fault("bmc-compute-1", "closed")."""
    lab("fault", name, kind)
    try:
        yield
    finally:
        lab("fault", name, "none")


@functools.cache
def facts() -> dict[str, Any]:
    """hosts.json of the lab."""
    found: dict[str, Any] = json.loads(Path(os.environ["OPENSTACK_LAB_HOSTS"]).read_text())
    return found


def hosts_by_guest() -> dict[str, list[str]]:
    """Where the QEMU of each UUID runs, by the table of processes."""
    host_process, settings = lab_module("host_process"), lab_settings()
    found: dict[str, list[str]] = {}
    for host in HOSTS:
        for uuid in host_process.guests(settings, host):
            found.setdefault(uuid, []).append(host)
    return found


def virsh(host: str, *command: str, seconds: float = 10) -> str:
    """What libvirt's own client answers.

    :raises subprocess.CalledProcessError: it refuses; TimeoutExpired: it hangs.
    """
    uri = facts()[host]["libvirt_socket_uri"]
    done = subprocess.run(
        ["virsh", "--quiet", "--connect", uri, *command],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds,
    )
    return done.stdout.strip()


def state(host: str, uuid: str) -> str:
    """libvirt's word, or why there is none."""
    try:
        return virsh(host, "domstate", uuid, seconds=3)
    except (subprocess.SubprocessError, OSError) as error:
        return f"unknown: {type(error).__name__}"


def defined(host: str) -> list[str]:
    """UUIDs of all domains of this host, whatever their state."""
    return sorted(virsh(host, "list", "--all", "--uuid").split())


def has_power(host: str) -> bool:
    host_process, settings = lab_module("host_process"), lab_settings()
    return host_process.init_process(settings.host_dir(host)) is not None


def has_nova_compute(host: str) -> bool:
    """Whether nova-compute itself runs there, not only what waits to start it."""
    host_process, settings = lab_module("host_process"), lab_settings()
    init = host_process.init_process(settings.host_dir(host))
    if init is None:
        return False
    namespace = Path(f"/proc/{init}/ns/pid").readlink()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            is_it = len(words) > 1 and words[1].endswith(b"/nova-compute")
            if is_it and (folder / "ns" / "pid").readlink() == namespace:
                return True
    return False


def before_compute(host: str) -> Path:
    """A program that the lab runs on this host before nova-compute, where there is one."""
    path: Path = lab_settings().before_compute_file(host)
    return path


def instances_path() -> str:
    """Nova's folder of instances, as every host sees its own."""
    return str(lab_settings().host_mount / "instances")
