# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repairs where Nova looks for instances: their mapping to a cell, changed for all or for none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from . import journal
from .batch_run import refuse_bad_ones
from .databases import Databases
from .nova_rows import Cell
from .preparer import changed_meanwhile
from .refusal import Refusal

# A mapping to no cell: the API serves the instance's BuildRequest.
NO_CELL = "none"
_CELL0 = "cell0"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPlan:
    """What becomes of one instance's mapping. Cells are ids, None is no cell.

    ``rows_in`` are the cells that hold rows of it.
    """

    instance_uuid: str
    before: int | None
    after: int | None
    rows_in: tuple[int, ...]
    build_request: bool

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def shown(self, cells: Mapping[int, Cell]) -> dict[str, Any]:
        return {
            "uuid": self.instance_uuid,
            "before": label(self.before, cells),
            "after": label(self.after, cells),
            "changed": self.changes,
            "rows_in": [cells[cell_id].label for cell_id in self.rows_in],
            "build_request": self.build_request,
        }

    def diff(self, cells: Mapping[int, Cell]) -> dict[str, Any]:
        return {
            "before_header": self.instance_uuid,
            "after_header": self.instance_uuid,
            "before": {"cell": label(self.before, cells)},
            "after": {"cell": label(self.after, cells)},
        }

    def elsewhere(self) -> tuple[int, ...]:
        """Cells that hold rows which nobody will find."""
        return tuple(cell_id for cell_id in self.rows_in if cell_id != self.after)


def label(cell_id: int | None, cells: Mapping[int, Cell]) -> str:
    """For people, and as the options take it."""
    if cell_id is None:
        return NO_CELL
    return cells[cell_id].label if cell_id in cells else f"unknown cell {cell_id}"


def find_cell(word: str, cells: Mapping[int, Cell]) -> int | None:
    """The id of the cell with this name or uuid; None for no cell.

    :raises RecoveryError: ``cell_not_found``, ``cell_ambiguous``.
    """
    if word == NO_CELL:
        return None
    by_uuid = [cell_id for cell_id, cell in cells.items() if cell.uuid == word.lower()]
    by_name = [cell_id for cell_id, cell in cells.items() if cell.name == word]
    cell0 = [cell_id for cell_id, cell in cells.items() if cell.is_cell0]
    # Of cell0 the uuid is fixed, its name need not be set.
    found = by_uuid or (cell0 if word == _CELL0 else by_name)
    if len(found) == 1:
        return found[0]
    known = [f"{cell.label} ({cell.uuid})" for cell in cells.values()]
    if found:
        raise RecoveryError(
            "cell_ambiguous",
            f"several cells are named {word!r}: state the uuid. Cells: {', '.join(known)}",
            details={"cells": known},
        )
    raise RecoveryError(
        "cell_not_found",
        f"Nova has no cell {word!r}: state one of {NO_CELL}, {', '.join(known)}",
        details={"cells": known},
    )


class Remapper:
    """Maps instances to one cell.

    :param target: id of the cell, None for none.
    :param expected: what each must be mapped to now, as a tuple of one; None leaves it open.
    :param verify: refuse a mapping under which Nova would not find the instance.
    """

    def __init__(
        self,
        databases: Databases,
        target: int | None,
        *,
        expected: tuple[int | None] | None = None,
        verify: bool = True,
    ) -> None:
        self._databases = databases
        self._target = target
        self._expected = expected
        self._verify = verify
        self._cells = databases.cells()

    def plan(self, instance_uuids: Sequence[str], *, lock: bool = False) -> list[MappingPlan]:
        """What would be done, in the order of the call.

        :raises RecoveryError: ``refused``, with all instances that are.
        """
        uuids = list(dict.fromkeys(instance_uuids))
        mappings = self._databases.api.instance_mappings(uuids, lock=lock)
        requests = self._databases.api.build_requests(uuids, lock=lock)
        entries = self._databases.journal.open_entries(uuids, lock=lock)
        holding: dict[str, list[int]] = {uuid: [] for uuid in uuids}
        for cell_id in self._cells:
            for uuid in self._databases.cell(cell_id).instances(uuids):
                holding[uuid].append(cell_id)
        refused: dict[str, Refusal] = {}
        plans = []
        for uuid in uuids:
            mapping = mappings.get(uuid)
            if mapping is None:
                refused[uuid] = _UNKNOWN
                continue
            plan = MappingPlan(
                instance_uuid=uuid,
                before=mapping.cell_id,
                after=self._target,
                rows_in=tuple(holding[uuid]),
                build_request=uuid in requests,
            )
            entry = entries.get(uuid)
            why = self._refusal(
                plan,
                deleted=mapping.queued_for_delete,
                submitted=entry is not None and entry.state in journal.SUBMITTED_STATES,
            )
            if why is not None:
                refused[uuid] = why
            plans.append(plan)
        refuse_bad_ones(refused)
        return plans

    def apply(self, planned: Sequence[MappingPlan]) -> None:
        """Change them, in one transaction, if all still are as they were planned.

        :raises RecoveryError: ``changed_meanwhile`` or ``refused``, and nothing was changed.
        """
        changes = [plan for plan in planned if plan.changes]
        if not changes:
            return
        with self._databases.transaction(None) as transaction, transaction.step():
            uuids = [plan.instance_uuid for plan in changes]
            now = {plan.instance_uuid: plan for plan in self.plan(uuids, lock=True)}
            moved = [p.instance_uuid for p in changes if now[p.instance_uuid].before != p.before]
            if moved:
                raise changed_meanwhile(moved)
            by_cell: dict[int | None, list[str]] = {}
            for plan in changes:
                by_cell.setdefault(plan.before, []).append(plan.instance_uuid)
            for before, members in by_cell.items():
                mapped = self._databases.api.map_instances(
                    members, expected=before, cell_id=self._target
                )
                if mapped != len(members):
                    raise changed_meanwhile(members)

    def _refusal(self, plan: MappingPlan, *, deleted: bool, submitted: bool) -> Refusal | None:
        if deleted:
            return _DELETED
        if not plan.changes:
            return None
        if self._expected is not None and plan.before != self._expected[0]:
            return Refusal(
                code="unexpected_cell",
                message=f"it is mapped to {label(plan.before, self._cells)} and not to"
                f" {label(self._expected[0], self._cells)}: look again before you change it",
            )
        if not self._verify:
            return None
        if submitted:
            return _BEING_BUILT
        if self._target is None and not plan.build_request:
            return _NO_BUILD_REQUEST
        if self._target is not None and self._target not in plan.rows_in:
            where = ", ".join(self._cells[cell_id].label for cell_id in plan.rows_in)
            return Refusal(
                code="rows_not_in_cell",
                message=f"{label(self._target, self._cells)} holds no rows of it"
                f" ({f'they are in {where}' if where else 'no cell does'}): it would vanish",
            )
        return None


_UNKNOWN = Refusal(code="instance_not_found", message="Nova does not know it: check the uuid")
_DELETED = Refusal(code="deleted", message="its user has deleted it")
_BEING_BUILT = Refusal(
    code="being_built",
    message="the conductor has been asked to build it and maps it itself: see to the end with"
    " instance_build",
)
_NO_BUILD_REQUEST = Refusal(
    code="no_build_request",
    message="it has no BuildRequest, so that the API would serve nothing and take it for deleted",
)
