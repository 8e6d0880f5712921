# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of an evacuated host, and how often."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.cloud import (
    ReturnCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.observation import (
    EvacuatedHost,
    observe,
    require_no_run,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_lock import (
    LEASE_SECONDS,
)
from fakes import values
from fakes.return_cloud import SMALL, FakeReturnCloud


@pytest.fixture(name="cloud")
def _cloud() -> FakeReturnCloud:
    return FakeReturnCloud()


def fates(seen: EvacuatedHost) -> dict[str, str]:
    return {departed.name: departed.fate for departed in seen.departed}


def test_the_fake_is_what_the_domain_asks_for(cloud: FakeReturnCloud) -> None:
    same: ReturnCloud = cloud
    assert same.allocations_of("nobody").by_provider == {}


def test_a_host_that_nothing_was_evacuated_from(cloud: FakeReturnCloud) -> None:
    cloud.has()
    seen = observe(cloud, "compute-1", None)
    assert (seen.host, seen.instances_here) == ("compute-1", 1)
    assert (seen.records, seen.departed, seen.allocations) == ((), (), ())
    assert (seen.moving, seen.done, seen.guests, seen.run) == ([], [], None, None)
    assert seen.providers == {"rp-compute-1"}


@pytest.mark.parametrize("host", ["compute", "compute-10", ""])
def test_a_host_that_matches_nothing_fails(cloud: FakeReturnCloud, host: str) -> None:
    with pytest.raises(RecoveryError) as raised:
        observe(cloud, host, None)
    assert raised.value.code == "host_not_found"
    assert [name for name, _what in cloud.calls] == ["compute_services"]


def test_a_service_of_another_binary_is_not_the_hosts(cloud: FakeReturnCloud) -> None:
    cloud.services["x"] = replace(cloud.services["compute-1"], host="x", binary="nova-conductor")
    with pytest.raises(RecoveryError):
        observe(cloud, "x", None)


def test_what_matters_of_an_evacuated_host(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("moved")
    cloud.evacuated("moved-and-freed", "completed")
    cloud.evacuated("still-holds", "completed")
    cloud.hold("id-moved-and-freed", {"rp-compute-2": SMALL})
    for name, status in {"moving": "pre-migrating", "stayed": "error", "back": "completed"}.items():
        cloud.write_record(status, instance_id=cloud.has(name).id)
    cloud.has("never-touched")
    cloud.evacuated("of-another-host", host="compute-3")
    cloud.records[-1] = replace(cloud.records[-1], source_compute="compute-2")
    seen = observe(cloud, "compute-1", None)
    assert fates(seen) == {
        "moved": "moved",
        "still-holds": "moved",
        "moving": "moving",
        "stayed": "stayed",
        "back": "returned",
    }
    assert [record.instance_id for record in seen.moving] == ["id-moving"]
    assert [record.instance_id for record in seen.done] == ["id-moved"]
    assert {a.instance_id for a in seen.allocations} == {"id-moved", "id-still-holds"}
    assert seen.instances_here == 4


def test_guests_are_looked_up_and_sorted(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.hold("id-a", {"rp-compute-2": SMALL})
    cloud.has("b")
    cloud.has("c", host="compute-2")
    seen = observe(cloud, "compute-1", ["id-a", "id-b", "id-c", "unknown"])
    assert seen.guests is not None
    assert seen.guests.leftover == ("id-a",)
    assert seen.guests.own == ("id-b",)
    assert seen.guests.unexplained == ("id-c", "unknown")
    # Nobody has looked, or nothing is there: two different answers.
    assert observe(cloud, "compute-1", None).guests is None
    empty = observe(cloud, "compute-1", []).guests
    assert empty is not None
    assert empty.leftover == empty.own == empty.unexplained == ()


def test_a_guest_that_is_moved_back_is_not_left_over(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.write_record(
        "running",
        instance_id="id-a",
        migration_type="live-migration",
        source_compute="compute-2",
        dest_compute="compute-1",
        created_at=values.at(60),
    )
    seen = observe(cloud, "compute-1", ["id-a"])
    assert seen.guests is not None
    assert (seen.guests.leftover, seen.guests.unexplained) == ((), ("id-a",))
    assert [a.kept_because for a in seen.allocations] == ["its live-migration record 2 is running"]


def test_a_deleted_instance(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a")
    cloud.evacuated("b")
    cloud.delete("id-a")
    # Its record was read before it was deleted.
    cloud.change("id-b", vm_state="deleted")
    seen = observe(cloud, "compute-1", ["id-a", "id-b"])
    assert [(d.instance_id, d.fate) for d in seen.departed] == [("id-b", "deleted")]
    assert seen.guests is not None
    # Nova shows neither the first one nor what became of it; nova-compute ends its guest itself.
    assert (seen.guests.leftover, seen.guests.unexplained) == (("id-b",), ("id-a",))


def test_a_host_with_years_of_records_is_not_read_one_by_one(cloud: FakeReturnCloud) -> None:
    for number in range(3000):
        status = ("completed", "failed", "error")[number % 3]
        cloud.write_record(status, instance_id=f"id-old-{number}")
    cloud.populate(40)
    for number in range(5):
        cloud.write_record("error", instance_id=f"id-web-{number + 1}")
    cloud.evacuated("open")
    cloud.evacuated("still-holds", "completed")
    observe(cloud, "compute-1", ["id-guest", "id-web-1"])
    assert sorted(cloud.looked_up) == ["id-guest", "id-open", "id-still-holds"]
    calls = Counter(name for name, _what in cloud.calls)
    assert calls["migrations"] == calls["instances_on"] == calls["consumers_on"] == 1
    # Only of those that have left and still hold something.
    assert calls["allocations_of"] == 2
    assert sum(calls.values()) < 12


def test_all_providers_of_a_host_are_asked(cloud: FakeReturnCloud) -> None:
    cloud.trees["compute-1"] = {"rp-a", "rp-a-numa", "rp-b"}
    for name, provider in {"x": "rp-a-numa", "y": "rp-b"}.items():
        cloud.evacuated(name, "completed")
        cloud.hold(f"id-{name}", {provider: SMALL, "rp-compute-2": SMALL})
    seen = observe(cloud, "compute-1", None)
    assert {a.instance_id: set(a.resources) for a in seen.allocations} == {
        "id-x": {"rp-a-numa"},
        "id-y": {"rp-b"},
    }


def test_a_host_without_a_provider(cloud: FakeReturnCloud) -> None:
    # Its nova-compute has never reported, or its compute node was deleted.
    cloud.trees["compute-1"] = set()
    cloud.evacuated("a")
    seen = observe(cloud, "compute-1", None)
    assert (seen.allocations, fates(seen)) == ((), {"a": "moved"})


@pytest.mark.parametrize(
    ("age", "live"), [(0, True), (LEASE_SECONDS - 5, True), (LEASE_SECONDS + 5, False)]
)
def test_a_run_that_is_at_work(cloud: FakeReturnCloud, age: float, live: bool) -> None:
    cloud.locks.create("compute-1", "run-1", "somebody")
    cloud.world.spend(age)
    seen = observe(cloud, "compute-1", None)
    assert (seen.run is not None) is live
    if not live:
        require_no_run(seen)
        return
    with pytest.raises(RecoveryError) as raised:
        require_no_run(seen)
    assert (raised.value.code, raised.value.retriable) == ("run_in_progress", True)
    assert raised.value.details == {"host": "compute-1", "run_id": "run-1", "holder": "somebody"}


def test_the_run_of_another_host_does_not_count(cloud: FakeReturnCloud) -> None:
    cloud.locks.create("compute-10", "run-1", "somebody")
    assert observe(cloud, "compute-1", None).run is None


def test_a_run_is_not_taken_for_dead_because_reading_takes_long() -> None:
    # Each call takes longer than a lease; the run renews its lock all the time.
    cloud = FakeReturnCloud(latency=LEASE_SECONDS + 15)
    cloud.world.spend(100)
    cloud.locks.create("compute-1", "run-1", "somebody")

    def renew() -> None:
        cloud.locks.locks["compute-1"] = replace(
            cloud.locks.locks["compute-1"], renewed_at=cloud.api_time()
        )
        cloud.world.after(10, renew)

    cloud.world.after(10, renew)
    assert observe(cloud, "compute-1", None).run is not None


def test_the_lock_is_read_before_the_records(cloud: FakeReturnCloud) -> None:
    """A run that ends in between has left its records by then."""
    cloud.locks.create("compute-1", "run-1", "somebody")
    moving = cloud.has("a")
    real: Any = cloud.evacuation_lock

    def ends_its_run(host: str) -> Any:
        found = real(host)
        cloud.write_record("accepted", instance_id=moving.id)
        cloud.locks.locks.clear()
        return found

    cloud.evacuation_lock = ends_its_run  # type: ignore[method-assign]
    seen = observe(cloud, "compute-1", None)
    assert seen.run is not None
    assert seen.moving


def test_records_in_progress_are_refused_without_a_run_too(cloud: FakeReturnCloud) -> None:
    cloud.write_record("accepted", instance_id=cloud.has("a").id)
    with pytest.raises(RecoveryError) as raised:
        require_no_run(observe(cloud, "compute-1", None))
    assert raised.value.code == "evacuations_in_progress"


@pytest.mark.parametrize(
    "call",
    [
        "compute_services",
        "migrations",
        "instances_on",
        "instances_named",
        "providers_of",
        "consumers_on",
        "allocations_of",
    ],
)
def test_what_cannot_be_read_is_never_taken_for_nothing(cloud: FakeReturnCloud, call: str) -> None:
    cloud.evacuated("a")
    cloud.broken[call] = ApiUnavailable("no answer")
    with pytest.raises(ApiUnavailable):
        observe(cloud, "compute-1", ["id-a"])
