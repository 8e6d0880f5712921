# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who finds room, in the order in which they go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.forecast import (
    Prediction,
    Waiting,
    look,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Host,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    groups_by_member,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Instance,
    ServerGroup,
)
from fakes import values
from fakes.capacity import FakeCapacity, sized
from hypothesis import given
from hypothesis import strategies as st

SERVICES = (
    values.service("compute-1", state="down"),
    values.service("compute-2"),
    values.service("compute-3"),
)


def instance(name: str, vcpus: int = 1, **told: Any) -> Instance:
    return values.instance(name, **{"vcpus": vcpus, "memory_mb": 100, "image_id": None, **told})


def waiting(*instances: Instance) -> list[Waiting]:
    return [Waiting(instance=one, leaves="compute-1") for one in instances]


def predict(
    capacity: FakeCapacity,
    *instances: Instance,
    groups: tuple[ServerGroup, ...] = (),
    services: Any = SERVICES,
    enabled: tuple[str, ...] = (),
) -> dict[str, Prediction]:
    """By name."""
    order = waiting(*instances)
    scene = look(capacity, services, groups_by_member(groups), order)
    found = scene.predict(order, enabled)
    assert found == scene.predict(order, enabled), "a prediction has changed what it is made from"
    return {one.name: found[one.id] for one in instances}


def fits(found: dict[str, Prediction]) -> dict[str, bool | None]:
    return {name: prediction.fits for name, prediction in found.items()}


def two(second: int = 4, third: int = 2) -> FakeCapacity:
    return FakeCapacity(
        [
            sized("compute-1", 64, 9999, 99),
            sized("compute-2", second, 9999, 99),
            sized("compute-3", third, 9999, 99),
        ]
    )


def test_each_takes_room_away_from_those_after_it() -> None:
    found = predict(two(), instance("a", 4), instance("b", 2), instance("c", 2))
    assert fits(found) == {"a": True, "b": True, "c": False}
    assert found["a"].hosts == ("compute-2",)
    assert found["b"].hosts == ("compute-3",)
    assert found["c"].reason == "compute-2, compute-3: VCPU 2 wanted, 0 free"


def test_what_is_left_behind_and_what_is_down_or_disabled_is_no_host() -> None:
    services = [
        values.service("compute-1"),
        values.service("compute-2", status="disabled"),
        values.service("compute-3", state="down"),
    ]
    found = predict(two(), instance("a"), services=services)
    assert found["a"] == Prediction(fits=False, reason="no other host is up and enabled")
    with_spare = predict(two(), instance("a"), services=services, enabled=("compute-2",))
    assert with_spare["a"].hosts == ("compute-2",)


def test_one_that_never_had_room_is_told_what_it_lacks() -> None:
    found = predict(two(), instance("a", 8))["a"]
    assert found.reason == "compute-2: VCPU 8 wanted, 4 free; compute-3: VCPU 8 wanted, 2 free"


def test_what_only_placement_knows_is_told_so() -> None:
    capacity = two()
    capacity.candidates = lambda request: []  # type: ignore[method-assign]
    reason = "compute-2, compute-3: Placement has no room for it there"
    assert predict(capacity, instance("a"))["a"] == Prediction(fits=False, reason=reason)


def test_a_zone_that_it_is_pinned_to() -> None:
    capacity = FakeCapacity(
        two().all,
        [
            Aggregate(
                uuid="uuid-az1",
                name="one",
                hosts=frozenset({"compute-1", "compute-2"}),
                metadata={"availability_zone": "az1"},
            )
        ],
        a="az1",
        b="az1",
    )
    found = predict(capacity, instance("a", 4), instance("b", 1))
    assert found["a"].hosts == ("compute-2",)
    assert found["b"].reason == (
        "compute-2: VCPU 1 wanted, 0 free; compute-3: it is not in the zone az1"
    )


def test_what_cannot_be_known_is_not_guessed() -> None:
    pinned_cpus = {"hw:numa_nodes": "1"}
    found = predict(two(), instance("a", extra_specs=pinned_cpus))["a"]
    assert found.fits is None
    assert found.hosts == ("compute-2", "compute-3")
    assert found.reason == "cannot be known from outside: Nova also looks at NUMA cells"
    # Without room it is known all the same.
    assert predict(two(), instance("a", 9, extra_specs=pinned_cpus))["a"].fits is False


def test_ports_that_ask_for_more() -> None:
    order = [Waiting(instance=instance("a"), leaves="compute-1", asks_more=True)]
    scene = look(two(), SERVICES, {}, order)
    found = scene.predict(order)["id-a"]
    assert found.fits is None
    assert "what its ports ask for" in str(found.reason)


def test_a_host_in_doubt_does_not_matter_where_another_is_sure() -> None:
    foreign = Aggregate(
        uuid="u", name="theirs", hosts=frozenset({"compute-2"}), metadata={"filter_tenant_id": "x"}
    )
    capacity = FakeCapacity(two().all, [foreign])
    found = predict(capacity, instance("a", 2), instance("b", 2))
    assert found["a"] == Prediction(fits=True, hosts=("compute-3",))
    assert found["b"].fits is None
    assert "theirs" in str(found["b"].reason)


@pytest.mark.parametrize(("most", "second"), [(None, False), (2, True)])
def test_anti_affinity_counts_members_that_are_there_and_those_that_come(
    most: int | None, second: bool
) -> None:
    capacity = two(99, 99)
    capacity.where = {"id-there": "compute-2", "id-a": "compute-1", "id-b": "compute-1"}
    capacity.limits = {} if most is None else {"group-group": most}
    group = values.group("anti-affinity", "id-a", "id-b", "id-there")
    found = predict(capacity, instance("a"), instance("b"), groups=(group,))
    assert found["a"].hosts == (("compute-3",) if most is None else ("compute-2", "compute-3"))
    assert found["b"].fits is second
    if not second:
        assert "it has a member of the anti-affinity group" in str(found["b"].reason)


def test_soft_anti_affinity_never_refuses_but_leads_elsewhere() -> None:
    capacity = two(4, 4)
    capacity.where = {"id-there": "compute-2"}
    group = values.group("soft-anti-affinity", "id-a", "id-there")
    # It goes to compute-3, so that there is no room left there for the next.
    found = predict(capacity, instance("a", 1), instance("b", 4), groups=(group,))
    assert found["b"].hosts == ("compute-2",)


def test_storage_that_hosts_share_is_counted_once() -> None:
    hosts = [sized("compute-2", 9, 9999), sized("compute-3", 9, 9999)]
    shared = hosts[0].inventories["DISK_GB"]
    shared[0].total = 10
    hosts[1].inventories["DISK_GB"] = shared
    found = predict(
        FakeCapacity(hosts),
        *(instance(name, image_id="image", root_gb=6) for name in "ab"),
    )
    assert fits(found) == {"a": True, "b": False}


def test_it_is_said_when_it_hangs_on_the_picks_before() -> None:
    # Spread over both hosts they leave no room for the large one; on one host they do.
    capacity = two(4, 4)
    found = predict(capacity, instance("a", 1), instance("b", 1), instance("c", 4))
    assert found["c"].fits is False
    assert "hangs on which hosts Nova picks" in str(found["c"].reason)


SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=7)


@given(sizes=SIZES, second=st.integers(0, 10), third=st.integers(0, 10))
def test_no_more_fits_than_there_is(sizes: list[int], second: int, third: int) -> None:
    instances = [instance(f"i{number}", size) for number, size in enumerate(sizes)]
    found = fits(predict(two(second, third), *instances))
    taken = sum(one.vcpus for one in instances if found[one.name])
    assert taken <= second + third
    left = second + third - taken
    for one in instances:
        # Whatever does not fit, does not for a reason: two hosts cannot both have that much left.
        assert found[one.name] or left <= 2 * (one.vcpus - 1)


@given(sizes=SIZES, second=st.integers(0, 10), third=st.integers(0, 10))
def test_who_goes_later_changes_nothing_for_who_goes_before(
    sizes: list[int], second: int, third: int
) -> None:
    instances = [instance(f"i{number}", size) for number, size in enumerate(sizes)]
    all_of_them = fits(predict(two(second, third), *instances))
    first_ones = fits(predict(two(second, third), *instances[:-1]))
    assert {name: all_of_them[name] for name in first_ones} == first_ones


def test_hosts_of_the_fake_are_what_they_were() -> None:
    capacity = two()
    predict(capacity, instance("a", 4), instance("b", 2))
    assert [host.free("VCPU") for host in capacity.all if isinstance(host, Host)] == [64, 4, 2]


def test_where_the_members_are_is_asked_only_of_those_that_stay() -> None:
    capacity, asked = two(), list[str]()
    capacity.where = {"id-there": "compute-2"}
    told = capacity.hosts_of

    def hosts_of(ids: Any) -> Any:
        asked.extend(ids)
        return told(ids)

    capacity.hosts_of = hosts_of  # type: ignore[method-assign]
    group = values.group("anti-affinity", "id-a", "id-b", "id-there")
    found = predict(capacity, instance("a"), instance("b"), groups=(group,))
    assert fits(found) == {"a": True, "b": False}
    assert asked == ["id-there"]
    alone = values.group("anti-affinity", "id-a", "id-b")
    predict(capacity, instance("a"), instance("b"), groups=(alone,))
    assert asked == ["id-there"]
