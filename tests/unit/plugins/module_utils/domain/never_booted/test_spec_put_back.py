# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A RequestSpec that Nova has removed is put back from the journal, however the run is cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.batch_run import (
    ToDo,
    apply_to_all,
    look_at_all,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Outcome,
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restorer,
)
from fakes.buried_instance import (
    AUTHOR,
    OTHER,
    UUIDS,
    buried,
    rows_of,
    spec_text,
    tables_of,
    to_image,
)
from fakes.nova_databases import CELL0, CELL1, Cut, FakeDatabases
from fakes.world import World

UUID = UUIDS[0]
MODES = pytest.mark.parametrize("atomic", [True, False], ids=["one server", "several servers"])
IMAGES = pytest.mark.parametrize("image", [None, "other-image"])
Act = Callable[[FakeDatabases], list[Outcome]]


def prepare(databases: FakeDatabases, image: str | None = None) -> list[Outcome]:
    rewrites = {UUID: to_image(image)} if image else {}
    worker = Preparer(databases, AUTHOR, rewrites=rewrites)
    return list(apply_to_all(worker, look_at_all(worker, [UUID]), World()))


def bury(databases: FakeDatabases) -> list[Outcome]:
    worker = Restorer(databases, AUTHOR)
    return list(apply_to_all(worker, look_at_all(worker, [UUID]), World()))


def over_quota(*, atomic: bool = True, image: str | None = None) -> FakeDatabases:
    """One that was rebuilt, with another image perhaps, until Nova found its project over quota."""
    databases = FakeDatabases(atomic=atomic)
    buried(databases, UUID)
    prepare(databases, image)
    with databases.transaction(None) as transaction, transaction.step():
        databases.journal.advance(
            [UUID],
            expected=[journal.PREPARED],
            state=journal.SUBMITTED,
            author=OTHER,
            build_spec=databases.state["api"]["specs"][UUID].spec,
        )
    columns = {"image_ref": image} if image else {}
    databases.state["cell1"]["rows"][UUID] = tables_of(UUID, **columns)
    databases.stop_for_quota(UUID, cell_id=CELL1)
    return databases


def built_from(databases: FakeDatabases) -> Any:
    """What its spec says, in whichever order."""
    data = json.loads(databases.spec(UUID))["nova_object.data"]
    networks = data.pop("requested_networks")["nova_object.data"]["objects"]
    return data, [one["nova_object.data"] for one in networks]


@MODES
@IMAGES
def test_it_is_what_the_last_build_was_asked_with(atomic: bool, image: str | None) -> None:
    expected = over_quota(atomic=atomic, image=image).newest(UUID)
    assert expected is not None
    databases = over_quota(atomic=atomic, image=image)
    found = look_at_all(Preparer(databases, AUTHOR), [UUID])
    assert found == {UUID: ToDo(cell_id=CELL1, puts_spec_back=True)}
    (done,) = prepare(databases)
    assert (done.changed, done.refusal) == (True, None)
    assert databases.spec(UUID) == expected.build_spec
    entry = databases.entry(UUID)
    assert entry is not None
    assert (entry.state, entry.spec_rewritten) == (journal.PREPARED, False)
    assert entry.request_spec == expected.build_spec


@MODES
@IMAGES
def test_however_it_is_cut_the_next_run_ends_it(atomic: bool, image: str | None) -> None:
    def act(databases: FakeDatabases) -> list[Outcome]:
        return prepare(databases, image)

    def watch(databases: FakeDatabases) -> None:
        def look() -> None:
            assert databases.is_served(UUID)
            # Who could schedule it must find the spec.
            assert databases.request(UUID) is None or UUID in databases.committed["api"]["specs"]

        databases.on_point = look

    first = over_quota(atomic=atomic)
    kept = first.newest(UUID)
    assert kept is not None
    begin = first.points
    act(first)
    wanted, total = built_from(first), first.points - begin
    assert total > 15
    for point in range(1, total + 1):
        for then in (act, bury):
            databases = over_quota(atomic=atomic)
            watch(databases)
            databases.cut_at = databases.points + point
            with pytest.raises(Cut):
                act(databases)
            databases.cut_at = None
            entry = databases.entry(UUID)
            if then is act:
                # One that is prepared is refused another image.
                if not (image and entry and entry.state == journal.PREPARED):
                    act(databases)
                assert built_from(databases) == wanted, point
            bury(databases)
            assert databases.rows_of(UUID, CELL1) == tables_of(UUID)
            spec = databases.committed["api"]["specs"].get(UUID)
            # A cut before anything was exposed has put nothing back yet.
            assert spec is None or spec.spec == kept.build_spec, point
            act(databases)
            assert built_from(databases) == wanted, point


@MODES
def test_to_put_the_instance_back_puts_the_spec_back_too(atomic: bool) -> None:
    databases = FakeDatabases(atomic=atomic)
    buried(databases, UUID)
    before = databases.spec(UUID)
    prepare(databases)
    del databases.state["api"]["specs"][UUID]
    bury(databases)
    assert databases.spec(UUID) == before


@MODES
def test_one_that_somebody_else_has_put_back_is_not_overwritten(atomic: bool) -> None:
    databases = over_quota(atomic=atomic)
    theirs = spec_text(UUID, num_instances=9)
    insert = databases.api.insert_request_spec

    def late(uuid: str, spec: str) -> bool:
        insert(uuid, theirs)
        return insert(uuid, spec)

    databases.api.insert_request_spec = late  # type: ignore[method-assign]
    with pytest.raises(RecoveryError) as caught:
        Preparer(databases, AUTHOR).apply(CELL1, [UUID])
    assert caught.value.code == "changed_meanwhile"
    assert databases.newest(UUID) is not None


def test_a_rewritten_one_of_which_no_copy_was_kept_is_missing() -> None:
    databases = over_quota(image="other-image")
    entries = databases.state["cell0"]["entries"]
    for number, (entry, rows) in entries.items():
        # As version 1 of the journal has it: what it was before does not fit the rows.
        entries[number] = (replace(entry, build_spec=None), rows)
    found = look_at_all(Preparer(databases, AUTHOR), [UUID])[UUID]
    assert isinstance(found, Refusal)
    assert found.code == "request_spec_missing"


@pytest.mark.parametrize(
    ("state", "mapped", "fields", "kept"),
    [
        (journal.TAKEN, True, {"build_spec": "b", "spec_rewritten": True}, "a"),
        (journal.TAKEN, False, {"build_spec": "b", "spec_rewritten": True}, "b"),
        (journal.PREPARED, False, {}, "a"),
        (journal.PREPARED, False, {"spec_rewritten": True}, None),
        (journal.RESTORED, True, {"build_spec": "b", "spec_rewritten": True}, "a"),
        (journal.DIED, True, {"build_spec": "b"}, "b"),
        (journal.BURIED_AGAIN, True, {}, "a"),
        (journal.DIED, True, {"spec_rewritten": True}, None),
    ],
)
def test_which_copy_is_the_last(state: str, mapped: bool, fields: Any, kept: str | None) -> None:
    entry = journal.JournalEntry(
        id=1, instance_uuid=UUID, state=state, run_id="r", operator="o", request_spec="a", **fields
    )
    assert entry.kept_spec(mapped=mapped) == kept


def test_rows_stay_what_they_were() -> None:
    databases = over_quota()
    prepare(databases)
    assert databases.copy_of(UUID) == rows_of(UUID)
    assert databases.rows_of(UUID, CELL0) is None


@MODES
def test_networks_that_were_stated_meanwhile_are_not_put_back(atomic: bool) -> None:
    databases = FakeDatabases(atomic=atomic)
    buried(databases, UUID)
    prepare(databases)
    stated = spec_text(UUID, num_instances=9)
    specs = databases.state["api"]["specs"]
    specs[UUID] = replace(specs[UUID], spec=stated)
    bury(databases)
    assert databases.spec(UUID) == stated
