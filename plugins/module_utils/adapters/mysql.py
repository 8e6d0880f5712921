# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to MySQL or MariaDB by PyMySQL: transactions, bounds, and errors with a code."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ..domain.errors import RecoveryError
from ..domain.never_booted.database_errors import CommitInDoubt, DatabaseConflict
from .database_url import DatabaseAddress
from .mysql_errors import UNDONE, Statement, describe, is_lost, number, translate
from .mysql_login import log_in

PYMYSQL_IMPORT_ERROR: str | None = None
try:
    import pymysql
    from pymysql import cursors
except ImportError:
    PYMYSQL_IMPORT_ERROR = traceback.format_exc()

T = TypeVar("T")

# A wait for a lock ends long before its socket gives up.
_LOCK_SECONDS = 15
# Proxies and servers drop connections that are idle; a look before use costs one round trip.
_IDLE_SECONDS = 5


class Database:
    """Connects when it is first used. Not to be shared by threads.

    Outside of :meth:`transaction` every statement is a transaction of its own, so that each read
    sees what is committed by then. In one, the server's REPEATABLE READ holds: plain reads see the
    state at the first of them, ``FOR UPDATE`` the newest. READ COMMITTED would not do: it leaves the
    gaps of rows that do not exist open (a BuildRequest could appear under a lock), and a server
    that writes its binary log by statement refuses every change under it. It is what Nova runs with.

    :param read_only: have the server itself refuse every change.
    :param privileges: what the grant in a ``database_no_grant`` names, beside what was refused.
    :param connect: for tests.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        *,
        read_only: bool,
        privileges: Sequence[str] = (),
        lock_seconds: int = _LOCK_SECONDS,
        connect: Callable[..., Any] | None = None,
    ) -> None:
        self.address = address
        self.read_only = read_only
        self._privileges = tuple(privileges) or (
            ("SELECT",) if read_only else ("SELECT", "INSERT", "UPDATE", "DELETE")
        )
        self._lock_seconds = lock_seconds
        self._connect = connect
        self._connection: Any = None
        self._used = 0.0
        self._packet_bytes = 0
        self._open = False
        self._changes = False
        # Why the open transaction cannot be committed any more.
        self._doom: RecoveryError | None = None

    @property
    def in_transaction(self) -> bool:
        """Whether one was begun here and has not ended."""
        return self._open

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Every row, by column. A sequence as a parameter of ``IN`` becomes a list in brackets.

        With parameters a plain percent sign is written ``%%``.
        """
        return list(self._run(sql, parameters).fetchall())

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement that changes something; how many rows did change."""
        if not self._open:
            with self.transaction():
                return self.execute(sql, parameters)
        self._changes = True
        return int(self._run(sql, parameters).rowcount)

    def execute_many(self, sql: str, parameters: Sequence[Sequence[Any]]) -> int:
        """One statement for many rows; an ``INSERT ... VALUES`` is sent in packets of a megabyte."""
        if not parameters:
            return 0
        if not self._open:
            with self.transaction():
                return self.execute_many(sql, parameters)
        self._changes = True
        return int(self._run(sql, parameters, many=True).rowcount)

    def begin(self) -> None:
        """Begin a transaction.

        :raises RecoveryError: also when one is open: a nested one would be committed by the inner.
        """
        if self._open:
            raise RecoveryError(
                "transaction_open",
                "a transaction is open already; this is a defect of the collection, please report it",
            )
        self._run("START TRANSACTION", ())
        self._open, self._changes, self._doom = True, False, None

    def commit(self) -> None:
        """End it.

        :raises DatabaseConflict: all of it is undone.
        :raises CommitInDoubt: nobody knows whether it was done.
        """
        if self._doom is not None:
            doom = self._doom
            self.rollback()
            raise doom
        self._end("COMMIT")

    def rollback(self) -> None:
        """Undo it. A lost connection is no error here: the server undoes it then."""
        if self._connection is not None:
            try:
                self._end("ROLLBACK")
            except RecoveryError:
                self.close()
        self._open, self._doom = False, None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done within, or nothing."""
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()

    def close(self) -> None:
        """End the connection, and with it an open transaction. The next use connects anew."""
        self._open, self._doom = False, None
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, pymysql.err.Error):
                # It was lost already.
                return

    def _run(self, sql: str, parameters: Sequence[Any], *, many: bool = False) -> Any:
        if self._doom is not None:
            # What follows a deadlock would be a transaction without its first half.
            raise self._doom
        statement = Statement(sql, self.address, self.read_only, self._privileges)
        connection = self._ready()
        size = max((_size(row) for row in (parameters if many else [parameters])), default=0)
        if size > max(self._packet_bytes - len(sql) - 1024, 0):
            # The server would hang up without a word about why.
            raise statement.too_big(size, self._packet_bytes)
        try:
            cursor = connection.cursor(cursors.DictCursor)
            if many:
                cursor.max_stmt_length = min(cursor.max_stmt_length, self._packet_bytes // 2)
                cursor.executemany(sql, parameters)
            else:
                cursor.execute(sql, tuple(parameters) or None)
        except (OSError, pymysql.err.Error) as error:
            found = self._failed(error, statement)
            if is_lost(error) and size > self._packet_bytes // 2:
                # It grows by the quoting of the text.
                found = statement.too_big(size, self._packet_bytes)
            if self._open and (is_lost(error) or isinstance(found, DatabaseConflict)):
                self._doom = found
            raise found from error
        self._used = time.monotonic()
        return cursor

    def _end(self, how: str) -> None:
        statement = Statement(how, self.address, self.read_only, self._privileges)
        in_doubt = how == "COMMIT" and self._changes
        connection, self._open, self._changes = self._connection, False, False
        if connection is None:
            return
        try:
            connection.query(how)
        except (OSError, pymysql.err.Error) as error:
            found = self._failed(error, statement)
            if in_doubt and number(error) not in UNDONE:
                raise CommitInDoubt(
                    f"the connection to {describe(self.address)} was lost while a transaction was"
                    " being committed, so that it is unknown whether it was: run this again, which"
                    " looks first",
                    **found.details,
                ) from error
            raise found from error

    def _failed(self, error: Exception, statement: Statement) -> RecoveryError:
        """The error to raise."""
        lost = is_lost(error)
        found = translate(error, statement, account=(lambda: None) if lost else self._account)
        if lost or not self._open:
            # A statement of its own leaves nothing behind, not even a snapshot.
            self._drop()
        return found

    def _account(self) -> str | None:
        """The account as grants name it, which is not always what the message says."""
        try:
            cursor = self._connection.cursor()
            cursor.execute("SELECT CURRENT_USER()")
            return str(cursor.fetchone()[0])
        except (OSError, pymysql.err.Error, TypeError):
            return None

    def _ready(self) -> Any:
        """The connection, alive. One that died while it was idle is made anew."""
        idle = time.monotonic() - self._used
        if self._connection is not None and not self._open and idle > _IDLE_SECONDS:
            try:
                self._connection.ping(reconnect=False)
            except (OSError, pymysql.err.Error):
                self._drop()
        if self._connection is None:
            statement = Statement("connect", self.address, self.read_only, self._privileges)
            self._connection, self._packet_bytes = log_in(
                statement, lock_seconds=self._lock_seconds, connect=self._connect
            )
            self._used = time.monotonic()
        return self._connection


def _size(row: Sequence[Any]) -> int:
    """Bytes that the long values of a row take at least."""
    return sum(
        len(value.encode()) if isinstance(value, str) else len(value)
        for value in row
        if isinstance(value, (str, bytes)) and len(value) > 1024
    )
