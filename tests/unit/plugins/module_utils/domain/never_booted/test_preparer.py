# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writes of a preparation, and their order. What cuts do is in test_never_lost.py."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    NewEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)
from fakes.buried_instance import AUTHOR, INSTANCE_UUID, UUIDS, buried, half_done, rows_of, to_image
from fakes.nova_databases import CELL0, CELL1, CELLS, FakeDatabases

UUID = INSTANCE_UUID


@pytest.fixture(params=[True, False], ids=["one server", "several servers"])
def databases(request: pytest.FixtureRequest) -> FakeDatabases:
    return FakeDatabases(atomic=request.param)


def writes(databases: FakeDatabases) -> list[str]:
    reads = ("mappings", "requests", "specs", "entries", "copies", "now", "rows of")
    return [name for name in databases.calls if not name.startswith(reads)]


def test_the_copy_comes_first_and_the_rows_go_last(databases: FakeDatabases) -> None:
    buried(databases)
    outcomes = Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    assert [(one.instance_uuid, one.changed, one.refusal) for one in outcomes] == [
        (UUID, True, None)
    ]
    assert writes(databases) == [
        "begin",
        "take_again",
        "insert_build_requests",
        "map_instances",
        "delete_instance_rows",
        "advance to prepared",
    ]
    assert databases.state["cell0"]["steps"] == [(UUID, "taken"), (UUID, "prepared")]


def test_a_batch_takes_as_many_writes_as_one(databases: FakeDatabases) -> None:
    for uuid in UUIDS:
        buried(databases, uuid)
    Preparer(databases, AUTHOR).apply(CELL0, UUIDS)
    assert len(writes(databases)) == 6


def test_everything_is_read_under_lock(databases: FakeDatabases) -> None:
    buried(databases)
    Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    assert databases.locked[:5] == ["mappings", "requests", "specs", "entries", "rows of cell0"]


def test_nothing_more_is_done_to_what_is_prepared(databases: FakeDatabases) -> None:
    buried(databases)
    worker = Preparer(databases, AUTHOR)
    worker.apply(CELL0, [UUID])
    before = databases.request(UUID), databases.entry(UUID)
    assert [one.changed for one in worker.apply(CELL0, [UUID])] == [False]
    assert (databases.request(UUID), databases.entry(UUID)) == before


def test_what_is_refused_stays_as_it_is_beside_the_others(databases: FakeDatabases) -> None:
    good, gone = UUIDS[:2]
    buried(databases, good)
    buried(databases, gone)
    databases.map(gone, queued_for_delete=True)
    outcomes = {
        one.instance_uuid: one for one in Preparer(databases, AUTHOR).apply(CELL0, UUIDS[:2])
    }
    assert outcomes[good].changed
    refusal = outcomes[gone].refusal
    assert refusal is not None
    assert refusal.code == "deleted"
    assert databases.rows_of(gone) is not None


def test_one_that_was_moved_to_another_cell_is_left(databases: FakeDatabases) -> None:
    buried(databases, cell_id=CELL1)
    (one,) = Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    assert one.refusal is not None
    assert one.refusal.code == "changed_meanwhile"
    assert databases.rows_of(UUID, CELL1) is not None


def test_what_cannot_be_read_is_refused(databases: FakeDatabases) -> None:
    buried(databases)

    def broken(*_args: object) -> None:
        raise RecoveryError("unexpected_object", "what is this")

    (one,) = Preparer(databases, AUTHOR, rewrites={UUID: broken}).apply(CELL0, [UUID])  # type: ignore[dict-item]
    assert one.refusal is not None
    assert (one.refusal.code, one.refusal.message) == ("unexpected_object", "what is this")
    assert databases.entry(UUID) is None


def test_a_rewrite_changes_request_and_spec_but_not_the_copy(databases: FakeDatabases) -> None:
    buried(databases)
    before = databases.spec(UUID)
    Preparer(databases, AUTHOR, rewrites={UUID: to_image("i")}).apply(CELL0, [UUID])
    request, entry = databases.request(UUID), databases.entry(UUID)
    assert request is not None
    assert '"image_ref": "i"' in request.instance
    assert databases.spec(UUID) != before
    assert entry is not None
    assert entry.request_spec == before
    assert databases.copy_of(UUID) == rows_of(UUID)


@pytest.mark.parametrize(
    ("state", "became"),
    [
        (journal.SUBMITTED, journal.BURIED_AGAIN),
        (journal.SUBMIT_INTENDED, journal.BURIED_AGAIN),
        (journal.PREPARED, journal.RESTORED),
    ],
)
def test_what_nova_has_ended_is_closed_first(
    databases: FakeDatabases, state: str, became: str
) -> None:
    buried(databases)
    entry = NewEntry(instance_uuid=UUID, state=state, cell_uuid=None, project_id=None)
    with databases.transaction(None) as transaction, transaction.step():
        databases.journal.begin([entry], AUTHOR)
    Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    entries = [entry.state for entry, _text in databases.state["cell0"]["entries"].values()]
    assert entries == [became, journal.PREPARED]


def test_a_build_that_was_cut_off_does_not_replace_the_first_copy(databases: FakeDatabases) -> None:
    half_done(databases, cell_id=CELL1)
    first = rows_of(UUID, display_name="as it was buried")
    entry = NewEntry(
        instance_uuid=UUID,
        state=journal.PREPARED,
        cell_uuid=CELLS[CELL0].uuid,
        project_id=None,
        rows=first,
    )
    with databases.transaction(None) as transaction, transaction.step():
        databases.journal.begin([entry], AUTHOR)
    (one,) = Preparer(databases, AUTHOR).apply(CELL1, [UUID])
    assert one.changed
    assert databases.rows_of(UUID, CELL1) is None
    assert databases.copy_of(UUID) == first
    now = databases.entry(UUID)
    assert now is not None
    assert (now.state, now.cell_uuid) == (journal.PREPARED, CELLS[CELL0].uuid)


def test_a_burial_that_nova_never_finished_keeps_its_request(databases: FakeDatabases) -> None:
    half_done(databases)
    databases.map(UUID, cell_id=CELL0)
    before = databases.request(UUID)
    (one,) = Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    assert one.changed
    assert databases.request(UUID) == before
    assert databases.mapping(UUID).cell_id is None  # type: ignore[union-attr]


def test_a_plan_changes_nothing(databases: FakeDatabases) -> None:
    buried(databases)
    assert set(Preparer(databases, AUTHOR).plan([UUID], whole=True)) == {UUID}
    assert writes(databases) == []
    assert databases.locked == []
