# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening libvirt's connections; messages are those of libvirt 9.0."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.libvirt_connection import (
    host_and_port,
    libvirt_errors,
    open_connection,
    require_uri,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.libvirt_module import FakeLibvirt, LibvirtError

SYSTEM, RPC = 38, 39


@pytest.fixture(name="libvirt")
def _libvirt(monkeypatch: pytest.MonkeyPatch) -> FakeLibvirt:
    return FakeLibvirt().install(monkeypatch)


@pytest.mark.parametrize("read_only", [True, False])
def test_libvirt_itself_keeps_it_read_only(libvirt: FakeLibvirt, read_only: bool) -> None:
    assert open_connection("qemu:///system", read_only=read_only) is libvirt.connection
    assert libvirt.opened == [("qemu:///system", int(read_only))]


@pytest.mark.parametrize(
    ("message", "code", "int1", "expected"),
    [
        (
            "unable to connect to server at 'h:16509': Connection refused",
            SYSTEM,
            111,
            "not listening",
        ),
        (
            "Verbindung zum Server nicht möglich: Verbindungsaufbau abgelehnt",
            SYSTEM,
            111,
            "not listening",
        ),
        ("unable to connect to server at 'h:16509': No route to host", SYSTEM, 113, "unreachable"),
        (
            "unable to connect to server at 'h:16509': Connection timed out",
            SYSTEM,
            110,
            "unreachable",
        ),
        (
            "Failed to connect socket to '/run/libvirt-sock': No such file",
            SYSTEM,
            2,
            "not listening",
        ),
        (
            "End of file while reading data: virt-ssh-helper: cannot connect to"
            " '/run/libvirt-sock': Failed to connect socket to '/run/libvirt-sock': No such file",
            RPC,
            -1,
            "not listening",
        ),
        ("End of file while reading data: Input/output error", RPC, -1, "unreachable"),
        (
            "Cannot recv data: ssh: connect to host h port 22: Connection refused:"
            " Connection reset by peer",
            SYSTEM,
            104,
            "not listening",
        ),
        (
            "Cannot recv data: ssh: connect to host h port 22: No route to host:"
            " Connection reset by peer",
            SYSTEM,
            104,
            "unreachable",
        ),
        (
            "Failed to connect socket to '/run/libvirt-sock': Permission denied",
            SYSTEM,
            13,
            "refused",
        ),
        (
            "Cannot recv data: root@h: Permission denied (publickey): Connection reset by peer",
            SYSTEM,
            104,
            "refused",
        ),
        ("Cannot recv data: Host key verification failed.", SYSTEM, 104, "refused"),
        ("authentication failed: No agent is available", 45, -1, "refused"),
        ("authentication unavailable: no polkit agent available", 80, -1, "refused"),
        ("authentication cancelled: user cancelled authentication process", 79, -1, "refused"),
        ("Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file", SYSTEM, 2, "tls"),
        ("authentication failed: Failed to verify peer's certificate", 45, -1, "tls"),
        ("Cannot read private key '/etc/pki/x.pem': Permission denied", SYSTEM, 13, "tls"),
        ("Unable to verify TLS peer: The TLS connection was non-properly ended", RPC, -1, "tls"),
        (
            "Unable to resolve address 'h' service '16509': Name or service not known",
            SYSTEM,
            -1,
            "uri",
        ),
        (
            "Unable to resolve address 'h' service '16509': Temporary failure in name resolution",
            SYSTEM,
            -1,
            "unreachable",
        ),
        ("no connection driver available for foo:///", 5, -1, "uri"),
        ("internal error: Unable to parse URI http://a b", 1, -1, "uri"),
        ("internal error: unexpected qemu URI path '/nope', try qemu:///system", 1, -1, "uri"),
        ("invalid argument: remote_open: transport in URL not recognised", 8, -1, "uri"),
    ],
)
def test_why_it_cannot_connect(
    libvirt: FakeLibvirt, message: str, code: int, int1: int, expected: str
) -> None:
    libvirt.open_error = LibvirtError(message, code, int1=int1)
    with pytest.raises(RecoveryError) as caught:
        open_connection("qemu+x://h/system", read_only=True)
    error = caught.value
    codes = {
        "unreachable": "hypervisor_unreachable",
        "not listening": "hypervisor_not_listening",
        "refused": "hypervisor_refused",
        "tls": "tls_error",
        "uri": "invalid_uri",
    }
    assert error.code == codes[expected]
    assert error.retriable is (expected in ("unreachable", "not listening"))
    assert message in error.message
    assert error.details == {"libvirt_error": message, "libvirt_error_code": code}


@pytest.mark.parametrize(
    ("code", "domain", "expected"),
    [
        (29, 10, "hypervisor_refused"),
        (88, 10, "hypervisor_refused"),
        (39, 7, "hypervisor_unreachable"),
        (38, 7, "hypervisor_unreachable"),
        (38, 10, "libvirt_error"),
        (1, 10, "libvirt_error"),
    ],
)
def test_why_a_call_fails(libvirt: FakeLibvirt, code: int, domain: int, expected: str) -> None:
    with pytest.raises(RecoveryError) as caught, libvirt_errors("destroy it"):
        raise LibvirtError("of two\nlines", code, domain=domain)
    assert caught.value.code == expected
    assert caught.value.message.startswith("could not destroy it: of two lines")


def test_other_errors_are_left_alone(libvirt: FakeLibvirt) -> None:
    with pytest.raises(KeyError), libvirt_errors("x"):
        raise KeyError


@pytest.mark.parametrize(
    "uri",
    [
        "qemu:///system",
        "qemu+ssh://root@compute-1/system?keyfile=/root/.ssh/id",
        "qemu+tls://compute-1.example.org/system",
        "qemu+tcp://[::1]:16509/system",
        "test:///default",
    ],
)
def test_uris(uri: str) -> None:
    require_uri(uri)


@pytest.mark.parametrize("uri", ["", "compute-1", "qemu", "qemu:/system", "://", "qemu:// h", "/x"])
def test_what_is_no_uri_is_never_given_to_libvirt(uri: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        require_uri(uri)
    assert caught.value.code == "invalid_uri"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu://compute-1/system", ("compute-1", 16514)),
        ("qemu+tls://compute-1/system", ("compute-1", 16514)),
        ("qemu+tcp://[::1]:16599/system", ("::1", 16599)),
        ("qemu+tcp://compute-1/system", ("compute-1", 16509)),
        ("qemu+ssh://root@compute-1/system?keyfile=/root/.ssh/id", ("compute-1", 22)),
        ("qemu+ssh://root@compute-1:2222/system", ("compute-1", 2222)),
        ("qemu:///system", None),
        ("qemu+unix:///system?socket=/run/libvirt-sock", None),
        ("qemu+ext://compute-1/system", None),
        ("qemu+tcp://compute-1:many/system", None),
        ("qemu+tcp://[::1/system", None),
    ],
)
def test_where_a_uri_leads_over_tcp(uri: str, expected: tuple[str, int] | None) -> None:
    assert host_and_port(uri) == expected
