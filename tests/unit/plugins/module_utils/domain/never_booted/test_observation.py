# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which situation an instance is in, and what an open entry of the journal has become."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    observation as o,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    JournalEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    InstanceMapping,
    InstanceRows,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.observation import (
    Observation,
    observe,
    outcome,
    situation,
)
from fakes.buried_instance import AUTHOR, INSTANCE_UUID, UUIDS, buried, half_done, rows_of
from fakes.nova_databases import CELL0, CELL1, CELLS, FakeDatabases

DEAD: dict[str, Any] = {
    "vm_state": "error",
    "task_state": None,
    "host": None,
    "launched_at": None,
}


def rows(**columns: Any) -> InstanceRows:
    return rows_of(INSTANCE_UUID, **{**DEAD, **columns})


def seen(
    mapped: int | str | None, *, request: bool = False, queued: bool = False, **cells: InstanceRows
) -> Observation:
    mapping = InstanceMapping(
        instance_uuid=INSTANCE_UUID,
        cell_id=mapped if isinstance(mapped, int) else None,
        queued_for_delete=queued,
    )
    return Observation(
        instance_uuid=INSTANCE_UUID,
        mapping=None if mapped == "none" else mapping,
        build_request=BuildRequestRow(
            instance_uuid=INSTANCE_UUID,
            project_id="p",
            instance="{}",
            block_device_mappings="{}",
            tags="{}",
        )
        if request
        else None,
        rows={int(name[-1]) + 1: of for name, of in cells.items()},
    )


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (seen("none"), o.UNKNOWN),
        (seen("none", cell0=rows()), o.DELETED),
        (seen("none", request=True), o.DELETED),
        (seen(CELL0, queued=True, cell0=rows()), o.DELETED),
        (seen(None, queued=True, request=True), o.DELETED),
        (seen(None), o.DELETED),
        (seen(None, cell0=rows()), o.DELETED),
        (seen(None, request=True), o.LEFT_BEHIND),
        (seen(None, request=True, cell0=rows()), o.HALF_BURIED),
        (seen(None, request=True, cell1=rows()), o.HALF_BUILT),
        (seen(None, request=True, cell0=rows(), cell1=rows()), o.HALF_BUILT),
        (seen(None, request=True, cell1=rows(launched_at="then")), o.BOOTED),
        (seen(CELL0, cell0=rows()), o.BURIED),
        (seen(CELL0, cell0=rows(vm_state="building", task_state="scheduling")), o.BURIED),
        (seen(CELL0, request=True, cell0=rows()), o.BURIED),
        (seen(CELL0), o.ROWS_MISSING),
        (seen(CELL1), o.ROWS_MISSING),
        (seen(CELL1, cell0=rows()), o.ROWS_MISSING),
        (seen(77), o.ROWS_MISSING),
        (seen(CELL1, cell1=rows()), o.DIED),
        (seen(CELL1, cell1=rows(host="compute-1")), o.DIED_ON_HOST),
        (seen(CELL1, cell1=rows(vm_state="building")), o.BUILDING),
        (seen(CELL1, cell1=rows(task_state="spawning")), o.BUILDING),
        (seen(CELL1, cell1=rows(launched_at="then")), o.BOOTED),
        (seen(CELL1, cell1=rows(launched_at="then", vm_state="active")), o.BOOTED),
        (seen(CELL0, cell0=rows(launched_at="then")), o.BOOTED),
    ],
)
def test_situation(what: Observation, expected: str) -> None:
    assert situation(what, CELLS) == expected


def test_only_the_three_classes_can_be_rebuilt() -> None:
    assert o.CLASSES == {
        o.BURIED: "a",
        o.DIED: "b",
        o.DIED_ON_HOST: "b",
        o.LEFT_BEHIND: "c",
        o.HALF_BURIED: "c",
        o.HALF_BUILT: "c",
    }


ALL = [
    *o.CLASSES,
    o.BUILDING,
    o.BOOTED,
    o.DELETED,
    o.ROWS_MISSING,
    o.UNKNOWN,
]
BACK = {
    journal.TAKEN: None,
    journal.PREPARED: journal.RESTORED,
    journal.SUBMIT_INTENDED: journal.BURIED_AGAIN,
    journal.SUBMITTED: journal.BURIED_AGAIN,
}
DIED = {
    **BACK,
    journal.SUBMIT_INTENDED: journal.DIED,
    journal.SUBMITTED: journal.DIED,
}


@pytest.mark.parametrize("state", sorted(journal.OPEN_STATES))
@pytest.mark.parametrize("now", ALL)
def test_outcome(now: str, state: str) -> None:
    entry = JournalEntry(id=1, instance_uuid=INSTANCE_UUID, state=state, run_id="r", operator="o")
    expected: str | None = {
        o.DELETED: journal.DELETED,
        o.UNKNOWN: journal.DELETED,
        o.BOOTED: journal.BUILT,
        o.BURIED: BACK[state],
        o.DIED: DIED[state],
        o.DIED_ON_HOST: DIED[state],
    }.get(now)
    assert outcome(Observation(instance_uuid=INSTANCE_UUID, entry=entry), now) == expected


@pytest.mark.parametrize("now", ALL)
def test_without_an_entry_nothing_became_of_it(now: str) -> None:
    assert outcome(Observation(instance_uuid=INSTANCE_UUID), now) is None


@pytest.fixture
def databases() -> FakeDatabases:
    return FakeDatabases()


def test_everything_is_read(databases: FakeDatabases) -> None:
    uuid = buried(databases)
    found = observe(databases, [uuid])[uuid]
    assert found.mapping == databases.mapping(uuid)
    assert found.request_spec is not None
    assert found.request_spec.spec == databases.spec(uuid)
    assert found.build_request is None
    assert found.rows == {CELL0: rows_of(uuid)}
    assert found.mapped_rows == rows_of(uuid)
    assert found.seen_at == databases.moment


def test_the_number_of_queries_does_not_depend_on_the_number_of_instances(
    databases: FakeDatabases,
) -> None:
    for uuid in UUIDS:
        buried(databases, uuid)
    observe(databases, UUIDS[:1])
    one = len(databases.calls)
    observe(databases, UUIDS)
    assert len(databases.calls) == 2 * one


def test_one_that_is_mapped_nowhere_is_looked_for_in_every_cell(databases: FakeDatabases) -> None:
    uuid = half_done(databases, cell_id=CELL1)
    assert set(observe(databases, [uuid])[uuid].rows) == {CELL1}
    unknown = observe(databases, ["unknown"])["unknown"]
    assert situation(unknown, CELLS) == o.UNKNOWN
    assert [name for name in databases.calls if name.startswith("rows of")] == [
        "rows of cell0",
        "rows of cell1",
    ] * 2


def test_one_that_is_mapped_is_looked_for_in_its_cell_only(databases: FakeDatabases) -> None:
    observe(databases, [buried(databases)])
    assert "rows of cell1" not in databases.calls


def test_a_first_look_takes_only_the_row_of_instances(databases: FakeDatabases) -> None:
    uuid = buried(databases)
    found = observe(databases, [uuid], whole=False)[uuid]
    assert found.mapped_rows is not None
    assert set(found.mapped_rows.tables) == {"instances"}


def test_under_lock_all_that_is_decided_on_is_locked_in_one_order(databases: FakeDatabases) -> None:
    uuid = buried(databases)
    observe(databases, [uuid])
    assert databases.locked == []
    observe(databases, [uuid], lock=True)
    assert databases.locked == ["mappings", "requests", "specs", "entries", "rows of cell0"]


@pytest.mark.parametrize(
    ("state", "has_copy"),
    [(journal.TAKEN, True), (journal.PREPARED, True), (journal.SUBMITTED, False)],
)
def test_only_a_copy_that_may_differ_is_read(
    databases: FakeDatabases, state: str, has_copy: bool
) -> None:
    uuid = buried(databases)
    entry = journal.NewEntry(
        instance_uuid=uuid, state=state, cell_uuid=None, project_id=None, rows=rows_of(uuid)
    )
    with databases.transaction(None):
        databases.journal.begin([entry], AUTHOR)
    found = observe(databases, [uuid])[uuid]
    assert found.entry is not None
    assert found.entry.state == state
    assert (found.copy == rows_of(uuid)) == has_copy


def test_an_instance_is_read_once(databases: FakeDatabases) -> None:
    uuid = buried(databases)
    assert list(observe(databases, [uuid, uuid])) == [uuid]
