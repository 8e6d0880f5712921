# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt's domains, and connections whose steps are bounded; these run in real processes."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.libvirt_hypervisor import (
    LibvirtConnection,
    LibvirtHypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.hypervisor import (
    Hypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.termination import (
    end_domains,
    plan_termination,
    survey,
)
from fakes.libvirt_module import FakeLibvirt, LibvirtError, no_domain

PLENTY = 30.0
UUID = "7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11"
OTHER = "7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c22"


@pytest.fixture(name="libvirt")
def _libvirt(monkeypatch: pytest.MonkeyPatch) -> FakeLibvirt:
    return FakeLibvirt().install(monkeypatch)


@pytest.fixture(name="hypervisor")
def _hypervisor(libvirt: FakeLibvirt) -> LibvirtHypervisor:
    return LibvirtHypervisor(libvirt.connection)


@pytest.fixture(name="port")
def _port() -> Iterator[socket.socket]:
    """A libvirtd's, which nobody serves."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        yield server


def connect(
    connect_timeout: float = PLENTY, timeout: float = PLENTY, uri: str = "qemu:///system"
) -> LibvirtConnection:
    return LibvirtConnection(uri, connect_timeout=connect_timeout, timeout=timeout)


def uri_of(port: socket.socket) -> str:
    return f"qemu+tcp://127.0.0.1:{port.getsockname()[1]}/system"


def test_domains(libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor) -> None:
    libvirt.connection.add(UUID, state=3)
    libvirt.connection.add(OTHER, state=5, active=False, persistent=False, nova=False)
    first, second = hypervisor.domains()
    assert (first.uuid, first.state, first.active, first.persistent) == (UUID, "paused", True, True)
    assert (second.state, second.active, second.persistent) == ("shutoff", False, False)
    assert first.nova is not None
    assert second.nova is None
    assert hypervisor.domain(UUID) == first


def test_one_that_goes_while_it_is_read_is_gone(
    libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor
) -> None:
    libvirt.connection.add(UUID).errors["XMLDesc"] = no_domain()
    assert list(hypervisor.domains()) == []
    assert hypervisor.domain(UUID) is None
    assert hypervisor.domain(OTHER) is None


def test_destroy(libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor) -> None:
    domain = libvirt.connection.add(UUID)
    hypervisor.destroy(UUID)
    assert not domain.active
    # It ended by itself, or is gone: as was wanted.
    hypervisor.destroy(UUID)
    hypervisor.destroy(OTHER)
    domain.errors["destroy"] = LibvirtError("Failed to terminate process 1 with SIGKILL", 38)
    with pytest.raises(RecoveryError) as caught:
        hypervisor.destroy(UUID)
    assert caught.value.code == "libvirt_error"


@pytest.mark.parametrize(
    ("known", "used"),
    # All; 5.6 to 8.8; before 5.6; a driver that knows none, as libvirt's test driver.
    [(127, 87), (63, 23), (15, 7), (0, 0)],
)
def test_undefine_with_what_this_libvirt_knows(
    libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor, known: int, used: int
) -> None:
    domain = libvirt.connection.add(UUID, known_flags=known)
    hypervisor.undefine(UUID, keep_tpm=False)
    assert domain.undefined_with == used
    hypervisor.undefine(UUID, keep_tpm=False)


def test_the_state_of_a_tpm_is_never_removed(
    libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor
) -> None:
    domain = libvirt.connection.add(UUID, known_flags=63)
    with pytest.raises(RecoveryError, match="virtual TPM"):
        hypervisor.undefine(UUID, keep_tpm=True)
    assert domain.undefined_with is None
    domain.known_flags = 127 - 16
    with pytest.raises(RecoveryError):
        hypervisor.undefine(UUID, keep_tpm=True)
    domain.known_flags = 127
    hypervisor.undefine(UUID, keep_tpm=True)
    assert domain.undefined_with == 87


def test_an_argument_that_is_wrong_without_flags_too_is_told(
    libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor
) -> None:
    libvirt.connection.add(UUID).errors["undefineFlags"] = LibvirtError("invalid argument", 8)
    with pytest.raises(RecoveryError, match="invalid argument"):
        hypervisor.undefine(UUID, keep_tpm=False)


def test_one_that_goes_before_it_is_undefined_is_gone(
    libvirt: FakeLibvirt, hypervisor: LibvirtHypervisor
) -> None:
    libvirt.connection.add(UUID).errors["undefineFlags"] = no_domain()
    hypervisor.undefine(UUID, keep_tpm=False)


def test_a_whole_run_in_workers(libvirt: FakeLibvirt) -> None:
    libvirt.connection.add(UUID)
    libvirt.connection.add(OTHER, nova=False)
    connection = connect()
    seen = survey(connection, "hyper-1")
    assert [domain.uuid for domain in seen.domains] == [UUID]
    assert seen.foreign == {OTHER}
    planned = plan_termination(seen, [UUID])
    [result] = end_domains(connection, planned, all_of_nova=False)
    assert (result.result, result.now) == ("terminated", None)
    # What the worker does to its own memory is not done to ours.
    assert libvirt.opened == []


def test_a_connection_that_can_only_read_ends_nothing(libvirt: FakeLibvirt) -> None:
    libvirt.connection.add(UUID)

    def destroy(hypervisor: Hypervisor) -> Iterator[int]:
        hypervisor.destroy(UUID)
        yield 1

    with pytest.raises(RecoveryError) as caught:
        list(connect().run(destroy, read_only=True))
    assert caught.value.code == "hypervisor_refused"
    assert list(connect().run(destroy, read_only=False)) == [1]


def test_a_libvirtd_that_hangs_is_unreachable_within_the_time(libvirt: FakeLibvirt) -> None:
    libvirt.hangs = True
    began = time.monotonic()
    with pytest.raises(RecoveryError) as caught:
        survey(connect(connect_timeout=0.3), None)
    assert time.monotonic() - began < 5
    assert (caught.value.code, caught.value.retriable) == ("hypervisor_unreachable", True)
    assert "no answer within 0.3 s" in caught.value.message


def test_one_that_hangs_on_a_machine_that_answers_is_not_silent(
    libvirt: FakeLibvirt, port: socket.socket
) -> None:
    libvirt.hangs = True
    with pytest.raises(RecoveryError, match="libvirtd hangs") as caught:
        survey(connect(connect_timeout=0.3, uri=uri_of(port)), None)
    assert (caught.value.code, caught.value.retriable) == ("hypervisor_not_listening", True)


def test_a_machine_that_drops_what_comes_is_silent(
    libvirt: FakeLibvirt, port: socket.socket
) -> None:
    libvirt.hangs = True
    with socket.create_connection(port.getsockname()), pytest.raises(RecoveryError) as caught:
        survey(connect(connect_timeout=0.3, uri=uri_of(port)), None)
    assert caught.value.code == "hypervisor_unreachable"


@pytest.mark.parametrize(
    ("full", "code"), [(False, "hypervisor_not_listening"), (True, "hypervisor_unreachable")]
)
def test_so_with_an_error_that_says_neither(
    libvirt: FakeLibvirt, port: socket.socket, *, full: bool, code: str
) -> None:
    libvirt.open_error = LibvirtError("End of file while reading data", 39)
    with contextlib.ExitStack() as stack:
        if full:
            stack.enter_context(socket.create_connection(port.getsockname()))
        with pytest.raises(RecoveryError) as caught:
            survey(connect(uri=uri_of(port)), None)
    assert (caught.value.code, caught.value.retriable) == (code, True)


def test_only_who_answers_is_connected(
    libvirt: FakeLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libvirt.connection, "getHostname", lambda: time.sleep(1000))
    began = time.monotonic()
    with pytest.raises(RecoveryError, match=r"within 0\.3 s"):
        list(connect(connect_timeout=0.3).run(lambda _hypervisor: [1], read_only=True))
    assert time.monotonic() - began < 5


def test_so_is_one_that_hangs_later() -> None:
    def work(_hypervisor: Hypervisor) -> Iterator[int]:
        yield 1
        time.sleep(1000)

    with pytest.MonkeyPatch.context() as monkeypatch:
        FakeLibvirt().install(monkeypatch)
        steps = connect(timeout=0.3).run(work, read_only=True)
        assert next(steps) == 1
        with pytest.raises(RecoveryError) as caught:
            next(steps)
    # It has answered before.
    assert caught.value.code == "hypervisor_not_listening"


def test_and_one_whose_connection_breaks_later(
    libvirt: FakeLibvirt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_flags: int) -> None:
        raise LibvirtError("client socket is closed", 1, domain=7)

    monkeypatch.setattr(libvirt.connection, "listAllDomains", broken)
    with pytest.raises(RecoveryError) as caught:
        survey(connect(), None)
    assert (caught.value.code, caught.value.retriable) == ("hypervisor_not_listening", True)


def test_a_crash_in_the_library_is_told(libvirt: FakeLibvirt) -> None:
    def work(_hypervisor: Hypervisor) -> Iterator[int]:
        yield 1
        os._exit(7)

    with pytest.raises(RecoveryError, match="status 7") as caught:
        list(connect().run(work, read_only=True))
    assert caught.value.code == "libvirt_error"


def test_what_is_no_uri_starts_nothing(libvirt: FakeLibvirt) -> None:
    with pytest.raises(RecoveryError) as caught:
        LibvirtConnection("compute-1", connect_timeout=1, timeout=1)
    assert caught.value.code == "invalid_uri"
