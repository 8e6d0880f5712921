# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repairing the cell in which Nova looks for instances."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    cell_mapping,
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.cell_mapping import (
    Remapper,
    find_cell,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    CELL0_UUID,
    Cell,
)
from fakes.buried_instance import AUTHOR, UUIDS, buried
from fakes.nova_databases import CELL0, CELL1, CELLS, FakeDatabases

A, B = UUIDS[:2]


def refusals(databases: FakeDatabases, remapper: Remapper, *uuids: str) -> dict[str, str]:
    before = databases.committed
    with pytest.raises(RecoveryError) as caught:
        remapper.plan(uuids)
    assert caught.value.code == "refused"
    assert databases.committed == before
    return {uuid: one["code"] for uuid, one in caught.value.details["instances"].items()}


@pytest.mark.parametrize(
    ("word", "cell_id"),
    [
        ("none", None),
        ("cell0", CELL0),
        (CELL0_UUID, CELL0),
        ("cell1", CELL1),
        ("F145D26B-e87a-4e73-9963-aff460b3d1fa", CELL1),
    ],
)
def test_a_cell_by_its_words(word: str, cell_id: int | None) -> None:
    assert find_cell(word, CELLS) == cell_id


def test_an_unknown_cell_is_told_with_those_that_are_known() -> None:
    with pytest.raises(RecoveryError, match=r"none, cell0 \(0000.*cell1 \(f145") as caught:
        find_cell("cell9", CELLS)
    assert caught.value.code == "cell_not_found"


def test_a_name_that_two_cells_have_is_ambiguous_and_the_uuid_is_not() -> None:
    twice = {**CELLS, 3: Cell(id=3, uuid="f145d26b-e87a-4e73-9963-aff460b3d1fb", name="cell1")}
    with pytest.raises(RecoveryError) as caught:
        find_cell("cell1", twice)
    assert caught.value.code == "cell_ambiguous"
    assert find_cell(twice[3].uuid, twice) == 3


def test_cell0_is_found_when_it_has_no_name_or_another_has_it() -> None:
    cells = {
        **CELLS,
        CELL0: replace(CELLS[CELL0], name=None),
        3: Cell(id=3, uuid="x", name="cell0"),
    }
    assert find_cell("cell0", cells) == CELL0


def test_a_mapping_that_was_lost_is_put_right() -> None:
    databases = FakeDatabases()
    for uuid in (A, B):
        buried(databases, uuid, cell_id=CELL1)
    databases.map(A, cell_id=None)
    remapper = Remapper(databases, CELL1)
    plans = remapper.plan([A, B, A])
    assert [(plan.instance_uuid, plan.changes) for plan in plans] == [(A, True), (B, False)]
    assert plans[0].shown(CELLS) == {
        "uuid": A,
        "before": "none",
        "after": "cell1",
        "changed": True,
        "rows_in": ["cell1"],
        "build_request": False,
    }
    assert plans[0].diff(CELLS)["before"] == {"cell": "none"}
    assert plans[0].diff(CELLS)["after"] == {"cell": "cell1"}
    assert databases.mapping(A).cell_id is None  # type: ignore[union-attr]
    remapper.apply(plans)
    assert databases.mapping(A).cell_id == CELL1  # type: ignore[union-attr]
    assert not any(plan.changes for plan in remapper.plan([A, B]))


def test_nothing_to_change_is_no_transaction() -> None:
    databases = FakeDatabases()
    buried(databases, A)
    remapper = Remapper(databases, CELL0)
    plans = remapper.plan([A])
    databases.calls.clear()
    remapper.apply(plans)
    assert databases.calls == []


def test_all_are_refused_for_one() -> None:
    databases = FakeDatabases()
    buried(databases, A, cell_id=CELL1)
    databases.map(A, cell_id=CELL0)
    buried(databases, B)
    found = refusals(databases, Remapper(databases, CELL1), A, B, "unknown")
    assert found == {B: "rows_not_in_cell", "unknown": "instance_not_found"}
    assert databases.mapping(A).cell_id == CELL0  # type: ignore[union-attr]


def test_to_none_needs_a_build_request_and_rows_elsewhere_are_told() -> None:
    databases = FakeDatabases()
    buried(databases, A)
    remapper = Remapper(databases, None)
    assert refusals(databases, remapper, A) == {A: "no_build_request"}
    databases.add_request(A)
    [plan] = remapper.plan([A])
    assert plan.elsewhere() == (CELL0,)
    remapper.apply([plan])
    assert databases.mapping(A).cell_id is None  # type: ignore[union-attr]


def test_what_was_deleted_or_is_being_built_keeps_its_mapping() -> None:
    databases = FakeDatabases()
    for uuid in (A, B):
        buried(databases, uuid)
        databases.map(uuid, cell_id=None)
    databases.map(A, queued_for_delete=True)
    entry = journal.NewEntry(
        instance_uuid=B, state=journal.SUBMITTED, cell_uuid=None, project_id=None
    )
    with databases.transaction(None):
        databases.journal.begin([entry], AUTHOR)
    found = refusals(databases, Remapper(databases, CELL0), A, B)
    assert found == {A: "deleted", B: "being_built"}


def test_unverified_all_but_a_deleted_one_is_mapped_anywhere() -> None:
    databases = FakeDatabases()
    buried(databases, A)
    remapper = Remapper(databases, CELL1, verify=False)
    remapper.apply(remapper.plan([A]))
    assert databases.mapping(A).cell_id == CELL1  # type: ignore[union-attr]
    databases.map(A, queued_for_delete=True)
    assert refusals(databases, remapper, A) == {A: "deleted"}


def test_it_must_be_where_it_is_expected_or_already_there() -> None:
    databases = FakeDatabases()
    buried(databases, A)
    databases.map(A, cell_id=CELL1)
    assert refusals(databases, Remapper(databases, CELL0, expected=(None,)), A) == {
        A: "unexpected_cell"
    }
    remapper = Remapper(databases, CELL0, expected=(CELL1,))
    remapper.apply(remapper.plan([A]))
    # The same call again finds it done.
    [again] = remapper.plan([A])
    assert not again.changes


def test_what_moved_meanwhile_changes_nothing() -> None:
    databases = FakeDatabases()
    for uuid in (A, B):
        buried(databases, uuid)
        databases.map(uuid, cell_id=CELL1)
    remapper = Remapper(databases, CELL0)
    plans = remapper.plan([A, B])
    databases.map(B, cell_id=None)
    with pytest.raises(RecoveryError) as caught:
        remapper.apply(plans)
    assert caught.value.code == "changed_meanwhile"
    assert caught.value.details["instances"] == [B]
    assert databases.mapping(A).cell_id == CELL1  # type: ignore[union-attr]


def test_rows_that_went_meanwhile_are_missed_under_the_lock() -> None:
    databases = FakeDatabases()
    buried(databases, A)
    databases.map(A, cell_id=CELL1)
    remapper = Remapper(databases, CELL0)
    plans = remapper.plan([A])
    databases.state["cell0"]["rows"].pop(A)
    with pytest.raises(RecoveryError) as caught:
        remapper.apply(plans)
    assert caught.value.code == "refused"
    assert "mappings" in databases.locked


def test_a_label_of_a_cell_that_is_gone() -> None:
    assert cell_mapping.label(9, CELLS) == "unknown cell 9"
