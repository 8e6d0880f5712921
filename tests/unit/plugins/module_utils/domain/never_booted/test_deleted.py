# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rebuild has left of an instance that its user has deleted meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.deleted import (
    Closing,
    Left,
    decide,
    find_left,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Scope,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.observation import (
    observe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restorer,
)
from fakes.build_scene import BuildScene
from fakes.buried_instance import AUTHOR, OTHER, UUIDS, buried, rows_of, tables_of
from fakes.listing_databases import ListingDatabases
from fakes.nova_databases import CELL0, CELL1, CELLS, Cut, FakeDatabases

UUID = UUIDS[0]
IN_CELLS = pytest.mark.parametrize("cell_id", [CELL0, CELL1], ids=["cell0", "cell1"])


def exposed(*, cell_id: int = CELL0, worker: Any = Preparer) -> FakeDatabases:
    """A run was killed when the API served the BuildRequest, and the rows were there as well."""
    databases = FakeDatabases(atomic=False)
    buried(databases, UUID, cell_id=cell_id)
    if worker is Restorer:
        Preparer(databases, AUTHOR).apply(cell_id, [UUID])
        databases.steps_done = 0

    def die() -> None:
        raise Cut

    databases.after_step[2 if worker is Preparer else 1] = die
    with pytest.raises(Cut):
        worker(databases, AUTHOR).apply(cell_id, [UUID])
    assert databases.request(UUID) is not None
    assert databases.rows_of(UUID, cell_id) is not None
    return databases


def delete(databases: FakeDatabases, *, forgotten: bool = False) -> None:
    """As a user does, and as Nova purges later."""
    databases.user_deletes(UUID)
    if forgotten:
        del databases.state["api"]["mappings"][UUID]


@IN_CELLS
@pytest.mark.parametrize("cut_off", [Preparer, Restorer])
@pytest.mark.parametrize("next_run", [Preparer, Restorer])
@pytest.mark.parametrize("forgotten", [False, True])
def test_rows_that_are_those_of_the_copy_are_removed(
    cut_off: Any, next_run: Any, cell_id: int, forgotten: bool
) -> None:
    databases = exposed(cell_id=cell_id, worker=cut_off)
    delete(databases, forgotten=forgotten)
    (done,) = next_run(databases, OTHER).apply(cell_id, [UUID])
    assert (done.changed, done.refusal) == (True, None)
    assert done.closing is not None
    assert "rows" in done.closing.message
    assert not databases.is_in_a_cell(UUID)
    assert databases.entry(UUID) is None
    newest = databases.newest(UUID)
    assert newest is not None
    assert (newest.state, newest.run_id) == (journal.DELETED, OTHER.run_id)
    (again,) = next_run(databases, OTHER).apply(cell_id, [UUID])
    assert not again.changed


def test_it_is_done_again_where_the_run_that_did_it_was_cut_off() -> None:
    first = exposed()
    delete(first)
    begin = first.points
    Preparer(first, OTHER).apply(CELL0, [UUID])
    for point in range(1, first.points - begin + 1):
        databases = exposed()
        delete(databases)
        databases.cut_at = databases.points + point
        with pytest.raises(Cut):
            Preparer(databases, OTHER).apply(CELL0, [UUID])
        databases.cut_at = None
        Preparer(databases, OTHER).apply(CELL0, [UUID])
        assert not databases.is_in_a_cell(UUID), point
        assert databases.entry(UUID) is None, point


def test_rows_that_are_not_those_of_the_copy_stay_and_are_told() -> None:
    databases = exposed()
    delete(databases)
    databases.state["cell0"]["rows"][UUID]["instances"][0]["display_name"] = "other"
    for worker in (Preparer, Restorer):
        (done,) = worker(databases, OTHER).apply(CELL0, [UUID])
        assert not done.changed
        assert done.refusal is not None
        assert done.refusal.code == "rows_left"
        assert "cell0" in done.refusal.message
    assert databases.is_in_a_cell(UUID)
    # It stays open, so that it is told again.
    assert databases.entry(UUID) is not None


def test_rows_in_another_cell_stay_and_are_told() -> None:
    databases = exposed()
    delete(databases)
    databases.state["cell1"]["rows"][UUID] = tables_of(UUID)
    found = decide(observe(databases, [UUID])[UUID], CELLS)
    assert isinstance(found, Refusal)
    assert "cell0, cell1" in found.message


def test_rows_that_it_is_mapped_to_are_left_to_nova() -> None:
    databases = FakeDatabases(atomic=False)
    buried(databases, UUID)
    databases.after_step[1] = lambda: databases.map(UUID, queued_for_delete=True)
    with pytest.raises(RecoveryError, match="meanwhile"):
        Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    (done,) = Preparer(databases, AUTHOR).apply(CELL0, [UUID])
    assert done.closing is not None
    assert done.closing.rows is None
    assert databases.rows_of(UUID) is not None
    newest = databases.newest(UUID)
    assert newest is not None
    assert newest.state == journal.DELETED


def test_what_the_conductor_was_asked_for_is_left_to_it() -> None:
    databases = exposed()
    with databases.transaction(None) as transaction, transaction.step():
        databases.journal.advance(
            [UUID], expected=[journal.TAKEN], state=journal.SUBMITTED, author=AUTHOR
        )
    delete(databases)
    found = decide(observe(databases, [UUID])[UUID], CELLS)
    assert isinstance(found, Closing)
    assert found.rows is None


def test_a_first_look_decides_on_no_rows() -> None:
    databases = exposed()
    delete(databases)
    found = decide(observe(databases, [UUID], whole=False)[UUID], CELLS)
    assert isinstance(found, Closing)
    assert found.rows is None


def test_what_is_not_deleted_or_not_open_is_not_concerned() -> None:
    databases = exposed()
    assert decide(observe(databases, [UUID])[UUID], CELLS) is None
    databases.state["cell0"]["entries"].clear()
    delete(databases)
    assert decide(observe(databases, [UUID])[UUID], CELLS) is None


def test_a_build_removes_them_too() -> None:
    scene = BuildScene(atomic=False)
    scene.prepared(UUID)
    scene.databases.state["cell0"]["rows"][UUID] = tables_of(UUID)
    scene.databases.user_deletes(UUID)
    done = scene.build(UUID)
    assert (done.result, done.changed) == ("deleted", True)
    assert "removed" in done.message
    assert not scene.databases.is_in_a_cell(UUID)
    assert scene.state(UUID) == journal.DELETED


def test_a_build_tells_of_those_that_it_leaves() -> None:
    scene = BuildScene(atomic=False)
    scene.prepared(UUID)
    scene.databases.state["cell0"]["rows"][UUID] = tables_of(UUID, display_name="other")
    scene.databases.user_deletes(UUID)
    done = scene.build(UUID)
    assert (done.result, done.changed) == ("deleted", False)
    assert "compare them" in done.message


def listed() -> ListingDatabases:
    databases = ListingDatabases()
    databases.bury(UUID)
    databases.note(UUID, journal.TAKEN, project_id="p")
    databases.map(UUID, cell_id=None)
    return databases


def test_a_listing_tells_of_them_and_where_their_rows_are() -> None:
    databases = listed()
    (left,) = find_left(databases, Scope())
    assert left.entry.instance_uuid == UUID
    assert left.cells == ("cell0",)
    databases.state["cell0"]["rows"].clear()
    assert find_left(databases, Scope())[0].cells == ()
    del databases.state["api"]["mappings"][UUID]
    assert find_left(databases, Scope())[0].cells == ()


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(instance_uuids=[UUID], project_id="p"), 1),
        (Scope(instance_uuids=["other"]), 0),
        (Scope(project_id="other"), 0),
    ],
)
def test_a_listing_tells_of_those_that_are_asked_for(scope: Scope, found: int) -> None:
    assert len(find_left(listed(), scope)) == found


def test_a_listing_tells_of_no_other() -> None:
    databases = ListingDatabases()
    databases.bury(UUID)
    databases.note(UUID, journal.TAKEN)
    databases.leave_behind(UUIDS[1])
    databases.note(UUIDS[1], journal.PREPARED)
    databases.bury(UUIDS[2])
    databases.note(UUIDS[2], journal.DELETED)
    databases.user_deletes(UUIDS[2])
    assert find_left(databases, Scope()) == []


def test_one_that_is_mapped_between_two_reads_is_not_called_deleted() -> None:
    databases = listed()
    heads = databases.api.build_request_heads

    def mapped_meanwhile(uuids: Any) -> Any:
        databases.map(UUID, cell_id=CELL0)
        return heads(uuids)

    databases.api.build_request_heads = mapped_meanwhile
    found: list[Left] = find_left(databases, Scope())
    assert found == []
    assert databases.rows_of(UUID) is not None
    assert rows_of(UUID).instance_uuid == UUID
