# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for adapters.mysql.Database that records statements and answers by their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Rows = list[dict[str, Any]]


class FakeSql:
    """``answers`` are rows, and ``counts`` numbers of changed rows, by words that are in a statement.

    :param cut_at: the number of the change at which the process dies.
    """

    def __init__(self, address: Any = None, *, read_only: bool = False) -> None:
        self.address = address
        self.read_only = read_only
        self.answers: dict[str, Rows | Callable[[tuple[Any, ...]], Rows]] = {}
        self.counts: dict[str, int] = {}
        self.seen: list[tuple[str, Any]] = []
        self.many: list[tuple[str, list[tuple[Any, ...]]]] = []
        self.events: list[str] = []
        self.log: list[str] | None = None
        self.fail_on: tuple[str, BaseException] | None = None

    def _note(self, event: str) -> None:
        self.events.append(event)
        if self.log is not None:
            self.log.append(f"{event} {self.address.host}")
        if self.fail_on is not None and self.fail_on[0] in event:
            raise self.fail_on[1]

    @property
    def statements(self) -> list[str]:
        return [sql for sql, _parameters in self.seen]

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        self._check(sql, parameters)
        for words, answer in self.answers.items():
            if words in sql:
                return answer(tuple(parameters)) if callable(answer) else answer
        return []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._check(sql, parameters)
        self._note(sql)
        return next((count for words, count in self.counts.items() if words in sql), 1)

    def execute_many(self, sql: str, parameters: Sequence[Sequence[Any]]) -> int:
        for row in parameters:
            self._check(sql, row)
        self.many.append((sql, [tuple(row) for row in parameters]))
        return len(parameters)

    def _check(self, sql: str, parameters: Sequence[Any]) -> None:
        """As the driver does: every mark has its parameter."""
        assert sql.count("%s") == len(parameters), (sql, parameters)
        self.seen.append((" ".join(sql.split()), tuple(parameters)))

    def begin(self) -> None:
        self._note("begin")

    def commit(self) -> None:
        self._note("commit")

    def rollback(self) -> None:
        self._note("rollback")

    def close(self) -> None:
        self._note("close")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()
