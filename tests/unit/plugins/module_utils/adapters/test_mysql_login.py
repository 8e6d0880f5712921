# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a connection is made: what PyMySQL is told, the session, and TLS."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pymysql
import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.database_url import (
    parse_database_url,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.mysql_errors import (
    Statement,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.mysql_login import (
    log_in,
    tls_context,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.mysql import FakeServer

URL = "mysql+pymysql://nova:p%40ss@db:3307/nova_api"


def told(url: str = URL, *, read_only: bool = False) -> tuple[FakeServer, dict[str, Any]]:
    server = FakeServer({"SHOW SESSION STATUS": [("Ssl_cipher", "AES")]}, packet_bytes=4 << 20)
    statement = Statement("connect", parse_database_url(url), read_only, ())
    _connection, packet_bytes = log_in(statement, lock_seconds=7, connect=server.connect)
    assert packet_bytes == 4 << 20
    (arguments,) = server.arguments
    return server, arguments


def context_of(query: str) -> ssl.SSLContext | None:
    return tls_context(parse_database_url(f"{URL}?{query}"))


def test_what_pymysql_is_told() -> None:
    _server, arguments = told()
    assert arguments == {
        "host": "db",
        "port": 3307,
        "user": "nova",
        "password": "p@ss",
        "database": "nova_api",
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": 10,
        "read_timeout": 120,
        "write_timeout": 120,
        "ssl": None,
    }


def test_the_url_can_change_bounds_and_way() -> None:
    _server, arguments = told(f"{URL}?read_timeout=3&unix_socket=/run/s")
    assert arguments["read_timeout"] == 3
    assert arguments["unix_socket"] == "/run/s"
    assert "host" not in arguments


@pytest.mark.parametrize("read_only", [True, False])
def test_the_session_is_set_up(read_only: bool) -> None:
    server, _arguments = told(read_only=read_only)
    text = " ; ".join(sql for sql, _parameters in server.seen)
    for word in ("time_zone='+00:00'", "sql_mode='TRADITIONAL'", "LEVEL REPEATABLE READ"):
        assert word in text
    assert ("REPEATABLE READ, READ ONLY" in text) is read_only
    assert server.seen[0][1] == (7, 7)


def test_a_refused_login_is_translated() -> None:
    server = FakeServer(refuse=pymysql.err.OperationalError(1045, "Access denied"))
    statement = Statement("connect", parse_database_url(URL), False, ())
    with pytest.raises(RecoveryError) as caught:
        log_in(statement, lock_seconds=7, connect=server.connect)
    assert caught.value.code == "database_auth_failed"
    assert "p@ss" not in caught.value.message


def test_a_session_that_cannot_be_set_up_is_closed() -> None:
    server = FakeServer({"SET SESSION": pymysql.err.OperationalError(2013, "lost")})
    statement = Statement("connect", parse_database_url(URL), False, ())
    with pytest.raises(RecoveryError, match="does not answer"):
        log_in(statement, lock_seconds=7, connect=server.connect)
    assert server.closed == 1


def test_a_server_without_tls_is_not_talked_to_in_plain_text() -> None:
    server = FakeServer({"SHOW SESSION STATUS": [("Ssl_cipher", "")]})
    address = parse_database_url(f"{URL}?ssl_verify_cert=true")
    with pytest.raises(RecoveryError) as caught:
        log_in(Statement("connect", address, False, ()), lock_seconds=7, connect=server.connect)
    assert caught.value.code == "database_tls_error"
    assert server.closed == 1


def test_tls_is_given_to_pymysql() -> None:
    _server, arguments = told(f"{URL}?ssl_verify_cert=true")
    assert isinstance(arguments["ssl"], ssl.SSLContext)
    _server, arguments = told(f"{URL}?ssl_disabled=true&ssl_verify_cert=true")
    assert (arguments["ssl"], arguments["ssl_disabled"]) == (None, True)


@pytest.mark.parametrize(
    ("query", "mode", "name"),
    [
        ("ssl_ca={ca}", ssl.CERT_REQUIRED, True),
        ("ssl_ca={ca}&ssl_check_hostname=false", ssl.CERT_REQUIRED, False),
        ("ssl_ca={ca}&ssl_verify_identity=false", ssl.CERT_REQUIRED, False),
        ("ssl_ca={ca}&ssl_verify_cert=false", ssl.CERT_NONE, False),
        ("ssl_ca={ca}&unix_socket=/s", ssl.CERT_REQUIRED, False),
        ("ssl_verify_cert=true", ssl.CERT_REQUIRED, True),
        ("ssl_verify_identity=true", ssl.CERT_REQUIRED, True),
        ("ssl_verify_cert=false", ssl.CERT_NONE, False),
        ("ssl_cipher=AES256-SHA", ssl.CERT_NONE, False),
    ],
)
def test_what_of_the_certificate_is_verified(query: str, mode: ssl.VerifyMode, name: bool) -> None:
    context = context_of(query.format(ca=ssl.get_default_verify_paths().openssl_cafile))
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (mode, name)


def test_without_a_word_about_tls_pymysql_decides() -> None:
    assert context_of("charset=utf8") is None
    assert context_of("ssl_disabled=true") is None


@pytest.mark.parametrize("option", ["ssl_ca", "ssl_cert"])
def test_tls_files_that_cannot_be_used_are_named(option: str, tmp_path: Path) -> None:
    path = tmp_path / "file.pem"
    with pytest.raises(RecoveryError) as caught:
        context_of(f"{option}={path}")
    assert caught.value.code == "database_tls_error"
    assert str(path) in caught.value.message
    path.write_text("not a certificate")
    with pytest.raises(RecoveryError, match=str(path)):
        context_of(f"{option}={path}")
