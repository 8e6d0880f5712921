# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection of PyMySQL that answers what a test has told it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Answer = Sequence[Any] | Exception


@dataclass
class FakeServer:
    """What is asked, by the words a statement begins with, and what was seen.

    ``answers`` are rows, or the error to raise; a list in ``turns`` is used up before it.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    turns: dict[str, list[Answer]] = field(default_factory=dict)
    packet_bytes: int = 16 << 20
    seen: list[tuple[str, Any]] = field(default_factory=list)
    arguments: list[dict[str, Any]] = field(default_factory=list)
    refuse: Exception | None = None
    pings: list[Exception | None] = field(default_factory=list)
    closed: int = 0

    def connect(self, **arguments: Any) -> FakeConnection:
        self.arguments.append(arguments)
        if self.refuse is not None:
            raise self.refuse
        return FakeConnection(self)

    def answer(self, sql: str, parameters: Any) -> Sequence[Any]:
        self.seen.append((sql, parameters))
        found: Answer = []
        if sql == "SELECT @@max_allowed_packet":
            found = [(self.packet_bytes,)]
        for start, answer in self.answers.items():
            if sql.startswith(start):
                found = answer
        for start, turns in self.turns.items():
            if sql.startswith(start) and turns:
                found = turns.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def statements(self) -> list[str]:
        """What was run, without the setting up of sessions."""
        found: list[str] = []
        for sql, _parameters in self.seen:
            if sql.startswith("SET SESSION time_zone"):
                found.append("(session)")
            elif sql == "SELECT @@max_allowed_packet" or sql.startswith("SET SESSION TRANS"):
                continue
            else:
                found.append(sql)
        return found


class FakeConnection:
    def __init__(self, server: FakeServer) -> None:
        self.server = server

    def cursor(self, _kind: Callable[..., Any] | None = None) -> FakeCursor:
        return FakeCursor(self.server)

    def query(self, sql: str) -> None:
        self.server.answer(sql, None)

    def ping(self, reconnect: bool = True) -> None:
        found = self.server.pings.pop(0) if self.server.pings else None
        if found is not None:
            raise found

    def close(self) -> None:
        self.server.closed += 1


class FakeCursor:
    max_stmt_length = 1024000

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._rows: Sequence[Any] = []

    @property
    def rowcount(self) -> int:
        return len(self._rows)

    def execute(self, sql: str, parameters: Any = None) -> None:
        self._rows = self._server.answer(sql, parameters)

    def executemany(self, sql: str, parameters: Any) -> None:
        self._rows = self._server.answer(sql, list(parameters))

    def fetchall(self) -> Sequence[Any]:
        return self._rows

    def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None
