# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all event sources have in common: how their arguments are read, and how one is run by hand.

Sources load this file by its path, as ansible-rulebook does with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Of a source, as its DOCUMENTATION describes them. Empty text counts as not given.

    The type of each is that of its default; ``KINDS`` has those of arguments without one, or whose
    default is None.
    """

    KINDS: ClassVar[Mapping[str, type]] = {}

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> Self:
        """Check types strictly: "false" is no bool, and "5005" no number.

        :raises ValueError: for an argument that is unknown, missing or wrong; it never shows values.
        """
        known = {each.name: each for each in dataclasses.fields(cls)}
        if unknown := sorted(set(args) - set(known)):
            raise ValueError(f"unknown arguments: {', '.join(unknown)}")
        for name, option in known.items():
            if name not in args and _default(option) is dataclasses.MISSING:
                raise ValueError(f"{name} is missing")
        for name, value in args.items():
            default = _default(known[name])
            if value is None and default is None:
                continue
            wanted: Any = cls.KINDS.get(name) or type(default)
            # True is an int, too.
            if not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool):
                raise ValueError(f"{name} must be of type {wanted.__name__}")
            if wanted is int and value < 1:
                raise ValueError(f"{name} must be at least 1")
        settings = cls(**args)
        settings.check()
        return settings

    def check(self) -> None:
        """:raises ValueError: for what does not go together."""


def _default(option: dataclasses.Field[Any]) -> Any:
    if option.default_factory is not dataclasses.MISSING:
        return option.default_factory()
    return option.default


class _Screen(asyncio.Queue[Any]):
    async def put(self, item: Any) -> None:
        sys.stdout.write(json.dumps(item) + "\n")
        sys.stdout.flush()


def by_hand(main: Callable[[asyncio.Queue[Any], dict[str, Any]], Awaitable[None]]) -> None:
    """Print the events of a source, whose arguments are JSON on the command line, until Ctrl-C."""

    async def run() -> None:
        await main(_Screen(), json.loads(sys.argv[1]))

    logging.basicConfig(level=logging.INFO)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())
