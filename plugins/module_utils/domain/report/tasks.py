# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody has to do after a run, grouped so that one cause is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .entry import Entry
from .guidance import guidance_for
from .run import Run
from .words import BAD, BUSY, LATE, LEFT, LEVELS, in_words

_NEED_SOMEBODY = (BAD, BUSY, LATE, LEFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Instances that ended with the same code, and what to do about them.

    ``entries`` is empty for what concerns the whole run; ``message`` is said of it then.
    """

    level: str
    code: str
    guidance: str
    entries: Sequence[Entry] = ()
    message: str | None = None
    request_id: str | None = None

    @property
    def title(self) -> str:
        return in_words(self.code).capitalize()


def what_to_do(run: Run) -> list[Group]:
    """The whole run's error first, then groups of instances, the worst and biggest first."""
    groups: list[Group] = []
    if run.error is not None:
        groups.append(
            Group(
                level=BAD,
                code=run.error.code,
                guidance=guidance_for(run.error.code, retriable=run.error.retriable),
                message=run.message,
                request_id=run.error.request_id,
            )
        )
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in (*run.entries, *run.without_room):
        if entry.level in _NEED_SOMEBODY:
            found.setdefault((entry.level, entry.code or entry.status), []).append(entry)
    groups += [
        Group(level=level, code=code, guidance=guidance_for(code), entries=entries)
        for (level, code), entries in sorted(
            found.items(), key=lambda item: (LEVELS.index(item[0][0]), -len(item[1]), item[0][1])
        )
    ]
    return groups
