# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking allocations off a host, while others change them too."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.freeing import (
    Freed,
    free_host,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    MigrationRecord,
)
from fakes import values
from fakes.nova import refused
from fakes.return_cloud import SMALL, FakeReturnCloud
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(name="cloud")
def _cloud() -> FakeReturnCloud:
    return FakeReturnCloud()


def free(cloud: FakeReturnCloud, **options: Any) -> Freed:
    chosen = {"host_never_returns": False, "only_plan": False, **options}
    return free_host(cloud, "compute-1", **chosen)


def removed(freed: Freed) -> list[str]:
    return [allocation.instance_id for allocation in freed.removed]


def refusal(cloud: FakeReturnCloud, **options: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as raised:
        free(cloud, **options)
    return raised.value


def test_what_has_left_is_freed_and_nothing_else(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("gone", "completed")
    cloud.has("here")
    cloud.has("never-here", host="compute-2")
    cloud.hold("of-another-service", {"rp-compute-1": SMALL})
    freed = free(cloud)
    assert removed(freed) == ["id-gone"]
    assert freed.removed[0].resources == {"rp-compute-1": SMALL}
    assert (freed.kept, freed.before) == ((), freed.removed)
    assert cloud.held_on("compute-1") == {"id-here", "of-another-service"}
    assert freed.others == ("id-here", "of-another-service")
    assert cloud.holds["id-gone"] == {"rp-compute-2": SMALL}
    assert cloud.violations == []
    again = free(cloud)
    assert (again.before, again.removed) == ((), ())
    assert len(cloud.writes) == 1


def test_every_provider_of_the_host_is_freed(cloud: FakeReturnCloud) -> None:
    # Two compute nodes, one with a nested provider.
    cloud.trees["compute-1"] = {"rp-a", "rp-a-numa", "rp-b"}
    for name, providers in {"x": ("rp-a", "rp-a-numa"), "y": ("rp-b",)}.items():
        cloud.evacuated(name, "completed")
        cloud.hold(f"id-{name}", dict.fromkeys((*providers, "rp-compute-2"), SMALL))
    assert removed(free(cloud)) == ["id-x", "id-y"]
    assert cloud.held_on("compute-1") == set()
    assert cloud.held_on("compute-2") == {"id-x", "id-y"}


def test_only_a_plan_changes_nothing(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    planned = free(cloud, only_plan=True)
    assert (removed(planned), planned.others) == (["id-a"], ())
    assert cloud.writes == []
    assert removed(free(cloud)) == ["id-a"]


@pytest.mark.parametrize("only_plan", [True, False])
def test_all_else_that_holds_something_is_named(cloud: FakeReturnCloud, only_plan: bool) -> None:
    cloud.trees["compute-1"] = {"rp-a", "rp-a-numa"}
    for name in ("gone", "kept"):
        cloud.evacuated(name, "completed")
    cloud.hold("id-gone", {"rp-a": SMALL, "rp-compute-2": SMALL})
    cloud.hold("id-kept", {"rp-a": SMALL})
    cloud.hold("the-migration", {"rp-a-numa": SMALL})
    cloud.hold("elsewhere", {"rp-compute-2": SMALL})
    freed = free(cloud, only_plan=only_plan)
    assert removed(freed) == ["id-gone"]
    assert [a.instance_id for a in freed.kept] == ["id-kept"]
    assert freed.others == ("the-migration",)


def test_what_holds_something_again_is_named(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("z", "completed")
    cloud.evacuated("a", "completed")

    def come() -> None:
        for consumer in ("id-z", "new"):
            cloud.hold(consumer, {"rp-compute-1": SMALL})

    # When the first was freed already.
    cloud.before_write += [lambda: None, come]
    freed = free(cloud)
    assert removed(freed) == ["id-z", "id-a"]
    assert freed.others == ("id-z", "new")


def test_what_nova_compute_is_going_to_free_is_left_to_it(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "done")
    for only_plan in (True, False):
        assert refusal(cloud, only_plan=only_plan).code == "evacuation_records_done"
    assert cloud.writes == []
    assert removed(free(cloud, host_never_returns=True)) == ["id-a"]


@pytest.mark.parametrize("status", ["accepted", "pre-migrating"])
def test_nothing_is_freed_while_one_is_evacuated(cloud: FakeReturnCloud, status: str) -> None:
    cloud.evacuated("a", "completed")
    moving = cloud.has("b")
    cloud.write_record(status, instance_id=moving.id)
    for options in ({}, {"host_never_returns": True}, {"only_plan": True}):
        assert refusal(cloud, **options).code == "evacuations_in_progress"
    assert cloud.writes == []


def test_nothing_is_freed_while_a_run_is_at_work(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.locks.create("compute-1", "run-1", "somebody")
    error = refusal(cloud, host_never_returns=True)
    assert (error.code, error.details["run_id"]) == ("run_in_progress", "run-1")
    assert cloud.writes == []


def test_one_that_holds_nothing_elsewhere_keeps_it(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.hold("id-a", {"rp-compute-1": SMALL})
    freed = free(cloud)
    assert freed.removed == ()
    assert [a.instance_id for a in freed.kept] == ["id-a"]
    assert cloud.writes == []


def test_a_deleted_instance(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.delete("id-a")
    assert free(cloud).before == ()
    # Deleted a moment ago, its record is read before and what it holds is freed later.
    cloud.evacuated("b", "completed", vm_state="deleted")
    cloud.hold("id-b", {"rp-compute-1": SMALL})
    assert removed(free(cloud)) == ["id-b"]
    assert "id-b" not in cloud.holds
    assert cloud.writes[0].by_provider == {}


def test_what_others_have_changed_is_read_and_judged_again(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    bigger = {"VCPU": 4, "MEMORY_MB": 4096}
    cloud.before_write.append(
        lambda: cloud.hold("id-a", {"rp-compute-1": SMALL, "rp-compute-3": bigger})
    )
    cloud.change("id-a", host="compute-3")
    assert removed(free(cloud)) == ["id-a"]
    assert cloud.holds["id-a"] == {"rp-compute-3": bigger}
    assert cloud.violations == []


def live_back(cloud: FakeReturnCloud, status: str = "running") -> None:
    """It is being live migrated back: the record first, then what it holds."""
    cloud.write_record(
        status,
        instance_id="id-a",
        migration_type="live-migration",
        source_compute="compute-2",
        dest_compute="compute-1",
        created_at=values.at(60),
    )
    cloud.hold("id-a", {"rp-compute-1": SMALL})
    cloud.hold("the-migration", {"rp-compute-2": SMALL})


def evacuated_back(cloud: FakeReturnCloud) -> None:
    """Its new host has failed too. It holds on both until that one starts again."""
    cloud.write_record(
        "done",
        instance_id="id-a",
        source_compute="compute-2",
        dest_compute="compute-1",
        created_at=values.at(60),
    )
    cloud.hold("id-a", {"rp-compute-1": SMALL, "rp-compute-2": SMALL})
    cloud.change("id-a", host="compute-1")


def chosen_again(cloud: FakeReturnCloud) -> None:
    """The scheduler has chosen this host; the record does not say so yet."""
    cloud.write_record(
        "accepted", instance_id="id-a", source_compute="compute-2", created_at=values.at(60)
    )
    cloud.hold("id-a", {"rp-compute-1": SMALL, "rp-compute-2": SMALL})


@pytest.mark.parametrize("meanwhile", [live_back, evacuated_back, chosen_again])
def test_one_that_comes_back_meanwhile_keeps_what_it_has(
    cloud: FakeReturnCloud, meanwhile: Callable[[FakeReturnCloud], None]
) -> None:
    cloud.evacuated("a", "completed")
    cloud.before_write.append(lambda: meanwhile(cloud))
    freed = free(cloud)
    assert cloud.violations == []
    assert freed.removed == ()
    # It was not kept at first; it must not look as if it were gone.
    assert [a.instance_id for a in freed.kept] == ["id-a"]
    assert freed.kept[0].kept_because
    assert "rp-compute-1" in cloud.holds["id-a"]


@pytest.mark.parametrize("meanwhile", [live_back, evacuated_back, chosen_again])
def test_one_that_comes_back_while_others_are_freed_keeps_what_it_has(
    cloud: FakeReturnCloud, meanwhile: Callable[[FakeReturnCloud], None]
) -> None:
    cloud.evacuated("z", "completed")
    cloud.evacuated("a", "completed")
    cloud.before_write.append(lambda: meanwhile(cloud))
    assert removed(free(cloud)) == ["id-z"]
    assert cloud.violations == []
    assert "rp-compute-1" in cloud.holds["id-a"]


def comes_back(cloud: FakeReturnCloud) -> list[Callable[[], None]]:
    """An evacuation back to compute-1, in the order in which Nova does it."""
    record: list[MigrationRecord] = []

    def accept() -> None:
        fields = {"source_compute": "compute-2", "created_at": values.at(60)}
        record.append(cloud.write_record("accepted", instance_id="id-a", **fields))

    return [
        accept,
        lambda: cloud.hold("id-a", {**cloud.holds["id-a"], "rp-compute-1": SMALL}),
        lambda: cloud.change("id-a", host="compute-1"),
        lambda: cloud.finish(record[0], "done"),
    ]


# Before which of the calls that judge and free an instance each of these happens.
MOMENTS = list(itertools.combinations_with_replacement(range(5), 4))


@pytest.mark.parametrize("moments", MOMENTS, ids=str)
def test_a_move_back_may_happen_between_any_two_calls(moments: tuple[int, ...]) -> None:
    cloud = FakeReturnCloud()
    cloud.evacuated("a", "completed")
    due = list(zip(moments, comes_back(cloud), strict=True))
    real = cloud._call
    seen: list[str] = []

    def call(name: str, what: str = "") -> None:
        seen.append(name)
        # The second one begins the judging; the first belongs to the look at the whole host.
        if seen.count("allocations_of") > 1:
            position = (
                len(seen) - 1 - seen.index("allocations_of", seen.index("allocations_of") + 1)
            )
            while due and due[0][0] <= position:
                due.pop(0)[1]()
        real(name, what)

    cloud._call = call  # type: ignore[method-assign]
    free(cloud)
    for _moment, happens in due:
        happens()
    assert "rp-compute-1" in cloud.holds["id-a"]
    assert cloud.violations == []


def test_what_is_gone_meanwhile_is_neither_removed_nor_kept(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.before_write.append(lambda: cloud.hold("id-a", {"rp-compute-2": SMALL}))
    freed = free(cloud)
    assert (freed.removed, freed.kept) == ((), ())
    assert len(freed.before) == 1


def test_a_deletion_in_between_is_no_error(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")

    def delete() -> None:
        cloud.delete("id-a")
        cloud.generations["id-a"] += 1

    cloud.before_write.append(delete)
    freed = free(cloud)
    assert (freed.removed, freed.kept) == ((), ())


def test_it_gives_up_in_the_end(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("z", "completed")
    cloud.evacuated("a", "completed")

    def touch() -> None:
        cloud.hold("id-a", cloud.holds["id-a"])

    cloud.before_write += [lambda: None, *[touch] * 9]
    error = refusal(cloud)
    assert (error.code, error.retriable) == ("allocation_changed", True)
    assert error.details == {"instance": "id-a"}
    # Placement's own words: it can have another reason.
    assert "HTTP 409" in error.message
    # The first one was freed.
    assert error.changed
    assert len(cloud.writes) == 1
    assert cloud.calls.count(("replace_allocations", "id-a")) == 5


@pytest.mark.parametrize(
    "error", [refused(403), refused(400), ApiUnavailable("no answer"), refused(404)]
)
def test_other_errors_end_it_at_once(cloud: FakeReturnCloud, error: Exception) -> None:
    cloud.evacuated("a", "completed")
    cloud.broken["replace_allocations"] = error
    assert refusal(cloud) is error
    assert cloud.calls.count(("replace_allocations", "id-a")) == 1
    assert not refusal(cloud).changed


def test_records_are_read_once_and_then_by_instance(cloud: FakeReturnCloud) -> None:
    cloud.evacuated("a", "completed")
    cloud.evacuated("b", "completed")
    asked: list[Any] = []
    real = cloud.migrations
    cloud.migrations = lambda **query: asked.append(query) or real(**query)  # type: ignore
    free(cloud)
    # A host has thousands of records, an instance a few.
    assert asked == [{"host": "compute-1"}, {"instance_id": "id-a"}, {"instance_id": "id-b"}]


@given(
    instances=st.lists(
        st.tuples(
            st.sampled_from(["accepted", "pre-migrating", "done", "completed", "failed", "error"]),
            st.sampled_from(["compute-1", "compute-2", "compute-3", None]),
            st.sets(st.sampled_from(["compute-1", "compute-2", "compute-3"])),
            st.sampled_from([None, live_back, evacuated_back, chosen_again]),
        ),
        min_size=1,
        max_size=3,
    ),
    host_never_returns=st.booleans(),
)
def test_no_instance_ever_loses_what_it_needs(instances: Any, host_never_returns: bool) -> None:
    cloud = FakeReturnCloud()
    for name, (status, host, holds, meanwhile) in zip("abc", instances, strict=False):
        added = cloud.has(name, on=sorted(holds), host=host)
        cloud.write_record(status, instance_id=added.id)
        if meanwhile is not None:
            cloud.before_write.append(lambda meanwhile=meanwhile: meanwhile(cloud))
    before = {consumer: set(held) for consumer, held in cloud.holds.items()}
    running = any(instance[0] in ("accepted", "pre-migrating") for instance in instances)
    try:
        freed = free(cloud, host_never_returns=host_never_returns)
    except RecoveryError as error:
        assert running or error.code == "evacuation_records_done"
        assert cloud.writes == []
        return
    assert not running
    assert cloud.violations == []
    for consumer in removed(freed):
        assert "rp-compute-1" in before[consumer]
        assert "rp-compute-1" not in cloud.holds[consumer]
        assert cloud.holds[consumer]
