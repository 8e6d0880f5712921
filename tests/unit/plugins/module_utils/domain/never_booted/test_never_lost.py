# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However a run is cut, and whatever others do: no instance is lost, and the next run ends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.batch_run import (
    apply_to_all,
    look_at_all,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_request import (
    build_request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    CommitInDoubt,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    Author,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Outcome,
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restorer,
)
from fakes.buried_instance import AUTHOR, OTHER, UUIDS, buried, rows_of, state_of, to_image
from fakes.nova_databases import CELL0, CELL1, CELLS, Cut, FakeDatabases
from fakes.world import World
from hypothesis import given, settings
from hypothesis import strategies as st

MODES = pytest.mark.parametrize("atomic", [True, False], ids=["one server", "several servers"])
IN_CELLS = pytest.mark.parametrize("cell_id", [CELL0, CELL1], ids=["cell0", "cell1"])
IMAGES = pytest.mark.parametrize("image", [None, "other-image"])
TWO = UUIDS[:2]
Act = Callable[[FakeDatabases], list[Outcome]]


def scene(*, atomic: bool, cell_id: int = CELL0) -> FakeDatabases:
    databases = FakeDatabases(atomic=atomic)
    for uuid in TWO:
        buried(databases, uuid, cell_id=cell_id)
    return databases


def prepare(
    databases: FakeDatabases, image: str | None = None, author: Author = AUTHOR
) -> list[Outcome]:
    rewrites = {uuid: to_image(image) for uuid in TWO} if image else {}
    worker = Preparer(databases, author, rewrites=rewrites)
    return list(apply_to_all(worker, look_at_all(worker, TWO), World()))


def bury(databases: FakeDatabases, author: Author = AUTHOR) -> list[Outcome]:
    worker = Restorer(databases, author)
    return list(apply_to_all(worker, look_at_all(worker, TWO), World()))


def watch(databases: FakeDatabases) -> None:
    """At every moment each is served, and what is removed can be put back."""

    def look() -> None:
        for uuid in TWO:
            assert databases.is_served(uuid), f"{uuid} is lost"
            if not databases.is_in_a_cell(uuid):
                assert databases.copy_of(uuid) == rows_of(uuid)

    databases.on_point = look


def assert_prepared(databases: FakeDatabases, image: str | None = None) -> None:
    for uuid in TWO:
        mapping, request = databases.mapping(uuid), databases.request(uuid)
        entry = databases.entry(uuid)
        assert mapping is not None
        assert mapping.cell_id is None
        assert request is not None
        expected = build_request(rows_of(uuid, **({"image_ref": image} if image else {})), None)
        assert request.instance == expected.instance
        assert request.created_at == databases.moment
        assert [databases.rows_of(uuid, cell_id) for cell_id in CELLS] == [None, None]
        assert entry is not None
        assert entry.state == journal.PREPARED
        assert databases.copy_of(uuid) == rows_of(uuid)
        hints = json.loads(databases.spec(uuid))["nova_object.data"]["scheduler_hints"]
        assert hints == ({image: ["0"]} if image else {})


def states(databases: FakeDatabases) -> list[Any]:
    return [state_of(databases, uuid) for uuid in TWO]


def points_of(databases: FakeDatabases, act: Act) -> range:
    """Every point of an act, counted from where the databases are."""
    before = databases.points
    act(databases)
    return range(1, databases.points - before + 1)


def cut(databases: FakeDatabases, act: Act, point: int) -> None:
    databases.cut_at = databases.points + point
    with pytest.raises(Cut):
        act(databases)
    databases.cut_at = None


@MODES
@IN_CELLS
@IMAGES
def test_a_preparation_that_is_cut_is_finished_by_the_next(
    atomic: bool, cell_id: int, image: str | None
) -> None:
    def act(databases: FakeDatabases) -> list[Outcome]:
        return prepare(databases, image)

    points = points_of(scene(atomic=atomic, cell_id=cell_id), act)
    assert len(points) > 20
    for point in points:
        databases = scene(atomic=atomic, cell_id=cell_id)
        beginning = states(databases)
        watch(databases)
        cut(databases, act, point)
        # One that is prepared already is refused another image, whether it is the same or not.
        done = all(one.state == journal.PREPARED for one in map(databases.entry, TWO) if one)
        if not (image and databases.entry(TWO[0]) and done):
            act(databases)
        assert_prepared(databases, image)
        bury(databases)
        assert states(databases) == beginning, point
        assert [databases.entry(uuid) for uuid in TWO] == [None, None]


@MODES
@IN_CELLS
@IMAGES
def test_a_preparation_that_is_cut_is_put_back(
    atomic: bool, cell_id: int, image: str | None
) -> None:
    def act(databases: FakeDatabases) -> list[Outcome]:
        return prepare(databases, image)

    for point in points_of(scene(atomic=atomic, cell_id=cell_id), act):
        databases = scene(atomic=atomic, cell_id=cell_id)
        beginning = states(databases)
        watch(databases)
        cut(databases, act, point)
        assert not [one for one in bury(databases) if one.refusal]
        assert states(databases) == beginning, point
        assert [databases.entry(uuid) for uuid in TWO] == [None, None]
        assert not any(one.changed for one in bury(databases))


@MODES
@IN_CELLS
@IMAGES
@pytest.mark.parametrize("then_prepare", [False, True])
def test_a_restoration_that_is_cut_is_finished_or_turned_round(
    atomic: bool, cell_id: int, image: str | None, then_prepare: bool
) -> None:
    first = scene(atomic=atomic, cell_id=cell_id)
    prepare(first, image)
    for point in points_of(first, bury):
        databases = scene(atomic=atomic, cell_id=cell_id)
        beginning = states(databases)
        prepare(databases, image)
        watch(databases)
        cut(databases, bury, point)
        if then_prepare:
            assert not [one for one in prepare(databases) if one.refusal]
            for uuid in TWO:
                assert databases.mapping(uuid) is not None
                assert databases.rows_of(uuid, cell_id) is None
                assert databases.copy_of(uuid) == rows_of(uuid)
        assert not [one for one in bury(databases) if one.refusal]
        assert states(databases) == beginning, point
        assert [databases.entry(uuid) for uuid in TWO] == [None, None]


@MODES
@pytest.mark.parametrize("act", [prepare, bury])
def test_a_conflict_or_a_lost_connection_is_gone_through(atomic: bool, act: Act) -> None:
    def ready() -> FakeDatabases:
        databases = scene(atomic=atomic)
        if act is bury:
            prepare(databases)
        return databases

    def worker(databases: FakeDatabases) -> Any:
        make: Any = Preparer if act is prepare else Restorer
        return make(databases, AUTHOR)

    first = ready()
    found = look_at_all(worker(first), TWO)
    total = points_of(
        first, lambda databases: list(apply_to_all(worker(databases), found, World()))
    )
    for point in total:
        databases = ready()
        watch(databases)
        found = look_at_all(worker(databases), TWO)
        databases.fail_at = (databases.points + point, CommitInDoubt("lost"))
        outcomes = list(apply_to_all(worker(databases), found, World()))
        assert [(one.changed, one.refusal) for one in outcomes] == [(True, None)] * 2, point
        for uuid in TWO:
            entry = databases.newest(uuid)
            assert entry is not None
            assert entry.state == (journal.PREPARED if act is prepare else journal.RESTORED)
        assert all(
            databases.mapping(uuid).cell_id == (None if act is prepare else CELL0) for uuid in TWO
        )  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("act", "step"), [(prepare, 1), (prepare, 2), (prepare, 3), (bury, 1), (bury, 2)]
)
def test_what_its_user_deletes_between_two_steps_stays_deleted(step: int, act: Act) -> None:
    databases = scene(atomic=False)
    if act is bury:
        prepare(databases)
    gone, other = TWO
    databases.steps_done = 0
    databases.after_step[step] = lambda: databases.user_deletes(gone)
    act(databases)
    act(databases)
    mapping = databases.mapping(gone)
    assert mapping is not None
    assert mapping.queued_for_delete
    assert databases.request(gone) is None
    assert databases.is_served(other)


def test_a_build_request_that_is_deleted_is_not_written_again() -> None:
    databases = scene(atomic=False)
    databases.after_step[2] = lambda: databases.user_adds_metadata(TWO[0], "k", "v") or None
    cut(databases, prepare, _commit_of_step(2))
    databases.user_adds_metadata(TWO[0], "late", "v")
    # Rows and BuildRequest differ now, so that the next run writes the BuildRequest anew ...
    databases.state["cell0"]["rows"][TWO[0]]["instances"][0]["display_name"] = "other"
    databases.steps_done = 0

    def delete_only_the_request() -> None:
        # ... and Nova's API deletes it a moment before it says so in the mapping.
        databases.state["api"]["requests"].pop(TWO[0])

    databases.after_step[1] = delete_only_the_request
    outcomes = {one.instance_uuid: one for one in prepare(databases)}
    assert databases.request(TWO[0]) is None
    assert_closed(databases, outcomes[TWO[0]])


def assert_closed(databases: FakeDatabases, one: Outcome) -> None:
    """It was deleted, and nothing that a run has left of it stays."""
    assert one.closing is not None
    assert not databases.is_in_a_cell(one.instance_uuid)
    newest = databases.newest(one.instance_uuid)
    assert newest is not None
    assert newest.state == journal.DELETED


def _commit_of_step(number: int) -> int:
    """The point right after this step is committed on the API's server."""
    databases = scene(atomic=False)
    seen: list[int] = []
    original = databases.point

    def point(name: str) -> None:
        original(name)
        if name == "committed api":
            seen.append(databases.points)

    databases.point = point  # type: ignore[method-assign]
    prepare(databases)
    return seen[number - 1]


def test_metadata_given_between_two_steps_are_kept() -> None:
    databases = scene(atomic=False)
    databases.after_step[1] = lambda: databases.user_adds_metadata(TWO[0], "new", "v") or None
    outcomes = prepare(databases)
    assert [one.refusal for one in outcomes] == [None, None]
    request = databases.request(TWO[0])
    assert request is not None
    assert json.loads(request.instance)["nova_object.data"]["metadata"] == {"k": "v", "new": "v"}
    bury(databases)
    rows = databases.rows_of(TWO[0])
    assert rows is not None
    assert [row["key"] for row in rows["instance_metadata"]] == ["k", "new"]


@IN_CELLS
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("other", [prepare, bury], ids=["prepare", "bury"])
def test_another_run_between_two_steps_of_a_preparation(
    step: int, other: Any, cell_id: int
) -> None:
    databases = scene(atomic=False, cell_id=cell_id)
    watch(databases)
    databases.after_step[step] = lambda: other(databases, author=OTHER) and None
    worker = Preparer(databases, AUTHOR)
    # Without the next try: it must leave what the other one has made.
    with pytest.raises(RecoveryError) as caught:
        worker.apply(cell_id, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert caught.value.retriable
    if other is prepare:
        assert_prepared(databases)
    else:
        assert all(databases.rows_of(uuid, cell_id) is not None for uuid in TWO)
    prepare(databases)
    assert_prepared(databases)


@pytest.mark.parametrize("step", [1, 2])
def test_a_preparation_leaves_what_was_built_and_buried_again_meanwhile(step: int) -> None:
    databases = scene(atomic=False)

    def others() -> None:
        prepare(databases, author=OTHER)
        for uuid in TWO:
            entry = databases.entry(uuid)
            assert entry is not None
            with databases.transaction(None) as transaction, transaction.step():
                databases.journal.advance(
                    [uuid], expected=[journal.PREPARED], state=journal.SUBMITTED, author=OTHER
                )
            # The conductor finds no host again.
            databases.state["cell0"]["rows"][uuid] = rows_as_tables(uuid)
            databases.state["api"]["requests"].pop(uuid)
            databases.map(uuid, cell_id=CELL0)

    databases.after_step[step] = others
    watch_served(databases)
    with pytest.raises(RecoveryError) as caught:
        Preparer(databases, AUTHOR).apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    for uuid in TWO:
        mapping = databases.mapping(uuid)
        assert mapping is not None
        assert mapping.cell_id == CELL0
        assert databases.rows_of(uuid) is not None


def rows_as_tables(uuid: str) -> Any:
    return {name: [dict(row) for row in rows] for name, rows in rows_of(uuid).tables.items()}


def watch_served(databases: FakeDatabases) -> None:
    def look() -> None:
        assert all(databases.is_served(uuid) for uuid in TWO)

    databases.on_point = look


def test_the_conductor_is_not_asked_while_one_is_put_back() -> None:
    databases = scene(atomic=False)
    prepare(databases)
    databases.steps_done = 0
    moved: list[int] = []

    def submit() -> None:
        with databases.transaction(None) as transaction, transaction.step():
            moved.append(
                databases.journal.advance(
                    TWO, expected=[journal.PREPARED], state=journal.SUBMIT_INTENDED, author=OTHER
                )
            )

    databases.after_step[1] = submit
    outcomes = bury(databases)
    # Its rows are in cell0 again: a second set of them would be built.
    assert moved == [0]
    assert all(one.changed and one.refusal is None for one in outcomes)
    assert states(databases) == states(scene(atomic=False))


def test_a_restoration_stops_when_another_run_has_taken_it_back() -> None:
    databases = scene(atomic=False)
    prepare(databases)
    databases.steps_done = 0
    databases.after_step[1] = lambda: prepare(databases, author=OTHER) and None
    with pytest.raises(RecoveryError) as caught:
        Restorer(databases, AUTHOR).apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert_prepared(databases)


def test_a_restoration_maps_nothing_to_rows_that_are_gone() -> None:
    databases = scene(atomic=False)
    cut(databases, prepare, _commit_of_step(2))
    databases.steps_done = 0
    worker = Restorer(databases, AUTHOR)
    databases.after_step[1] = lambda: prepare(databases, author=OTHER) and None
    watch(databases)
    with pytest.raises(RecoveryError) as caught:
        worker.apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert_prepared(databases)


def die_after(databases: FakeDatabases, act: Act, *, step: int) -> None:
    """Have a run die when this step is committed on every server, and the next one on none."""

    def die() -> None:
        raise Cut

    databases.steps_done = 0
    databases.after_step[step] = die
    with pytest.raises(Cut):
        act(databases)


def die_at_commit(databases: FakeDatabases, act: Act, *, step: int) -> None:
    """Have a run die when the API's server has committed this step."""
    original = databases.point
    commits: list[str] = []

    def point(name: str) -> None:
        original(name)
        commits.append(name)
        if commits.count("committed api") == step:
            raise Cut

    databases.point = point  # type: ignore[method-assign]
    with pytest.raises(Cut):
        act(databases)
    databases.point = original  # type: ignore[method-assign]


def test_a_name_that_is_changed_between_two_steps_is_kept() -> None:
    databases = scene(atomic=False)

    def rename() -> None:
        databases.state["cell0"]["rows"][TWO[0]]["instances"][0]["display_name"] = "renamed"

    databases.after_step[1] = rename
    prepare(databases)
    request = databases.request(TWO[0])
    assert request is not None
    assert json.loads(request.instance)["nova_object.data"]["display_name"] == "renamed"
    bury(databases)
    rows = databases.rows_of(TWO[0])
    assert rows is not None
    assert rows["instances"][0]["display_name"] == "renamed"


def test_what_another_run_has_copied_meanwhile_is_not_exposed_from_older_rows() -> None:
    databases = scene(atomic=False)

    def others() -> None:
        assert databases.user_adds_metadata(TWO[0], "new", "v")
        die_after(databases, lambda one: prepare(one, author=OTHER), step=1)

    databases.after_step[1] = others
    with pytest.raises(RecoveryError) as caught:
        Preparer(databases, AUTHOR).apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    prepare(databases)
    request = databases.request(TWO[0])
    assert request is not None
    assert json.loads(request.instance)["nova_object.data"]["metadata"] == {"k": "v", "new": "v"}


def test_rows_stay_when_another_run_died_just_after_it_had_mapped_them_again() -> None:
    databases = scene(atomic=False)
    # The mapping is committed, and what the journal says is not.
    databases.after_step[2] = lambda: die_at_commit(
        databases, lambda others: bury(others, author=OTHER), step=2
    )
    watch(databases)
    with pytest.raises(RecoveryError) as caught:
        Preparer(databases, AUTHOR).apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert [databases.mapping(uuid).cell_id for uuid in TWO] == [CELL0, CELL0]  # type: ignore[union-attr]
    prepare(databases)
    assert_prepared(databases)


def test_what_a_cut_run_meant_to_rewrite_does_not_come_back_later() -> None:
    databases = scene(atomic=False)
    die_after(databases, lambda one: prepare(one, "other-image"), step=1)
    entry = databases.entry(TWO[0])
    assert entry is not None
    assert entry.request_spec == databases.spec(TWO[0])
    # The spec was copied, not rewritten; then network_request changes it.
    uuid = TWO[0]
    changed = databases.spec(uuid).replace('"tag": "a"', '"tag": "b"')
    assert changed != databases.spec(uuid)
    with databases.transaction(None) as transaction, transaction.step():
        databases.api.replace_request_spec(databases.api.request_specs([uuid])[uuid], changed)
    prepare(databases)
    bury(databases)
    assert databases.spec(uuid) == changed


def change_networks(databases: FakeDatabases, uuid: str) -> str:
    """What network_request does; the new spec."""
    changed = databases.spec(uuid).replace('"tag": "a"', '"tag": "b"')
    with databases.transaction(None) as transaction, transaction.step():
        assert databases.api.replace_request_spec(
            databases.api.request_specs([uuid])[uuid], changed
        )
    return changed


@pytest.mark.parametrize("act", ["prepare", "bury"])
def test_a_spec_that_is_changed_between_two_steps_is_not_overwritten(act: str) -> None:
    databases = scene(atomic=False)
    worker: Any = Preparer(databases, AUTHOR, rewrites=dict.fromkeys(TWO, to_image("other-image")))
    if act == "bury":
        worker.apply(CELL0, TWO)
        worker = Restorer(databases, AUTHOR)
    changed: list[str] = []
    databases.steps_done = 0
    databases.after_step[1] = lambda: changed.append(change_networks(databases, TWO[0]))
    watch_served(databases)
    with pytest.raises(RecoveryError) as caught:
        worker.apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert caught.value.details == {"instances": [TWO[0]]}
    assert changed == [databases.spec(TWO[0])]


def test_what_is_deleted_while_it_is_put_back_does_not_come_back() -> None:
    databases = scene(atomic=False)
    prepare(databases)
    databases.steps_done = 0
    # Nova's API deletes the BuildRequest a moment before it says so in the mapping.
    databases.after_step[1] = lambda: databases.state["api"]["requests"].pop(TWO[0]) and None
    outcomes = {one.instance_uuid: one for one in bury(databases)}
    assert_closed(databases, outcomes[TWO[0]])
    assert databases.mapping(TWO[0]).cell_id is None  # type: ignore[union-attr]
    assert outcomes[TWO[1]].changed


def test_a_mapping_that_does_not_move_undoes_the_step() -> None:
    databases = scene(atomic=True)
    beginning = states(databases)
    move = databases.api.map_instances

    def one_less(*uuids: Any, **to: Any) -> int:
        return move(*uuids, **to) - 1

    databases.api.map_instances = one_less  # type: ignore[method-assign]
    with pytest.raises(RecoveryError) as caught:
        Preparer(databases, AUTHOR).apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert states(databases) == beginning
    assert databases.entry(TWO[0]) is None


def test_a_restoration_looks_again_for_rows_that_a_dying_preparation_removed() -> None:
    databases = scene(atomic=False)
    die_after(databases, prepare, step=2)
    databases.steps_done = 0

    def removed_but_not_noted() -> None:
        for uuid in TWO:
            del databases.state["cell0"]["rows"][uuid]

    databases.after_step[1] = removed_but_not_noted
    watch_served(databases)
    with pytest.raises(RecoveryError) as caught:
        Restorer(databases, AUTHOR).apply(CELL0, TWO)
    assert caught.value.code == "changed_meanwhile"
    assert not [one for one in bury(databases) if one.refusal]
    assert [databases.entry(uuid) for uuid in TWO] == [None, None]


def test_a_half_done_rewrite_gives_way_to_another_one() -> None:
    databases = scene(atomic=False)
    beginning = states(databases)
    cut(databases, lambda one: prepare(one, "first-image"), _commit_of_step(2))
    prepare(databases, "second-image")
    assert_prepared(databases, "second-image")
    bury(databases)
    assert states(databases) == beginning


class Story:
    """One instance's way through runs that are cut and others that come between."""

    def __init__(self, *, atomic: bool, cell_id: int) -> None:
        self.databases = scene(atomic=atomic, cell_id=cell_id)
        self.cell_id = cell_id
        self.keys = ["k"]
        self.deleted = False
        self.databases.on_point = self._look

    def _look(self) -> None:
        for uuid in TWO[int(self.deleted) :]:
            assert self.databases.is_served(uuid)
            if not self.databases.is_in_a_cell(uuid):
                copied = self.databases.copy_of(uuid)
                assert copied is not None
                keys = [row["key"] for row in copied.all("instance_metadata")]
                assert keys == (self.keys if uuid == TWO[0] else ["k"])
        if self.deleted:
            assert self.databases.request(TWO[0]) is None

    def do(self, what: str, cut_at: int | None, step: int | None) -> None:
        if what in ("delete", "metadata") and step is not None:
            # At some step of the next run.
            self.databases.steps_done = 0
            self.databases.after_step[step] = getattr(self, what)
        elif what in ("delete", "metadata"):
            getattr(self, what)()
        else:
            acts: dict[str, Act] = {
                "prepare": prepare,
                "prepare by another": lambda databases: prepare(databases, author=OTHER),
                "bury": bury,
            }
            if cut_at is not None:
                self.databases.cut_at = self.databases.points + cut_at
            try:
                acts[what](self.databases)
            except Cut:
                pass
            finally:
                self.databases.cut_at = None

    def delete(self) -> None:
        if not self.deleted:
            # What follows may look at any moment.
            self.deleted = True
            self.databases.user_deletes(TWO[0])

    def metadata(self) -> None:
        key = f"key-{len(self.keys)}"
        if self.databases.user_adds_metadata(TWO[0], key, "v"):
            self.keys.append(key)


@settings(max_examples=150, deadline=None)
@given(
    atomic=st.booleans(),
    cell_id=st.sampled_from([CELL0, CELL1]),
    what=st.lists(
        st.tuples(
            st.sampled_from(
                ["prepare", "prepare by another", "bury", "metadata", "metadata", "delete"]
            ),
            st.none() | st.integers(1, 80),
            st.none() | st.integers(1, 3),
        ),
        max_size=8,
    ),
)
def test_whatever_happens_nothing_is_lost(
    atomic: bool, cell_id: int, what: list[tuple[str, int | None, int | None]]
) -> None:
    story = Story(atomic=atomic, cell_id=cell_id)
    databases = story.databases
    beginning = state_of(databases, TWO[1])
    for act in what:
        story.do(*act)
    databases.after_step.clear()
    prepare(databases)
    for uuid in TWO[int(story.deleted) :]:
        entry = databases.entry(uuid)
        assert entry is not None
        assert entry.state == journal.PREPARED
        assert databases.rows_of(uuid, cell_id) is None
    bury(databases)
    assert state_of(databases, TWO[1]) == beginning
    if story.deleted:
        assert databases.request(TWO[0]) is None
        return
    rows = databases.rows_of(TWO[0], cell_id)
    assert rows is not None
    assert [row["key"] for row in rows["instance_metadata"]] == story.keys
    mapping = databases.mapping(TWO[0])
    assert mapping is not None
    assert mapping.cell_id == cell_id
