# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out preparations: the order of the writes, within one transaction or several.

Three steps, each true in the databases before the next: the copy is *taken* into the journal; the
BuildRequest is written and the mapping set to NULL, from when on the API serves the instance from
its BuildRequest; the rows are *removed* from the cell. Within one transaction they become true
together. Where they cannot, every cut between them is found again by looking (observation.py) and
finished by the next run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..errors import RecoveryError
from . import deleted, journal
from .databases import Databases, Transaction
from .deleted import Closing
from .journal import Author, NewEntry
from .observation import Observation, observe, outcome, situation
from .preparation import NOVA_SETTLES, Preparation, Rewrite, Writing, decide
from .refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one instance: changed or not, or why not; or closed, since it was deleted."""

    instance_uuid: str
    changed: bool
    refusal: Refusal | None = None
    closing: Closing | None = None


class Preparer:
    """Prepares instances, batch by batch.

    :param rewrites: what rewrites each instance for another image or flavor, where one is to.
    """

    def __init__(
        self,
        databases: Databases,
        author: Author,
        *,
        rewrites: Mapping[str, Rewrite] | None = None,
        allow_on_host: bool = False,
        settles: timedelta = NOVA_SETTLES,
    ) -> None:
        self._databases = databases
        self._author = author
        self._rewrites = rewrites or {}
        self._allow_on_host = allow_on_host
        self._settles = settles
        self._cells = databases.cells()

    def plan(
        self, instance_uuids: Sequence[str], *, lock: bool = False, whole: bool = False
    ) -> dict[str, Preparation | Closing | Refusal | None]:
        """What would be done now, by instance.

        :param whole: with all rows, as is needed to build what is written.
        """
        seen = observe(self._databases, instance_uuids, lock=lock, whole=whole)
        return {
            uuid: deleted.decide(seen[uuid], self._cells)
            or decide(
                seen[uuid],
                self._cells,
                rewrite=self._rewrites.get(uuid),
                allow_on_host=self._allow_on_host,
                settles=self._settles,
            )
            for uuid in instance_uuids
        }

    def apply(self, cell_id: int | None, instance_uuids: Sequence[str]) -> list[Outcome]:
        """Prepare these, which are all in one cell; what is refused now stays as it is."""
        outcomes = []
        with self._databases.transaction(cell_id) as transaction:
            with transaction.step():
                writings, closings = [], []
                for uuid, plan in self.plan(instance_uuids, lock=True, whole=True).items():
                    writing = _writing(plan, cell_id)
                    if isinstance(writing, Writing):
                        writings.append(writing)
                    elif isinstance(writing, Closing):
                        closings.append(writing)
                    outcomes.append(
                        Outcome(
                            instance_uuid=uuid,
                            changed=isinstance(writing, Writing | Closing),
                            refusal=writing if isinstance(writing, Refusal) else None,
                            closing=writing if isinstance(writing, Closing) else None,
                        )
                    )
                deleted.close(self._databases, closings, self._author)
                moving = [writing for writing in writings if not writing.plan.gone]
                self._take(moving)
                self._write_specs([writing for writing in writings if writing.plan.gone])
            with transaction.step():
                self._expose(moving, transaction)
            with transaction.step():
                self._remove(moving, transaction)
                self._note([writing.uuid for writing in writings])
        return outcomes

    def _take(self, writings: Sequence[Writing]) -> None:
        again: list[NewEntry] = []
        first: list[NewEntry] = []
        others: list[str] = []
        for writing in writings:
            became = self._became(writing.plan.seen)
            if became is not None:
                self._databases.journal.advance(
                    [writing.uuid],
                    expected=journal.OPEN_STATES,
                    state=became,
                    author=self._author,
                    detail="found by the next preparation",
                )
            entry = writing.entry(self._cells)
            before = writing.plan.seen.entry
            if before is None or became is not None:
                first.append(entry)
            elif before.cell_uuid in (None, entry.cell_uuid):
                again.append(entry)
            else:
                # What it was at first stays the copy, not what a build that was cut off has left.
                others.append(writing.uuid)
        self._databases.journal.begin(first, self._author)
        self._databases.journal.take_again(again, self._author)
        if others:
            self._databases.journal.advance(
                others,
                expected=[journal.TAKEN, journal.PREPARED],
                state=journal.TAKEN,
                author=self._author,
                detail="rows of a build that was cut off",
            )

    def _became(self, seen: Observation) -> str | None:
        return outcome(seen, situation(seen, self._cells))

    def _expose(self, writings: Sequence[Writing], transaction: Transaction) -> None:
        """From here on the API serves the BuildRequest."""
        api = self._databases.api
        if not transaction.atomic:
            self._check_unchanged([writing.plan for writing in writings])
        replaced = [
            one.uuid for one in writings if one.build_request and one.plan.seen.build_request
        ]
        if replaced:
            api.delete_build_requests(replaced)
        api.insert_build_requests([one.build_request for one in writings if one.build_request])
        self._write_specs(writings)
        mapped = [writing.plan for writing in writings if writing.plan.mapped]
        if mapped:
            uuids = [plan.uuid for plan in mapped]
            if api.map_instances(uuids, expected=mapped[0].cell_id, cell_id=None) != len(uuids):
                raise changed_meanwhile(uuids)

    def _write_specs(self, writings: Sequence[Writing]) -> None:
        """Those that are rewritten, and those that Nova has removed."""
        api = self._databases.api
        for writing in writings:
            before = writing.plan.seen.request_spec
            if writing.spec is None:
                continue
            if not (
                api.insert_request_spec(writing.uuid, writing.spec)
                if before is None
                else api.replace_request_spec(before, writing.spec)
            ):
                raise changed_meanwhile([writing.uuid])

    def _check_unchanged(self, plans: Sequence[Preparation]) -> None:
        """Nothing was locked since it was taken: its user can have deleted it, others moved it."""
        uuids = [plan.uuid for plan in plans]
        mappings = self._databases.api.instance_mappings(uuids, lock=True)
        requests = self._databases.api.build_requests(uuids, lock=True)
        changed = {
            plan.uuid
            for plan in plans
            if mappings.get(plan.uuid) != plan.seen.mapping
            or requests.get(plan.uuid) != plan.seen.build_request
        }
        changed.update(self._no_longer_ours(uuids))
        if changed:
            raise changed_meanwhile(sorted(changed))

    def _no_longer_ours(self, uuids: Sequence[str]) -> list[str]:
        """Those that another run has taken again, finished or put back."""
        entries = self._databases.journal.open_entries(uuids, lock=True)
        ours = {
            uuid
            for uuid, entry in entries.items()
            if entry.state == journal.TAKEN and entry.run_id == self._author.run_id
        }
        return [uuid for uuid in uuids if uuid not in ours]

    def _remove(self, writings: Sequence[Writing], transaction: Transaction) -> None:
        if not writings:
            return
        plans = [writing.plan for writing in writings]
        cell = self._databases.cell(plans[0].cell_id)
        uuids = [plan.uuid for plan in plans]
        if not transaction.atomic:
            # One that is mapped again was put back: without its rows it would be lost.
            mappings = self._databases.api.instance_mappings(uuids, lock=True)
            changed = {
                uuid
                for uuid in uuids
                if (one := mappings.get(uuid)) is None or one.cell_id is not None
            }
            changed.update(self._no_longer_ours(uuids))
            now = cell.instance_rows(uuids, lock=True)
            changed.update(plan.uuid for plan in plans if now.get(plan.uuid) != plan.rows)
            if changed:
                raise changed_meanwhile(sorted(changed))
        cell.delete_instance_rows([plan.rows for plan in plans])

    def _note(self, uuids: Sequence[str]) -> None:
        if uuids:
            self._databases.journal.advance(
                uuids, expected=[journal.TAKEN], state=journal.PREPARED, author=self._author
            )


def _writing(
    plan: Preparation | Closing | Refusal | None, cell_id: int | None
) -> Writing | Closing | Refusal | None:
    if plan is None or isinstance(plan, Refusal):
        return plan
    if plan.cell_id != cell_id:
        return Refusal(code="changed_meanwhile", message="it was moved to another cell meanwhile")
    if isinstance(plan, Closing):
        return plan
    try:
        return plan.build()
    except RecoveryError as error:
        return Refusal(code=error.code, message=error.message)


def changed_meanwhile(uuids: Sequence[str]) -> RecoveryError:
    """What was read is no longer true; the whole is undone, or found again by looking."""
    return RecoveryError(
        "changed_meanwhile",
        f"Nova has changed {', '.join(uuids)} meanwhile: run it again",
        retriable=True,
        details={"instances": list(uuids)},
    )
