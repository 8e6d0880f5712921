# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host answers from where this runs; every probe ends within its time-out."""

from __future__ import annotations

import errno
import functools
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

from ..domain.errors import RecoveryError
from ..domain.host_failure.evidence import PROBE_FAILED, REACHABLE, UNREACHABLE, ProbeResult
from .bounded import Worker, WorkerDied, WorkerHung
from .libvirt_connection import (
    LIBVIRT_IMPORT_ERROR,
    NOT_LISTENING,
    host_and_port,
    libvirt_errors,
    open_connection,
)

# What the network says for a host that does not answer.
_NO_ANSWER = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT})
# To see whether the machine of a silent libvirt answers, at each of its addresses and at all.
_KNOCK_SECONDS = 2.0
_KNOCKS_SECONDS = 10.0


def tcp(address: str, port: int, timeout: float) -> ProbeResult:
    """Open a TCP connection, to every address that the name has.

    A refused or reset connection is an answer: the host's kernel is alive.
    """
    target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return ProbeResult("tcp", target, PROBE_FAILED, f"unknown address: {error}")
    outcomes = [_connect(family, where, timeout) for family, _type, _proto, _name, where in found]
    for wanted in (REACHABLE, PROBE_FAILED, UNREACHABLE):
        for outcome, detail in outcomes:
            if outcome == wanted:
                return ProbeResult("tcp", target, outcome, detail)
    return ProbeResult("tcp", target, PROBE_FAILED, "the name has no address")


def _connect(family: int, where: Any, timeout: float) -> tuple[str, str]:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(where)
    except (ConnectionRefusedError, ConnectionResetError) as error:
        return REACHABLE, str(error)
    except OSError as error:
        if isinstance(error, TimeoutError) or error.errno in _NO_ANSWER:
            return UNREACHABLE, str(error)
        # No route from here, no such address family: says nothing of the host.
        return PROBE_FAILED, str(error)
    return REACHABLE, ""


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
    """Open a read-only connection in a worker: libvirt's open() has no time-out."""
    if LIBVIRT_IMPORT_ERROR:
        return ProbeResult("libvirt", uri, PROBE_FAILED, "libvirt-python is not installed")
    try:
        with Worker(functools.partial(_ask_libvirt, uri)) as worker:
            worker.receive(timeout)
    except WorkerHung as error:
        outcome = REACHABLE if machine_answers(uri) else UNREACHABLE
        return ProbeResult("libvirt", uri, outcome, str(error))
    except WorkerDied as error:
        return ProbeResult("libvirt", uri, PROBE_FAILED, str(error))
    except RecoveryError as error:
        said = error.details["libvirt_error"][-300:]
        return ProbeResult("libvirt", uri, _libvirt_outcome(error.code, said), said)
    return ProbeResult("libvirt", uri, REACHABLE)


def machine_answers(uri: str) -> bool:
    """Whether the machine behind a URI of libvirt takes or refuses a connection to its port.

    False also where that cannot be told.
    """
    where = host_and_port(uri)
    if where is None:
        return False
    # In a worker, because looking up a name has no time-out.
    with Worker(lambda: [tcp(*where, _KNOCK_SECONDS).outcome]) as worker:
        try:
            return bool(worker.receive(_KNOCKS_SECONDS) == REACHABLE)
        except (WorkerHung, WorkerDied):
            return False


def _ask_libvirt(uri: str) -> Iterator[int]:
    with libvirt_errors("ask for its version"):
        yield open_connection(uri, read_only=True).getLibVersion()


def _libvirt_outcome(code: str, message: str) -> str:
    """libvirt hands on the transport's error as text only."""
    text = message.lower()
    if code in (NOT_LISTENING, "hypervisor_refused"):
        return REACHABLE
    if any(words in text for words in ("timed out", "no route to host", "host is down")):
        return UNREACHABLE
    return PROBE_FAILED
