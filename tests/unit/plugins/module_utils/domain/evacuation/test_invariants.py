# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold whatever goes wrong, and in whatever order.

The fake Nova keeps book of violations: two records of one instance in progress at the same moment,
a call for an instance that is on its way, a second copy of an instance.
"""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.recovery import (
    Result,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import SHUTDOWN
from fakes import values
from fakes.nova import DONE, ERROR, FAILED, LOST, OK, STUCK, UNAVAILABLE, Attempt
from fakes.scene import Scene
from fakes.world import Killed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KINDS: dict[str, dict[str, Any]] = {
    "active": {},
    "stopped": {"vm_state": "stopped", "power_state": SHUTDOWN},
    "error": {"vm_state": "error"},
}
# The same examples each time; INVARIANT_EXAMPLES=3000 tries that many new ones.
EXAMPLES = os.environ.get("INVARIANT_EXAMPLES")
CHECKED = settings(
    max_examples=int(EXAMPLES or 150),
    derandomize=EXAMPLES is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

seconds = st.sampled_from([0.1, 1.0, 5.0, 20.0, 65.0, 130.0])
usual = st.builds(
    Attempt,
    answer=st.sampled_from([OK, OK, LOST, UNAVAILABLE, 409, 400, 404, 413]),
    claim_after=seconds,
    finish_after=seconds,
    outcome=st.sampled_from([DONE, DONE, DONE, FAILED, ERROR, STUCK]),
    destination=st.sampled_from([None, None, "compute-2"]),
    ports_after=st.sampled_from([0.5, 0.5, 30.0, None]),
)
# A slow API worker: the record is there when it answers, or some time after nobody waits for it.
slow = st.builds(
    lambda answer, seconds, late: Attempt(
        answer=answer, seconds=seconds, accepted_after=seconds + (late if answer == LOST else -0.1)
    ),
    st.sampled_from([OK, LOST]),
    st.sampled_from([3.0, 15.0, 60.0]),
    st.sampled_from([0.0, 4.0, 40.0, 80.0]),
)
attempts = usual | slow
outages = st.lists(
    st.tuples(st.floats(0, 200), st.sampled_from([1.0, 8.0, 40.0, 150.0])), max_size=3
).map(lambda found: [(begin, begin + length) for begin, length in found])


@st.composite
def scenes(draw: st.DrawFn, *, with_outages: bool = True) -> Scene:
    scene = Scene.make(0, latency=draw(st.sampled_from([0.01, 0.3])))
    for number in range(draw(st.integers(1, 4))):
        kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
        instance = values.instance(f"vm-{number}", volume_ids=frozenset({f"v-{number}"}), **kind)
        scene.nova.add(instance)
        scene.nova.script[instance.id] = draw(st.lists(attempts, max_size=4))
    for instance_id in list(scene.nova.instances):
        if draw(st.integers(0, 9)) == 0:
            moment = draw(st.floats(0, 100))
            scene.world.after(moment, lambda i=instance_id: scene.nova.delete(i))  # type: ignore[misc]
        if draw(st.integers(0, 4)) == 0:
            scene.by_hand = True
            scene.world.after(
                draw(st.floats(0, 60)),
                lambda i=instance_id: scene.nova.evacuate_by_hand(i),  # type: ignore[misc]
            )
    if draw(st.booleans()):
        scene.nova.groups = [values.group("anti-affinity", *scene.nova.instances)]
    if with_outages:
        scene.nova.outages = draw(outages)
    return scene


def run(scene: Scene, *, refused: str = "", **others: Any) -> Result | None:
    try:
        return scene.recover(timeout=900, instance_timeout=600, **others)
    except RecoveryError as error:
        assert error.code in ("api_unavailable", "run_in_progress", "lock_lost", refused), error
        return None


def check(scene: Scene, result: Result | None) -> None:
    assert scene.nova.violations == []
    if result is None:
        return
    for entry in result.instances:
        if entry["status"] == "verified":
            # Its owner may have deleted it since.
            assert scene.nova.fine(entry["id"]) or _gone(scene, entry["id"]), entry
        else:
            assert entry["reason"], entry
    totals = result.totals()
    beside = {"planned", "predicted", "predicted_right"}
    assert len(result.instances) == sum(totals[name] for name in totals.keys() - beside)
    assert (
        result.failed
        == any(
            entry["status"] in ("failed", "in_progress", "not_started")
            for entry in result.instances
        )
        or result.halt
    )


def land_in_time(scene: Scene) -> None:
    """A run that takes over waits for calls of the one before, longer than their time-out."""
    for script in scene.nova.script.values():
        script[:] = [a for a in script if max(a.seconds, a.accepted_after) <= 60]


@CHECKED
@given(
    scenes(),
    st.integers(1, 4),
    st.none() | st.integers(1, 2),
    st.sampled_from([0, 10]),
    st.sampled_from([2, 10]),
)
def test_whatever_fails_nothing_is_done_twice_and_verified_means_fine(
    scene: Scene,
    concurrency: int,
    per_destination: int | None,
    retry_delay: int,
    poll_interval: int,
) -> None:
    result = run(
        scene,
        concurrency=concurrency,
        per_destination=per_destination,
        retry_delay=retry_delay,
        poll_interval=poll_interval,
    )
    check(scene, result)
    assert scene.world.now < 900 + 120
    if not scene.by_hand:
        assert scene.nova.most_at_once <= concurrency
        assert scene.nova.most_on_one <= (per_destination or concurrency)


@CHECKED
@given(scenes(), st.lists(st.floats(0.01, 150), min_size=1, max_size=3))
def test_runs_that_are_killed_at_any_moment_are_finished_by_the_next(
    scene: Scene, lifetimes: list[float]
) -> None:
    land_in_time(scene)
    for number, lifetime in enumerate(lifetimes):
        scene.world.revive()
        scene.world.kill_at = scene.world.now + lifetime
        try:
            check(scene, run(scene, run_id=f"killed-{number}"))
        except Killed:
            assert scene.nova.violations == []
    scene.world.revive()
    check(scene, run(scene, run_id="last"))
    known = {i.id for i in scene.nova.instances.values() if i.host == "compute-1"}
    assert all(
        scene.nova.fine(i) or i in known or _gone(scene, i) or _broken(scene, i)
        for i in scene.nova.instances
    )


def _gone(scene: Scene, instance_id: str) -> bool:
    return scene.nova.instances[instance_id].vm_state == "deleted"


def _broken(scene: Scene, instance_id: str) -> bool:
    """Moved by Nova to a place where its network does not come up."""
    ports = [p for p in scene.nova.ports.values() if p.instance_id == instance_id]
    return any(port.status != "ACTIVE" for port in ports)


@CHECKED
@given(
    scenes(with_outages=False),
    st.sampled_from([0.0, 0.5, 2.0, 6.0]) | st.floats(0, 120),
    st.lists(
        st.tuples(st.sampled_from(["one", "two"]), st.floats(0, 150), st.floats(1, 120)),
        max_size=3,
    ),
)
def test_two_runs_at_the_same_time_never_submit_twice(
    scene: Scene, start: float, pauses: list[tuple[str, float, float]]
) -> None:
    land_in_time(scene)

    def second() -> Result | None:
        scene.world.sleep(start)
        return run(scene, run_id="two", concurrency=1)

    results = scene.world.run_together(
        {"one": lambda: run(scene, run_id="one", concurrency=2), "two": second},
        {
            name: [(moment, length) for who, moment, length in pauses if who == name]
            for name in ("one", "two")
        },
    )
    for result in results.values():
        if isinstance(result, BaseException):
            raise result
    assert scene.nova.violations == []
    for result in results.values():
        for entry in result.instances if result else ():
            if entry["status"] == "verified":
                assert scene.nova.fine(entry["id"]) or _gone(scene, entry["id"])


@CHECKED
@given(scenes())
def test_once_the_cloud_is_well_again_a_second_run_brings_everything_to_its_end(
    scene: Scene,
) -> None:
    run(scene)
    scene.nova.script.clear()
    scene.nova.outages.clear()
    scene.nova.groups.clear()
    scene.world.sleep(200)
    # What is stuck for ever needs a person; the rest does not.
    stuck = {r.instance_id for r in scene.nova.records if r.status == "accepted"}
    check(scene, result := run(scene, run_id="two"))
    assert result is not None
    for entry in result.instances:
        if entry["id"] not in stuck and not _broken(scene, entry["id"]):
            assert entry["status"] in ("verified", "gone"), entry


@CHECKED
@given(
    scenes(),
    st.floats(0, 150),
    st.sampled_from([3.0, 10.0]),
    st.sampled_from([2, 10]),
    st.integers(1, 4),
)
def test_a_host_that_reports_again_gets_no_further_call(
    scene: Scene, moment: float, interval: float, poll_interval: int, concurrency: int
) -> None:
    scene.world.after(moment, lambda: scene.nova.host_returns(interval=interval))
    others = {"concurrency": concurrency, "poll_interval": poll_interval, "refused": "host_is_up"}
    result = run(scene, disabled_reason="run one", **others)
    check(scene, result)
    # One report may lie before the first look. A tick with slow calls looks every ten seconds.
    late = max(10, poll_interval + interval) + 3
    assert not [asked for asked in scene.nova.evacuated_at if asked > moment + late]
    if scene.world.now < moment + interval:
        return
    calls = len(scene.nova.evacuated_at)
    check(scene, run(scene, run_id="two", disabled_reason="run one", **others))
    assert len(scene.nova.evacuated_at) == calls


def test_the_fake_notices_what_must_not_happen() -> None:
    """A book that is never written to proves nothing."""
    scene = Scene.make(1)
    scene.nova.evacuate("id-web-1")
    scene.nova.evacuate("id-web-1")
    scene.world.sleep(10)
    assert len(scene.nova.violations) >= 2
    assert not scene.nova.fine("id-web-1")


def test_the_fake_can_be_silent() -> None:
    scene = Scene.make(1)
    scene.nova.outages = [(0, 10)]
    try:
        scene.nova.evacuate("id-web-1")
    except ApiUnavailable:
        assert scene.nova.records == []
    else:
        raise AssertionError
