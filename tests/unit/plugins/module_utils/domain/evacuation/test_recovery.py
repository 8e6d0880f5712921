# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the request to the result: locks, and the plan that is made again under them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.recovery import (
    Result,
)
from fakes import values
from fakes.locks import lock_of
from fakes.nova import FAILED, STUCK, Attempt
from fakes.scene import Scene, states
from fakes.world import Killed


def test_a_plan_is_waited_for_a_minute() -> None:
    scene = Scene.make(1)
    scene.nova.outages = [(0, 40)]
    assert states(scene.recover()) == {"web-1": "verified"}
    assert any("does not answer" in line for _moment, line in scene.lines)


def test_a_cloud_that_is_away_for_good_is_an_error_before_anything_was_done() -> None:
    scene = Scene.make(1)
    scene.nova.outages = [(0, 1e9)]
    with pytest.raises(ApiUnavailable):
        scene.recover()
    assert scene.world.now < 70
    assert scene.locks.calls == []


def test_a_second_run_is_refused_while_the_first_one_waits_for_a_slow_nova() -> None:
    # Nothing is submitted for ten minutes, and yet the first one is alive.
    scene = Scene.make(1)
    scene.nova.default = Attempt(finish_after=600)

    def second() -> Result:
        scene.world.sleep(200)
        return scene.recover(run_id="two")

    results = scene.world.run_together({"one": lambda: scene.recover(run_id="one"), "two": second})
    assert states(results["one"]) == {"web-1": "verified"}
    assert isinstance(results["two"], RecoveryError)
    assert results["two"].code == "run_in_progress"
    assert scene.nova.evacuations("id-web-1") == 1


def test_what_another_run_did_before_the_lock_was_ours_is_in_the_plan() -> None:
    scene = Scene.make(3)
    other = lock_of(scene.locks, "other")
    other.acquire()

    def other_ends() -> None:
        scene.nova._accept("id-web-1", Attempt())
        del scene.locks.locks["compute-1"]

    scene.world.after(20, other_ends)
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    assert scene.nova.evacuations("id-web-1") == 0


def test_each_source_has_its_lock() -> None:
    scene = Scene.make(1, failed=("compute-1", "compute-2"))
    scene.nova.add(values.instance("other", host="compute-2"))
    held: list[set[str]] = []
    scene.world.after(2, lambda: held.append(set(scene.locks.locks)))
    result = scene.recover("web-1", "other", host=None)
    assert set(states(result).values()) == {"verified"}
    assert held == [{"compute-1", "compute-2"}]
    assert scene.locks.locks == {}


def test_an_instance_that_moved_before_the_lock_was_ours_needs_another_lock() -> None:
    scene = Scene.make(1)
    lock_of(scene.locks, "other").acquire()

    def moved_and_failed_again() -> None:
        scene.nova._change("id-web-1", host="compute-2")
        scene.nova.allocations["id-web-1"] = {"compute-2"}
        scene.nova.services["compute-2"] = values.service("compute-2", state="down")
        del scene.locks.locks["compute-1"]

    scene.world.after(10, moved_and_failed_again)
    held: list[set[str]] = []
    real = scene.nova.evacuate

    def evacuate(instance_id: str, **how: bool) -> str | None:
        held.append(set(scene.locks.locks))
        return real(instance_id, **how)

    scene.nova.evacuate = evacuate  # type: ignore[method-assign]
    result = scene.recover("web-1", host=None)
    assert states(result) == {"web-1": "verified"}
    assert "compute-2" in held[0]


def test_a_lock_that_cannot_be_had_gives_the_others_back() -> None:
    scene = Scene.make(1, failed=("compute-1", "compute-2"))
    scene.nova.add(values.instance("other", host="compute-2"))
    blocker = lock_of(scene.locks, "blocker", "compute-2")
    blocker.acquire()

    def keep() -> None:
        lock = scene.locks.locks["compute-2"]
        scene.locks.locks["compute-2"] = replace(lock, renewed_at=scene.world.api_time())
        scene.world.after(5, keep)

    keep()
    with pytest.raises(RecoveryError) as raised:
        scene.recover("web-1", "other", host=None)
    assert raised.value.code == "run_in_progress"
    assert set(scene.locks.locks) == {"compute-2"}
    assert not scene.nova.records


def test_the_result_counts_and_says_whether_it_failed() -> None:
    scene = Scene.make(3)
    scene.nova.script["id-web-1"] = [Attempt(outcome=FAILED)] * 9
    scene.nova.script["id-web-2"] = [Attempt(outcome=STUCK)]
    scene.nova.add(values.instance("tpm", extra_specs={"hw:tpm_version": "2.0"}))
    result = scene.recover(retries=0, instance_timeout=60)
    assert result.totals() == {
        "planned": 3,
        "verified": 1,
        "failed": 1,
        "in_progress": 1,
        "not_started": 0,
        "skipped": 1,
        "gone": 0,
        "predicted": 2,
        "predicted_right": 2,
    }
    assert result.failed
    error = result.error()
    assert error.code == "evacuation_incomplete"
    assert "1 of 3 instances verified, 1 failed, 1 in progress" in error.message


def test_skipped_ones_alone_are_no_failure() -> None:
    scene = Scene.make(0)
    scene.nova.add(values.instance("tpm", extra_specs={"hw:tpm_version": "2.0"}))
    result = scene.recover()
    assert states(result) == {"tpm": "skipped"}
    assert not result.failed


@pytest.mark.parametrize("moment", [0.05, 0.2, 0.35, 0.5, 0.7, 1, 2, 3, 5, 5.5, 7])
def test_a_run_that_was_killed_is_finished_by_the_next(moment: float) -> None:
    scene = Scene.make(4)
    scene.world.kill_at = moment
    with pytest.raises(Killed):
        scene.recover(concurrency=2)
    scene.world.revive()
    result = scene.recover(run_id="run-2")
    assert set(states(result).values()) == {"verified"}
    assert len(scene.nova.records) == 4
    assert scene.nova.violations == []
    assert scene.locks.locks == {}


def service_of(scene: Scene) -> tuple[bool, str, str | None]:
    service = next(s for s in scene.nova.compute_services() if s.host == "compute-1")
    return service.forced_down, service.status, service.disabled_reason


def test_the_host_is_forced_down_and_disabled_before_anything_is_evacuated() -> None:
    scene = Scene.make(1)
    result = scene.recover(disabled_reason="run one")
    assert service_of(scene) == (True, "disabled", "run one")
    assert [change.as_dict() for change in result.plan.service_changes] == [
        {"host": "compute-1", "forced_down": True},
        {"host": "compute-1", "status": "disabled", "disabled_reason": "run one"},
    ]
    assert result.changed


def test_a_host_without_instances_is_taken_out_too_and_only_once() -> None:
    scene = Scene.make(0)
    assert scene.recover(disabled_reason="run one").changed
    assert not scene.recover(disabled_reason="run two").changed
    assert service_of(scene) == (True, "disabled", "run one")
    assert scene.locks.read("compute-1") is None


def test_of_two_runs_only_the_one_with_the_lock_marks_the_host() -> None:
    scene = Scene.make(1)
    scene.nova.default = Attempt(finish_after=600)
    results = scene.world.run_together(
        {
            "one": lambda: scene.recover(run_id="one", disabled_reason="one"),
            "two": lambda: scene.recover(run_id="two", disabled_reason="two"),
        }
    )
    refused = [name for name, result in results.items() if isinstance(result, RecoveryError)]
    (worked,) = results.keys() - set(refused)
    assert service_of(scene) == (True, "disabled", worked)


def test_a_host_that_is_up_is_not_taken_out_even_when_it_is_empty() -> None:
    scene = Scene.make(0)
    with pytest.raises(RecoveryError) as raised:
        scene.recover(host="compute-2", disabled_reason="run one")
    assert raised.value.code == "host_is_up"
    assert scene.nova.services["compute-2"].status == "enabled"


def test_an_outage_while_the_host_is_marked_is_waited_for() -> None:
    scene = Scene.make(1)
    marked = scene.nova.update_service
    answers = [ApiUnavailable("503"), None, ApiUnavailable("503")]

    def update(service_id: str, body: dict[str, object]) -> None:
        if answers and (error := answers.pop(0)):
            raise error
        marked(service_id, body)

    scene.nova.update_service = update  # type: ignore[assignment,method-assign]
    assert states(scene.recover(disabled_reason="run one")) == {"web-1": "verified"}
    assert service_of(scene) == (True, "disabled", "run one")


def test_a_right_to_mark_the_host_that_is_missing_ends_the_run_with_its_result() -> None:
    scene = Scene.make(1)

    def update(service_id: str, body: dict[str, object]) -> None:
        raise ApiRefused("forbidden", "no", status=403)

    scene.nova.update_service = update  # type: ignore[assignment,method-assign]
    result = scene.recover(disabled_reason="run one")
    assert states(result) == {"web-1": "not_started"}
    assert result.failed
    assert not result.changed
    assert result.error().code == "forbidden"
    assert scene.nova.evacuations("id-web-1") == 0


def test_a_rehearsal_plans_for_a_host_that_is_up() -> None:
    scene = Scene.make(1)
    services = scene.nova.services
    services["compute-1"] = replace(services["compute-1"], state="up")
    request = Request(
        host="compute-1", storage=values.SHARED, rehearsal=True, disabled_reason="run one"
    )
    plan = build_plan(scene.nova, request)
    assert [move.action for move in plan.moves] == ["evacuate"]
    assert [change.as_dict()["host"] for change in plan.service_changes] == ["compute-1"] * 2
