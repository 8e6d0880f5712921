# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens: no second message while an earlier one may be alive, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    build_state,
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_state import (
    Build,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    CommitInDoubt,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)
from fakes import conductor as fates
from fakes.build_scene import ONE, SETTLE, BuildScene
from fakes.buried_instance import OTHER, UUIDS
from fakes.nova_databases import CELL0, CELL1, CELLS, Cut
from hypothesis import event, given, settings
from hypothesis import strategies as st

MODES = pytest.mark.parametrize("atomic", [True, False], ids=["one server", "several servers"])
ENDS = {
    fates.BUILD: {build_state.ACTIVE},
    fates.BURY: {build_state.BURIED_AGAIN, build_state.REFUSED},
    fates.DIE: {build_state.DIED, build_state.REFUSED},
    fates.LATE: {build_state.ACTIVE},
    fates.CUT_HALF: {build_state.ACTIVE},
    fates.LOSE: {build_state.ACTIVE},
    fates.IN_DOUBT: {build_state.ACTIVE},
    fates.IN_DOUBT_LOST: {build_state.ACTIVE},
}


def prepared(scene: BuildScene) -> None:
    scene.prepared()


def cut_preparation(scene: BuildScene) -> None:
    scene.prepared(cell_id=CELL1)
    scene.entry(journal.TAKEN)


def left_behind(scene: BuildScene) -> None:
    scene.left_behind(age=SETTLE + 1)


def half_built(scene: BuildScene) -> None:
    scene.half_built(age=SETTLE + 1)


def half_buried(scene: BuildScene) -> None:
    scene.half_built(cell_id=CELL0, age=SETTLE + 1)


def lost(scene: BuildScene) -> None:
    scene.prepared()
    scene.entry(journal.SUBMITTED, age=SETTLE + 1, request_id="req-of-another")


def intended(scene: BuildScene) -> None:
    scene.prepared()
    scene.entry(journal.SUBMIT_INTENDED, age=SETTLE + 1, request_id="req-of-another")


def half_built_and_known(scene: BuildScene) -> None:
    half_built(scene)
    scene.entry(journal.SUBMITTED, age=SETTLE + 1)


BEGINNINGS = [
    prepared,
    cut_preparation,
    left_behind,
    half_built,
    half_buried,
    lost,
    intended,
    half_built_and_known,
]
BEGIN = pytest.mark.parametrize("begin", BEGINNINGS)


def points_of(begin: Callable[[BuildScene], None], *, atomic: bool) -> range:
    scene = BuildScene(atomic=atomic)
    begin(scene)
    before = scene.databases.points
    scene.build()
    return range(1, scene.databases.points - before + 1)


def watch(scene: BuildScene, also: Callable[[], None] = lambda: None) -> None:
    """At every moment the API shows it, unless its user has deleted it."""

    def look() -> None:
        also()
        scene.assert_safe()

    scene.databases.on_point = look


# -- a run that is killed


@pytest.mark.parametrize(
    ("begin", "atomic", "fate"),
    [
        *((begin, False, fates.BUILD) for begin in BEGINNINGS),
        *((prepared, True, fate) for fate in (fates.BURY, fates.LATE, fates.CUT_HALF)),
    ],
)
def test_a_run_that_is_killed_anywhere_is_gone_on_with(
    begin: Callable[[BuildScene], None], atomic: bool, fate: str
) -> None:
    for point in points_of(begin, atomic=atomic):
        scene = BuildScene(atomic=atomic)
        scene.conductor.fates[ONE] = [fate, fates.BUILD]
        scene.conductor.lateness = SETTLE - 200
        begin(scene)
        watch(scene)
        scene.databases.cut_at = scene.databases.points + point
        with suppress(Cut):
            scene.build()
        scene.databases.cut_at = None
        first = scene.conductor.sent(ONE)
        # At once: what may be alive is waited for.
        soon = scene.build()
        assert soon.result is not None
        if first:
            assert scene.conductor.sent(ONE) == first, point
        # And when it cannot be alive any more.
        scene.world.spend(SETTLE)
        end = scene.build()
        if end.result == build_state.STUCK and end.changed:
            # Only this run has sent the first message.
            scene.world.spend(SETTLE)
            end = scene.build()
        assert end.result in ENDS[fate], (point, end)
        assert scene.conductor.sent(ONE) <= (2 if fate == fates.CUT_HALF else 1)
        scene.assert_safe()


@MODES
@pytest.mark.parametrize("sent", [False, True], ids=["before the message", "after it"])
@pytest.mark.parametrize("later", [0.0, SETTLE + 1])
def test_a_run_that_is_killed_at_the_message(atomic: bool, sent: bool, later: float) -> None:
    scene = BuildScene(atomic=atomic)
    scene.prepared()

    def kill() -> None:
        raise Cut

    setattr(scene.conductor, "after" if sent else "before", kill)
    with pytest.raises(Cut):
        scene.build()
    scene.conductor.before = scene.conductor.after = lambda: None
    assert scene.state() == journal.SUBMIT_INTENDED
    scene.world.spend(later)
    done = scene.build()
    if sent or later:
        assert done.result == build_state.ACTIVE
        assert scene.conductor.sent(ONE) == 1
    else:
        # Nobody can know that it was not sent.
        assert done.result == build_state.STUCK
        assert scene.conductor.sent(ONE) == 0
    scene.assert_safe()


# -- a user who deletes


@BEGIN
@pytest.mark.parametrize("atomic", [False])
def test_its_user_deletes_it_at_any_moment(
    begin: Callable[[BuildScene], None], atomic: bool
) -> None:
    for point in points_of(begin, atomic=atomic):
        scene = BuildScene(atomic=atomic)
        begin(scene)
        at = scene.databases.points + point
        deleted: list[int] = []

        def delete(scene: BuildScene, at: int, deleted: list[int]) -> None:
            # Locks keep it from that in between.
            if scene.databases.points >= at and not deleted and not scene.databases.in_transaction:
                deleted.append(scene.conductor.sent(ONE))
                scene.databases.user_deletes(ONE)

        watch(scene, partial(delete, scene, at, deleted))
        done = scene.build()
        assert done.result in (
            build_state.DELETED,
            build_state.ACTIVE,
            build_state.REFUSED,
            build_state.NOT_VERIFIED,
        ), (point, done)
        if deleted:
            # Of one that is gone no message is sent.
            assert scene.conductor.sent(ONE) == deleted[0]
            assert scene.databases.request(ONE) is None
            assert scene.build().result in (build_state.DELETED, build_state.REFUSED)
            assert scene.conductor.sent(ONE) == deleted[0]
        scene.assert_safe()


# -- another run in the middle of this one


@pytest.mark.parametrize(
    ("begin", "atomic", "held_up", "fate"),
    [
        *((begin, False, SETTLE + 100, fates.BUILD) for begin in BEGINNINGS),
        *((lost, True, held_up, fates.BUILD) for held_up in (0.0, 200.0)),
        *((prepared, True, held_up, fates.LATE) for held_up in (0.0, 200.0, SETTLE + 100)),
        (prepared, True, 0.0, fates.BURY),
    ],
)
def test_another_run_does_all_of_it_while_this_one_stands_still(
    begin: Callable[[BuildScene], None], atomic: bool, held_up: float, fate: str
) -> None:
    """Between any two calls: first time passes, then the other one runs, then this one goes on."""
    for point in points_of(begin, atomic=atomic):
        scene = BuildScene(atomic=atomic)
        scene.conductor.fates[ONE] = [fate, fates.BUILD]
        scene.conductor.lateness = SETTLE - 200
        scene.conductor.delay = 60.0
        begin(scene)
        at = scene.databases.points + point
        others: list[Build] = []

        def stand_still(scene: BuildScene, at: int, others: list[Build]) -> None:
            databases = scene.databases
            if databases.points < at or others or databases.in_transaction:
                return
            databases.on_point = None
            scene.world.spend(held_up)
            # It ends before Nova does, so that both are in one another's way.
            others += scene.run([ONE], OTHER, build_timeout=10.0)
            watch(scene)

        scene.databases.on_point = partial(stand_still, scene, at, others)
        done = scene.build(timeout=7200.0)
        assert done.result is not None
        assert all(one.result is not None for one in others)
        scene.assert_safe()
        assert scene.conductor.sent(ONE) <= 1, point
        scene.world.spend(2 * SETTLE)
        end = scene.build()
        if end.result == build_state.STUCK and end.changed:
            scene.world.spend(SETTLE)
            end = scene.build()
        assert end.result in ENDS[fate]
        assert scene.conductor.sent(ONE) <= 1, point
        scene.assert_safe()


@MODES
def test_two_runs_adopt_one_message_that_is_lost(atomic: bool) -> None:
    """The second of them has seen an entry that looks the same but for the time."""
    scene = BuildScene(atomic=atomic)
    lost(scene)
    scene.conductor.delay = 100.0
    original, asked = scene.conductor.queue, []

    def queue() -> Any:
        if not asked:
            asked.append(1)
            scene.run([ONE], OTHER, build_timeout=1.0)
        return original()

    scene.conductor.queue = queue  # type: ignore[method-assign]
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 1
    scene.assert_safe()


@MODES
def test_the_end_of_one_build_is_not_noted_with_the_next(atomic: bool) -> None:
    """A run that was held up when it had seen the burial, until the next round was handed over."""
    scene = BuildScene(atomic=atomic)
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.BURY, fates.LATE]
    scene.conductor.lateness = 500.0
    builder = scene.builder()
    original, again = builder._close, []

    def close(seen: Any, state: str) -> None:
        if not again:
            again.append(1)
            (prepared_again,) = Preparer(scene.databases, OTHER).apply(CELL0, [ONE])
            assert prepared_again.changed
            scene.run([ONE], OTHER, build_timeout=1.0)
        original(seen, state)

    builder._close = close  # type: ignore[method-assign]
    (done,) = builder.run([ONE])
    assert done.result == build_state.BURIED_AGAIN
    assert scene.state() == journal.SUBMITTED
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 2
    scene.assert_safe()


@MODES
def test_a_run_that_was_held_up_before_its_message_does_not_send_it(atomic: bool) -> None:
    """Others count its age from the intent, and would take it for lost too soon."""
    scene = BuildScene(atomic=atomic)
    scene.prepared()
    scene.conductor.allocations[ONE] = "compute-9"
    slept: list[float] = []
    original = scene.cloud.allocation_hosts

    def slow(uuid: str) -> frozenset[str]:
        if not slept:
            slept.append(scene.world.now)
            scene.world.spend(SETTLE - 100)
        return original(uuid)

    scene.cloud.allocation_hosts = slow  # type: ignore[method-assign]
    sent_at: list[Any] = []

    def before() -> None:
        entry = scene.databases.entry(ONE)
        assert entry is not None
        assert entry.updated_at is not None
        sent_at.append((scene.databases.moment - entry.updated_at).total_seconds())

    scene.conductor.before = before
    assert scene.build().result == build_state.ACTIVE
    assert sent_at == [0.0]
    scene.assert_safe()


def test_nova_maps_it_between_two_reads() -> None:
    """The mapping is read as none, and then the BuildRequest is gone: that is no deletion."""
    scene = BuildScene()
    scene.prepared()
    original, turns = scene.databases.api.build_requests, []

    def build_requests(uuids: Any, *, lock: bool = False) -> Any:
        if scene.conductor.messages and not lock and not turns:
            turns.append(1)
            scene.world.spend(2.5)
        return original(uuids, lock=lock)

    scene.databases.api.build_requests = build_requests  # type: ignore[method-assign]
    scene.conductor.delay = 0.5
    assert scene.build().result == build_state.ACTIVE
    assert turns


# -- everything at once

SECONDS = st.floats(0, 3000)
PAUSES = st.lists(st.tuples(SECONDS, st.floats(1, 5000)), max_size=3)


@st.composite
def stories(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 2))
    return {
        "atomic": draw(st.booleans()),
        "begin": draw(st.lists(st.sampled_from(BEGINNINGS), min_size=count, max_size=count)),
        "fates": draw(
            st.lists(
                st.lists(st.sampled_from([*sorted(ENDS), fates.NOT_SENT]), max_size=4),
                min_size=count,
                max_size=count,
            )
        ),
        "runs": draw(
            st.lists(
                st.tuples(SECONDS, st.sampled_from([30.0, 400.0, 3000.0]), PAUSES),
                min_size=1,
                max_size=3,
            )
        ),
        # When a person prepares again what was buried again, and has it built.
        "again": draw(st.none() | st.tuples(SECONDS, PAUSES)),
        "delay": draw(st.sampled_from([0.0, 1.0, 45.0])),
        "lateness": draw(st.floats(0, SETTLE - 100)),
        "call": draw(st.sampled_from([0.0, 0.5, 20.0])),
        "fail": draw(st.none() | st.integers(1, 200)),
        "cut": draw(st.none() | st.integers(1, 200)),
        "delete": draw(st.none() | SECONDS),
    }


@settings(max_examples=60, deadline=None)
@given(story=stories())
def test_at_most_one_message_and_none_is_lost(story: dict[str, Any]) -> None:
    scene = BuildScene(atomic=story["atomic"])
    uuids = arranged(scene, story)
    databases, world = scene.databases, scene.world

    def point() -> None:
        scene.assert_safe(uuids)
        if not databases.in_transaction:
            world.spend(0.01)

    if story["fail"]:
        databases.fail_at = (databases.points + story["fail"], CommitInDoubt("lost"))
    if story["cut"]:
        databases.cut_at = databases.points + story["cut"]
    jobs: dict[str, Callable[[], Any]] = {}
    pauses = {}
    for number, (start, build_timeout, stands_still) in enumerate(story["runs"]):
        name = f"run {number}"
        jobs[name] = runs(scene, uuids, start, OTHER if number else None, build_timeout)
        pauses[name] = stands_still
    if story["again"]:
        jobs["again"] = prepares_again(scene, uuids, story["again"][0])
        pauses["again"] = story["again"][1]
    databases.on_point = point
    ended = world.run_together(jobs, pauses)
    for name, result in ended.items():
        if not isinstance(result, Cut):
            assert isinstance(result, list), (name, result)
            assert all(one.result for one in result)
    scene.assert_safe(uuids)
    finish(scene, uuids)


def arranged(scene: BuildScene, story: dict[str, Any]) -> list[str]:
    """Its instances; each begins by itself, under a uuid of its own."""
    uuids = UUIDS[: len(story["begin"])]
    for uuid, begin, its_fates in zip(uuids, story["begin"], story["fates"], strict=True):
        begin(_As(scene, uuid))
        scene.conductor.fates[uuid] = [*its_fates, fates.BUILD]
    scene.conductor.delay = story["delay"]
    scene.conductor.lateness = story["lateness"]
    scene.cloud.seconds = story["call"]
    if story["delete"] is not None:

        def delete() -> None:
            if scene.databases.mapping(uuids[0]) is not None:
                scene.databases.user_deletes(uuids[0])

        scene.world.after(story["delete"], delete)
    return uuids


class _As:
    """The scene, with another instance as the usual one."""

    def __init__(self, scene: BuildScene, uuid: str) -> None:
        self._scene, self._uuid = scene, uuid

    def prepared(self, **options: Any) -> None:
        self._scene.prepared(self._uuid, **options)

    def entry(self, state: str, **options: Any) -> None:
        self._scene.entry(state, self._uuid, **options)

    def left_behind(self, **options: Any) -> None:
        self._forgotten(lambda: self._scene.left_behind(self._uuid, **options))

    def half_built(self, **options: Any) -> None:
        self._forgotten(lambda: self._scene.half_built(self._uuid, **options))

    def _forgotten(self, arrange: Callable[[], Any]) -> None:
        """Entries of other instances stay."""
        entries = self._scene.databases.state["cell0"]["entries"]
        kept = dict(entries)
        arrange()
        self._scene.databases.state["cell0"]["entries"].update(kept)


def runs(
    scene: BuildScene, uuids: list[str], start: float, author: Any, build_timeout: float
) -> Callable[[], Any]:
    def job() -> list[Build]:
        scene.world.spend(start)
        more = {} if author is None else {"author": author}
        return scene.run(
            uuids, **more, build_timeout=build_timeout, timeout=6000.0, poll_interval=15.0
        )

    return job


def prepares_again(scene: BuildScene, uuids: list[str], start: float) -> Callable[[], Any]:
    def job() -> list[Build]:
        scene.world.spend(start)
        for uuid in uuids:
            for cell_id in CELLS:
                mapping = scene.databases.mapping(uuid)
                if mapping is not None and mapping.cell_id == cell_id:
                    with suppress(RecoveryError):
                        Preparer(scene.databases, OTHER).apply(cell_id, [uuid])
        return scene.run(uuids, OTHER, build_timeout=30.0, timeout=6000.0, poll_interval=15.0)

    return job


def finish(scene: BuildScene, uuids: list[str]) -> None:
    """When nothing can be alive any more, one more run brings each to an end."""
    scene.databases.on_point = scene.databases.fail_at = scene.databases.cut_at = None
    scene.cloud.seconds = 0.0
    scene.conductor.fates = {}
    scene.world.spend(3 * SETTLE)
    for one in scene.run(uuids):
        assert one.result in (
            build_state.ACTIVE,
            build_state.DELETED,
            build_state.REFUSED,
            build_state.BURIED_AGAIN,
            build_state.DIED,
        ), one
        if one.result == build_state.REFUSED:
            assert one.code in ("not_prepared", "deleted", "instance_not_found", "has_booted"), one
        event(f"ends {one.result} after {scene.conductor.sent(one.instance_uuid)} messages")
    scene.assert_safe(uuids)
