# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many instances: all are looked at before the first is changed, then changed batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..batches import in_batches
from ..clock import Clock
from ..errors import RecoveryError
from .deleted import Closing
from .preparation import Preparation
from .preparer import Outcome
from .refusal import Refusal
from .restoration import Restoration

# Rows of so many instances are in memory at once, and locked for the time that takes.
BATCH_SIZE = 100
# Seconds for which a batch is tried again, after a conflict or while the database restarts.
PATIENCE = 60.0


class Worker(Protocol):
    """Preparer and Restorer."""

    def plan(self, instance_uuids: Sequence[str], *, whole: bool) -> Mapping[str, Any]:
        """What would be done, by instance."""

    def apply(self, cell_id: int | None, instance_uuids: Sequence[str]) -> list[Outcome]:
        """Do it to these, which are in one cell; to repeat it does nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDo:
    """What remains of a plan until its turn: of 10,000 the rows would be too much."""

    cell_id: int
    closing: Closing | None = None
    puts_spec_back: bool = False


def look_at_all(worker: Worker, instance_uuids: Sequence[str]) -> dict[str, ToDo | Refusal | None]:
    """For each instance what is to be done, None for nothing, or why not."""
    found: dict[str, ToDo | Refusal | None] = {}
    for batch in batches(instance_uuids):
        for uuid, plan in worker.plan(batch, whole=False).items():
            if not isinstance(plan, Preparation | Restoration | Closing):
                found[uuid] = plan
                continue
            found[uuid] = ToDo(
                cell_id=plan.cell_id,
                closing=plan if isinstance(plan, Closing) else None,
                puts_spec_back=isinstance(plan, Preparation) and plan.spec_is_lost,
            )
    return found


def refuse_bad_ones(found: Mapping[str, ToDo | Refusal | None]) -> None:
    """:raises RecoveryError: ``refused``, with every instance that is, and why."""
    refused = {uuid: one for uuid, one in found.items() if isinstance(one, Refusal)}
    if not refused:
        return
    first, why = next(iter(refused.items()))
    others = f" (and {len(refused) - 1} more, see error.details)" if len(refused) > 1 else ""
    raise RecoveryError(
        "refused",
        f"nothing was changed: {first} is refused as {why.code}: {why.message}{others}",
        details={
            "instances": {
                uuid: {"code": one.code, "message": one.message} for uuid, one in refused.items()
            }
        },
    )


def apply_to_all(
    worker: Worker, found: Mapping[str, ToDo | Refusal | None], clock: Clock
) -> Iterator[Outcome]:
    """Change what is to be changed, cell by cell; those with nothing to do come unchanged.

    :raises RecoveryError: with ``changed`` set where batches before had been changed.
    """
    changed = False
    by_cell: dict[int, list[str]] = {}
    for uuid, one in found.items():
        if isinstance(one, ToDo):
            by_cell.setdefault(one.cell_id, []).append(uuid)
        else:
            yield Outcome(instance_uuid=uuid, changed=False, refusal=one)
    for cell_id, uuids in by_cell.items():
        for batch in batches(uuids):
            try:
                outcomes = _patiently(worker, cell_id, batch, clock)
            except RecoveryError as error:
                error.changed = changed or error.changed
                raise
            changed = changed or any(outcome.changed for outcome in outcomes)
            yield from outcomes


def batches(uuids: Sequence[str]) -> Iterator[list[str]]:
    """In an order that is the same in every run, so that two of them do not lock crosswise."""
    return in_batches(sorted(set(uuids)), BATCH_SIZE)


def _patiently(worker: Worker, cell_id: int, batch: Sequence[str], clock: Clock) -> list[Outcome]:
    """Again while another run, Nova, or a restart of the database is in the way.

    Each try reads all it decides on anew, so that what an earlier one has done is found.
    """
    until = clock.monotonic() + PATIENCE
    delay = 0.1
    cut_off = False
    while True:
        try:
            outcomes = worker.apply(cell_id, batch)
        except RecoveryError as error:
            if not error.retriable or clock.monotonic() + delay > until:
                error.changed = error.changed or cut_off
                raise
            clock.sleep(delay)
            delay = min(delay * 2, 5.0)
            cut_off = True
        else:
            # What there was to do is done: by this try, or by one whose end was not heard of.
            return [
                replace(one, changed=one.changed or (cut_off and one.refusal is None))
                for one in outcomes
            ]
