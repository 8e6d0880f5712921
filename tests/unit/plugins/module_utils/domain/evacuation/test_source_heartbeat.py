# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failed host that returns while it is evacuated, seen alone and in whole runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.source_heartbeat import (
    SourceHeartbeat,
    SourceHeartbeats,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.heartbeat import (
    HEARTBEAT_TIMEOUT,
    HEARTBEAT_WATCH,
)
from fakes import values
from fakes.locks import lock_of
from fakes.nova import FAILED, LOST, REPORT_INTERVAL, Attempt
from fakes.scene import Scene, states
from fakes.world import Killed

DOWN = values.service(state="down", forced_down=True, status="disabled", updated_at=values.at(-600))
# The longest call of the fake's own, beside the one that asks for an evacuation.
MOMENT = 1.0


def reported(moment: float, **fields: Any) -> Any:
    return replace(DOWN, updated_at=values.at(moment), **fields)


def silent() -> SourceHeartbeat:
    return SourceHeartbeat(DOWN, 0, silent=True)


# One host's heartbeat


def test_one_that_stands_still_is_not_doubted() -> None:
    heartbeat = silent()
    for now in (0, 10, 3000):
        heartbeat.observe(DOWN, now)
        assert not heartbeat.is_doubtful(now)


def test_the_first_heartbeat_is_doubted_until_it_was_quiet_for_long() -> None:
    heartbeat = silent()
    heartbeat.observe(reported(5), 6)
    heartbeat.observe(reported(5), 20)
    assert heartbeat.is_doubtful(6)
    assert heartbeat.is_doubtful(6 + HEARTBEAT_TIMEOUT - 1)
    assert not heartbeat.is_doubtful(6 + HEARTBEAT_TIMEOUT)


@pytest.mark.parametrize("second", [15, 105])
def test_the_second_heartbeat_ends_it_however_late_it_comes(second: float) -> None:
    heartbeat = silent()
    heartbeat.observe(reported(5), 6)
    with pytest.raises(RecoveryError) as raised:
        heartbeat.observe(reported(second), second + 1)
    assert raised.value.code == "host_has_returned"
    assert not raised.value.retriable
    assert raised.value.details == {
        "host": "compute-1",
        "heartbeats": [values.at(5).isoformat(), values.at(second).isoformat()],
    }


def test_a_clock_that_was_set_back_does_not_hide_a_heartbeat() -> None:
    heartbeat = silent()
    heartbeat.observe(reported(-700), 6)
    assert heartbeat.is_doubtful(6)


@pytest.mark.parametrize(
    "change", [{"disabled_reason": "mine"}, {"status": "enabled"}, {"forced_down": False}]
)
def test_what_somebody_has_changed_is_no_heartbeat(change: dict[str, Any]) -> None:
    heartbeat = silent()
    heartbeat.observe(reported(5, **change), 6)
    assert not heartbeat.is_doubtful(6)
    # Nor does it hide those that follow.
    heartbeat.observe(reported(15, **change), 16)
    assert heartbeat.is_doubtful(16)
    with pytest.raises(RecoveryError):
        heartbeat.observe(reported(25, **change), 26)


def test_one_that_is_not_known_to_stand_still_is_watched_first() -> None:
    heartbeat = SourceHeartbeat(reported(-5), 0, silent=False)
    assert heartbeat.is_doubtful(0)
    assert heartbeat.is_doubtful(HEARTBEAT_WATCH - 1)
    assert not heartbeat.is_doubtful(HEARTBEAT_WATCH)


# Those of all sources


def test_all_sources_are_read_in_one_request() -> None:
    scene = Scene.make(0, failed=("compute-1", "compute-2"))
    heartbeats = SourceHeartbeats(
        scene.nova, ["compute-1", "compute-2"], ["compute-1"], scene.world
    )
    assert not heartbeats.read_since(0)
    heartbeats.read()
    assert len(scene.nova.calls) == 1
    assert heartbeats.read_since(0)
    # From before the request: a heartbeat that came meanwhile is not in the answer.
    assert not heartbeats.read_since(scene.nova.latency)
    assert heartbeats.doubtful() == ["compute-2"]


def test_what_was_known_is_out_of_date_when_the_first_look_comes_late() -> None:
    scene = Scene.make(0)
    heartbeats = SourceHeartbeats(scene.nova, ["compute-1"], ["compute-1"], scene.world)
    scene.world.sleep(HEARTBEAT_WATCH)
    heartbeats.read()
    assert heartbeats.doubtful() == ["compute-1"]


def test_a_look_that_failed_is_none() -> None:
    scene = Scene.make(0)
    heartbeats = SourceHeartbeats(scene.nova, ["compute-1"], ["compute-1"], scene.world)
    scene.nova.outages = [(0, 1)]
    with pytest.raises(ApiUnavailable):
        heartbeats.read()
    assert not heartbeats.read_since(0)


# Whole runs


def returning(moment: float, instances: int = 12, **nova: Any) -> Scene:
    """compute-1 reports again from that moment on."""
    scene = Scene.make(instances, **nova)
    scene.world.after(moment, scene.nova.host_returns)
    return scene


@pytest.mark.parametrize("poll_interval", [1, 2, 10])
@pytest.mark.parametrize("moment", [1, 3, 9.9, 12, 25, 31])
@pytest.mark.parametrize("disabled_reason", ["run one", None])
def test_nothing_is_submitted_once_the_host_reports_again(
    moment: float, poll_interval: int, disabled_reason: str | None
) -> None:
    scene = returning(moment)
    scene.nova.default = Attempt(finish_after=6)
    result = scene.recover(
        concurrency=2, poll_interval=poll_interval, disabled_reason=disabled_reason
    )
    assert max(scene.nova.evacuated_at) <= moment + REPORT_INTERVAL + poll_interval + MOMENT
    error = result.error()
    assert error.code == "host_has_returned"
    assert result.failed
    assert error.details["host"] == "compute-1"
    # What was moving has been waited for and verified; the others have not been touched.
    assert set(states(result).values()) == {"verified", "not_started"}
    for entry in result.instances:
        assert scene.nova.evacuations(entry["id"]) == (entry["status"] == "verified")
    assert scene.nova.violations == []
    assert scene.locks.locks == {}
    left = [entry for entry in result.instances if entry["status"] == "not_started"]
    assert {entry["code"] for entry in left} == {"host_has_returned"}


def test_a_failed_attempt_is_not_tried_again_on_a_host_that_has_returned() -> None:
    scene = returning(3, instances=1)
    scene.nova.script["id-web-1"] = [Attempt(outcome=FAILED)]
    result = scene.recover(disabled_reason="run one")
    assert scene.nova.evacuations("id-web-1") == 1
    assert states(result) == {"web-1": "failed"}
    assert result.error().code == "host_has_returned"


def test_a_tick_with_slow_calls_looks_again() -> None:
    # Each call takes a minute, so that this tick is a long one.
    scene = returning(70)
    scene.nova.default = Attempt(answer=LOST, seconds=60, finish_after=70)
    scene.recover(concurrency=12, disabled_reason="run one")
    assert max(scene.nova.evacuated_at) <= 70 + REPORT_INTERVAL + 2 + MOMENT


def test_one_update_that_nobody_can_explain_only_holds_it_up() -> None:
    scene = Scene.make(12)

    def update() -> None:
        services = scene.nova.services
        services["compute-1"] = replace(services["compute-1"], updated_at=scene.world.api_time())

    scene.world.after(5, update)
    result = scene.recover(concurrency=1, disabled_reason="run one")
    assert set(states(result).values()) == {"verified"}
    during = [moment for moment in scene.nova.evacuated_at if 8 < moment < 5 + HEARTBEAT_TIMEOUT]
    assert during == []
    assert any("whether compute-1 reports again" in line for _moment, line in scene.lines)


def test_the_other_sources_go_on_while_one_is_doubted() -> None:
    scene = Scene.make(0, failed=("compute-1", "compute-2"))
    for number in range(4):
        scene.nova.add(values.instance(f"one-{number}", host="compute-1"))
        scene.nova.add(values.instance(f"two-{number}", host="compute-2"))
    services = scene.nova.services
    services["compute-2"] = replace(
        services["compute-2"], forced_down=True, updated_at=values.at(-5)
    )
    names = [instance.name for instance in scene.nova.instances.values()]
    result = scene.recover(*names, host=None, concurrency=8)
    assert set(states(result).values()) == {"verified"}
    calls = [what for name, what in scene.nova.calls if name == "evacuate"]
    assert {what[:6] for what in calls[:4]} == {"id-one"}
    assert scene.nova.evacuated_at[3] < 2
    assert HEARTBEAT_WATCH < scene.nova.evacuated_at[4] < HEARTBEAT_WATCH + 4


def test_the_usual_run_does_not_wait() -> None:
    scene = Scene.make(3)
    scene.recover(disabled_reason="run one")
    assert max(scene.nova.evacuated_at) < 2


def test_a_host_that_was_forced_down_long_ago_is_not_waited_for_either() -> None:
    scene = Scene.make(3)
    services = scene.nova.services
    services["compute-1"] = replace(services["compute-1"], forced_down=True)
    scene.recover(disabled_reason="run one")
    assert max(scene.nova.evacuated_at) < 2


def test_the_wait_after_a_takeover_is_not_made_longer() -> None:
    scene = Scene.make(3)
    lock_of(scene.locks, "dead").acquire()
    scene.recover()
    # The lease of 45 seconds, and the 40 that a call of the dead run may still take.
    assert 85 < min(scene.nova.evacuated_at) < 85 + 10


def test_one_that_was_forced_down_a_moment_ago_is_watched() -> None:
    scene = Scene.make(3)
    service = scene.nova.services["compute-1"]
    scene.nova.update_service(service.id, {"forced_down": True})
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    assert HEARTBEAT_WATCH <= min(scene.nova.evacuated_at) < HEARTBEAT_WATCH + 4


@pytest.mark.parametrize("moment", [0.5, 4, 20])
def test_the_run_after_one_that_was_killed_submits_nothing_of_a_host_that_reports(
    moment: float,
) -> None:
    scene = returning(moment)
    scene.world.kill_at = moment + 4
    with pytest.raises(Killed):
        scene.recover(concurrency=1, disabled_reason="run one")
    calls = len(scene.nova.evacuated_at)
    scene.world.revive()
    result = scene.recover(run_id="run-2", disabled_reason="run two")
    assert result.error().code == "host_has_returned"
    assert len(scene.nova.evacuated_at) == calls
    assert scene.nova.violations == []


def test_an_outage_between_the_plan_and_the_first_look_does_not_hide_a_return() -> None:
    scene = returning(20)
    scene.nova.outages = [(0.3, 200)]
    result = scene.recover(disabled_reason="run one")
    assert result.error().code == "host_has_returned"
    assert scene.nova.evacuated_at == []


def test_it_is_read_once_in_a_tick_and_not_for_each_instance() -> None:
    scene = Scene.make(24)
    scene.nova.default = Attempt(finish_after=30)
    scene.recover(concurrency=16)
    planned = 2
    # All at once, and then as many as have come to their end: one tick each.
    assert scene.nova.calls.count(("compute_services", "")) - planned <= 4


def test_nothing_is_submitted_while_the_heartbeat_cannot_be_read() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=8)
    broken = {"compute_services": ApiUnavailable("no answer")}
    scene.world.after(3, lambda: scene.nova.broken.update(broken))
    scene.world.after(60, scene.nova.broken.clear)
    result = scene.recover(concurrency=1)
    assert set(states(result).values()) == {"verified"}
    assert not [moment for moment in scene.nova.evacuated_at if 3 < moment < 60]


def test_a_service_that_somebody_deletes_ends_the_run() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=8)

    def delete() -> None:
        del scene.nova.services["compute-1"]

    scene.world.after(3, delete)
    result = scene.recover(concurrency=1)
    assert result.error().code == "host_not_found"
    assert sorted(states(result).values()) == ["not_started", "not_started", "verified"]
