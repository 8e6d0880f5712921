# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runs against a Nova that migrates as the real one does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.request import (
    Request,
    Wish,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.run import (
    Result,
    migrate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import SHUTDOWN
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from fakes import values
from fakes.migrating import (
    BROKEN,
    LOST,
    NO_HOST,
    ROLLED_BACK,
    STUCK,
    UNAVAILABLE,
    FakeMigratingNova,
    Trip,
)
from fakes.world import Killed
from hypothesis import given
from hypothesis import strategies as st

HOME = "compute-1"
STOPPED = {"vm_state": "stopped", "power_state": SHUTDOWN}


def cloud_with(running: int = 2, stopped: int = 1) -> FakeMigratingNova:
    """Instances of compute-1 that are on compute-2 and compute-3 in turn."""
    cloud = FakeMigratingNova()
    for number in range(running + stopped):
        off = number >= running
        cloud.add(
            values.instance(
                f"{'off' if off else 'web'}-{number}",
                host=f"compute-{2 + number % 2}",
                volume_ids=frozenset({f"volume-{number}"}),
                **(STOPPED if off else {}),
            )
        )
    return cloud


def run(
    cloud: FakeMigratingNova,
    per_source: int | None = 1,
    concurrency: int = 4,
    request: dict[str, Any] | None = None,
    **settings: Any,
) -> Result:
    wishes = tuple(Wish(instance_id=i, host=HOME) for i in cloud.instances)
    return migrate(
        cloud,
        Request(wishes=wishes, **(request or {})),
        OperationSettings(
            **{
                "concurrency": concurrency,
                "concurrency_per_source": per_source,
                "max_failures": None,
                **settings,
            }
        ),
        cloud.world,
        watcher=Watcher(),
    )


def statuses(result: Result) -> dict[str, tuple[str, str | None]]:
    return {e["name"]: (e["status"], e["code"]) for e in result.instances}


def all_home(cloud: FakeMigratingNova) -> bool:
    return all(
        cloud.home_again(i.id, HOME, "stopped" if i.name.startswith("off") else "active")
        for i in cloud.instances.values()
    )


def test_all_go_home_and_a_second_run_changes_nothing() -> None:
    cloud = cloud_with()
    first = run(cloud)
    assert first.changed
    assert first.error is None
    assert first.totals()["verified"] == 3
    assert all_home(cloud)
    assert [kind for _i, kind, _host in cloud.sent].count("confirm") == 1
    assert first.seconds > 5
    sent = list(cloud.sent)
    again = run(cloud)
    assert not again.changed
    assert again.totals()["verified"] == 3
    assert cloud.sent == sent
    assert cloud.violations == []


def test_the_result_of_an_instance() -> None:
    entry = run(cloud_with(0, 1)).instances[0]
    assert (entry["from"], entry["to"], entry["action"]) == ("compute-2", HOME, "cold_migrate")
    assert entry["request_ids"] == ["req-1", "req-confirm"]
    words = [event["event"] for event in entry["timeline"]]
    assert words.index("cold_migrate") < words.index("confirm") < words.index("verified")
    assert all(check["passed"] for check in entry["verifications"].values())


def test_nothing_to_do() -> None:
    result = migrate(
        FakeMigratingNova(),
        Request(wishes=()),
        OperationSettings(),
        FakeMigratingNova().world,
        watcher=Watcher(),
    )
    assert not result.changed
    assert result.error is None
    assert result.instances == []


@pytest.mark.parametrize("outcome", [NO_HOST, ROLLED_BACK])
@pytest.mark.parametrize("stopped", [0, 1])
def test_what_nova_does_not_move_stays_as_it_is(outcome: str, stopped: int) -> None:
    cloud = cloud_with(1 - stopped, stopped)
    (before,) = cloud.instances.values()
    cloud.trips[before.id] = [Trip(outcome=outcome)]
    result = run(cloud)
    code = "cold_migrate_failed" if stopped else "live_migrate_failed"
    assert statuses(result) == {before.name: ("failed", code)}
    assert "No valid host" in result.instances[0]["reason"]
    assert result.error is not None
    assert result.error.code == "migration_incomplete"
    assert cloud.home_again(before.id, before.host or "", before.vm_state)
    # Running again tries again.
    assert run(cloud).error is None
    assert all_home(cloud)


def test_what_nova_refuses_stays_as_it_is() -> None:
    cloud = cloud_with(2, 0)
    cloud.trips["id-web-0"] = [Trip(answer=409)]
    result = run(cloud)
    assert statuses(result) == {"web-0": ("failed", "nova_refused"), "web-1": ("verified", None)}
    assert cloud.home_again("id-web-0", "compute-2")


def test_one_that_a_cold_migration_breaks_is_told_at_once() -> None:
    cloud = cloud_with(0, 1)
    cloud.trips["id-off-0"] = [Trip(outcome=BROKEN)]
    result = run(cloud)
    assert statuses(result) == {"off-0": ("failed", "cold_migrate_failed")}
    assert result.instances[0]["state"] == "at its host, error"
    assert result.seconds < 30
    # It is not touched again.
    sent = list(cloud.sent)
    assert statuses(run(cloud)) == {"off-0": ("failed", "in_error")}
    assert "broken" in run(cloud).instances[0]["reason"]
    assert cloud.sent == sent


def test_one_that_nova_does_not_get_done_with_is_left_alone() -> None:
    cloud = cloud_with(1, 0)
    cloud.trips["id-web-0"] = [Trip(outcome=STUCK)]
    assert statuses(run(cloud, instance_timeout=60)) == {"web-0": ("in_progress", "timeout")}
    assert len(cloud.sent) == 1


def test_an_allocation_that_the_source_keeps_is_told() -> None:
    cloud = cloud_with(1, 0)
    cloud.trips["id-web-0"] = [Trip(leaks=True)]
    result = run(cloud, verify_timeout=20)
    assert statuses(result) == {"web-0": ("failed", "not_verified")}
    assert "its migration still holds compute-2" in result.instances[0]["reason"]


@pytest.mark.parametrize("answer", [LOST, UNAVAILABLE])
def test_a_call_without_an_answer(answer: str) -> None:
    cloud = cloud_with(1, 0)
    cloud.trips["id-web-0"] = [Trip(answer=answer)]
    assert run(cloud).error is None
    assert all_home(cloud)
    assert len(cloud.sent) == (1 if answer == LOST else 2)
    assert cloud.violations == []


def test_a_home_that_fails_on_the_way() -> None:
    cloud = cloud_with(6, 0)
    cloud.world.after(12, lambda: cloud.host_goes_down(HOME))
    result = run(cloud, concurrency=1, max_failures=0)
    found = statuses(result)
    assert ("failed", "host_is_down") in found.values()
    assert ("not_started", "failure_limit") in found.values()
    assert cloud.violations == []


def test_one_that_its_owner_deletes_on_the_way() -> None:
    cloud = cloud_with(3, 0)
    cloud.world.after(5, lambda: cloud.delete("id-web-2"))
    found = statuses(run(cloud, concurrency=1))
    assert found["web-2"] == ("gone", "deleted")
    assert found["web-1"] == ("verified", None)


def test_one_that_its_owner_stops_on_the_way_goes_cold() -> None:
    cloud = cloud_with(3, 0)
    cloud.world.after(5, lambda: cloud._change("id-web-2", **STOPPED))
    run(cloud, concurrency=1, verify_timeout=30)
    assert ("id-web-2", "migration", HOME) in cloud.sent
    assert cloud.home_again("id-web-2", HOME, "stopped")


def test_an_outage_is_waited_for() -> None:
    cloud = cloud_with(2, 1)
    cloud.outages.append((3.0, 25.0))
    assert run(cloud).error is None
    assert all_home(cloud)
    assert cloud.violations == []


def test_a_right_that_is_missing_stops_all() -> None:
    cloud = cloud_with(3, 0)
    cloud.usual = Trip(answer=401)
    result = run(cloud, concurrency=1)
    assert len(cloud.sent) == 1
    assert result.error is not None
    assert result.error.code == "auth_failed"


TRIPS = st.builds(
    Trip,
    placed_after=st.floats(0.6, 3),
    arrived_after=st.floats(3, 30),
    ended_after=st.floats(30, 40),
    ports_after=st.floats(30, 60),
    recorded_after=st.floats(0.1, 0.6),
)


@given(
    running=st.integers(0, 5),
    stopped=st.integers(0, 4),
    trip=TRIPS,
    limits=st.tuples(st.integers(1, 3), st.integers(1, 5)),
    kills=st.lists(st.floats(0, 120), max_size=3),
)
def test_killed_at_any_moment_and_run_again(
    running: int, stopped: int, trip: Trip, limits: tuple[int, int], kills: list[float]
) -> None:
    per_source, concurrency = limits
    cloud = cloud_with(running, stopped)
    cloud.usual = trip
    for seconds in kills:
        cloud.world.kill_at = cloud.world.now + seconds
        try:
            run(cloud, per_source=per_source, concurrency=concurrency)
        except Killed:
            cloud.world.revive()
        cloud.world.revive()
        # Somebody starts it again: what was asked for last has a record by then.
        cloud.world.pass_to(cloud.world.now + 5)
    result = run(cloud, per_source=per_source, concurrency=concurrency)
    assert result.error is None
    assert all_home(cloud)
    assert cloud.violations == []
    # Nobody was asked for twice.
    assert len(cloud.sent) == len(set(cloud.sent))
    assert cloud.most_at_once <= concurrency
    assert cloud.most_from_one <= per_source
    sent = list(cloud.sent)
    assert not run(cloud).changed
    assert cloud.sent == sent


@given(trip=TRIPS, late=st.floats(0, 60))
def test_two_runs_at_once(trip: Trip, late: float) -> None:
    cloud = cloud_with(3, 2)
    cloud.usual = trip
    wishes = tuple(Wish(instance_id=i, host=HOME) for i in cloud.instances)

    def job() -> Result:
        return migrate(
            cloud,
            Request(wishes=wishes),
            OperationSettings(concurrency=2, concurrency_per_source=1, max_failures=None),
            cloud.world,
            watcher=Watcher(),
        )

    def later() -> Result:
        cloud.world.sleep(late)
        return job()

    results = cloud.world.run_together({"first": job, "second": later})
    assert cloud.violations == []
    assert all_home(cloud)
    for result in results.values():
        assert isinstance(result, Result), result
        assert result.error is None, statuses(result)


@given(
    outcomes=st.lists(
        st.sampled_from(["done", NO_HOST, ROLLED_BACK, BROKEN, 409, 400]), min_size=1, max_size=8
    ),
    max_failures=st.integers(0, 3),
    concurrency=st.integers(1, 3),
)
def test_failures(outcomes: list[str | int], max_failures: int, concurrency: int) -> None:
    cloud = cloud_with(len(outcomes), 0)
    for number, outcome in enumerate(outcomes):
        trip = Trip(answer=outcome) if isinstance(outcome, int) else Trip(outcome=outcome)
        cloud.trips[f"id-web-{number}"] = [trip]
    result = run(cloud, max_failures=max_failures, concurrency=concurrency)
    failed = [e for e in result.instances if e["status"] == "failed"]
    # Those that were on their way when the last one that may fail has failed can fail, too.
    assert len(failed) <= max_failures + concurrency
    assert (result.error is None) == all(outcome == "done" for outcome in outcomes)
    for number, outcome in enumerate(outcomes):
        (entry,) = [e for e in result.instances if e["id"] == f"id-web-{number}"]
        was = f"compute-{2 + number % 2}"
        if entry["status"] == "verified":
            assert outcome == "done"
            assert cloud.home_again(entry["id"], HOME)
        elif outcome != BROKEN or entry["status"] == "not_started":
            assert cloud.home_again(entry["id"], was)
    assert cloud.violations == []


def test_a_cloud_that_does_not_answer_is_not_planned_for() -> None:
    cloud = cloud_with()
    cloud.outages.append((0, 10))
    with pytest.raises(ApiUnavailable):
        run(cloud)
    assert cloud.sent == []
