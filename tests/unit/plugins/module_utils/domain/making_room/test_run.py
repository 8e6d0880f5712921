# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removing them: in which order, what stops it, and that a run can be killed at any moment."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    HAS_ROOM,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.run import (
    Result,
    make_room,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from fakes import values
from fakes.locks import FakeLockStore
from fakes.preemption_cloud import FakePreemptionCloud
from fakes.world import Killed
from hypothesis import given, settings
from hypothesis import strategies as st

RULES: list[dict[str, Any]] = [
    {"name": "shelve", "match": {"metadata": {"how": "shelve"}}, "preemptible": {"value": 5}},
    {
        "name": "delete",
        "match": {"metadata": {"how": "delete"}},
        "preemptible": {"value": 1, "action": "delete"},
    },
    {
        "name": "stop",
        "match": {"metadata": {"how": "stop"}},
        "preemptible": {"value": 1, "action": "delete", "stop_first": True},
    },
]


def scene(*how: str, waiting: int = 1) -> FakePreemptionCloud:
    """A full host of instances of 2 that are removed so, and others that wait for as much each."""
    cloud = FakePreemptionCloud({"h1": 2 * len(how)})
    for number, word in enumerate(how):
        cloud.add(f"{word}-{number}", 2, "h1", metadata={"how": word})
    for number in range(waiting):
        cloud.add(f"w{number}", 2, None)
    return cloud


def run(
    cloud: FakePreemptionCloud, store: FakeLockStore | None = None, limit: int = 3, **more: Any
) -> Result:
    waiting = tuple(sorted(i for i in cloud.instances if i.startswith("id-w")))
    policy = parse_policy({"version": 1, "rules": RULES, "make_room": {"limit": limit}})
    return make_room(
        cloud,
        store or FakeLockStore(cloud.world),
        Request(instances=waiting, policy=policy),
        OperationSettings(**{"instance_timeout": 60, "timeout": 600} | more),
        cloud.world,
        run_id="run",
        holder="test",
        watcher=Watcher(),
    )


def statuses(result: Result) -> dict[str, str]:
    return {one["name"]: one["status"] for one in result.instances}


def test_shelved_and_off_its_host() -> None:
    cloud = scene("shelve")
    store = FakeLockStore(cloud.world)
    result = run(cloud, store)
    assert cloud.calls == [("shelve", "shelve-0")]
    assert result.error is None
    assert result.changed
    (one,) = result.instances
    assert (one["status"], one["state"], one["to"]) == ("verified", "shelved_offloaded", None)
    assert one["verifications"]["allocation"]["passed"]
    assert [w.fits for w in result.last.waiting] == [HAS_ROOM]
    assert result.first.room_for() == result.last.room_for() == ["id-w0"]
    assert not store.locks
    assert result.seconds > 5


def test_where_nova_keeps_shelved_instances_on_their_hosts_they_are_taken_off() -> None:
    cloud = scene("shelve")
    cloud.offloads_at_once = False
    assert statuses(run(cloud)) == {"shelve-0": "verified"}
    assert [call for call, _name in cloud.calls] == ["shelve", "offload"]


def test_stopped_first_where_the_policy_says_so() -> None:
    cloud = scene("stop")
    assert statuses(run(cloud)) == {"stop-0": "verified"}
    assert [call for call, _name in cloud.calls] == ["stop", "delete"]
    (one,) = run(scene("delete")).instances
    assert (one["status"], one["state"]) == ("verified", "deleted")


def test_what_nova_only_marks_as_deleted_holds_its_room_until_it_is_deleted_for_good() -> None:
    cloud = scene("delete")
    cloud.deletes_softly = True
    assert statuses(run(cloud)) == {"delete-0": "verified"}
    assert [call for call, _name in cloud.calls] == ["delete", "force_delete"]


def test_what_cannot_be_undone_comes_last() -> None:
    cloud = scene("delete", "shelve", "delete", waiting=3)
    result = run(cloud)
    assert [call for call, _name in cloud.calls] == ["shelve", "delete", "delete"]
    assert result.error is None
    assert len(result.last.room_for()) == 3


def test_nothing_is_deleted_after_something_could_not_be_shelved() -> None:
    cloud = scene("delete", "shelve", waiting=2)
    cloud.trouble["id-shelve-1"] = "fails"
    result = run(cloud)
    assert [call for call, _name in cloud.calls] == ["shelve"]
    assert result.error is not None
    assert result.error.code == "room_incomplete"
    assert "no space left" in (result.instances[0]["reason"] or "")
    assert result.last.room_for() == []


def test_another_goes_in_place_of_one_that_could_not() -> None:
    cloud = scene("shelve", "shelve", "shelve")
    cloud.trouble["id-shelve-0"] = "fails"
    result = run(cloud)
    assert result.error is None
    assert statuses(result) == {"shelve-0": "failed", "shelve-1": "verified"}
    assert result.instances[0]["code"] == "shelve_failed"
    assert result.last.room_for() == ["id-w0"]


def test_what_was_removed_in_vain_counts_against_the_limit() -> None:
    cloud = scene("shelve", "shelve", waiting=0)
    cloud.memory["h2"], cloud.services = 4, [*cloud.services, values.service("h2")]
    for name in ("delete-8", "delete-9"):
        # They would do as well, but are worth more here than the others.
        cloud.add(name, 2, "h2", metadata={"how": "dear"})
    cloud.add("w0", 4, None)
    cloud.trouble["id-shelve-1"] = "fails"
    dear = {"name": "dear", "match": {"metadata": {"how": "dear"}}, "preemptible": {"value": 900}}
    policy = parse_policy({"version": 1, "rules": [*RULES, dear], "make_room": {"limit": 2}})
    result = make_room(
        cloud,
        FakeLockStore(cloud.world),
        Request(instances=("id-w0",), policy=policy),
        OperationSettings(),
        cloud.world,
        run_id="run",
        holder="test",
        watcher=Watcher(),
    )
    assert [name for _call, name in cloud.calls] == ["shelve-0", "shelve-1"]
    assert result.error is not None
    assert result.error.code == "room_incomplete"


def test_a_run_that_has_lost_its_lock_begins_nothing_more() -> None:
    cloud = scene("shelve", "shelve", waiting=2)
    store = FakeLockStore(cloud.world)

    def take_over() -> None:
        del store.locks["make_room"]
        store.create("make_room", "other", "somebody")

    cloud.world.after(3.0, take_over)
    cloud.offloads_at_once = False
    result = run(cloud, store, concurrency=1)
    assert result.error is not None
    assert result.error.code == "lock_lost"
    assert {name for _call, name in cloud.calls} == {"shelve-0"}


def test_what_another_run_may_have_made_needless_is_not_begun() -> None:
    cloud = scene("shelve", "shelve", "shelve", waiting=2)
    store = FakeLockStore(cloud.world)
    cloud.trouble["id-shelve-0"] = "hangs"

    def make_room() -> None:
        cloud._end("id-shelve-2", "shelved_offloaded")
        store.locks.clear()

    def see_the_first_off() -> None:
        store.down = False
        cloud._end("id-shelve-0", "shelved_offloaded")

    cloud.world.after(2.0, lambda: setattr(store, "down", True))
    cloud.world.after(48.0, make_room)
    cloud.world.after(50.0, see_the_first_off)
    result = run(cloud, store, concurrency=1)
    assert cloud.calls == [("shelve", "shelve-0")]
    assert result.error is None
    assert statuses(result) == {"shelve-0": "verified"}
    assert result.last.room_for() == ["id-w0", "id-w1"]


def test_a_token_that_is_refused_ends_the_run() -> None:
    cloud = scene("shelve", "shelve")
    cloud.trouble["id-shelve-0"] = 401
    result = run(cloud)
    assert result.error is not None
    assert result.error.code == "auth_failed"
    assert len(cloud.calls) == 1


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"locked": True}, "locked"),
        ({"metadata": {}}, "not_preemptible"),
        ({"host": "h2"}, "moved"),
        ({"vm_state": "rescued"}, "vm_state"),
    ],
)
def test_each_is_looked_at_again_right_before_it_is_removed(
    what: dict[str, Any], code: str
) -> None:
    cloud = scene("shelve", "shelve", waiting=2)
    # The second one's turn comes when the first is gone.
    cloud.world.after(3.0, lambda: cloud.change("shelve-1", **what))
    result = run(cloud, concurrency=1)
    assert [name for _call, name in cloud.calls] == ["shelve-0"]
    assert result.instances[1]["code"] == code
    assert result.error is not None
    assert result.error.code == "room_incomplete"


def test_one_that_its_user_deletes_meanwhile_makes_its_room_as_well() -> None:
    cloud = scene("shelve")

    def delete() -> None:
        del cloud.instances["id-shelve-0"], cloud.holds["id-shelve-0"]

    cloud.world.after(2.0, delete)
    # Before the call is sent, or while it is shelved.
    cloud._end = lambda instance_id, vm_state: None  # type: ignore[method-assign]
    result = run(cloud)
    assert statuses(result) == {"shelve-0": "gone"}
    assert result.error is None
    assert result.last.room_for() == ["id-w0"]


def test_room_that_others_take_meanwhile_is_told() -> None:
    cloud = scene("shelve")
    cloud.world.after(5.0, lambda: cloud.add("faster", 2, "h1"))
    result = run(cloud)
    assert result.error is not None
    assert result.error.code == "room_incomplete"
    assert result.error.retriable
    assert result.error.details["removed"] == 1


def silent(cloud: FakePreemptionCloud, begins: float, seconds: float) -> None:
    """Nova does not list instances for so long, from the first call on."""
    listing = cloud.instances_everywhere

    def listed() -> list[Any]:
        if cloud.calls and begins <= cloud.world.now < begins + seconds:
            raise ApiUnavailable("could not list the instances")
        return listing()

    cloud.instances_everywhere = listed  # type: ignore[method-assign]


def test_a_cloud_that_is_silent_for_a_moment_is_asked_again() -> None:
    cloud = scene("shelve")
    silent(cloud, 0.0, 40.0)
    result = run(cloud)
    assert result.error is None
    assert result.last.room_for() == ["id-w0"]
    assert len(cloud.calls) == 1


def test_what_was_removed_is_told_when_there_is_no_plan_any_more() -> None:
    cloud = scene("shelve")
    silent(cloud, 0.0, 4000.0)
    result = run(cloud)
    assert result.error is not None
    assert result.error.code == "api_unavailable"
    assert result.changed
    assert statuses(result) == {"shelve-0": "verified"}
    # Nobody knows.
    assert result.last.room_for() == []
    assert result.first.room_for() == ["id-w0"]


def test_one_that_waits_no_more_takes_nothing_from_the_others() -> None:
    cloud = scene("shelve", "shelve", waiting=2)
    cloud.world.after(3.0, lambda: cloud.instances.pop("id-w0"))
    result = run(cloud)
    assert result.error is None
    assert result.last.room_for() == ["id-w1"]
    going = scene("shelve", "shelve", waiting=2)
    going.world.after(3.0, lambda: going.change("w0", task_state="deleting"))
    result = run(going, concurrency=1)
    assert result.error is None
    assert result.last.room_for() == ["id-w1"]
    alone = scene("shelve")
    alone.world.after(3.0, lambda: alone.instances.pop("id-w0"))
    result = run(alone)
    assert result.error is not None
    assert result.error.code == "instance_not_found"
    assert statuses(result) == {"shelve-0": "verified"}


def test_an_instance_that_takes_too_long_is_left_to_nova() -> None:
    cloud = scene("shelve", "shelve")
    result = run(cloud, instance_timeout=2)
    assert statuses(result) == {"shelve-0": "in_progress"}
    assert result.error is not None
    assert result.error.code == "removal_incomplete"
    assert len(cloud.calls) == 1


def test_what_placement_still_counts_is_not_removed() -> None:
    cloud = scene("shelve", "shelve")
    cloud.trouble["id-shelve-0"] = "keeps"
    result = run(cloud, verify_timeout=20)
    # Nor is another removed, which would have helped here, and after an outage of Placement would not.
    assert statuses(result) == {"shelve-0": "failed"}
    assert result.instances[0]["code"] == "not_verified"
    assert result.error is not None
    assert result.last.room_for() == []


def test_two_runs_at_once_remove_what_one_would() -> None:
    cloud = scene("shelve", "shelve", "shelve")
    store = FakeLockStore(cloud.world)
    results = cloud.world.run_together(
        {"first": lambda: run(cloud, store), "second": lambda: run(cloud, store)}
    )
    assert [result.error for result in results.values()] == [None, None]
    assert len(cloud.calls) == 1


def test_when_nobody_watches_any_more_nothing_further_is_removed() -> None:
    cloud = scene("shelve", "shelve", waiting=2)
    policy = parse_policy({"version": 1, "rules": RULES, "make_room": {"limit": 2}})
    result = make_room(
        cloud,
        FakeLockStore(cloud.world),
        Request(instances=("id-w0", "id-w1"), policy=policy),
        OperationSettings(concurrency=1),
        cloud.world,
        run_id="run",
        holder="test",
        watcher=Watcher(watched=lambda: not cloud.calls),
    )
    assert result.error is not None
    assert result.error.code == "abandoned"
    assert len(cloud.calls) == 1


def test_nothing_is_locked_where_nothing_goes() -> None:
    cloud = scene("shelve")
    cloud.memory["h1"] = 4
    store = FakeLockStore(cloud.world)
    assert not run(cloud, store).changed
    assert not store.calls
    cloud.memory["h1"] = 1
    with pytest.raises(RecoveryError, match="no room"):
        run(cloud, store)
    assert not store.calls


@settings(max_examples=120, deadline=None)
@given(
    kill_at=st.floats(0.0, 40.0),
    how=st.lists(st.sampled_from(["shelve", "delete", "stop"]), min_size=2, max_size=4),
    waiting=st.integers(1, 2),
    offloads=st.booleans(),
    softly=st.booleans(),
)
def test_a_run_that_is_killed_is_finished_by_the_next_and_removes_no_other(
    kill_at: float, how: list[str], waiting: int, offloads: bool, softly: bool
) -> None:
    planned = scene(*how, waiting=waiting)
    planned.offloads_at_once, planned.deletes_softly = offloads, softly
    wanted = {one["name"] for one in run(planned).instances}
    cloud = scene(*how, waiting=waiting)
    cloud.offloads_at_once, cloud.deletes_softly = offloads, softly
    store = FakeLockStore(cloud.world)
    cloud.world.kill_at = kill_at
    try:
        run(cloud, store)
    except Killed:
        cloud.world.revive()
        result = run(cloud, store)
        assert result.error is None
    assert {name for _call, name in cloud.calls} == wanted
    assert len(set(cloud.calls)) == len(cloud.calls)
    assert all(not cloud.holds.get(f"id-{name}") for name in wanted)
