# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a connection of libvirt, and its errors as ours.

Nothing here bounds a call: libvirt's open() waits for ever for a libvirtd that has stopped, and its
keep-alive needs a connection first. Use it in a worker (bounded.py).
"""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ..domain.errors import RecoveryError

LIBVIRT_IMPORT_ERROR: str | None = None
try:
    import libvirt
except ImportError:
    LIBVIRT_IMPORT_ERROR = traceback.format_exc()

_URI = re.compile(r"[a-z][a-z0-9]*(\+[a-z0-9]+)?://\S*")
# Of the transports that connect to a port of the host; without one it is TLS.
_PORTS = {"": 16514, "tls": 16514, "tcp": 16509, "ssh": 22, "libssh": 22, "libssh2": 22}

# Silence, which is what a host that is off gives; an answer, although not of a libvirtd.
UNREACHABLE = "hypervisor_unreachable"
NOT_LISTENING = "hypervisor_not_listening"

# libvirt hands on what the system, ssh or TLS said as text only. In the order of looking: a
# message of ssh may also say that the connection was reset.
_BY_TEXT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tls_error", ("certificate", "tls ", "gnutls", "private key")),
    (
        "hypervisor_refused",
        (
            "permission denied",
            "authentication failed",
            "host key verification failed",
            "too many authentication failures",
        ),
    ),
    ("invalid_uri", ("name or service not known", "no address associated")),
    # Refused by a kernel; a socket that is not there, on this machine or behind ssh.
    (NOT_LISTENING, ("connection refused", "failed to connect socket to")),
)
_ADVICE = {
    "invalid_uri": "Check the URI, for example qemu+tls://compute-1.example.org/system.",
    "hypervisor_refused": "Check the login, and whether the user may manage domains there.",
    "tls_error": "Check the certificates on both sides, and that the URI has the name in theirs.",
    UNREACHABLE: "Check that the host is up, and its libvirtd.",
    NOT_LISTENING: "The machine answers, its libvirtd does not: start it again.",
}


def open_connection(uri: str, *, read_only: bool) -> Any:
    """A virConnect.

    :raises RecoveryError: ``invalid_uri``, ``hypervisor_refused``, ``tls_error``,
        ``hypervisor_not_listening``, ``hypervisor_unreachable``.
    """
    # Without a handler libvirt writes each error to standard error.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    # What libvirt's auth.conf has is used only by connections with credentials; nobody is asked.
    wanted = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE]
    flags = libvirt.VIR_CONNECT_RO if read_only else 0
    try:
        return libvirt.openAuth(uri, [wanted, lambda _asked, _data: -1, None], flags)
    except libvirt.libvirtError as error:
        raise _translated(f"connect to {uri}", error, _code_of_connect(error)) from error


def require_uri(uri: str) -> None:
    """An empty one would be a default of libvirt's, a bare word an alias of somebody's.

    :raises RecoveryError: ``invalid_uri``.
    """
    if not _URI.fullmatch(uri):
        raise RecoveryError(
            "invalid_uri",
            f"'{uri}' is not a URI of libvirt; nothing was done. {_ADVICE['invalid_uri']}",
        )


def host_and_port(uri: str) -> tuple[str, int] | None:
    """Where a connection to this URI goes over TCP; None where it does not, or that is not known."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    port = port or _PORTS.get(parts.scheme.partition("+")[2])
    return (host, port) if host and port else None


@contextmanager
def libvirt_errors(what: str) -> Iterator[None]:
    """Turns libvirtError into RecoveryErrors.

    :param what: what was being done, for the message: "destroy domain ...".
    """
    try:
        yield
    except libvirt.libvirtError as error:
        raise _translated(what, error, _code_of_call(error)) from error


def _translated(what: str, error: Any, code: str) -> RecoveryError:
    said = " ".join(str(error).split())
    advice = _ADVICE.get(code)
    return RecoveryError(
        code,
        f"could not {what}: {said}{'. ' + advice if advice else ''}",
        retriable=code in (UNREACHABLE, NOT_LISTENING),
        details={"libvirt_error": said, "libvirt_error_code": error.get_error_code()},
    )


def _code_of_connect(error: Any) -> str:
    number, text = error.get_error_code(), str(error).lower()
    for code, words in _BY_TEXT:
        if any(word in text for word in words):
            return code
    if _is_refusal(error):
        return "hypervisor_refused"
    # Its text depends on the language.
    if number == libvirt.VIR_ERR_SYSTEM_ERROR and error.get_int1() == errno.ECONNREFUSED:
        return NOT_LISTENING
    if number in (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_RPC):
        return UNREACHABLE
    return "invalid_uri"


def _code_of_call(error: Any) -> str:
    if _is_refusal(error):
        return "hypervisor_refused"
    # The client's own: the connection broke, or libvirtd ended. A driver's errors are of others.
    if error.get_error_domain() == libvirt.VIR_FROM_RPC or (
        error.get_error_code() == libvirt.VIR_ERR_RPC
    ):
        return UNREACHABLE
    return "libvirt_error"


def _is_refusal(error: Any) -> bool:
    return error.get_error_code() in (
        libvirt.VIR_ERR_AUTH_FAILED,
        libvirt.VIR_ERR_AUTH_CANCELLED,
        libvirt.VIR_ERR_AUTH_UNAVAILABLE,
        libvirt.VIR_ERR_OPERATION_DENIED,
        libvirt.VIR_ERR_ACCESS_DENIED,
    ) or (
        error.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR
        and error.get_int1() in (errno.EACCES, errno.EPERM)
    )
