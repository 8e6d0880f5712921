# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what was taken out of a cell, and how far each rebuild has come.

It makes two things true. What was removed can be put back exactly, because the copy is stored
before anything is removed. And the conductor is asked at most once for each BuildRequest, because
only the run that moves an entry from ``prepared`` to ``submit_intended`` may ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .nova_rows import InstanceRows

# The rows are copied; Nova is as it was.
TAKEN = "taken"
# BuildRequest written, mapping NULL, rows removed: nobody has asked the conductor.
PREPARED = "prepared"
# A run is about to ask, or died while it asked.
SUBMIT_INTENDED = "submit_intended"
# The message bus has the request.
SUBMITTED = "submitted"
# The instance booted.
BUILT = "built"
# Nova could not place it again: it is in cell0.
BURIED_AGAIN = "buried_again"
# It was placed, and its build failed: it is in a real cell.
DIED = "died"
# Put back into its cell from the copy.
RESTORED = "restored"
# Its user has deleted it meanwhile.
DELETED = "deleted"

OPEN_STATES = frozenset({TAKEN, PREPARED, SUBMIT_INTENDED, SUBMITTED})
CLOSED_STATES = frozenset({BUILT, BURIED_AGAIN, DIED, RESTORED, DELETED})
# In these the conductor may know of the instance.
SUBMITTED_STATES = frozenset({SUBMIT_INTENDED, SUBMITTED})
# In these it certainly does not.
UNSUBMITTED_STATES = OPEN_STATES - SUBMITTED_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who does something: the run's id, and the person or job that started it."""

    run_id: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One rebuild of one instance. Only one of an instance is open at a time.

    ``cell_uuid`` is the cell from which the rows were taken, None where there were none (a
    BuildRequest that was left behind). ``updated_at`` (UTC, naive, the database's clock) is when the
    state was reached, ``age`` how many seconds ago by that clock.

    ``request_spec`` is the stored spec as it was when the rebuild began, and ``spec_rewritten`` whether
    this rebuild has changed it, for another image or flavor. ``build_spec`` is what it is built from:
    what was written in its place, or what the conductor was sent.
    """

    id: int
    instance_uuid: str
    state: str
    run_id: str
    operator: str
    cell_uuid: str | None = None
    project_id: str | None = None
    request_spec: str | None = None
    spec_rewritten: bool = False
    build_spec: str | None = None
    request_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    age: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    def kept_spec(self, *, mapped: bool) -> str | None:
        """The copy of what Nova had stored last; None where that is not known.

        :param mapped: whether the instance is mapped to a cell.
        """
        if self.state == RESTORED or (mapped and self.state in UNSUBMITTED_STATES):
            # Not exposed yet, or put back.
            return self.request_spec
        if self.build_spec is None and not self.spec_rewritten:
            return self.request_spec
        return self.build_spec


class Journal(Protocol):
    """Where the entries are kept. Writes take part in the transaction that is open."""

    def open_entries(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> Mapping[str, JournalEntry]:
        """By instance."""

    def newest_entries(self, instance_uuids: Iterable[str]) -> Mapping[str, JournalEntry]:
        """The newest of each instance, open or closed."""

    def copies(self, entries: Sequence[JournalEntry]) -> Mapping[str, InstanceRows]:
        """The rows that were taken, by instance; those without a copy are left out."""

    def begin(self, entries: Sequence[NewEntry], author: Author) -> None:
        """Store new open entries; fails when an instance has an open one."""

    def take_again(self, entries: Sequence[NewEntry], author: Author) -> None:
        """Replace the copies of open entries that are not submitted, and call them ``taken``."""

    def advance(
        self,
        instance_uuids: Sequence[str],
        *,
        expected: Iterable[str],
        state: str,
        author: Author,
        detail: str = "",
        request_id: str | None = None,
        build_spec: str | None = None,
    ) -> int:
        """Move open entries that are in an expected state; how many were.

        ``request_id`` and ``build_spec`` stay as they are where they are None.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What a new entry holds."""

    instance_uuid: str
    state: str
    cell_uuid: str | None
    project_id: str | None
    rows: InstanceRows | None = None
    request_spec: str | None = None
    spec_rewritten: bool = False
    build_spec: str | None = None
