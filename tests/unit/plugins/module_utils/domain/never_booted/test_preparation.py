# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be prepared, what is refused, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
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
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparation import (
    NOVA_SETTLES,
    Preparation,
    decide,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from fakes.buried_instance import (
    INSTANCE_UUID,
    buried,
    half_done,
    rows_of,
    spec_text,
    to_image,
)
from fakes.nova_databases import CELL0, CELL1, CELLS, FakeDatabases

UUID = INSTANCE_UUID


@pytest.fixture
def databases() -> FakeDatabases:
    return FakeDatabases()


def look(databases: FakeDatabases, **changes: Any) -> Observation:
    return replace(observe(databases, [UUID])[UUID], **changes)


def entry(state: str, *, cell_id: int = CELL0, **fields: Any) -> JournalEntry:
    return JournalEntry(
        id=1,
        instance_uuid=UUID,
        state=state,
        run_id="r",
        operator="o",
        cell_uuid=CELLS[cell_id].uuid,
        **fields,
    )


def rewritten_entry(**fields: Any) -> JournalEntry:
    """Of a run that was cut off when it had rewritten the spec."""
    return entry(journal.TAKEN, **{"request_spec": spec_text(), "spec_rewritten": True, **fields})


def code(found: Preparation | Refusal | None) -> str | None:
    return found.code if isinstance(found, Refusal) else None


def prepared(found: Preparation | Refusal | None) -> Preparation:
    assert isinstance(found, Preparation), found
    return found


@pytest.mark.parametrize("cell_id", [CELL0, CELL1])
def test_a_dead_one_is_taken_from_its_cell(databases: FakeDatabases, cell_id: int) -> None:
    buried(databases, cell_id=cell_id)
    plan = prepared(decide(look(databases), CELLS))
    assert (plan.uuid, plan.cell_id, plan.mapped, plan.keeps, plan.gone) == (
        UUID,
        cell_id,
        True,
        False,
        False,
    )
    assert plan.rows == rows_of(UUID)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"launched_at": "then"}, "has_booted"),
        ({"vm_state": "building"}, "still_building"),
        ({"task_state": "spawning"}, "still_building"),
        ({"host": "compute-1"}, "on_host"),
    ],
)
def test_what_is_at_work_or_has_booted_is_refused(
    databases: FakeDatabases, columns: dict[str, Any], expected: str
) -> None:
    buried(databases, cell_id=CELL1)
    databases.state["cell1"]["rows"][UUID]["instances"][0].update(columns)
    found = decide(look(databases), CELLS)
    assert code(found) == expected


def test_one_on_a_host_is_taken_when_that_is_stated(databases: FakeDatabases) -> None:
    buried(databases, cell_id=CELL1)
    databases.state["cell1"]["rows"][UUID]["instances"][0]["host"] = "compute-1"
    assert prepared(decide(look(databases), CELLS, allow_on_host=True)).cell_id == CELL1


def test_what_is_not_there_is_refused(databases: FakeDatabases) -> None:
    assert code(decide(look(databases), CELLS)) == "instance_not_found"
    buried(databases)
    assert code(decide(look(databases, rows={}), CELLS)) == "rows_missing"
    databases.map(UUID, queued_for_delete=True)
    assert code(decide(look(databases), CELLS)) == "deleted"


def test_without_a_spec_or_networks_it_is_refused(databases: FakeDatabases) -> None:
    buried(databases)
    assert code(decide(look(databases, request_spec=None), CELLS)) == "request_spec_missing"
    stored = look(databases).request_spec
    assert stored is not None
    unknown = replace(stored, spec=spec_text(networks=False))
    assert code(decide(look(databases, request_spec=unknown), CELLS)) == "networks_unknown"


@pytest.mark.parametrize("text", ["{", "[]", '{"nova_object.name": "Flavor"}'])
def test_a_spec_that_cannot_be_read_refuses_this_one_only(
    databases: FakeDatabases, text: str
) -> None:
    buried(databases)
    stored = look(databases).request_spec
    assert stored is not None
    found = decide(look(databases, request_spec=replace(stored, spec=text)), CELLS)
    assert code(found) == "unexpected_object"


@pytest.mark.parametrize("state", sorted(journal.SUBMITTED_STATES))
def test_one_that_the_conductor_may_have_is_refused(databases: FakeDatabases, state: str) -> None:
    half_done(databases)
    del databases.state["cell0"]["rows"][UUID]
    assert code(decide(look(databases, entry=entry(state)), CELLS)) == "being_built"


@pytest.mark.parametrize("state", sorted(journal.SUBMITTED_STATES))
def test_one_that_was_buried_again_is_taken_again(databases: FakeDatabases, state: str) -> None:
    buried(databases)
    assert prepared(decide(look(databases, entry=entry(state)), CELLS)).mapped


@pytest.mark.parametrize("state", [None, journal.PREPARED])
def test_one_that_is_prepared_needs_nothing(databases: FakeDatabases, state: str | None) -> None:
    half_done(databases)
    del databases.state["cell0"]["rows"][UUID]
    seen = look(databases, entry=entry(state) if state else None)
    assert decide(seen, CELLS) is None
    assert code(decide(seen, CELLS, rewrite=to_image("i"))) == "already_prepared"


def test_one_whose_rows_are_gone_is_called_prepared(databases: FakeDatabases) -> None:
    half_done(databases, cell_id=CELL1)
    del databases.state["cell1"]["rows"][UUID]
    seen = look(databases, entry=entry(journal.TAKEN, cell_id=CELL1), copy=rows_of(UUID))
    plan = prepared(decide(seen, CELLS))
    assert (plan.gone, plan.keeps, plan.cell_id, plan.rows) == (True, True, CELL1, rows_of(UUID))
    # A first look has no copy.
    assert prepared(decide(replace(seen, copy=None), CELLS)).cell_id == CELL1
    assert code(decide(seen, CELLS, rewrite=to_image("i"))) == "already_prepared"
    rewritten = replace(seen, entry=rewritten_entry(cell_id=CELL1))
    assert prepared(decide(rewritten, CELLS, rewrite=to_image("i"))).gone


@pytest.mark.parametrize("cell_id", [CELL0, CELL1])
def test_what_nova_left_half_done_is_finished_when_it_is_old(
    databases: FakeDatabases, cell_id: int
) -> None:
    half_done(databases, cell_id=cell_id)
    plan = prepared(decide(look(databases), CELLS))
    assert (plan.keeps, plan.mapped, plan.cell_id) == (True, False, cell_id)
    assert code(decide(look(databases), CELLS, rewrite=to_image("i"))) == "burial_unfinished"


@pytest.mark.parametrize("mapped", [False, True])
def test_nova_is_left_to_finish_what_it_writes(databases: FakeDatabases, mapped: bool) -> None:
    # It maps an instance before it has written all rows, and removes the BuildRequest last.
    half_done(databases)
    if mapped:
        databases.map(UUID, cell_id=CELL0)
    written = databases.state["cell0"]["rows"][UUID]["instances"][0]["updated_at"]
    databases.moment = written + NOVA_SETTLES - timedelta(seconds=1)
    assert code(decide(look(databases), CELLS)) == "still_building"
    assert prepared(decide(look(databases), CELLS, settles=timedelta(seconds=30))).keeps
    databases.later(seconds=1)
    assert prepared(decide(look(databases), CELLS)).keeps


def test_a_second_burial_that_goes_on_is_left_to_nova(databases: FakeDatabases) -> None:
    half_done(databases)
    databases.map(UUID, cell_id=CELL0)
    databases.moment = databases.state["cell0"]["rows"][UUID]["instances"][0]["updated_at"]
    found = decide(look(databases, entry=entry(journal.SUBMITTED)), CELLS)
    assert code(found) == "still_building"


def test_our_own_cut_is_finished_at_once(databases: FakeDatabases) -> None:
    half_done(databases)
    databases.moment = databases.state["cell0"]["rows"][UUID]["instances"][0]["updated_at"]
    taken = entry(journal.TAKEN)
    same = look(databases, entry=taken, copy=rows_of(UUID))
    assert prepared(decide(same, CELLS)).keeps
    changed = replace(same, copy=rows_of(UUID, display_name="before"))
    assert not prepared(decide(changed, CELLS)).keeps
    rewritten = replace(changed, entry=rewritten_entry())
    assert code(decide(rewritten, CELLS)) == "changed_meanwhile"
    assert prepared(decide(rewritten, CELLS, rewrite=to_image("i"))).rewrite is not None


def test_rows_that_a_build_left_are_not_compared_with_the_copy(databases: FakeDatabases) -> None:
    half_done(databases, cell_id=CELL1)
    seen = look(databases, entry=entry(journal.TAKEN), copy=rows_of(UUID, display_name="first"))
    assert prepared(decide(seen, CELLS)).keeps


def test_rows_in_two_cells_need_a_person(databases: FakeDatabases) -> None:
    half_done(databases)
    databases.state["cell1"]["rows"][UUID] = databases.state["cell0"]["rows"][UUID]
    assert code(decide(look(databases), CELLS)) == "rows_in_several_cells"


def test_what_is_written_says_when(databases: FakeDatabases) -> None:
    buried(databases)
    writing = prepared(decide(look(databases), CELLS)).build()
    assert writing.uuid == UUID
    assert writing.spec is None
    assert writing.build_request is not None
    assert writing.build_request.created_at == databases.moment


def test_the_zone_is_the_one_that_was_asked_for(databases: FakeDatabases) -> None:
    buried(databases)
    stored = look(databases).request_spec
    assert stored is not None
    asked = replace(stored, spec=spec_text(availability_zone="zone"))
    writing = prepared(decide(look(databases, request_spec=asked), CELLS)).build()
    assert writing.build_request is not None
    made = json.loads(writing.build_request.instance)["nova_object.data"]
    assert made["availability_zone"] == "zone"


def test_what_is_kept_is_not_written(databases: FakeDatabases) -> None:
    half_done(databases)
    writing = prepared(decide(look(databases), CELLS)).build()
    assert (writing.build_request, writing.spec) == (None, None)


def test_the_copy_is_of_the_rows_as_they_were(databases: FakeDatabases) -> None:
    buried(databases)
    new = prepared(decide(look(databases), CELLS, rewrite=to_image("i"))).build().entry(CELLS)
    assert (new.rows, new.request_spec) == (rows_of(UUID), databases.spec(UUID))
    assert (new.state, new.cell_uuid) == (journal.TAKEN, CELLS[CELL0].uuid)
    assert new.project_id == rows_of(UUID).instance["project_id"]
    plain = prepared(decide(look(databases), CELLS)).build().entry(CELLS)
    assert plain.request_spec == databases.spec(UUID)
    assert (plain.spec_rewritten, plain.build_spec) == (False, None)
    assert new.spec_rewritten
    assert new.build_spec is not None
    assert json.loads(new.build_spec)["nova_object.data"]["scheduler_hints"] == {"i": ["0"]}


def test_the_spec_in_the_journal_is_the_first_one(databases: FakeDatabases) -> None:
    half_done(databases)
    kept = rewritten_entry(request_spec=spec_text(num_instances=3))
    seen = look(databases, entry=kept, copy=rows_of(UUID))
    writing = prepared(decide(seen, CELLS, rewrite=to_image("i"))).build()
    assert writing.entry(CELLS).request_spec == kept.request_spec
    assert writing.spec is not None
    made = json.loads(writing.spec)["nova_object.data"]
    assert made["num_instances"] == 3
    assert made["scheduler_hints"] == {"i": ["0"]}
