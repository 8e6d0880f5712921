# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data from a file, read so that every problem of it is found, not only the first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` is for example rules[1].match.tags, counted from 0; empty for the whole."""

    path: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"path": self.path, "message": self.message}

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands.

    A method that finds a problem notes it, and returns something of its type all the same: what
    was read is of no use once there are problems.
    """

    value: Any
    path: str = ""
    problems: list[Problem] = field(default_factory=list)

    def problem(self, message: str) -> None:
        self.problems.append(Problem(self.path, message))

    def _below(self, value: Any, path: str) -> Node:
        return Node(value, path, self.problems)

    def mapping(self) -> dict[str, Node]:
        """Every field by its name, whatever the names are."""
        if not isinstance(self.value, Mapping):
            self.problem(f"must be a mapping, not {_kind(self.value)}")
            return {}
        strange = [key for key in self.value if not isinstance(key, str) or not key]
        for key in strange:
            self.problem(f"the key {key!r} must be text: put it in quotes")
        prefix = f"{self.path}." if self.path else ""
        return {
            key: self._below(value, f"{prefix}{key}")
            for key, value in self.value.items()
            if key not in strange
        }

    def fields(self, known: Collection[str], *, required: Iterable[str] = ()) -> dict[str, Node]:
        """The fields that are given, of those that are known."""
        found = self.mapping()
        for key in sorted(set(found) - set(known)):
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            found.pop(key).problem(f"unknown key ({hint})")
        if isinstance(self.value, Mapping):
            for key in required:
                if key not in self.value:
                    self.problem(f"{key} is missing")
        return found

    def items(self) -> list[Node]:
        if not isinstance(self.value, list | tuple):
            self.problem(f"must be a list, not {_kind(self.value)}")
            return []
        return [self._below(item, f"{self.path}[{i}]") for i, item in enumerate(self.value)]

    def text(self) -> str:
        if isinstance(self.value, str) and self.value:
            return str(self.value)
        if isinstance(self.value, str):
            self.problem("must not be empty")
        else:
            # YAML makes 010 the number 8, 1.10 the number 1.1 and yes the value true.
            self.problem(f"must be text, not {_kind(self.value)}: put it in quotes")
        return ""

    def texts(self) -> frozenset[str]:
        """A text, or a list of texts with at least one."""
        if not isinstance(self.value, list | tuple):
            return frozenset({self.text()})
        if not self.value:
            self.problem("is an empty list, which matches nothing")
        return frozenset(item.text() for item in self.items())

    def whole_number(self, smallest: int, largest: int | None = None) -> int:
        is_number = isinstance(self.value, int) and not isinstance(self.value, bool)
        if is_number and self.value >= smallest and (largest is None or self.value <= largest):
            return int(self.value)
        bounds = (
            f"from {smallest} to {largest}" if largest is not None else f"of {smallest} or more"
        )
        found = self.value if is_number else _kind(self.value)
        self.problem(f"must be a whole number {bounds}, not {found}")
        return smallest

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            self.problem(f"must be true or false, not {_kind(self.value)}")
        return self.value is True

    def choice(self, choices: Iterable[str]) -> str:
        known = list(choices)
        if self.value not in known:
            self.problem(f"must be {' or '.join(known)}, not {self.value!r}")
            return known[0]
        return str(self.value)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {str(value)!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return type(value).__name__
