# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a prepared instance is put back exactly as it was, from the journal's copy.

The order is that of the preparation backwards: the rows are there before the mapping points to
them, and the mapping points to them before the entry is closed. What a step builds on is looked at
under its own locks where the steps are no single transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from . import deleted, journal
from .databases import Databases
from .deleted import Closing
from .journal import Author, JournalEntry
from .nova_rows import Cell, InstanceRows
from .observation import (
    BURIED,
    DELETED,
    DIED,
    DIED_ON_HOST,
    HALF_BUILT,
    HALF_BURIED,
    LEFT_BEHIND,
    Observation,
    observe,
    outcome,
    situation,
)
from .preparation import REFUSALS
from .preparer import Outcome, changed_meanwhile
from .refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What is to be put back. ``rows`` is None where the cell has them still."""

    seen: Observation
    cell_id: int
    rows: InstanceRows | None

    @property
    def uuid(self) -> str:
        return self.seen.instance_uuid

    @property
    def unmapped(self) -> bool:
        return self.seen.mapping is not None and self.seen.mapping.cell_id is None


def decide(
    seen: Observation, cells: Mapping[int, Cell], copy: InstanceRows | None
) -> Restoration | Refusal | None:
    """What to do to have an instance back in its cell; None when it is.

    :param copy: what the journal holds of it.
    """
    now = situation(seen, cells)
    if seen.entry and seen.entry.state in journal.SUBMITTED_STATES and not outcome(seen, now):
        return Refusal(
            code="being_built",
            message="the conductor has been asked to build it: see to the end with instance_build",
        )
    if now in (BURIED, DIED, DIED_ON_HOST):
        if seen.entry is None or seen.mapping is None or seen.mapping.cell_id is None:
            return None
        return Restoration(seen=seen, cell_id=seen.mapping.cell_id, rows=None)
    if now not in (LEFT_BEHIND, HALF_BURIED, HALF_BUILT):
        code, message = REFUSALS.get(now, REFUSALS[DELETED])
        return Refusal(code=code, message=message)
    cell_id = next((i for i, cell in cells.items() if _is_cell_of(seen, cell)), None)
    if seen.entry is None or copy is None or cell_id is None:
        return Refusal(
            code="no_copy",
            message="the journal holds no copy of it, so there is nothing to put back",
        )
    if any(other != cell_id for other in seen.rows):
        return Refusal(
            code="rows_in_several_cells",
            message="another cell holds rows of it: the conductor was cut off while it built it;"
            " finish it with instance_build",
        )
    return Restoration(seen=seen, cell_id=cell_id, rows=None if seen.rows else copy)


def _is_cell_of(seen: Observation, cell: Cell) -> bool:
    return seen.entry is not None and seen.entry.cell_uuid == cell.uuid


class Restorer:
    """Puts prepared instances back, batch by batch."""

    def __init__(self, databases: Databases, author: Author) -> None:
        self._databases = databases
        self._author = author
        self._cells = databases.cells()

    def plan(
        self, instance_uuids: Sequence[str], *, lock: bool = False, whole: bool = True
    ) -> dict[str, Restoration | Closing | Refusal | None]:
        """What would be done now, by instance."""
        seen = observe(self._databases, instance_uuids, lock=lock, whole=whole)
        entries = [one.entry for one in seen.values() if one.entry is not None]
        copies = {} if whole or not entries else self._databases.journal.copies(entries)
        return {
            uuid: deleted.decide(seen[uuid], self._cells)
            or decide(seen[uuid], self._cells, seen[uuid].copy or copies.get(uuid))
            for uuid in instance_uuids
        }

    def apply(self, cell_id: int | None, instance_uuids: Sequence[str]) -> list[Outcome]:
        """Put these back into this cell."""
        with self._databases.transaction(cell_id) as transaction:
            with transaction.step():
                plans = self.plan(instance_uuids, lock=True)
                ready = [
                    plan
                    for plan in plans.values()
                    if isinstance(plan, Restoration) and plan.cell_id == cell_id
                ]
                missing = [plan.rows for plan in ready if plan.rows is not None]
                if missing and cell_id is not None:
                    self._databases.cell(cell_id).insert_instance_rows(missing)
                closings = [
                    plan
                    for plan in plans.values()
                    if isinstance(plan, Closing) and plan.cell_id == cell_id
                ]
                deleted.close(self._databases, closings, self._author)
                if not transaction.atomic:
                    self._claim([plan for plan in ready if plan.unmapped])
            with transaction.step():
                if not transaction.atomic:
                    self._check_unchanged(ready)
                self._hide([plan for plan in ready if plan.unmapped])
                # Committed after the mapping, as a step's servers are in the order of what it needs.
                self._close(ready)
        return [_outcome(uuid, plan, cell_id) for uuid, plan in plans.items()]

    def _claim(self, plans: Sequence[Restoration]) -> None:
        """Nobody may ask the conductor to build what is not prepared any more."""
        if plans:
            uuids = [plan.uuid for plan in plans]
            moved = self._databases.journal.advance(
                uuids,
                expected=journal.UNSUBMITTED_STATES,
                state=journal.TAKEN,
                author=self._author,
                detail="being put back",
            )
            if moved != len(uuids):
                raise changed_meanwhile(uuids)

    def _check_unchanged(self, plans: Sequence[Restoration]) -> None:
        """Nothing was locked since they were looked at: others can have gone on with them."""
        uuids = [plan.uuid for plan in plans]
        mappings = self._databases.api.instance_mappings(uuids, lock=True)
        entries = self._databases.journal.open_entries(uuids, lock=True)
        changed = {
            plan.uuid
            for plan in plans
            if mappings.get(plan.uuid) != plan.seen.mapping
            or not self._is_as_left(entries.get(plan.uuid), plan)
        }
        for cell_id in {plan.cell_id for plan in plans}:
            here = [plan.uuid for plan in plans if plan.cell_id == cell_id]
            # A preparation that goes on may have removed them.
            rows = self._databases.cell(cell_id).instance_rows(here, lock=True)
            changed.update(uuid for uuid in here if uuid not in rows)
        if changed:
            raise changed_meanwhile(sorted(changed))

    def _is_as_left(self, entry: JournalEntry | None, plan: Restoration) -> bool:
        before = plan.seen.entry
        if entry is None or before is None:
            return entry is before
        if plan.unmapped:
            before = replace(before, state=journal.TAKEN, run_id=self._author.run_id)
        return (entry.id, entry.state, entry.run_id) == (before.id, before.state, before.run_id)

    def _close(self, plans: Sequence[Restoration]) -> None:
        became: dict[str, list[str]] = {}
        for plan in plans:
            # One that Nova has buried again meanwhile is back, but not by us.
            found = outcome(plan.seen, situation(plan.seen, self._cells))
            became.setdefault(found or journal.RESTORED, []).append(plan.uuid)
        for state, uuids in became.items():
            self._databases.journal.advance(
                uuids, expected=journal.OPEN_STATES, state=state, author=self._author
            )

    def _hide(self, plans: Sequence[Restoration]) -> None:
        """The API serves the rows again instead of the BuildRequest."""
        if not plans:
            return
        api = self._databases.api
        uuids = [plan.uuid for plan in plans]
        if api.delete_build_requests(uuids) != len(uuids) or api.map_instances(
            uuids, expected=None, cell_id=plans[0].cell_id
        ) != len(uuids):
            raise changed_meanwhile(uuids)
        for plan in plans:
            entry, now = plan.seen.entry, plan.seen.request_spec
            if entry is None or entry.request_spec is None:
                continue
            done = True
            if now is None:
                done = api.insert_request_spec(plan.uuid, entry.request_spec)
            elif entry.spec_rewritten:
                done = api.replace_request_spec(now, entry.request_spec)
            if not done:
                raise changed_meanwhile([plan.uuid])


def _outcome(
    uuid: str, plan: Restoration | Closing | Refusal | None, cell_id: int | None
) -> Outcome:
    if isinstance(plan, Restoration | Closing) and plan.cell_id != cell_id:
        plan = Refusal(code="changed_meanwhile", message="it was moved to another cell meanwhile")
    if isinstance(plan, Refusal):
        return Outcome(instance_uuid=uuid, changed=False, refusal=plan)
    closing = plan if isinstance(plan, Closing) else None
    return Outcome(instance_uuid=uuid, changed=plan is not None, closing=closing)
