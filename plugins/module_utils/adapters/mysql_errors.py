# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What MySQL and MariaDB refuse, as errors with a code. Never with a parameter of a statement."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..domain.errors import MutationRefused, RecoveryError
from ..domain.never_booted.database_errors import DatabaseConflict
from .database_url import DatabaseAddress

# Error numbers of the server and of the client (2xxx), by what they mean here.
_LOST = {2002, 2003, 2006, 2013, 2014, 2027, 2055}
# Too many connections; shutting down; killed.
_BUSY = {1040, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 4031}
_LOGIN = {1045, 1130, 1131, 1251, 1524, 1698, 1820, 1862, 2049, 2054, 2058, 2059, 2061, 3118, 4151}
_GRANT = {1044, 1142, 1143, 1227, 1370, 1410}
_TLS = {2026, 3159, 4169}
_SCHEMA = {1054, 1146}
# Deadlock, lock wait; a Galera node that is not ready or aborted it; a changed snapshot (MariaDB).
_CONFLICT = {1020, 1047, 1205, 1213, 1317, 1969, 3024}
_DUPLICATE = 1062
_READ_ONLY_TRANSACTION = 1792
_READ_ONLY_SERVER = {1290, 1792, 1836, 3989}
_TOO_BIG = {1153, 1301}

# What making and upgrading a schema takes, beside the right to use it.
_TO_MAKE_A_SCHEMA = ("CREATE", "ALTER", "INDEX", "REFERENCES")

# These are certain to have undone what was to be committed; of the others nobody knows.
UNDONE = frozenset({1020, 1205, 1213})


@dataclass(frozen=True, slots=True)
class Statement:
    """What was being run, for messages: only the statement itself, no value."""

    sql: str
    address: DatabaseAddress
    read_only: bool
    privileges: tuple[str, ...]

    @property
    def short(self) -> str:
        """For example: INSERT INTO build_requests."""
        words = self.sql.split()
        if words and words[0].upper() == "SELECT":
            words = words[:1] + words[-1:] if "FROM" not in words else _from(words)
        return " ".join(words[:3])

    def too_big(self, size: int, limit: int) -> RecoveryError:
        return RecoveryError(
            "database_packet_too_big",
            f"{describe(self.address)} takes no more than {limit} bytes at once, and '{self.short}'"
            f" needs {size or 'more'}: raise max_allowed_packet on the server, for example to 64M",
            details={**_details(self), "bytes": size, "max_allowed_packet": limit},
        )

    def not_encrypted(self) -> RecoveryError:
        return RecoveryError(
            "database_tls_error",
            f"the URL asks for TLS, and {describe(self.address)} offers none: set it up there, or"
            " take the ssl_* parameters out of the URL",
            details=_details(self),
        )


def describe(address: DatabaseAddress) -> str:
    """For example: the database nova_api on 192.0.2.1:3306."""
    return f"the database {address.name} on {address.server}"


def number(error: BaseException) -> int:
    """The error's number; 0 where it has none."""
    found = error.args[0] if error.args else 0
    return found if isinstance(found, int) else 0


def is_lost(error: BaseException) -> bool:
    """Whether the connection cannot be used any more."""
    # PyMySQL raises InterfaceError(0, '') for the use of a connection that it has closed.
    return isinstance(error, OSError) or number(error) in _LOST | _TOO_BIG | {0, 1053, 1927, 4031}


def translate(
    error: Exception, statement: Statement, *, account: Callable[[], str | None] = lambda: None
) -> RecoveryError:
    """The error to raise.

    :param account: reads who is logged in, as CURRENT_USER() tells it: user@host.
    """
    code, text = number(error), _text(error)
    where = describe(statement.address)
    details = {**_details(statement), "errno": code}
    if code == _READ_ONLY_TRANSACTION and statement.read_only:
        return MutationRefused(statement.short)
    if code in _TLS or _is_tls(error, text):
        return RecoveryError(
            "database_tls_error",
            f"the TLS connection to {where} failed: {text}. Check ssl_ca, ssl_cert and ssl_key in the"
            " URL against the server's certificate",
            details=details,
        )
    if code in _GRANT:
        return _no_grant(text, statement, details, account())
    if code == _DUPLICATE:
        key = re.search(r"for key '([^']+)'", text)
        return RecoveryError(
            "database_duplicate",
            f"{where} has a row already that '{statement.short}' would write"
            f"{f' (key {key[1]})' if key else ''}: somebody else was faster; run this again, which"
            " looks first",
            details=details,
        )
    for codes, make in _KINDS:
        if code in codes:
            return make(text, where, details)
    if isinstance(error, OSError) or code in _LOST or code == 0:
        if "cryptography" in text:
            return _login(f"{text}, or use TLS", where, details)
        return _unavailable(text, where, details)
    return RecoveryError(
        "database_error",
        # The server's text may quote a value.
        f"{where} refused '{statement.short}' with {type(error).__name__} {code}: this is a defect of"
        " the collection, please report it",
        details=details,
    )


def _unavailable(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return RecoveryError(
        "database_unavailable",
        f"{where} does not answer: {text}. Check that it runs and can be reached from here, then run"
        " this again",
        retriable=True,
        details=details,
    )


def _login(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return RecoveryError(
        "database_auth_failed",
        f"{where} refused the login: {text}. Check the user and password of its URL, that the user"
        " may connect from this machine, and whether it must do so by TLS (ssl_ca in the URL) or with"
        " a certificate (ssl_cert)",
        details=details,
    )


def _no_schema(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return RecoveryError(
        "database_unknown",
        f"{where} does not exist: {text}. Check the name at the end of its URL",
        details=details,
    )


def _schema_unknown(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return RecoveryError(
        "database_schema_unknown",
        f"{where} is not made as Nova makes it: {text}. Check that the URL names the right schema"
        " and that 'nova-manage db sync' and 'nova-manage api_db sync' have run",
        details=details,
    )


def _conflict(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return DatabaseConflict(
        f"another transaction was in the way in {where}, and nothing was changed: {text}. Run this"
        " again",
        **details,
    )


def _read_only(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return RecoveryError(
        "database_read_only",
        f"{where} takes no changes at the moment: {text}. Name the server that is written to",
        details=details,
    )


def _too_big(text: str, where: str, details: dict[str, Any]) -> RecoveryError:
    return RecoveryError(
        "database_packet_too_big",
        f"{where} refused a packet of that size: {text}. Raise max_allowed_packet on the server, for"
        " example to 64M",
        details=details,
    )


_KINDS: tuple[tuple[set[int], Callable[[str, str, dict[str, Any]], RecoveryError]], ...] = (
    (_LOGIN, _login),
    ({1049}, _no_schema),
    (_SCHEMA, _schema_unknown),
    (_CONFLICT, _conflict),
    (_READ_ONLY_SERVER, _read_only),
    (_TOO_BIG, _too_big),
    (_BUSY, _unavailable),
)


def _no_grant(
    text: str, statement: Statement, details: dict[str, Any], account: str | None
) -> RecoveryError:
    told = re.search(r"user '(.*?)'@'(.*?)'", text)
    user, _at, host = (account or (f"{told[1]}@{told[2]}" if told else "nova@%")).rpartition("@")
    refused = re.match(r"([A-Z][A-Z, ]*?) command denied", text)
    needed = list(statement.privileges)
    if re.match(r"\s*(CREATE|ALTER)\b", statement.sql):
        # All at once: the server names only the first that is lacking.
        needed += _TO_MAKE_A_SCHEMA
    needed += [word for word in (refused[1].split(", ") if refused else ()) if word not in needed]
    schema = _schema(text, statement)
    grant = f"GRANT {', '.join(needed)} ON `{schema}`.* TO '{user}'@'{host}'"
    return RecoveryError(
        "database_no_grant",
        f"the user '{user}'@'{host}' lacks a right in the database {schema} on"
        f" {statement.address.server}: {text}. As an administrator of the database run: {grant};",
        details={**details, "grant": grant, "database": schema},
    )


def _schema(text: str, statement: Statement) -> str:
    """The one that was refused, which need not be that of the connection."""
    for pattern, source in (
        (r"to database '([^']+)'", text),
        (r"for table [`']([^`']+)[`']\.[`']", text),
        (r"(?i)(?:from|into|update|join|exists|table)\s+`?([A-Za-z_]\w*)`?\.`?\w+", statement.sql),
    ):
        found = re.search(pattern, source)
        if found:
            return found[1]
    return statement.address.name


def _is_tls(error: Exception, text: str) -> bool:
    cause = getattr(error, "original_exception", None) or error
    return type(cause).__module__ == "ssl" or "SSL" in text or "certificate" in text.lower()


def _text(error: Exception) -> str:
    """What the server or the library says, without what may quote a value of the statement."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error) or type(error).__name__
    return text.strip().rstrip(".")


def _details(statement: Statement) -> dict[str, Any]:
    return {
        "server": statement.address.server,
        "database": statement.address.name,
        "statement": statement.short,
    }


def _from(words: list[str]) -> list[str]:
    place = words.index("FROM")
    return ["SELECT", *words[place : place + 2]]
