# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes stay shut when in doubt: only silence counts as unreachable."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import probes
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.evidence import (
    PROBE_FAILED,
    REACHABLE,
    UNREACHABLE,
)
from fakes.libvirt_module import FakeLibvirt, LibvirtError

FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


@pytest.fixture(name="server", params=FAMILIES, ids=["IPv4", "IPv6"])
def _server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family, address = request.param
    with socket.socket(family) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        yield server


def tcp_uri(server: socket.socket) -> str:
    address, port = server.getsockname()[:2]
    return (
        f"qemu+tcp://[{address}]:{port}/system"
        if ":" in address
        else (f"qemu+tcp://{address}:{port}/system")
    )


def test_a_port_that_listens(server: socket.socket) -> None:
    server.listen()
    address, port = server.getsockname()[:2]
    assert probes.tcp(address, port, 1).outcome == REACHABLE


def test_a_refused_connection_is_an_answer(server: socket.socket) -> None:
    # Bound, so that nobody else takes the port, but not listening.
    address, port = server.getsockname()[:2]
    assert probes.tcp(address, port, 1).outcome == REACHABLE


def test_the_target_is_written_so_that_it_can_be_read_again() -> None:
    assert probes.tcp("::1", 1, 1).target == "[::1]:1"
    assert probes.tcp("127.0.0.1", 1, 1).target == "127.0.0.1:1"


def test_an_unknown_name_says_nothing_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = probes.tcp("compute-1.invalid", 22, 1)
    assert (result.outcome, result.kind) == (PROBE_FAILED, "tcp")
    assert "unknown address" in result.detail


@pytest.mark.parametrize(
    ("errors", "outcome"),
    [
        ([TimeoutError("timed out")], UNREACHABLE),
        ([OSError(113, "No route to host")], UNREACHABLE),
        ([OSError(110, "Connection timed out")], UNREACHABLE),
        ([ConnectionRefusedError(111, "refused")], REACHABLE),
        ([ConnectionResetError(104, "reset")], REACHABLE),
        # There is no way from here: no address of that family, a local firewall, no sockets left.
        ([OSError(101, "Network is unreachable")], PROBE_FAILED),
        ([OSError(97, "Address family not supported")], PROBE_FAILED),
        ([PermissionError(1, "Operation not permitted")], PROBE_FAILED),
        ([OSError(24, "Too many open files")], PROBE_FAILED),
        ([BlockingIOError(115, "in progress")], PROBE_FAILED),
        # A name with two addresses: one answer is an answer, one doubt is a doubt.
        ([ConnectionRefusedError(111, "refused"), TimeoutError("timed out")], REACHABLE),
        ([TimeoutError("timed out"), ConnectionRefusedError(111, "refused")], REACHABLE),
        ([TimeoutError("timed out"), OSError(101, "Network is unreachable")], PROBE_FAILED),
        ([TimeoutError("timed out"), TimeoutError("timed out")], UNREACHABLE),
        ([], PROBE_FAILED),
    ],
)
def test_what_a_connection_can_end_with(
    monkeypatch: pytest.MonkeyPatch, errors: list[OSError], outcome: str
) -> None:
    remaining = list(errors)

    class Socket:
        def __init__(self, *_arguments: Any) -> None: ...

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_arguments: object) -> None: ...

        def settimeout(self, seconds: float) -> None:
            assert seconds == 1

        def connect(self, _where: Any) -> None:
            raise remaining.pop(0)

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 22)) for _error in errors]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    monkeypatch.setattr(socket, "socket", Socket)
    assert probes.tcp("compute-1", 22, 1).outcome == outcome


def ping_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    ping = tmp_path / "ping"
    ping.write_text(f"#!/bin/sh\n{script}\n")
    ping.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 0", REACHABLE),
        ("exit 1", UNREACHABLE),
        ("echo 'ping: unknown host' >&2; exit 2", PROBE_FAILED),
    ],
)
def test_ping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, outcome: str) -> None:
    ping_that(tmp_path, monkeypatch, script)
    assert probes.icmp("192.0.2.1", 1).outcome == outcome


def test_without_ping_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = probes.icmp("192.0.2.1", 1)
    assert (result.outcome, result.detail) == (PROBE_FAILED, "the ping command is not installed")


def test_a_ping_that_hangs_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_arguments: Any, **_options: Any) -> Any:
        raise subprocess.TimeoutExpired("ping", 1)

    monkeypatch.setattr(shutil, "which", lambda name: "/bin/ping")
    monkeypatch.setattr(subprocess, "run", hang)
    assert probes.icmp("192.0.2.1", 1).outcome == PROBE_FAILED


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("unable to connect to server at 'h:16514': Connection refused", REACHABLE),
        ("Failed to connect socket to '/run/libvirt-sock': No such file", REACHABLE),
        ("authentication failed: no agent is available", REACHABLE),
        ("Cannot recv data: Permission denied (publickey): Connection reset by peer", REACHABLE),
        ("unable to connect to server at 'h:16514': No route to host", UNREACHABLE),
        ("unable to connect to server at 'h:16514': Connection timed out", UNREACHABLE),
        # What is wrong is on this side.
        ("Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file", PROBE_FAILED),
        ("no connection driver available for foo:///", PROBE_FAILED),
    ],
)
def test_libvirt(monkeypatch: pytest.MonkeyPatch, message: str, outcome: str) -> None:
    libvirt = FakeLibvirt().install(monkeypatch)
    libvirt.open_error = LibvirtError(message, libvirt.VIR_ERR_SYSTEM_ERROR)
    result = probes.libvirt("qemu+tls://h/system", 20)
    assert (result.outcome, result.target, result.detail) == (
        outcome,
        "qemu+tls://h/system",
        message,
    )


def test_a_libvirt_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeLibvirt().install(monkeypatch)
    assert probes.libvirt("qemu:///system", 20).outcome == REACHABLE


def test_a_libvirt_that_never_answers_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeLibvirt().install(monkeypatch).hangs = True
    result = probes.libvirt("qemu:///system", 0.2)
    assert (result.outcome, result.detail) == (UNREACHABLE, "no answer within 0.2 s")


def test_a_libvirt_that_hangs_on_a_machine_that_answers_is_reachable(
    monkeypatch: pytest.MonkeyPatch, server: socket.socket
) -> None:
    FakeLibvirt().install(monkeypatch).hangs = True
    server.listen()
    result = probes.libvirt(tcp_uri(server), 0.2)
    assert (result.outcome, result.detail) == (REACHABLE, "no answer within 0.2 s")


@pytest.mark.parametrize("listens", [True, False])
def test_a_machine_that_takes_or_refuses_answers(server: socket.socket, *, listens: bool) -> None:
    if listens:
        server.listen()
    assert probes.machine_answers(tcp_uri(server))


def test_a_machine_that_drops_what_comes_does_not_answer(server: socket.socket) -> None:
    # With its backlog full the kernel says nothing, like a host that is off.
    server.listen(0)
    with socket.create_connection(server.getsockname()[:2]):
        assert not probes.machine_answers(tcp_uri(server))


def test_whether_it_answers_is_asked_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_KNOCKS_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(1000))
    began = time.monotonic()
    assert not probes.machine_answers("qemu+tls://compute-1/system")
    assert time.monotonic() - began < 5


def test_a_crash_in_libvirt_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    libvirt = FakeLibvirt().install(monkeypatch)
    monkeypatch.setattr(libvirt.connection, "getLibVersion", lambda: os._exit(9), raising=True)
    result = probes.libvirt("qemu:///system", 20)
    assert (result.outcome, result.detail) == (PROBE_FAILED, "the worker ended with status 9")


def test_without_libvirt_python_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "LIBVIRT_IMPORT_ERROR", "Traceback")
    result = probes.libvirt("qemu:///system", 20)
    assert (result.outcome, result.detail) == (PROBE_FAILED, "libvirt-python is not installed")
