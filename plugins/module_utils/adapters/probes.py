# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host answers from where this runs; every probe ends within its time-out."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys

from ..domain.host_failure.evidence import PROBE_FAILED, REACHABLE, UNREACHABLE, ProbeResult

_LIBVIRT_OPEN = """
import sys
try:
    import libvirt
except ImportError:
    print("libvirt-python is not installed")
    sys.exit(3)
libvirt.registerErrorHandler(lambda context, error: None, None)
try:
    libvirt.openReadOnly(sys.argv[1]).getLibVersion()
except libvirt.libvirtError as error:
    print(error)
    sys.exit(4)
"""


def tcp(address: str, port: int, timeout: float) -> ProbeResult:
    """Open a TCP connection. A refused one is an answer: the host's kernel is alive."""
    target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        with socket.create_connection((address, port), timeout=timeout):
            return ProbeResult("tcp", target, REACHABLE)
    except ConnectionRefusedError:
        return ProbeResult("tcp", target, REACHABLE, "refused")
    except socket.gaierror as error:
        return ProbeResult("tcp", target, PROBE_FAILED, f"unknown address: {error}")
    except OSError as error:
        return ProbeResult("tcp", target, UNREACHABLE, str(error))


def icmp(address: str, timeout: float) -> ProbeResult:
    """Send echo requests with the system's ping, which has the right to."""
    ping = shutil.which("ping")
    if ping is None:
        return ProbeResult("icmp", address, PROBE_FAILED, "the ping command is not installed")
    seconds = max(1, round(timeout))
    command = [ping, "-n", "-q", "-c", "3", "-i", "0.3", "-w", str(seconds), address]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + 5, check=False
        )
    except subprocess.TimeoutExpired:
        return ProbeResult("icmp", address, PROBE_FAILED, "ping did not end")
    if done.returncode == 0:
        return ProbeResult("icmp", address, REACHABLE)
    if done.returncode == 1:
        return ProbeResult("icmp", address, UNREACHABLE, "no reply")
    return ProbeResult("icmp", address, PROBE_FAILED, done.stderr.strip())


def libvirt(uri: str, timeout: float) -> ProbeResult:
    """Open a read-only connection in a process of its own: libvirt's open() has no time-out."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LIBVIRT_OPEN, uri],
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ProbeResult("libvirt", uri, UNREACHABLE, f"no answer within {timeout:.0f} s")
    if done.returncode == 0:
        return ProbeResult("libvirt", uri, REACHABLE)
    outcome = UNREACHABLE if done.returncode == 4 else PROBE_FAILED
    return ProbeResult("libvirt", uri, outcome, (done.stdout or done.stderr).strip()[-300:])
