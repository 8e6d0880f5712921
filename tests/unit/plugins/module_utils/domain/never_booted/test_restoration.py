# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is put back, what is refused. What cuts do is in test_never_lost.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    JournalEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.observation import (
    Observation,
    observe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restoration,
    Restorer,
    decide,
)
from fakes.buried_instance import (
    AUTHOR,
    INSTANCE_UUID,
    OTHER,
    UUIDS,
    buried,
    half_done,
    rows_of,
    state_of,
    to_image,
)
from fakes.nova_databases import CELL0, CELL1, CELLS, FakeDatabases

UUID = INSTANCE_UUID


@pytest.fixture(params=[True, False], ids=["one server", "several servers"])
def databases(request: pytest.FixtureRequest) -> FakeDatabases:
    return FakeDatabases(atomic=request.param)


def prepared(databases: FakeDatabases, cell_id: int = CELL0, image: str | None = None) -> None:
    buried(databases, cell_id=cell_id)
    rewrites: Any = {UUID: to_image(image)} if image else {}
    Preparer(databases, AUTHOR, rewrites=rewrites).apply(cell_id, [UUID])
    databases.calls.clear()


def look(databases: FakeDatabases, **changes: Any) -> Observation:
    return replace(observe(databases, [UUID])[UUID], **changes)


def entry(state: str, cell_id: int | None = CELL0) -> JournalEntry:
    cell_uuid = CELLS[cell_id].uuid if cell_id else None
    return JournalEntry(
        id=1, instance_uuid=UUID, state=state, run_id="r", operator="o", cell_uuid=cell_uuid
    )


def code(found: Restoration | Refusal | None) -> str | None:
    return found.code if isinstance(found, Refusal) else None


def test_one_that_is_in_its_cell_needs_nothing(databases: FakeDatabases) -> None:
    buried(databases)
    assert decide(look(databases), CELLS, None) is None


@pytest.mark.parametrize("state", sorted(journal.OPEN_STATES))
def test_an_entry_of_one_that_is_back_is_closed(databases: FakeDatabases, state: str) -> None:
    buried(databases)
    plan = decide(look(databases, entry=entry(state)), CELLS, rows_of(UUID))
    assert isinstance(plan, Restoration)
    assert (plan.rows, plan.unmapped, plan.cell_id) == (None, False, CELL0)


@pytest.mark.parametrize("state", [journal.TAKEN, journal.PREPARED])
def test_one_that_is_prepared_gets_its_rows(databases: FakeDatabases, state: str) -> None:
    half_done(databases)
    del databases.state["cell0"]["rows"][UUID]
    plan = decide(look(databases, entry=entry(state)), CELLS, rows_of(UUID))
    assert isinstance(plan, Restoration)
    assert (plan.rows, plan.unmapped, plan.cell_id) == (rows_of(UUID), True, CELL0)


def test_rows_that_are_there_stay(databases: FakeDatabases) -> None:
    half_done(databases)
    plan = decide(look(databases, entry=entry(journal.TAKEN)), CELLS, rows_of(UUID, host="x"))
    assert isinstance(plan, Restoration)
    assert plan.rows is None


@pytest.mark.parametrize("state", sorted(journal.SUBMITTED_STATES))
def test_one_that_the_conductor_may_have_is_refused(databases: FakeDatabases, state: str) -> None:
    half_done(databases)
    del databases.state["cell0"]["rows"][UUID]
    assert code(decide(look(databases, entry=entry(state)), CELLS, rows_of(UUID))) == "being_built"


def test_without_a_copy_there_is_nothing_to_put_back(databases: FakeDatabases) -> None:
    half_done(databases)
    del databases.state["cell0"]["rows"][UUID]
    assert code(decide(look(databases), CELLS, None)) == "no_copy"
    taken = look(databases, entry=entry(journal.PREPARED))
    assert code(decide(taken, CELLS, None)) == "no_copy"
    nowhere = look(databases, entry=entry(journal.PREPARED, None))
    assert code(decide(nowhere, CELLS, rows_of(UUID))) == "no_copy"


def test_rows_elsewhere_are_a_build_that_was_cut_off(databases: FakeDatabases) -> None:
    half_done(databases, cell_id=CELL1)
    found = decide(look(databases, entry=entry(journal.PREPARED)), CELLS, rows_of(UUID))
    assert code(found) == "rows_in_several_cells"


def test_what_is_no_longer_dead_is_refused(databases: FakeDatabases) -> None:
    assert code(decide(look(databases), CELLS, None)) == "instance_not_found"
    buried(databases, cell_id=CELL1)
    row = databases.state["cell1"]["rows"][UUID]["instances"][0]
    row["launched_at"] = "then"
    assert code(decide(look(databases), CELLS, None)) == "has_booted"
    row.update(launched_at=None, vm_state="building")
    assert code(decide(look(databases), CELLS, None)) == "still_building"
    databases.user_deletes(UUID)
    assert code(decide(look(databases), CELLS, None)) == "deleted"


@pytest.mark.parametrize("cell_id", [CELL0, CELL1])
@pytest.mark.parametrize("image", [None, "other-image"])
def test_it_is_put_back_exactly(databases: FakeDatabases, cell_id: int, image: str | None) -> None:
    buried(databases, cell_id=cell_id)
    before = state_of(databases, UUID)
    prepared(databases, cell_id, image)
    assert state_of(databases, UUID) != before
    (one,) = Restorer(databases, OTHER).apply(cell_id, [UUID])
    assert (one.changed, one.refusal) == (True, None)
    assert state_of(databases, UUID) == before
    newest = databases.newest(UUID)
    assert newest is not None
    assert (newest.state, newest.run_id) == (journal.RESTORED, OTHER.run_id)


def test_the_rows_come_first_and_the_entry_is_closed_last(databases: FakeDatabases) -> None:
    prepared(databases)
    Restorer(databases, AUTHOR).apply(CELL0, [UUID])
    reads = ("mappings", "requests", "specs", "entries", "copies", "now", "rows of")
    assert [name for name in databases.calls if not name.startswith(reads)] == [
        "insert_instance_rows",
        *([] if databases.atomic else ["advance to taken"]),
        "delete_build_requests",
        "map_instances",
        "advance to restored",
    ]


def test_many_take_no_more_calls_than_one(databases: FakeDatabases) -> None:
    for uuid in UUIDS:
        buried(databases, uuid)
    before = [state_of(databases, uuid) for uuid in UUIDS]
    Preparer(databases, AUTHOR).apply(CELL0, UUIDS)
    databases.calls.clear()
    Restorer(databases, AUTHOR).apply(CELL0, UUIDS)
    assert [state_of(databases, uuid) for uuid in UUIDS] == before
    assert databases.calls.count("advance to restored") == 1


def test_nothing_more_is_done_to_what_is_back(databases: FakeDatabases) -> None:
    prepared(databases)
    worker = Restorer(databases, AUTHOR)
    worker.apply(CELL0, [UUID])
    assert [(one.changed, one.refusal) for one in worker.apply(CELL0, [UUID])] == [(False, None)]


def test_one_that_nova_buried_again_is_said_to_be(databases: FakeDatabases) -> None:
    prepared(databases)
    with databases.transaction(None) as transaction, transaction.step():
        databases.journal.advance(
            [UUID], expected=[journal.PREPARED], state=journal.SUBMITTED, author=AUTHOR
        )
    databases.user_deletes(UUID)
    buried(databases)
    Restorer(databases, AUTHOR).apply(CELL0, [UUID])
    newest = databases.newest(UUID)
    assert newest is not None
    assert newest.state == journal.BURIED_AGAIN


def test_one_of_another_cell_is_refused(databases: FakeDatabases) -> None:
    prepared(databases, CELL1)
    (one,) = Restorer(databases, AUTHOR).apply(CELL0, [UUID])
    assert not one.changed
    assert one.refusal is not None
    assert one.refusal.code == "changed_meanwhile"
    assert databases.rows_of(UUID, CELL1) is None


def test_what_is_refused_stays_beside_the_others(databases: FakeDatabases) -> None:
    for uuid in UUIDS[:2]:
        buried(databases, uuid)
    Preparer(databases, AUTHOR).apply(CELL0, UUIDS[:2])
    databases.user_deletes(UUIDS[1])
    good, gone = Restorer(databases, AUTHOR).apply(CELL0, UUIDS[:2])
    assert good.changed
    assert gone.closing is not None
    assert databases.entry(UUIDS[1]) is None
    (again,) = Restorer(databases, AUTHOR).apply(CELL0, UUIDS[1:2])
    assert again.refusal is not None
    assert again.refusal.code == "deleted"


def test_everything_is_read_under_lock(databases: FakeDatabases) -> None:
    prepared(databases)
    databases.locked.clear()
    Restorer(databases, AUTHOR).apply(CELL0, [UUID])
    assert databases.locked[:3] == ["mappings", "requests", "specs"]
