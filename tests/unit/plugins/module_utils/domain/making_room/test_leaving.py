# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances that leave by themselves: when they are waited for, how long, and that none goes in vain."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
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
from fakes.locks import FakeLockStore
from fakes.preemption_cloud import FakePreemptionCloud
from hypothesis import given, settings
from hypothesis import strategies as st

RULES = [
    {"name": "go", "match": {"names": ["go-*"]}, "preemptible": {"value": 5}},
    {
        "name": "end",
        "match": {"names": ["end-*"]},
        "preemptible": {"value": 5, "action": "delete"},
    },
]


def scene(*names: str, waits: int = 2) -> FakePreemptionCloud:
    """A full host of instances of 2, and one that waits for so much. Those named leaves-* leave."""
    cloud = FakePreemptionCloud({"h1": 2 * len(names)})
    for name in names:
        cloud.add(name, 2, task_state="deleting" if name.startswith("leaves") else None)
    cloud.add("w", waits, None)
    return cloud


def run(
    cloud: FakePreemptionCloud,
    store: FakeLockStore | None = None,
    *,
    watcher: Watcher | None = None,
    limit: int = 3,
    **more: Any,
) -> Result:
    waiting = tuple(sorted(i for i in cloud.instances if i.startswith("id-w")))
    policy = parse_policy({"version": 1, "rules": RULES, "make_room": {"limit": limit}})
    return make_room(
        cloud,
        store or FakeLockStore(cloud.world),
        Request(instances=waiting, policy=policy),
        OperationSettings(**{"instance_timeout": 600, "timeout": 3600} | more),
        cloud.world,
        run_id="run",
        holder="test",
        watcher=watcher or Watcher(),
    )


def code_of(result: Result) -> str | None:
    return result.error.code if result.error else None


def test_where_there_is_room_nobody_is_waited_for() -> None:
    cloud = scene("leaves", "kept")
    cloud.memory["h1"] = 6
    assert code_of(run(cloud)) is None
    assert cloud.world.now < 5


def test_nobody_is_waited_for_whose_room_would_not_save_a_removal() -> None:
    cloud = scene("leaves", waits=4)
    cloud.memory["h1"] = 6
    cloud.add("go-1", 4)
    assert code_of(run(cloud)) is None
    assert cloud.calls == [("shelve", "go-1")]
    assert cloud.world.now < 60


def test_one_that_leaves_is_waited_for_before_another_is_removed() -> None:
    cloud = scene("leaves", "go-1")
    cloud.world.after(30.0, lambda: cloud._end("id-leaves", "deleted"))
    result = run(cloud)
    assert code_of(result) is None
    assert not cloud.calls
    assert not result.changed
    assert 30 < cloud.world.now < 40
    assert result.last.room_for() == ["id-w"]


def test_one_that_never_leaves_is_given_up_and_another_goes() -> None:
    cloud = scene("leaves", "go-1")
    result = run(cloud)
    assert code_of(result) is None
    assert cloud.calls == [("shelve", "go-1")]
    assert 600 < cloud.world.now < 640


def test_nothing_is_removed_while_it_is_not_sure_that_it_helps() -> None:
    cloud = scene("leaves", "end-1", waits=4)
    result = run(cloud)
    assert code_of(result) == "still_leaving"
    assert result.error is not None
    assert result.error.details == {"instances": ["id-leaves"]}
    assert not cloud.calls
    assert result.last.room_for() == []


def test_the_first_that_leaves_may_be_enough() -> None:
    cloud = scene("leaves-1", "leaves-2", "kept")
    cloud.world.after(10.0, lambda: cloud._end("id-leaves-2", "deleted"))
    assert code_of(run(cloud)) is None
    assert cloud.world.now < 20


def test_one_that_nova_does_not_take_off_any_more_is_given_up_at_once() -> None:
    cloud = scene("go-1")
    cloud.change("go-1", task_state="shelving_offloading")
    cloud.world.after(20.0, lambda: cloud.change("go-1", task_state=None))
    result = run(cloud)
    assert code_of(result) == "still_leaving"
    assert cloud.world.now < 30
    # Nova has just shown that it cannot.
    assert not cloud.calls


def test_one_that_nova_keeps_after_its_user_has_deleted_it_is_removed_for_good() -> None:
    cloud = scene("end-1")
    cloud.change("end-1", task_state="soft-deleting")
    cloud.world.after(20.0, lambda: cloud._end("id-end-1", "soft-delete"))
    assert code_of(run(cloud)) is None
    assert cloud.calls == [("force_delete", "end-1")]


def test_what_cannot_be_seen_for_a_moment_is_looked_at_again() -> None:
    cloud = scene("leaves")
    cloud.world.after(60.0, lambda: cloud._end("id-leaves", "deleted"))
    asked = cloud.allocation_hosts

    def answered_at_times(instance_id: str) -> frozenset[str]:
        if instance_id == "id-leaves" and cloud.world.now < 40:
            raise ApiUnavailable("could not read the allocation")
        return asked(instance_id)

    cloud.allocation_hosts = answered_at_times  # type: ignore[method-assign]
    assert code_of(run(cloud)) is None


def test_with_the_time_the_wait_is_over() -> None:
    cloud = scene("leaves")
    assert code_of(run(cloud, timeout=100)) == "still_leaving"
    assert 100 <= cloud.world.now < 110


def test_a_lock_that_is_lost_meanwhile_is_told() -> None:
    cloud = scene("leaves")
    store = FakeLockStore(cloud.world)

    def take_over() -> None:
        del store.locks["make_room"]
        store.create("make_room", "other", "somebody")

    cloud.world.after(5.0, take_over)
    assert code_of(run(cloud, store)) == "lock_lost"
    left = scene("leaves")
    watcher = Watcher(watched=lambda: left.world.now < 10)
    assert code_of(run(left, watcher=watcher)) == "abandoned"


@pytest.mark.parametrize("names", [("leaves", "go-1"), ("leaves", "end-1", "go-1")])
def test_an_error_while_it_is_waited_for_does_not_cost_the_result(names: tuple[str, ...]) -> None:
    cloud = scene(*names)

    def refused(instance_ids: Any) -> list[Any]:
        if cloud.world.now > 3:
            raise RecoveryError("forbidden", "not any more")
        return found(instance_ids)

    found = cloud.instances_named
    cloud.instances_named = refused  # type: ignore[method-assign]
    assert code_of(run(cloud)) == "forbidden"


@settings(max_examples=200, deadline=None)
@given(
    leaving=st.lists(st.sampled_from([None, "gives up", 5.0, 30.0, 90.0]), max_size=4),
    removable=st.integers(0, 4),
    waiting=st.integers(1, 4),
    limit=st.integers(1, 3),
)
def test_none_goes_for_whom_there_was_room_without(
    leaving: list[Any], removable: int, waiting: int, limit: int
) -> None:
    cloud = scene(*(f"leaves-{n}" for n in range(len(leaving))), "kept")
    cloud.memory["h1"] += 2 * removable
    for number in range(removable):
        cloud.add(f"end-{number}", 2)
    for number in range(1, waiting):
        cloud.add(f"w{number}", 2, None)
    for number, when in enumerate(leaving):
        name = f"leaves-{number}"
        if when == "gives up":
            cloud.world.after(10.0, lambda name=name: cloud.change(name, task_state=None))
        elif when is not None:
            cloud.world.after(when, lambda name=name: cloud._end(f"id-{name}", "deleted"))
    with suppress(RecoveryError):
        run(cloud, limit=limit)
    cloud.world.spend(200.0)
    left = sum(isinstance(when, float) for when in leaving)
    assert len(cloud.calls) <= min(limit, max(0, waiting - left))
