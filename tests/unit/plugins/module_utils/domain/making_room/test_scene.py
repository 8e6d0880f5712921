# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read for a plan. The planner's tests tell what follows from it."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Host,
    Inventory,
    ResourceRequest,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.candidates import (
    Excluded,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.scene import (
    emptied,
    look,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import values
from fakes.preemption_cloud import FakePreemptionCloud

POLICY = parse_policy(
    {
        "version": 1,
        "rules": [
            {"name": "all", "match": {}, "preemptible": {"value": 1}},
            {"name": "urgent", "match": {"names": ["b*"]}, "priority": 900},
        ],
    }
)


def test_an_empty_host_has_all_that_it_counts() -> None:
    inventory = Inventory(total=8, used=7, reserved=1)
    host = Host(name="h", inventories={"VCPU": [inventory]}, traits=frozenset({"T"}))
    request = ResourceRequest(resources={"VCPU": 7}, required_traits=frozenset({"T"}))
    assert not host.fits(request)
    assert emptied(host).fits(request)
    assert inventory.used == 7


def test_only_hosts_that_somebody_may_go_to_are_read() -> None:
    cloud = FakePreemptionCloud({"h1": 8, "h2": 8})
    cloud.services = [values.service("h1"), values.service("h2", status="disabled")]
    cloud.add("a", 4, "h1")
    cloud.add("b", 4, "h2")
    cloud.add("w", 4, None)
    scene = look(cloud, Request(instances=("id-w",), policy=POLICY), Excluded())
    assert [host.name for host in scene.hosts] == ["h1"]
    assert [one.instance.name for one in scene.candidates] == ["a"]
    assert scene.held == {"id-a": {"MEMORY_MB": 4}}


def test_nobody_who_waits_is_removed_for_another() -> None:
    cloud = FakePreemptionCloud({"h1": 8})
    cloud.add("v", 4, None)
    cloud.add("w", 4, "h1", launched=True)
    scene = look(cloud, Request(instances=("id-v", "id-w"), policy=POLICY), Excluded())
    assert scene.settled == {"id-w": "h1"}
    assert not scene.candidates


@pytest.mark.parametrize(
    "going", [{"task_state": "deleting"}, {"vm_state": "deleted"}, {"vm_state": "soft-delete"}]
)
def test_for_one_that_is_being_deleted_nothing_is_removed(going: dict[str, str]) -> None:
    cloud = FakePreemptionCloud({"h1": 8})
    cloud.add("v", 4, None)
    cloud.add("w", 4, None, **going)
    with pytest.raises(RecoveryError, match="being deleted") as error:
        look(cloud, Request(instances=("id-v", "id-w"), policy=POLICY), Excluded())
    assert error.value.code == "instance_not_found"
    assert error.value.details == {"instances": ["id-w"]}


def test_the_most_urgent_comes_first_then_the_order_that_was_given() -> None:
    cloud = FakePreemptionCloud({"h1": 8})
    for name in ("c", "a", "b"):
        cloud.add(name, 4, None)
    scene = look(cloud, Request(instances=("id-c", "id-a", "id-b"), policy=POLICY), Excluded())
    assert [one.instance.name for one in scene.asked] == ["b", "c", "a"]


def test_one_that_holds_nothing_gives_nothing() -> None:
    cloud = FakePreemptionCloud({"h1": 8})
    cloud.add("a", 4, "h1")
    cloud.holds.clear()
    cloud.add("w", 4, None)
    assert not look(cloud, Request(instances=("id-w",), policy=POLICY), Excluded()).candidates
