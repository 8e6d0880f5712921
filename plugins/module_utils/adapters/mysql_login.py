# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log in to MySQL or MariaDB as a database URL asks for it, and set up the session."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..domain.errors import RecoveryError
from .database_url import DatabaseAddress
from .mysql_errors import Statement, translate

with suppress(ImportError):
    # adapters/mysql.py tells of it.
    import pymysql

_CONNECT_SECONDS = 10
_SOCKET_SECONDS = 120


def log_in(
    statement: Statement, *, lock_seconds: int, connect: Callable[..., Any] | None = None
) -> tuple[Any, int]:
    """A connection of PyMySQL, and the bytes that its server takes at once.

    :param statement: whose address is connected to, and whether it must not change anything.
    :param lock_seconds: how long the server waits for a lock.
    :raises RecoveryError: ``database_unavailable``, ``database_auth_failed``, ``database_no_grant``,
        ``database_unknown``, ``database_tls_error``.
    """
    address = statement.address
    arguments: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _SOCKET_SECONDS,
        "write_timeout": _SOCKET_SECONDS,
        **address.options,
        "user": address.user,
        "password": address.password,
        "database": address.name,
        "charset": "utf8mb4",
        "autocommit": True,
        "ssl": tls_context(address),
    }
    if address.tls.get("ssl_disabled"):
        arguments["ssl_disabled"] = True
    if address.unix_socket:
        arguments["unix_socket"] = address.unix_socket
    else:
        arguments |= {"host": address.host, "port": address.port}
    connection: Any = None
    try:
        connection = (connect or pymysql.connect)(**arguments)
        packet_bytes = _set_up(connection, statement.read_only, lock_seconds)
        if arguments["ssl"] is not None:
            _need_encryption(connection, statement)
    except BaseException as error:
        if connection is not None:
            connection.close()
        # RuntimeError: PyMySQL lacks a package for this way to log in.
        if isinstance(error, (OSError, RuntimeError, pymysql.err.Error)):
            raise translate(error, statement) from error
        raise
    return connection, packet_bytes


def _set_up(connection: Any, read_only: bool, lock_seconds: int) -> int:
    cursor = connection.cursor()
    cursor.execute(
        # Nova's sql_mode: a value that does not fit is an error and not cut.
        "SET SESSION time_zone='+00:00', sql_mode='TRADITIONAL',"
        " innodb_lock_wait_timeout=%s, lock_wait_timeout=%s",
        (lock_seconds, lock_seconds),
    )
    mode = "READ ONLY" if read_only else "READ WRITE"
    cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, {mode}")
    cursor.execute("SELECT @@max_allowed_packet")
    return int(cursor.fetchone()[0])


def _need_encryption(connection: Any, statement: Statement) -> None:
    """Older PyMySQL goes on in plain text with a server that offers no TLS."""
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    found = cursor.fetchone()
    if not found or not found[1]:
        raise statement.not_encrypted()


def tls_context(address: DatabaseAddress) -> ssl.SSLContext | None:
    """None where the URL says nothing of TLS: PyMySQL then decides.

    With a CA the certificate and the host's name are verified, as they are in Nova, unless the URL
    says otherwise. Without one nothing is, unless it asks: ``ssl_verify_cert=true``.

    :raises RecoveryError: ``database_tls_error`` for files that cannot be used.
    """
    tls = address.tls
    if tls.get("ssl_disabled") or not set(tls) - {"ssl_disabled"}:
        return None
    ca, ca_folder = _text(tls.get("ssl_ca")), _text(tls.get("ssl_capath"))
    verify = bool(tls.get("ssl_verify_cert", bool(ca or ca_folder)))
    name = tls.get("ssl_verify_identity", tls.get("ssl_check_hostname", verify))
    verify = verify or bool(tls.get("ssl_verify_identity"))
    try:
        context = ssl.create_default_context(cafile=ca, capath=ca_folder)
        # Many a private CA is not as strict as Python 3.13 wants it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.check_hostname = verify and bool(name) and not address.unix_socket
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        if certificate := _text(tls.get("ssl_cert")):
            context.load_cert_chain(
                certificate, _text(tls.get("ssl_key")), _text(tls.get("ssl_key_password")) or ""
            )
        if ciphers := _text(tls.get("ssl_cipher")):
            context.set_ciphers(ciphers)
    except OSError as error:
        files = [_text(tls.get(name)) for name in ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key")]
        named = ", ".join(file for file in files if file)
        raise RecoveryError(
            "database_tls_error",
            f"the TLS files of the database URL cannot be used ({named}): {error.strerror or error}."
            " They must be on the machine that this runs on, and readable",
            details={"server": address.server},
        ) from error
    return context


def _text(value: str | bool | None) -> str | None:
    return value if isinstance(value, str) else None
