# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a database is: the URLs of nova.conf and cell_mappings as Nova (SQLAlchemy) reads them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlparse

from ..domain.errors import RecoveryError

_MYSQL = ("mysql", "mariadb")
# SQLAlchemy's grammar: a password may hold all but '@', so that urlsplit would cut it at a '/'.
_URL = re.compile(
    r"""
    (?P<scheme>[\w+]+)://
    (?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?
    (?:(?:\[(?P<ipv6>[^/?]+)\]|(?P<host>[^/:?]+))?(?::(?P<port>[^/?]*))?)?
    (?:/(?P<name>[^?]*))?
    (?:\?(?P<query>.*))?
    """,
    re.VERBOSE | re.DOTALL,
)
# What PyMySQL is told beside the address; all else in a query is for other drivers or SQLAlchemy.
_TEXTS = ("unix_socket", "read_default_file", "read_default_group", "bind_address")
_SECONDS = ("connect_timeout", "read_timeout", "write_timeout")
_TLS_TEXTS = ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher")
_TLS_FLAGS = ("ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname", "ssl_disabled")
_PLACEHOLDER = re.compile(r"\{(scheme|username|password|hostname|port|path|query|fragment)\d*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """One schema on a MySQL or MariaDB server; ``repr`` leaves the passwords out.

    :param name: the schema, for example nova_api.
    :param options: further arguments of PyMySQL; timeouts in seconds.
    :param tls: the URL's ``ssl_*`` parameters; empty where it has none.
    """

    host: str = "localhost"
    port: int = 3306
    user: str | None = None
    password: str = field(default="", repr=False)
    name: str = ""
    unix_socket: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tls: Mapping[str, str | bool] = field(default_factory=dict, repr=False)

    @property
    def server(self) -> str:
        """For people: which server, without user and password."""
        if self.unix_socket:
            return self.unix_socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def same_server(self, other: DatabaseAddress) -> bool:
        """Whether one connection can reach both schemas, as far as the addresses tell.

        Two names of one server count as two servers: that costs a transaction, and nothing else.
        """
        return self._place() == other._place()

    def _place(self) -> tuple[Any, ...]:
        files = tuple(
            self.options.get(name) for name in ("read_default_file", "read_default_group")
        )
        if self.unix_socket:
            return (self.unix_socket, *files)
        try:
            host = str(ipaddress.ip_address(self.host))
        except ValueError:
            host = self.host.lower().rstrip(".")
        return (host, self.port, *files)


def parse_database_url(url: str, *, where: str = "the database URL") -> DatabaseAddress:
    """The address in an SQLAlchemy URL such as ``mysql+pymysql://user:word@host:3306/nova_api``.

    :param where: what the URL was read from, for messages: ``[api_database]connection``.
    :raises RecoveryError: ``database_url_invalid``, ``database_not_supported``; never with the URL.
    """
    found = _URL.fullmatch(url.strip())
    if found is None:
        raise _invalid(where, "it is not a URL like mysql+pymysql://user:password@host/schema")
    dialect, _plus, driver = found["scheme"].lower().partition("+")
    if dialect not in _MYSQL:
        raise RecoveryError(
            "database_not_supported",
            f"{where} names a database of the kind '{dialect}': only MySQL and MariaDB are"
            " supported, as Nova's own documentation recommends",
            details={"where": where, "dialect": dialect, "driver": driver or None},
        )
    query = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    host = found["ipv6"] or found["host"] or "localhost"
    if "@" in host:
        raise _invalid(where, "write an '@' in the password as %40")
    name = found["name"]
    if not name:
        raise _invalid(where, "it names no schema after the host")
    return DatabaseAddress(
        host=host,
        port=_port(found["port"], where),
        user=unquote(found["user"]) if found["user"] else None,
        password=unquote(found["password"] or ""),
        name=name,
        unix_socket=query.get("unix_socket") or None,
        options={
            **{key: query[key] for key in _TEXTS[1:] if query.get(key)},
            **{key: _seconds(query[key], key, where) for key in _SECONDS if query.get(key)},
        },
        tls={
            **{key: query[key] for key in _TLS_TEXTS if query.get(key)},
            **{key: _flag(query[key]) for key in _TLS_FLAGS if query.get(key)},
        },
    )


def fill_cell_template(template: str, local_url: str | None) -> str:
    """The URL of a cell whose stored one may be a template, filled as Nova fills it.

    The parts stay as they are written in ``local_url``, percent signs included. ``username1`` and so
    on are those of a URL with several hosts. What cannot be filled is returned as it is, since a
    plain URL may hold a brace; unless it is a template by all appearances.

    :param local_url: the local ``[database]connection``; None where there is none.
    :raises RecoveryError: ``cell_template_unfilled``; never with a URL.
    """
    filled = None if local_url is None else _fill(template, local_url)
    if filled is not None:
        return filled
    if _PLACEHOLDER.search(template):
        why = (
            "the local [database]connection cannot be read as a URL or lacks one of its parts"
            if local_url
            else "there is no local [database]connection to fill it from"
        )
        raise RecoveryError(
            "cell_template_unfilled",
            f"the database_connection of a cell is a template, and {why}: add the file that has it"
            " to nova_conf, or give cell_database",
        )
    return template


def _fill(template: str, local_url: str) -> str | None:
    try:
        local = urlparse(local_url)
        parts: dict[str, Any] = {
            "scheme": local.scheme,
            "username": local.username,
            "password": local.password,
            "hostname": local.hostname,
            # Without a port this becomes the word None, in Nova too.
            "port": local.port,
            "path": local.path.lstrip("/"),
            "query": local.query,
            "fragment": local.fragment,
        }
        if "," in local.netloc:
            for number, one in enumerate(local.netloc.split(","), 1):
                parts |= {f"{key}{number}": text for key, text in _host_parts(one).items()}
        return template.format(**parts)
    except (ValueError, KeyError, IndexError, AttributeError):
        return None


def _host_parts(text: str) -> dict[str, str | None]:
    """One of several hosts, oddities included: the port of an IPv6 address keeps its colon."""
    user_part, at, host_part = text.partition("@")
    if not at:
        user_part, host_part = "", text
    user, has_password, password = user_part.partition(":")
    if host_part.startswith("["):
        host, bracket, port = host_part[1:].partition("]")
        if not bracket:
            raise ValueError("an IPv6 address without its end")
        has_port = True
    else:
        host, colon, port = host_part.partition(":")
        has_port = bool(colon)
    return {
        "username": user,
        "password": password if has_password else None,
        "hostname": host,
        "port": port if has_port else None,
    }


def _port(text: str | None, where: str) -> int:
    if not text:
        return 3306
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise _invalid(where, "its port is not a number between 1 and 65535")
    return int(text)


def _seconds(text: str, key: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise _invalid(where, f"its {key} is not a number of seconds")
    return int(text)


def _flag(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "on", "t", "y")


def _invalid(where: str, why: str) -> RecoveryError:
    return RecoveryError(
        "database_url_invalid", f"{where} cannot be used: {why}", details={"where": where}
    )
