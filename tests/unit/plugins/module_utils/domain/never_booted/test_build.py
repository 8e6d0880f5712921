# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of each instance: its result, its entry in the journal, and whether it changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    build_state,
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build import (
    Builder,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_state import (
    Build,
    BuildSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    CommitInDoubt,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)
from fakes import conductor as fates
from fakes.build_cloud import TOKEN
from fakes.build_scene import ONE, SETTLE, BuildScene
from fakes.buried_instance import AUTHOR, OTHER, UUIDS, buried, spec_text
from fakes.conductor import HOST
from fakes.nova_databases import CELL0, CELL1

MODES = pytest.mark.parametrize("atomic", [True, False], ids=["one server", "several servers"])
DOWN = RecoveryError("message_bus_unavailable", "down", retriable=True)
FORBIDDEN = RecoveryError("forbidden", "the user lacks the right")


@pytest.fixture(name="scene", params=[True, False], ids=["one server", "several servers"])
def _scene(request: pytest.FixtureRequest) -> BuildScene:
    return BuildScene(atomic=request.param)


def requested(scene: BuildScene, uuid: str = ONE) -> Any:
    return json.loads(scene.databases.spec(uuid))["nova_object.data"].get("requested_networks")


# -- every result


def test_one_that_is_prepared_is_built_and_verified(scene: BuildScene) -> None:
    scene.prepared()
    done = scene.build()
    assert (done.result, done.code, done.message) == (build_state.ACTIVE, None, "")
    assert done.changed
    assert (done.host, done.request_id) == (HOST, "req-1")
    assert list(done.checks) == ["status", "host", "ports", "volumes", "allocation"]
    assert scene.state() == journal.BUILT
    assert scene.conductor.sent(ONE) == 1
    assert requested(scene) is None
    states = [state for _uuid, state in scene.databases.committed["cell0"]["steps"]]
    assert states[-3:] == [journal.SUBMIT_INTENDED, journal.SUBMITTED, journal.BUILT]
    scene.assert_safe()


def test_the_intent_is_committed_before_the_message(scene: BuildScene) -> None:
    scene.prepared()
    seen: list[Any] = []

    def before() -> None:
        entry = scene.databases.committed["cell0"]["entries"]
        seen.extend((one.state, one.request_id) for one, _text in entry.values())

    scene.conductor.before = before
    scene.build()
    assert seen == [(journal.SUBMIT_INTENDED, "req-1")]
    locked = scene.databases.locked
    assert {"mappings", "requests", "entries"} <= set(locked)


def test_to_run_it_again_verifies_again_and_changes_nothing(scene: BuildScene) -> None:
    scene.prepared()
    scene.build()
    again = scene.build()
    assert (again.result, again.changed, again.host) == (build_state.ACTIVE, False, HOST)
    assert all(check.passed for check in again.checks.values())
    assert scene.conductor.sent(ONE) == 1


@pytest.mark.parametrize(
    ("fate", "result", "state", "where"),
    [
        (fates.BURY, build_state.BURIED_AGAIN, journal.BURIED_AGAIN, CELL0),
        (fates.DIE, build_state.DIED, journal.DIED, CELL1),
        (fates.DIE_ON_HOST, build_state.DIED, journal.DIED, CELL1),
    ],
)
def test_one_that_fails_again(
    scene: BuildScene, fate: str, result: str, state: str, where: int
) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fate]
    done = scene.build()
    assert (done.result, done.code, done.changed) == (result, result, True)
    assert done.message == "Nova could not build it: no host had room"
    assert scene.state() == state
    mapping = scene.databases.mapping(ONE)
    assert mapping is not None
    assert mapping.cell_id == where
    # The networks are needed for the next try.
    assert requested(scene) is not None
    scene.assert_safe()


def test_a_second_round_is_a_message_of_its_own(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.BURY, fates.BUILD]
    assert scene.build().result == build_state.BURIED_AGAIN
    scene.world.spend(SETTLE + 10)
    from_cell = scene.builder()
    (looked,) = from_cell.look([ONE])
    assert (looked.result, looked.code) == (build_state.REFUSED, "not_prepared")
    scene.databases.state["api"]["mappings"].pop(ONE)
    scene.databases.state["cell0"]["rows"].pop(ONE)
    scene.prepared()
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 2
    scene.assert_safe()


def test_one_that_its_user_deletes_while_it_is_built(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.delay = 60.0
    scene.world.after(30.0, lambda: scene.databases.user_deletes(ONE))
    done = scene.build()
    assert (done.result, done.code, done.changed) == (build_state.DELETED, "deleted", True)
    assert scene.state() == journal.DELETED
    assert scene.conductor.built == []


def test_one_that_is_deleted_already_is_closed_and_nothing_is_sent(scene: BuildScene) -> None:
    scene.prepared()
    scene.databases.user_deletes(ONE)
    done = scene.build()
    assert (done.result, done.changed) == (build_state.DELETED, False)
    assert scene.state() == journal.DELETED
    assert scene.conductor.messages == []


def test_one_of_which_nova_has_nothing_left_but_the_journal_has(scene: BuildScene) -> None:
    scene.prepared()
    for table in ("mappings", "requests"):
        scene.databases.state["api"][table].pop(ONE)
    assert scene.build().result == build_state.DELETED
    assert scene.state() == journal.DELETED


def test_a_message_that_nobody_takes_leaves_it_stuck(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.LOSE]
    begun = scene.world.now
    done = scene.build()
    assert (done.result, done.code, done.changed) == (build_state.STUCK, "stuck", True)
    assert "req-1" in done.message
    assert "asks nobody twice" in done.message
    assert 600 <= scene.world.now - begun < 610
    assert scene.state() == journal.SUBMITTED
    # Until it is certainly lost, nobody asks again, however often it is run.
    again = scene.build()
    assert (again.result, again.changed) == (build_state.STUCK, False)
    assert scene.conductor.sent(ONE) == 1
    scene.world.spend(SETTLE)
    scene.conductor.fates[ONE] = [fates.BUILD]
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 2
    scene.assert_safe()


def test_a_message_that_is_taken_late_is_the_only_one(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.LATE]
    scene.conductor.lateness = SETTLE - 300
    assert scene.build().result == build_state.STUCK
    assert scene.build().result == build_state.STUCK
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 1
    scene.assert_safe()


def test_one_that_waits_takes_over_when_the_message_is_lost(scene: BuildScene) -> None:
    """Within one run: what it has not asked itself, and only when the time has come."""
    scene.prepared()
    scene.entry(journal.SUBMITTED, age=SETTLE - 100, request_id="req-of-another")
    begun = scene.world.now
    done = scene.build()
    assert (done.result, done.changed) == (build_state.ACTIVE, True)
    assert 100 <= scene.world.now - begun < 130
    assert scene.conductor.sent(ONE) == 1


def test_a_run_never_asks_twice_whatever_settle_time_it_was_given(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.delay = 60.0
    done = scene.build(settle_time=15.0)
    assert done.result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 1
    scene.assert_safe()


def test_a_run_that_has_asked_ends_stuck_in_time_also_after_settle_time(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.LOSE]
    begun = scene.world.now
    assert scene.build(settle_time=60.0).result == build_state.STUCK
    assert scene.world.now - begun < 610
    assert scene.conductor.sent(ONE) == 1


def test_a_message_that_was_not_sent_is_sent_when_that_is_possible(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.NOT_SENT, fates.NOT_SENT, fates.BUILD]
    begun = scene.world.now
    done = scene.build()
    assert (done.result, done.message, done.request_id) == (build_state.ACTIVE, "", "req-3")
    assert scene.conductor.sent(ONE) == 1
    # Ten seconds between two tries.
    assert 20 <= scene.world.now - begun < 40


def test_one_that_cannot_be_sent_is_prepared_still(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.NEVER_SENT]
    done = scene.build()
    assert (done.result, done.code) == (build_state.NOT_SENT, "message_bus_unavailable")
    assert done.request_id is None
    assert scene.state() == journal.PREPARED
    scene.conductor.fates[ONE] = [fates.BUILD]
    assert scene.build().result == build_state.ACTIVE


def test_one_that_could_not_be_sent_in_all_the_time(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.NOT_SENT]
    done = scene.build(timeout=60.0)
    assert (done.result, done.code) == (build_state.NOT_SENT, "message_bus_unavailable")
    assert "the time for all is over" in done.message
    assert scene.state() == journal.PREPARED
    assert scene.conductor.messages == []


@pytest.mark.parametrize(
    ("fate", "result"),
    [(fates.IN_DOUBT, build_state.ACTIVE), (fates.IN_DOUBT_LOST, build_state.STUCK)],
)
def test_a_message_in_doubt_is_not_sent_again(scene: BuildScene, fate: str, result: str) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fate]
    done = scene.build()
    assert (done.result, done.changed) == (result, True)
    assert scene.conductor.sent(ONE) == 1
    if result == build_state.STUCK:
        assert done.code == "message_in_doubt"
        assert scene.state() == journal.SUBMIT_INTENDED
        assert scene.build().result == build_state.STUCK
        scene.world.spend(SETTLE)
        scene.conductor.fates[ONE] = [fates.BUILD]
        assert scene.build().result == build_state.ACTIVE
    scene.assert_safe()


def test_an_earlier_failure_is_not_the_reason_of_a_later_one(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.NOT_SENT, fates.LOSE]
    done = scene.build()
    assert (done.result, done.code) == (build_state.STUCK, "stuck")


# -- what is refused


def refused_cases() -> Any:
    def unknown(scene: BuildScene) -> None:
        """Nova has never heard of it."""

    def in_its_cell(scene: BuildScene) -> None:
        buried(scene.databases, ONE)

    def dead(scene: BuildScene) -> None:
        buried(scene.databases, ONE, cell_id=CELL1)

    def on_host(scene: BuildScene) -> None:
        dead(scene)
        scene.add_rows(ONE, CELL1, host=HOST)

    def booted(scene: BuildScene) -> None:
        dead(scene)
        scene.add_rows(ONE, CELL1, vm_state="active", launched_at=scene.databases.moment)

    def rows_missing(scene: BuildScene) -> None:
        dead(scene)
        scene.databases.state["cell1"]["rows"].clear()

    def young(scene: BuildScene) -> None:
        scene.left_behind(age=SETTLE - 1)

    def young_rows(scene: BuildScene) -> None:
        scene.half_built(age=SETTLE + 1)
        scene.add_rows(ONE, CELL1, age=10)

    def no_networks(scene: BuildScene) -> None:
        scene.prepared()
        specs = scene.databases.state["api"]["specs"]
        specs[ONE] = type(specs[ONE])(instance_uuid=ONE, spec=spec_text(ONE, networks=False))

    def no_spec(scene: BuildScene) -> None:
        # Of an older version, which kept no copy.
        scene.prepared()
        scene.databases.state["api"]["specs"].clear()
        entries = scene.databases.state["cell0"]["entries"]
        for number, (entry, copy) in entries.items():
            entries[number] = (replace(entry, request_spec=None), copy)

    def only_copied(scene: BuildScene) -> None:
        buried(scene.databases, ONE)
        scene.entry(journal.TAKEN)

    return [
        pytest.param(unknown, "instance_not_found", id="unknown"),
        pytest.param(in_its_cell, "not_prepared", id="in its cell"),
        pytest.param(dead, "not_prepared", id="dead"),
        pytest.param(only_copied, "not_prepared", id="only copied"),
        pytest.param(on_host, "on_host", id="on a host"),
        pytest.param(booted, "has_booted", id="booted"),
        pytest.param(rows_missing, "rows_missing", id="rows missing"),
        pytest.param(young, "still_building", id="young"),
        pytest.param(young_rows, "still_building", id="young rows"),
        pytest.param(no_networks, "networks_unknown", id="no networks"),
        pytest.param(no_spec, "request_spec_missing", id="no spec"),
    ]


@pytest.mark.parametrize(("arrange", "code"), refused_cases())
def test_what_cannot_be_built_is_refused_and_left(
    scene: BuildScene, arrange: Any, code: str
) -> None:
    arrange(scene)
    before = json.dumps(scene.databases.committed, default=str, sort_keys=True)
    for done in (scene.builder().look([ONE])[0], scene.build()):
        assert (done.result, done.code, done.changed) == (build_state.REFUSED, code, False)
        assert done.message
    assert json.dumps(scene.databases.committed, default=str, sort_keys=True) == before
    assert scene.conductor.messages == []
    assert not [name for name, _uuid in scene.cloud.calls if name.startswith(("delete", "free"))]


def test_one_that_was_put_back_into_its_cell_is_refused_and_its_entry_closed(
    scene: BuildScene,
) -> None:
    buried(scene.databases, ONE)
    scene.entry(journal.PREPARED)
    done = scene.build()
    assert (done.result, done.code) == (build_state.REFUSED, "not_prepared")
    assert scene.state() == journal.RESTORED


# -- a first look


@pytest.mark.parametrize(
    ("state", "flies"),
    [(journal.PREPARED, False), (journal.SUBMIT_INTENDED, True), (journal.SUBMITTED, True)],
)
def test_a_look_changes_nothing(scene: BuildScene, state: str, flies: bool) -> None:
    scene.prepared()
    scene.entry(state)
    before = json.dumps(scene.databases.committed, default=str, sort_keys=True)
    (seen,) = scene.builder().look([ONE])
    assert (seen.result, seen.in_flight, seen.changed) == (None, flies, False)
    assert json.dumps(scene.databases.committed, default=str, sort_keys=True) == before
    assert scene.cloud.calls == []


def test_a_look_at_what_was_built_or_buried_again(scene: BuildScene) -> None:
    for uuid, fate in zip(UUIDS, (fates.BUILD, fates.BURY), strict=False):
        scene.prepared(uuid)
        scene.conductor.fates[uuid] = [fate]
        scene.run([uuid])
        entries = scene.databases.state["cell0"]["entries"]
        entries.clear()
        scene.entry(journal.SUBMITTED, uuid)
        (seen,) = scene.builder().look([uuid])
        expected = build_state.ACTIVE if fate == fates.BUILD else build_state.BURIED_AGAIN
        assert (seen.result, seen.checks) == (expected, {})
        assert scene.state(uuid) == journal.SUBMITTED


# -- verification


def test_one_whose_port_never_comes_up_is_not_verified(scene: BuildScene) -> None:
    scene.prepared()
    scene.cloud.port_status[ONE] = "DOWN"
    done = scene.build()
    assert (done.result, done.code) == (build_state.NOT_VERIFIED, "not_verified")
    assert done.message == "it runs, but look at: ports"
    assert done.changed
    assert scene.state() == journal.BUILT
    # The networks stay known, so that the next run looks at the same things.
    assert requested(scene) is not None
    assert scene.build().result == build_state.NOT_VERIFIED
    scene.cloud.port_status[ONE] = "ACTIVE"
    assert scene.build().result == build_state.ACTIVE
    assert requested(scene) is None
    assert scene.conductor.sent(ONE) == 1


def test_one_whose_port_comes_up_later_is_active(scene: BuildScene) -> None:
    scene.prepared()
    scene.cloud.port_status[ONE] = "DOWN"
    scene.world.after(40.0, lambda: scene.cloud.port_status.pop(ONE) and None)
    assert scene.build().result == build_state.ACTIVE


def test_a_later_run_waits_for_the_checks_too_and_touches_nothing(scene: BuildScene) -> None:
    """It has booted and is not verified: above all its allocation and its ports stay."""
    scene.prepared()
    scene.cloud.port_status[ONE] = "DOWN"
    scene.build(verify_timeout=1.0)
    scene.cloud.calls.clear()
    scene.world.after(20.0, lambda: scene.cloud.port_status.pop(ONE) and None)
    done = scene.build()
    assert (done.result, done.changed) == (build_state.ACTIVE, False)
    assert {"delete_allocations", "free_ports", "compose"}.isdisjoint(dict(scene.cloud.calls))
    assert scene.conductor.sent(ONE) == 1
    scene.assert_safe()


def test_one_that_has_booted_when_the_time_for_all_is_over(scene: BuildScene) -> None:
    scene.prepared()
    scene.cloud.port_status[ONE] = "DOWN"
    done = scene.build(timeout=15.0)
    assert (done.result, done.code) == (build_state.NOT_VERIFIED, "not_verified")
    assert "ports" in done.message


@pytest.mark.parametrize("error", [ApiUnavailable("no answer"), FORBIDDEN])
def test_a_check_that_cannot_be_made_says_nothing_of_others(
    scene: BuildScene, error: RecoveryError
) -> None:
    first, second, third = UUIDS[:3]
    for uuid in (first, second, third):
        scene.prepared(uuid)
    scene.cloud.errors["allocation_hosts"] = []
    original = scene.cloud.allocation_hosts

    def of_one_not(uuid: str) -> frozenset[str]:
        if uuid == first and scene.databases.request(uuid) is None:
            raise error
        return original(uuid)

    scene.cloud.allocation_hosts = of_one_not  # type: ignore[method-assign]
    done = {one.instance_uuid: one for one in scene.run([first, second, third], concurrency=1)}
    assert done[first].result == build_state.NOT_VERIFIED
    assert error.message in done[first].message
    assert [done[uuid].result for uuid in (second, third)] == [build_state.ACTIVE] * 2


def test_an_instance_that_the_api_does_not_show_is_not_verified(scene: BuildScene) -> None:
    scene.prepared()
    scene.cloud.instances_named = lambda names: []  # type: ignore[method-assign]
    done = scene.build()
    assert (done.result, done.checks) == (build_state.NOT_VERIFIED, {})
    assert "could not be verified" in done.message


# -- many


def test_concurrency_is_never_exceeded(scene: BuildScene) -> None:
    for uuid in UUIDS:
        scene.prepared(uuid)
    scene.conductor.fates = {uuid: [fates.BURY] for uuid in UUIDS[::3]}
    done = scene.run(UUIDS, concurrency=3)
    assert scene.conductor.most_at_once == 3
    assert [one.result for one in done] == [
        build_state.BURIED_AGAIN if uuid in UUIDS[::3] else build_state.ACTIVE for uuid in UUIDS
    ]
    assert [scene.conductor.sent(uuid) for uuid in UUIDS] == [1] * len(UUIDS)
    scene.assert_safe(UUIDS)


def test_those_that_another_run_has_handed_over_count(scene: BuildScene) -> None:
    for uuid in UUIDS[:4]:
        scene.prepared(uuid)
    for uuid in UUIDS[:2]:
        scene.entry(journal.SUBMITTED, uuid)
    done = scene.run(UUIDS[:4], concurrency=2, timeout=60.0)
    assert scene.conductor.messages == []
    assert [one.result for one in done] == [
        *[build_state.STUCK] * 2,
        *[build_state.NOT_SENT] * 2,
    ]


def test_a_bus_that_is_down_is_not_asked_for_each_instance(scene: BuildScene) -> None:
    """Each try can take as long as a time-out, and what is built meanwhile has to be seen."""
    for uuid in UUIDS:
        scene.prepared(uuid)
        scene.conductor.fates[uuid] = [fates.NOT_SENT]
    tries: list[float] = []
    scene.conductor.before = lambda: tries.append(scene.world.now)
    scene.run(UUIDS, concurrency=2, timeout=30.0)
    assert max(tries.count(moment) for moment in tries) == 2
    # Every one has its turn.
    assert len({uuid for name, uuid in scene.cloud.calls if name == "compose"}) == len(UUIDS)


def test_results_are_in_the_order_that_was_given_and_each_once(scene: BuildScene) -> None:
    given = [UUIDS[2], UUIDS[0], UUIDS[2]]
    for uuid in set(given):
        scene.prepared(uuid)
    assert [one.instance_uuid for one in scene.run(given)] == [UUIDS[2], UUIDS[0]]
    assert scene.conductor.sent(UUIDS[2]) == 1


def test_one_that_cannot_be_composed_does_not_keep_others(scene: BuildScene) -> None:
    for uuid in UUIDS[:2]:
        scene.prepared(uuid)
    scene.cloud.errors["compose"] = [RecoveryError("image_missing", "no image")]
    done = scene.run(UUIDS[:2])
    assert [(one.result, one.code) for one in done] == [
        (build_state.NOT_SENT, "image_missing"),
        (build_state.ACTIVE, None),
    ]
    assert scene.state(UUIDS[0]) == journal.PREPARED


def test_a_spec_that_cannot_be_read_does_not_keep_others(scene: BuildScene) -> None:
    for uuid in UUIDS[:2]:
        scene.prepared(uuid)
    specs = scene.databases.state["api"]["specs"]
    specs[ONE] = type(specs[ONE])(instance_uuid=ONE, spec="{")
    done = scene.run(UUIDS[:2])
    assert [(one.result, one.code) for one in done] == [
        (build_state.NOT_SENT, "unexpected_object"),
        (build_state.ACTIVE, None),
    ]


# -- what earlier runs and conductors have left


@pytest.mark.parametrize("state", [journal.PREPARED, journal.TAKEN])
def test_a_preparation_that_was_cut_is_finished(scene: BuildScene, state: str) -> None:
    scene.prepared(cell_id=CELL1)
    scene.entry(state)
    done = scene.build()
    assert (done.result, done.changed) == (build_state.ACTIVE, True)
    assert scene.state() == journal.BUILT
    scene.assert_safe()


def test_a_build_request_that_was_left_behind(scene: BuildScene) -> None:
    scene.left_behind(age=SETTLE + 1)
    done = scene.build()
    assert (done.result, done.changed) == (build_state.ACTIVE, True)
    assert scene.state() == journal.BUILT


def test_one_that_is_left_behind_waits_until_the_queue_is_drained(scene: BuildScene) -> None:
    scene.left_behind(age=SETTLE + 1)
    scene.conductor.ready = 1
    done = scene.build(timeout=60.0)
    assert (done.result, done.changed) == (build_state.NOT_SENT, False)
    assert "not drained" in done.message
    assert scene.state() is None
    scene.world.after(20.0, lambda: setattr(scene.conductor, "ready", 0))
    assert scene.build().result == build_state.ACTIVE


@pytest.mark.parametrize("cell_id", [CELL0, CELL1])
@pytest.mark.parametrize("stored", [True, False], ids=["with an entry", "without"])
def test_half_built_ones_are_repaired_when_nobody_is_at_work(
    scene: BuildScene, cell_id: int, stored: bool
) -> None:
    scene.half_built(cell_id=cell_id, age=SETTLE + 1)
    scene.conductor.allocations[ONE] = "compute-9"
    if stored:
        scene.entry(journal.SUBMITTED, age=SETTLE + 1)
    done = scene.build()
    assert (done.result, done.changed, done.message) == (build_state.ACTIVE, True, "")
    assert scene.state() == journal.BUILT
    assert scene.databases.rows_of(ONE, CELL0) is None
    assert scene.conductor.allocations[ONE] == HOST
    assert scene.conductor.sent(ONE) == 1
    scene.assert_safe()


@pytest.mark.parametrize("cell_id", [CELL0, CELL1])
def test_half_built_ones_are_left_while_somebody_may_be_at_work(
    scene: BuildScene, cell_id: int
) -> None:
    scene.half_built(cell_id=cell_id, age=SETTLE - 10)
    scene.entry(journal.SUBMITTED, age=SETTLE - 1000)
    rows = scene.databases.rows_of(ONE, cell_id)
    done = scene.build()
    assert (done.result, done.changed) == (build_state.STUCK, False)
    assert scene.databases.rows_of(ONE, cell_id) == rows
    assert scene.conductor.messages == []
    assert scene.cloud.calls == []


@pytest.mark.parametrize("fate", [fates.CUT_HALF, fates.CUT_BURYING])
def test_a_conductor_that_dies_half_way(scene: BuildScene, fate: str) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fate, fates.BUILD]
    assert scene.build().result == build_state.STUCK
    assert scene.build().result == build_state.STUCK
    scene.world.spend(SETTLE)
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.sent(ONE) == 2
    scene.assert_safe()


def test_rows_in_two_cells_are_for_a_person(scene: BuildScene) -> None:
    scene.half_built(cell_id=CELL0, age=SETTLE + 1)
    scene.add_rows(ONE, CELL1, age=SETTLE + 1)
    done = scene.build()
    assert (done.result, done.code) == (build_state.REFUSED, "rows_in_several_cells")
    assert scene.conductor.messages == []


def test_what_an_earlier_attempt_holds_is_freed_before_the_message(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.allocations[ONE] = "compute-9"
    port = {"network_id": None, "port_id": "port-1", "address": None}
    stored = json.loads(spec_text(ONE))
    networks = stored["nova_object.data"]["requested_networks"]["nova_object.data"]["objects"]
    networks[0]["nova_object.data"].update(port)
    specs = scene.databases.state["api"]["specs"]
    specs[ONE] = type(specs[ONE])(instance_uuid=ONE, spec=json.dumps(stored))
    order: list[str] = []
    scene.conductor.before = lambda: order.extend(name for name, _uuid in scene.cloud.calls)
    scene.build(timeout=30.0)
    assert order == ["compose", "allocation_hosts", "delete_allocations", "free_ports"]
    assert scene.conductor.allocations[ONE] == HOST


@pytest.mark.parametrize("call", ["allocation_hosts", "delete_allocations"])
def test_what_cannot_be_freed_now_is_tried_again(scene: BuildScene, call: str) -> None:
    scene.prepared()
    scene.conductor.allocations[ONE] = "compute-9"
    scene.cloud.errors[call] = [ApiUnavailable("no answer")]
    done = scene.build()
    assert (done.result, done.request_id) == (build_state.ACTIVE, "req-2")
    assert scene.conductor.sent(ONE) == 1


# -- another run


def test_what_another_run_closes_is_reported_all_the_same(scene: BuildScene) -> None:
    for uuid, fate in zip(UUIDS, (fates.BURY, fates.DIE, fates.BUILD), strict=False):
        scene.prepared(uuid)
        scene.conductor.fates[uuid] = [fate]
    uuids = UUIDS[:3]
    results = scene.world.run_together(
        {
            "a": lambda: scene.run(uuids),
            "b": lambda: scene.run(uuids, OTHER, poll_interval=7.0),
        }
    )
    for done in results.values():
        assert [one.result for one in done] == [
            build_state.BURIED_AGAIN,
            build_state.DIED,
            build_state.ACTIVE,
        ]
    assert [scene.conductor.sent(uuid) for uuid in uuids] == [1, 1, 1]
    changed = [one.changed for done in results.values() for one in done]
    assert changed.count(True) == 3


def test_what_another_run_could_not_send_is_sent_by_this_one(scene: BuildScene) -> None:
    """It was seen as in the other's hands, and is not any more."""
    scene.prepared()
    scene.entry(journal.SUBMIT_INTENDED, request_id="req-of-another")
    scene.world.after(30.0, lambda: scene.entry(journal.PREPARED))
    begun = scene.world.now
    assert scene.build().result == build_state.ACTIVE
    assert scene.world.now - begun < 60


# -- errors of the databases


def test_an_error_is_tried_again(scene: BuildScene) -> None:
    scene.prepared()
    points = _points(scene)
    for point in points:
        scene = BuildScene(atomic=scene.databases.atomic)
        scene.prepared()
        scene.databases.fail_at = (scene.databases.points + point, CommitInDoubt("lost"))
        done = scene.build(timeout=7200.0, build_timeout=3600.0)
        assert done.result == build_state.ACTIVE, point
        assert scene.state() == journal.BUILT, point
        assert scene.conductor.sent(ONE) == 1
        assert done.changed
        scene.assert_safe()


def _points(scene: BuildScene) -> range:
    before = scene.databases.points
    scene.build()
    return range(1, scene.databases.points - before + 1)


def test_an_error_for_good_ends_each_with_a_result_and_nothing_twice(scene: BuildScene) -> None:
    scene.prepared()
    points = _points(scene)
    denied = RecoveryError("database_no_grant", "give the grant")
    raised = 0
    for point in points:
        scene = BuildScene(atomic=scene.databases.atomic)
        scene.prepared()
        scene.databases.fail_at = (scene.databases.points + point, denied)
        try:
            done = scene.build()
        except RecoveryError as error:
            # Nothing could be seen, and nothing was done.
            assert error is denied
            assert scene.state() == journal.PREPARED
            assert scene.conductor.messages == []
            raised += 1
            continue
        assert done.result is not None
        if scene.conductor.messages:
            assert done.result != build_state.NOT_SENT, point
            assert done.changed
        scene.assert_safe()
        scene.world.spend(2 * SETTLE)
        assert scene.build().result == build_state.ACTIVE, point
        scene.assert_safe()
    assert 0 < raised < 10


def test_databases_that_do_not_come_back(scene: BuildScene) -> None:
    scene.prepared()
    scene.databases.api.now = _raises(CommitInDoubt("lost"))  # type: ignore[method-assign]
    done = scene.build(timeout=60.0)
    assert (done.result, done.code, done.changed) == (
        build_state.NOT_SENT,
        "commit_in_doubt",
        False,
    )


def _raises(error: RecoveryError) -> Any:
    def call() -> Any:
        raise error

    return call


# -- secrets


def test_the_token_is_in_no_result(scene: BuildScene) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.IN_DOUBT_LOST]
    done = scene.build()
    assert TOKEN not in json.dumps(done.as_dict())
    assert TOKEN not in repr(done)
    assert TOKEN not in repr(scene.conductor.messages)
    assert TOKEN not in json.dumps(scene.databases.committed, default=str)


def test_a_builder_needs_all_it_works_with() -> None:
    scene = BuildScene()
    builder = Builder(
        databases=scene.databases,
        conductor=scene.conductor,
        cloud=scene.cloud,
        author=AUTHOR,
        settings=BuildSettings(settle_time=SETTLE),
        clock=scene.world,
    )
    assert builder.run([]) == []
    assert builder.look([]) == []
    assert isinstance(scene.builder().look([ONE])[0], Build)


def test_what_nova_found_over_quota_is_built_when_there_is_room(scene: BuildScene) -> None:
    scene.prepared()
    spec = scene.databases.spec(ONE)
    scene.conductor.fates[ONE] = [fates.OVER_QUOTA, fates.BUILD]
    assert scene.build().result == build_state.DIED
    assert ONE not in scene.databases.state["api"]["specs"]
    (done,) = Preparer(scene.databases, AUTHOR).apply(CELL1, [ONE])
    assert (done.changed, done.refusal) == (True, None)
    assert scene.databases.spec(ONE) == spec
    assert scene.build().result == build_state.ACTIVE
    assert scene.conductor.built == [ONE]
    scene.assert_safe()


def test_a_spec_that_goes_while_it_is_prepared_is_put_back(scene: BuildScene) -> None:
    # Nova's conductor removes it last: another run may have prepared the instance just before.
    scene.prepared()
    spec = scene.databases.state["api"]["specs"].pop(ONE).spec
    assert scene.builder().look([ONE])[0].result is None
    assert scene.build().result == build_state.ACTIVE
    newest = scene.databases.newest(ONE)
    assert newest is not None
    assert newest.build_spec == spec
    scene.assert_safe()


def test_the_journal_keeps_what_the_conductor_was_sent(scene: BuildScene) -> None:
    scene.prepared()
    changed = spec_text(ONE, num_instances=7)
    specs = scene.databases.state["api"]["specs"]
    specs[ONE] = replace(specs[ONE], spec=changed)
    scene.conductor.fates[ONE] = [fates.OVER_QUOTA]
    scene.build()
    newest = scene.databases.newest(ONE)
    assert newest is not None
    assert newest.build_spec == changed
    Preparer(scene.databases, AUTHOR).apply(CELL1, [ONE])
    assert scene.databases.spec(ONE) == changed
