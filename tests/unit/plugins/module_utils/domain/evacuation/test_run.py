# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runs against a Nova that behaves, and one that does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.cloud import (
    EvacuationCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.run import (
    EvacuationRun,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import SHUTDOWN
from fakes import values
from fakes.nova import (
    ERROR,
    FAILED,
    LOST,
    STUCK,
    UNAVAILABLE,
    Attempt,
    FakeNova,
    refused,
)
from fakes.scene import Scene, make_settings, states

ONE = "id-web-1"


def with_script(*attempts: Attempt, instances: int = 1) -> Scene:
    scene = Scene.make(instances)
    scene.nova.script[ONE] = list(attempts)
    return scene


def first(result: Any) -> dict[str, Any]:
    return next(entry for entry in result.instances if entry["id"] == ONE)


def test_the_fake_is_an_evacuation_cloud() -> None:
    cloud: EvacuationCloud = FakeNova(Scene.make().world)
    assert cloud.instances_on("compute-1") == []


def test_all_is_well() -> None:
    scene = Scene.make(3)
    scene.nova.add(values.instance("off", vm_state="stopped", power_state=SHUTDOWN))
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    assert not result.failed
    assert result.changed
    assert all(scene.nova.fine(i) for i in scene.nova.instances)
    assert scene.locks.locks == {}
    assert result.totals()["verified"] == result.totals()["planned"] == 4
    entry = first(result)
    assert entry["from"] == "compute-1"
    assert entry["to"] == scene.nova.instances[ONE].host
    assert entry["attempts"] == 1
    assert len(entry["request_ids"]) == 1
    assert all(check["passed"] for check in entry["verifications"].values())


def test_the_second_time_nothing_is_changed() -> None:
    scene = Scene.make(3)
    scene.recover()
    calls = len(scene.nova.calls)
    result = scene.recover(run_id="run-2")
    assert set(states(result).values()) == {"verified"}
    assert not result.changed
    assert ("evacuate", ONE) not in scene.nova.calls[calls:]
    assert "create" not in scene.locks.calls[2:]


def test_a_host_without_instances() -> None:
    result = Scene.make(0).recover()
    assert (result.instances, result.changed, result.failed) == ([], False, False)


@pytest.mark.parametrize("outcome", [FAILED, ERROR])
def test_a_failed_attempt_is_tried_again(outcome: str) -> None:
    scene = with_script(Attempt(outcome=outcome))
    result = scene.recover()
    assert states(result) == {"web-1": "verified"}
    assert first(result)["attempts"] == scene.nova.evacuations(ONE) == 2
    assert first(result)["code"] is None
    assert scene.nova.fine(ONE)
    assert scene.world.now > 10


def test_the_delay_doubles_and_retries_come_to_an_end() -> None:
    scene = with_script(*[Attempt(outcome=FAILED)] * 9)
    result = scene.recover(retries=3, retry_delay=10)
    assert states(result) == {"web-1": "failed"}
    assert scene.nova.evacuations(ONE) == 4
    assert first(result)["code"] == "evacuation_failed"
    assert scene.world.now > 10 + 20 + 40
    assert result.failed
    assert result.error().code == "evacuation_incomplete"


def test_no_retries_means_one_attempt() -> None:
    scene = with_script(Attempt(outcome=FAILED))
    scene.recover(retries=0)
    assert scene.nova.evacuations(ONE) == 1


def test_the_fault_is_told() -> None:
    result = with_script(*[Attempt(outcome=ERROR)] * 3).recover()
    assert "No valid host" in first(result)["reason"]


def test_a_failure_does_not_stop_the_others() -> None:
    scene = with_script(*[Attempt(outcome=FAILED)] * 3, instances=4)
    result = scene.recover(concurrency=1)
    assert states(result) == {
        "web-1": "failed",
        "web-2": "verified",
        "web-3": "verified",
        "web-4": "verified",
    }


def test_a_call_that_was_accepted_but_not_answered_is_not_repeated() -> None:
    scene = with_script(Attempt(answer=LOST, seconds=60))
    result = scene.recover()
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.evacuations(ONE) == 1


@pytest.mark.parametrize("late", [61, 75, 100, 140])
def test_an_api_worker_that_is_slower_than_our_time_out(late: float) -> None:
    # The call is given up after 60 s; the worker writes the record some time after that.
    scene = with_script(Attempt(answer=LOST, seconds=60, accepted_after=late, finish_after=90))
    result = scene.recover()
    assert scene.nova.violations == []
    assert scene.nova.evacuations(ONE) == 1
    assert states(result) == {"web-1": "verified"}


def test_a_call_that_did_nothing_is_repeated_after_a_while() -> None:
    scene = with_script(Attempt(answer=UNAVAILABLE))
    result = scene.recover()
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.evacuations(ONE) == 2
    assert scene.world.now > 60


def test_a_late_record_that_is_done_already_is_verified_and_not_submitted_again() -> None:
    scene = with_script(Attempt(answer=UNAVAILABLE))

    def somebody_else() -> None:
        scene.nova._accept(ONE, Attempt(claim_after=0.1, finish_after=0.2))

    # Within the back-off that follows the 90 s of waiting for a record.
    scene.world.after(95, somebody_else)
    result = scene.recover(retry_delay=30)
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.evacuations(ONE) == 1
    assert scene.nova.fine(ONE)


def test_an_evacuation_that_somebody_else_began_is_waited_for() -> None:
    scene = Scene.make(2)
    scene.nova.default = Attempt(finish_after=30)
    scene.world.after(5, lambda: scene.nova._accept("id-web-2", Attempt(finish_after=50)))
    result = scene.recover(concurrency=1)
    assert set(states(result).values()) == {"verified"}
    assert scene.nova.evacuations("id-web-2") == 0
    assert scene.nova.violations == []


def test_slow_is_not_failed() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=600, ports_after=60)
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    assert all(scene.nova.evacuations(i) == 1 for i in scene.nova.instances)


@pytest.mark.parametrize(("status", "state"), [(409, "skipped"), (400, "skipped"), (413, "failed")])
def test_what_nova_refuses_is_not_tried_again(status: int, state: str) -> None:
    scene = with_script(Attempt(answer=status), instances=2)
    result = scene.recover()
    assert states(result) == {"web-1": state, "web-2": "verified"}
    assert first(result)["code"] == "nova_refused"
    assert scene.nova.evacuations(ONE) == 1


def test_a_refusal_after_a_failed_attempt_is_a_failure() -> None:
    result = with_script(Attempt(outcome=FAILED), Attempt(answer=409)).recover()
    assert states(result) == {"web-1": "failed"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_is_missing_stops_the_run(status: int) -> None:
    scene = with_script(Attempt(answer=status), instances=3)
    result = scene.recover(concurrency=1)
    assert states(result) == {
        "web-1": "failed",
        "web-2": "not_started",
        "web-3": "not_started",
    }
    assert result.halt is not None
    assert result.failed


def test_a_host_that_came_up_stops_the_run() -> None:
    scene = Scene.make(3)
    services = scene.nova.services

    def up() -> None:
        services["compute-1"] = replace(services["compute-1"], state="up")

    scene.nova.default = Attempt(finish_after=20)
    scene.world.after(3, up)
    result = scene.recover(concurrency=1)
    assert states(result)["web-2"] == "failed"
    assert states(result)["web-3"] == "not_started"
    assert result.error().code == "host_is_up"
    assert scene.nova.evacuations("id-web-3") == 0


def test_a_400_whose_cause_cannot_be_read_is_no_success() -> None:
    scene = with_script(Attempt(answer=400))
    scene.world.after(
        0.3,
        lambda: scene.nova.broken.update({"compute_services": ApiUnavailable("no answer")}),
    )
    assert scene.recover().failed


def test_an_instance_that_was_deleted_before_its_turn() -> None:
    scene = Scene.make(2)
    scene.world.after(1, lambda: scene.nova.delete("id-web-2"))
    result = scene.recover(concurrency=1)
    assert states(result) == {"web-1": "verified", "web-2": "gone"}
    assert not result.failed


def test_an_instance_that_was_deleted_on_its_way() -> None:
    scene = Scene.make(2)
    scene.world.after(2, lambda: scene.nova.delete(ONE))
    result = scene.recover()
    assert states(result) == {"web-1": "gone", "web-2": "verified"}
    assert scene.nova.evacuations(ONE) == 1


def test_a_404_from_a_proxy_is_no_deletion() -> None:
    result = with_script(Attempt(answer=404)).recover()
    assert states(result) == {"web-1": "failed"}


def test_one_that_was_in_error_and_off_is_stopped_again() -> None:
    scene = Scene.make(0)
    off = scene.nova.add(values.instance("off", vm_state="error"), intended="off")
    scene.nova.actions[off.id].append(
        replace(scene.nova.actions[off.id][0], action="stop", start_time=values.at(-9))
    )
    result = scene.recover()
    assert states(result) == {"off": "verified"}
    assert scene.nova.calls.count(("stop", off.id)) == 1
    assert scene.nova.fine(off.id)


def test_one_that_was_in_error_and_on_runs() -> None:
    scene = Scene.make(0)
    on = scene.nova.add(values.instance("on", vm_state="error"))
    assert states(scene.recover()) == {"on": "verified"}
    assert ("stop", on.id) not in scene.nova.calls


def test_done_on_another_host_with_a_port_down_is_not_verified() -> None:
    scene = with_script(Attempt(ports_after=None))
    result = scene.recover()
    assert states(result) == {"web-1": "failed"}
    assert first(result)["code"] == "not_verified"
    assert "DOWN" in first(result)["reason"]
    assert scene.nova.evacuations(ONE) == 1


def test_ports_that_take_their_time_are_waited_for() -> None:
    scene = with_script(Attempt(ports_after=100))
    assert states(scene.recover()) == {"web-1": "verified"}
    assert scene.world.now > 100


def test_a_second_failure_before_the_first_host_is_back() -> None:
    # Placement holds the first host's allocation until its nova-compute starts again.
    scene = Scene.make(1)
    scene.nova.default = Attempt(destination="compute-2")
    assert states(scene.recover()) == {"web-1": "verified"}
    services = scene.nova.services
    services["compute-2"] = replace(services["compute-2"], state="down")
    scene.nova.default = Attempt(destination="compute-3")
    scene.nova._truth[ONE].copies.clear()
    result = scene.recover(host="compute-2")
    assert states(result) == {"web-1": "verified"}, first(result)["reason"]


# Time


def test_what_nova_still_works_on_at_the_end_is_left_alone() -> None:
    scene = with_script(Attempt(outcome=STUCK))
    result = scene.recover(instance_timeout=100)
    assert states(result) == {"web-1": "in_progress"}
    assert first(result)["code"] == "timeout"
    assert scene.nova.evacuations(ONE) == 1
    assert result.error().code == "evacuation_timeout"
    assert result.error().retriable
    assert 100 < scene.world.now < 110


def test_the_time_of_the_whole_run() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(outcome=STUCK)
    result = scene.recover(concurrency=2, timeout=50)
    assert states(result) == {
        "web-1": "in_progress",
        "web-2": "in_progress",
        "web-3": "not_started",
    }
    assert scene.world.now < 60


def test_one_that_is_not_waited_for_any_longer_still_takes_its_place() -> None:
    scene = Scene.make(3)
    scene.nova.script[ONE] = [Attempt(outcome=STUCK)]
    scene.recover(concurrency=1, instance_timeout=30, timeout=200)
    assert scene.nova.most_at_once == 1


def test_a_run_that_nobody_watches_stops_submitting() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=60)
    result = scene.recover(concurrency=1, watched=lambda: scene.world.now < 20)
    assert states(result)["web-1"] == "in_progress"
    assert states(result)["web-3"] == "not_started"
    assert result.error().code == "abandoned"
    assert scene.world.now < 30
    assert scene.locks.locks == {}


# Limits


@pytest.mark.parametrize(("concurrency", "per_destination"), [(1, None), (3, None), (9, 1), (6, 2)])
def test_the_limits_are_kept(concurrency: int, per_destination: int | None) -> None:
    scene = Scene.make(9)
    scene.nova.default = Attempt(destination="compute-3")
    result = scene.recover(concurrency=concurrency, per_destination=per_destination)
    assert set(states(result).values()) == {"verified"}
    assert scene.nova.most_at_once <= concurrency
    assert scene.nova.most_on_one <= (per_destination or concurrency)


def test_they_run_at_the_same_time_when_they_may() -> None:
    scene = Scene.make(9)
    scene.nova.default = Attempt(finish_after=30)
    scene.recover(concurrency=4)
    assert scene.nova.most_at_once == 4


def test_members_of_an_anti_affinity_group_move_one_after_another() -> None:
    scene = Scene.make(4)
    scene.nova.groups = [values.group("anti-affinity", ONE, "id-web-2", "id-web-3")]
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    # The fourth one is in no group and moves beside them.
    assert scene.nova.most_at_once == 2


# A cloud that does not answer


@pytest.mark.parametrize("length", [5, 40, 300])
@pytest.mark.parametrize("begin", [0, 0.3, 1, 3, 6, 9])
def test_an_api_that_is_away_for_a_while(begin: float, length: float) -> None:
    scene = Scene.make(4)
    scene.nova.outages = [(begin, begin + length)]
    try:
        result = scene.recover(concurrency=2)
    except ApiUnavailable:
        # Before anything was begun it is waited for a minute only.
        assert begin < 1
        assert length > 60
        assert not any(name == "evacuate" for name, _what in scene.nova.calls)
        return
    assert set(states(result).values()) == {"verified"}
    assert scene.nova.violations == []
    # Once more only when the call itself fell into it.
    records = [r.instance_id for r in scene.nova.records]
    assert len(records) == len(set(records)) == 4


@pytest.mark.parametrize("call", ["ports_of", "volumes", "allocation_hosts"])
def test_a_service_that_is_away_does_not_hold_up_the_submissions(call: str) -> None:
    scene = Scene.make(4)
    scene.world.after(
        2, lambda: scene.nova.broken.update({call: ApiUnavailable(f"{call} is away")})
    )
    scene.world.after(60, scene.nova.broken.clear)
    result = scene.recover(concurrency=1)
    assert set(states(result).values()) == {"verified"}
    moments = [r.created_at for r in scene.nova.records]
    assert max(moments) < values.at(60)


@pytest.mark.parametrize("code", ["tls_error", "cell_down", "api_error", "no_endpoint"])
@pytest.mark.parametrize(
    "call", ["migrations", "instances_changed_since", "ports_of", "volumes", "evacuate"]
)
def test_an_error_on_the_way_does_not_cost_the_result(call: str, code: str) -> None:
    scene = Scene.make(3)
    scene.world.after(2, lambda: scene.nova.broken.update({call: RecoveryError(code, "odd")}))
    scene.world.after(50, scene.nova.broken.clear)
    result = scene.recover(concurrency=2)
    assert set(states(result).values()) == {"verified"}
    assert scene.nova.violations == []


def test_an_error_that_never_ends_leaves_a_result_for_each_instance() -> None:
    scene = Scene.make(3)
    scene.world.after(2, lambda: scene.nova.broken.update({"migrations": refused(403)}))
    result = scene.recover(timeout=100)
    assert len(result.instances) == 3
    assert result.failed
    assert all(entry["reason"] for entry in result.instances)


# The lock


def test_without_its_lock_a_run_submits_nothing() -> None:
    scene = Scene.make(2)
    run = EvacuationRun(scene.nova, scene.plan(), make_settings(timeout=30), scene.world)
    run.run()
    assert {move.state for move in run.moves} == {"not_started"}
    assert not scene.nova.evacuations(ONE)


def test_a_lock_that_is_lost_stops_the_submissions_and_not_the_waiting() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=30)
    scene.world.after(8, scene.locks.locks.clear)
    result = scene.recover(concurrency=1)
    assert result.error().code == "lock_lost"
    assert states(result) == {
        "web-1": "verified",
        "web-2": "not_started",
        "web-3": "not_started",
    }


def test_a_long_wait_keeps_the_lock() -> None:
    scene = Scene.make(2)
    scene.nova.default = Attempt(finish_after=300)
    oldest: list[float] = []

    def look() -> None:
        now = scene.world.api_time()
        locks = scene.locks.locks.values()
        oldest.extend((now - lock.renewed_at).total_seconds() for lock in locks)
        scene.world.after(5, look)

    look()
    scene.recover(concurrency=1)
    assert len(oldest) > 100
    assert max(oldest) < 30


def test_long_looks_apart_keep_the_lock_too() -> None:
    scene = Scene.make(2)
    scene.nova.default = Attempt(finish_after=300)
    ages: list[float] = []

    def look() -> None:
        now = scene.world.api_time()
        locks = scene.locks.locks.values()
        ages.extend((now - lock.renewed_at).total_seconds() for lock in locks)
        scene.world.after(5, look)

    look()
    result = scene.recover(concurrency=1, poll_interval=10)
    assert set(states(result).values()) == {"verified"}
    assert max(ages) < 45


def test_a_lock_store_that_is_away_stops_the_submissions_for_that_time() -> None:
    scene = Scene.make(6)
    scene.nova.default = Attempt(finish_after=20)
    scene.world.after(10, lambda: setattr(scene.locks, "down", True))
    scene.world.after(200, lambda: setattr(scene.locks, "down", False))
    result = scene.recover(concurrency=1)
    assert set(states(result).values()) == {"verified"}
    quiet = [r for r in scene.nova.records if values.at(60) < r.created_at < values.at(200)]
    assert quiet == []


def test_adopted_ones_that_would_lose_data_are_not_submitted_again() -> None:
    scene = Scene.make(0)
    local = scene.nova.add(values.instance("local", image_id="image"))
    scene.nova._accept(local.id, Attempt(outcome=ERROR, claim_after=10))
    result = scene.recover(storage=values.LOCAL_FAIL)
    assert states(result) == {"local": "failed"}
    assert scene.nova.evacuations(local.id) == 0
