# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets room, what is removed for that, and why not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
    Circumstances,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.needs import (
    Flavor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Inventory,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.candidates import (
    Excluded,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.choice import (
    Chooser,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    GETS_ROOM,
    HAS_ROOM,
    NO_ROOM,
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import values
from fakes.preemption_cloud import FakePreemptionCloud

RULES: list[dict[str, Any]] = [
    {"name": "urgent", "match": {"tags": ["urgent"]}, "priority": 900},
    *(
        {"name": f"worth {n}", "match": {"tags": [f"v{n}"]}, "preemptible": {"value": n}}
        for n in (1, 5, 9)
    ),
]


def policy(limit: int | None = 3, **more: Any) -> Any:
    made = {"version": 1, "rules": RULES, **more}
    return parse_policy(made | ({} if limit is None else {"make_room": {"limit": limit}}))


def plan(cloud: FakePreemptionCloud, *names: str, limit: int | None = 3, **more: Any) -> Plan:
    ids = tuple(f"id-{name}" for name in names)
    return build_plan(cloud, Request(instances=ids, policy=policy(limit), **more))


def tagged(value: int, **more: Any) -> dict[str, Any]:
    return {"tags": frozenset({f"v{value}"}), **more}


def removed(found: Plan) -> list[str]:
    return [one.candidate.instance.name for one in found.removals]


def told(found: Plan) -> dict[str, tuple[str, str | None]]:
    return {one.instance.name: (one.fits, one.code) for one in found.waiting}


@pytest.fixture
def cloud() -> FakePreemptionCloud:
    """Two full hosts of 8: one with 4 and 4, one with 2, 2 and 4."""
    made = FakePreemptionCloud({"h1": 8, "h2": 8})
    made.add("kept", 4, "h1")
    made.add("dear", 4, "h1", **tagged(9))
    made.add("low", 2, "h2", **tagged(1))
    made.add("lower", 2, "h2", **tagged(1))
    made.add("busy", 4, "h2")
    return made


def test_one_valuable_instance_goes_before_two_of_little_value(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, None)
    found = plan(cloud, "w")
    assert removed(found) == ["dear"]
    assert told(found) == {"w": (GETS_ROOM, None)}
    assert found.room_for() == ["id-w"]
    (removal,) = found.removals
    assert (removal.frees, removal.waiters) == ({"MEMORY_MB": 4}, ("id-w",))
    assert removal.as_dict()["rule"] == "worth 9"


def test_where_there_is_room_nothing_goes(cloud: FakePreemptionCloud) -> None:
    del cloud.instances["id-busy"], cloud.holds["id-busy"]
    cloud.add("w", 4, None)
    found = plan(cloud, "w")
    assert not found.removals
    assert told(found) == {"w": (HAS_ROOM, None)}
    assert found.waiting[0].host == "h2"


def test_the_limit_holds(cloud: FakePreemptionCloud) -> None:
    cloud.change("dear", locked=True)
    cloud.add("w", 4, None)
    assert removed(plan(cloud, "w", limit=2)) == ["low", "lower"]
    found = plan(cloud, "w", limit=1)
    assert told(found) == {"w": (NO_ROOM, "over_limit")}
    assert not found.removals


@pytest.mark.parametrize(
    ("stated", "of_policy", "most"),
    [(None, None, 1), (None, 4, 4), (9, 4, 4), (2, 4, 2), (3, None, 3)],
)
def test_the_lower_limit_is_the_one(stated: int | None, of_policy: int | None, most: int) -> None:
    request = Request(instances=("w",), policy=policy(of_policy), limit=stated)
    assert request.most == most


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"locked": True}, "locked"),
        ({"task_state": "migrating"}, "task_in_progress"),
        ({"vm_state": "rescued"}, "vm_state"),
    ],
)
def test_an_instance_that_stays_is_told(
    cloud: FakePreemptionCloud, what: dict[str, Any], code: str
) -> None:
    cloud.change("dear", **what)
    cloud.add("w", 4, None)
    found = plan(cloud, "w")
    assert removed(found) == ["low", "lower"]
    assert [(one.instance.name, one.code) for one in found.spared] == [("dear", code)]
    assert found.as_list()[-1]["action"] == "skip"


def test_nothing_goes_when_it_would_not_suffice(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 5, None)
    found = plan(cloud, "w")
    assert told(found) == {"w": (NO_ROOM, "too_few_preemptible")}
    assert not found.removals
    assert "h1: MEMORY_MB 5 wanted, 4 free" in (found.waiting[0].reason or "")


def test_what_no_host_could_take_is_told_so(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 9, None)
    assert told(plan(cloud, "w")) == {"w": (NO_ROOM, "no_host")}


def test_nothing_goes_for_what_placement_cannot_tell(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, None, extra_specs={"hw:numa_nodes": "2"})
    found = plan(cloud, "w")
    assert told(found) == {"w": (NO_ROOM, "placement_cannot_tell")}
    assert "NUMA cells" in (found.waiting[0].reason or "")


def test_an_image_that_cannot_be_read_may_ask_for_anything(cloud: FakePreemptionCloud) -> None:
    cloud.properties = None
    cloud.add("w", 4, None)
    assert told(plan(cloud, "w")) == {"w": (NO_ROOM, "placement_cannot_tell")}


def test_only_instances_in_the_zone_go(cloud: FakePreemptionCloud) -> None:
    cloud.zones = [
        Aggregate(uuid="a", name="a", hosts=frozenset({"h2"}), metadata={"availability_zone": "z"})
    ]
    cloud.add("w", 4, None, zone="z")
    assert removed(plan(cloud, "w")) == ["low", "lower"]


def test_where_nova_does_not_tell_the_zone_it_is_that_where_it_was(
    cloud: FakePreemptionCloud,
) -> None:
    cloud.services = [values.service("h1", zone="elsewhere"), values.service("h2", zone="z")]
    made = cloud.add("w", 4, None, zone="z")
    not_told = {made.id: Circumstances(pinned_zone_known=False)}
    cloud.circumstances = lambda instances: not_told  # type: ignore[method-assign]
    assert removed(plan(cloud, "w")) == ["low", "lower"]


def test_an_aggregate_of_others_is_left_alone(cloud: FakePreemptionCloud) -> None:
    """Whether Nova heeds it cannot be told, so nothing is removed there."""
    cloud.zones = [
        Aggregate(uuid="a", name="a", hosts=frozenset({"h1"}), metadata={"filter_tenant_id": "x"})
    ]
    cloud.add("w", 4, None)
    assert removed(plan(cloud, "w")) == ["low", "lower"]


@pytest.mark.parametrize("what", [{"state": "down"}, {"status": "disabled"}])
def test_a_host_out_of_use_makes_no_room(cloud: FakePreemptionCloud, what: dict[str, str]) -> None:
    cloud.services = [values.service("h1", **what), values.service("h2")]
    cloud.add("w", 4, None)
    assert removed(plan(cloud, "w")) == ["low", "lower"]


def test_the_most_urgent_is_first_and_the_others_are_named(cloud: FakePreemptionCloud) -> None:
    cloud.add("first", 4, None)
    cloud.add("second", 4, None, tags=frozenset({"urgent"}))
    found = plan(cloud, "first", "second", limit=1)
    assert told(found) == {"second": (GETS_ROOM, None), "first": (NO_ROOM, "others_first")}
    assert found.room_for() == ["id-second"]
    found.require_room(policy())
    with pytest.raises(RecoveryError) as refused:
        found.require_room(policy(capacity={"on_shortage": "fail"}))
    assert refused.value.code == "insufficient_room"
    assert [one["name"] for one in refused.value.details["waiting"]] == ["first"]


def test_one_that_cannot_be_had_keeps_nobody_else_from_it(cloud: FakePreemptionCloud) -> None:
    cloud.add("huge", 99, None, tags=frozenset({"urgent"}))
    cloud.add("w", 4, None)
    assert plan(cloud, "huge", "w").room_for() == ["id-w"]


def test_with_room_for_none_it_is_refused(cloud: FakePreemptionCloud) -> None:
    cloud.add("huge", 99, None)
    with pytest.raises(RecoveryError, match="no room for 1 of 1") as refused:
        plan(cloud, "huge").require_room(policy())
    assert refused.value.retriable


def test_those_that_something_is_removed_for_are_built_first(cloud: FakePreemptionCloud) -> None:
    cloud.memory["h3"] = 2
    cloud.services.append(values.service("h3"))
    cloud.add("small", 2, None)
    cloud.add("w", 4, None)
    found = plan(cloud, "small", "w")
    assert told(found) == {"small": (HAS_ROOM, None), "w": (GETS_ROOM, None)}
    assert found.room_for() == ["id-w", "id-small"]


def test_one_that_has_booted_needs_none(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, "h9")
    found = plan(cloud, "w")
    assert told(found) == {"w": (HAS_ROOM, None)}
    assert not found.removals


def test_one_that_is_being_built_has_its_room(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, None, vm_state="building")
    cloud.holds["id-w"] = {"h1": {"MEMORY_MB": 4}}
    assert told(plan(cloud, "w")) == {"w": (HAS_ROOM, None)}


def test_what_an_earlier_build_has_left_is_its_own(cloud: FakePreemptionCloud) -> None:
    """Nova gives the next build all of it anew."""
    cloud.memory["h1"] += 4
    cloud.add("w", 4, None)
    cloud.holds["id-w"] = {"h1": {"MEMORY_MB": 4}}
    found = plan(cloud, "w")
    assert told(found) == {"w": (HAS_ROOM, None)}
    assert not found.removals


@pytest.mark.parametrize("task", ["deleting", "shelving_offloading"])
def test_what_leaves_by_itself_is_waited_for_and_no_other_removed(
    cloud: FakePreemptionCloud, task: str
) -> None:
    cloud.change("busy", task_state=task)
    cloud.add("w", 4, None)
    found = plan(cloud, "w")
    assert not found.removals
    assert found.awaited == ("id-busy",)
    assert told(found) == {"w": (GETS_ROOM, None)}
    request = Request(instances=("id-w",), policy=policy())
    now = build_plan(cloud, request, limit=0, awaits=False)
    assert told(now) == {"w": (NO_ROOM, "over_limit")}
    given_up = build_plan(cloud, request, excluded=Excluded(instances={"id-busy": "it stays"}))
    assert removed(given_up) == ["dear"]
    assert not given_up.awaited


def test_a_member_of_the_anti_affinity_group_has_to_go(cloud: FakePreemptionCloud) -> None:
    cloud.memory = {"h1": 16, "h2": 8}
    cloud.add("w", 4, None)
    cloud.groups = [values.group("anti-affinity", "id-w", "id-dear")]
    assert removed(plan(cloud, "w")) == ["dear"]
    cloud.most = {"group-group": 2}
    assert removed(plan(cloud, "w")) == []


def test_the_members_of_an_affinity_group_stay_where_it_goes(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, None)
    cloud.groups = [values.group("affinity", "id-w", "id-dear")]
    found = plan(cloud, "w")
    assert told(found) == {"w": (NO_ROOM, "too_few_preemptible")}
    assert [(one.instance.name, one.code) for one in found.spared] == [("dear", "excluded")]
    cloud.groups = [values.group("affinity", "id-w", "id-busy")]
    assert removed(plan(cloud, "w")) == ["low", "lower"]


@pytest.mark.parametrize(
    ("group", "room"), [("anti-affinity", {"h1": 8}), ("affinity", {"h1": 2, "h2": 8})]
)
def test_one_whose_build_failed_on_a_host_is_no_member_of_its_group_there(
    group: str, room: dict[str, int]
) -> None:
    cloud = FakePreemptionCloud(room)
    cloud.add("w", 4, "h1", vm_state="error", launched=False)
    cloud.holds.clear()
    cloud.groups = [values.group(group, "id-w")]
    assert told(plan(cloud, "w")) == {"w": (HAS_ROOM, None)}


def test_another_flavor_needs_other_room(cloud: FakePreemptionCloud) -> None:
    cloud.flavors["small"] = Flavor(vcpus=0, memory_mb=2)
    cloud.add("w", 4, None)
    assert removed(plan(cloud, "w", flavor="small")) == ["low"]


def test_one_that_is_not_there_is_refused(cloud: FakePreemptionCloud) -> None:
    with pytest.raises(RecoveryError) as refused:
        plan(cloud, "nobody")
    assert refused.value.code == "instance_not_found"


@pytest.mark.parametrize("what", [{"instances": ()}, {"limit": -1}])
def test_a_request_that_makes_no_sense_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(RecoveryError) as refused:
        Request(**{"instances": ("w",), "policy": policy(), **what})
    assert refused.value.code == "invalid_options"


def test_without_a_policy_nothing_is_preemptible(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, None)
    found = build_plan(cloud, Request(instances=("id-w",), policy=parse_policy(None)))
    assert told(found) == {"w": (NO_ROOM, "too_few_preemptible")}


def split(cloud: FakePreemptionCloud, *used: int) -> None:
    """The memory of each host is at providers of 4, of which so much is used."""
    hosts = cloud.hosts

    def answer(names: Any) -> Any:
        found = hosts(names)
        for host in found:
            host.inventories["MEMORY_MB"] = [Inventory(total=4, used=amount) for amount in used]
        return found

    cloud.hosts = answer  # type: ignore[method-assign]


def test_amounts_of_several_providers_are_not_added_up(cloud: FakePreemptionCloud) -> None:
    """An instance gets all that it wants of a resource class from one of them."""
    cloud.add("w", 4, None)
    split(cloud, 2, 2)
    found = plan(cloud, "w")
    assert told(found) == {"w": (NO_ROOM, "placement_cannot_tell")}
    assert "h1 has several providers of MEMORY_MB" in (found.waiting[0].reason or "")


def test_each_of_several_providers_gives_what_it_has(cloud: FakePreemptionCloud) -> None:
    for name in "uvwx":
        cloud.add(name, 2, None)
    split(cloud, 2, 2)
    found = plan(cloud, *"uvwx")
    assert not found.removals
    assert [one.fits for one in found.waiting] == [HAS_ROOM] * 4


def test_beside_several_providers_another_class_can_be_freed(cloud: FakePreemptionCloud) -> None:
    cloud.add("w", 4, None, extra_specs={"resources:VGPU": "1"})
    hosts = cloud.hosts

    def with_gpus(names: Any) -> Any:
        found = hosts(names)
        for host in found:
            host.inventories["VGPU"] = [Inventory(total=1, used=1), Inventory(total=1)]
        return found

    cloud.hosts = with_gpus  # type: ignore[method-assign]
    assert removed(plan(cloud, "w")) == ["dear"]


def test_what_can_be_undone_comes_first_then_the_least_valuable() -> None:
    cloud = FakePreemptionCloud({"h1": 6})
    for name, value in (("c", 1), ("b", 5), ("a", 9)):
        cloud.add(name, 2, **tagged(value))
    cloud.add("w", 6, None)
    deletes = [
        {**rule, "preemptible": {"value": 1, "action": "delete"}}
        if rule["name"] == "worth 1"
        else rule
        for rule in RULES
    ]
    found = build_plan(cloud, Request(instances=("id-w",), policy=policy(rules=deletes)))
    assert removed(found) == ["b", "a", "c"]


def test_the_best_is_found_for_many_that_wait_beside_many_hosts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """200 full hosts, 20 that wait of 4 kinds, of which only some can be had."""
    asked, choose = list[int](), Chooser.choose

    def counted(chooser: Chooser, wants: Any, limit: int) -> Any:
        asked.append(len(wants))
        return choose(chooser, wants, limit)

    monkeypatch.setattr(Chooser, "choose", counted)
    made = FakePreemptionCloud({f"h{number:03}": 64 for number in range(200)})
    for host in made.memory:
        for number in range(8):
            made.add(f"{host}-{number}", 8, host, **tagged(1))
    names = [f"w{number}" for number in range(20)]
    for number, name in enumerate(names):
        made.add(name, 8 + number % 4, None)
    found = plan(made, *names, limit=10)
    assert (len(found.removals), len(found.room_for()), found.fewest) == (10, 8, True)
    # Each kind alone, all together, each that has room beside those before it, and each kind that
    # has none; then how much each kind would need.
    assert len(asked) <= 4 + 1 + 8 + 4 + 4
