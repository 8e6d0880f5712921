# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes next for an instance, from one look at it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.candidates import (
    Candidate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    Removal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.removing import (
    Removing,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.turn import (
    Turn,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Act,
    Arrived,
    Fail,
    Gone,
    Verdict,
    Wait,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from fakes.locks import FakeLockStore, lock_of
from fakes.preemption_cloud import FakePreemptionCloud


def judge(preemptible: dict[str, Any], **now: Any) -> Verdict:
    policy = parse_policy(
        {
            "version": 1,
            "rules": [{"name": "r", "match": {"names": ["a"]}, "preemptible": preemptible}],
        }
    )
    rule = policy.rules[0].preemptible
    assert rule
    cloud = FakePreemptionCloud({"h1": 8})
    instance = cloud.add("a", 2)
    candidate = Candidate(instance=instance, preemptible=rule, rule="r")
    removal = Removal(candidate=candidate, frees={}, waiters=())
    lock = lock_of(FakeLockStore(cloud.world), "run")
    lock.acquire()
    turn = Turn(lock, cloud.world, Watcher())
    removing = Removing(cloud, policy, [removal], turn)
    cloud.change("a", **now)
    return removing.judge("id-a", removing.look(["id-a"])["id-a"])


SHELVED = {"value": 1}
DELETED = {"value": 1, "action": "delete"}
STOPPED = {**DELETED, "stop_first": True}


@pytest.mark.parametrize(
    ("preemptible", "now", "verdict"),
    [
        (SHELVED, {}, Act("shelve")),
        (SHELVED, {"vm_state": "stopped"}, Act("shelve")),
        (SHELVED, {"vm_state": "shelved"}, Act("offload")),
        (SHELVED, {"vm_state": "shelved_offloaded", "host": None}, Arrived()),
        (SHELVED, {"vm_state": "soft-delete"}, Gone()),
        (SHELVED, {"task_state": "shelving", "locked": True}, Wait("shelving")),
        (DELETED, {}, Act("delete")),
        (DELETED, {"vm_state": "soft-delete"}, Act("force_delete")),
        (STOPPED, {}, Act("stop")),
        (STOPPED, {"vm_state": "stopped"}, Act("delete")),
        (STOPPED, {"vm_state": "error"}, Act("delete")),
        (
            STOPPED,
            {"vm_state": "stopped", "locked": True},
            Fail("locked", "it is locked", not_by_step=True),
        ),
    ],
)
def test_the_next_step(preemptible: dict[str, Any], now: dict[str, Any], verdict: Verdict) -> None:
    assert judge(preemptible, **now) == verdict


def test_one_that_has_moved_or_is_called_otherwise_stays() -> None:
    moved = judge(SHELVED, host="h2")
    assert isinstance(moved, Fail)
    assert moved.code == "moved"
    renamed = judge(SHELVED, name="b")
    assert isinstance(renamed, Fail)
    assert renamed.code == "not_preemptible"
