# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls change a compute service, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    ComputeService,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.service_change import (
    WantedService,
    after,
    find_service,
    plan_service_change,
    require_deletable,
    require_none_done,
    require_none_in_progress,
)
from fakes import values
from hypothesis import given
from hypothesis import strategies as st


def bodies(service: Any, **wanted: Any) -> list[dict[str, Any]]:
    return [change.body for change in plan_service_change(service, WantedService(**wanted))]


def test_forced_down_comes_before_disabling() -> None:
    # Disabling a service that Nova believes up calls the dead host and waits for it.
    assert bodies(values.service(), forced_down=True, status="disabled", disabled_reason="x") == [
        {"forced_down": True},
        {"status": "disabled", "disabled_reason": "x"},
    ]


def test_the_way_back_lifts_forced_down_before_enabling() -> None:
    service = values.service(forced_down=True, state="down", status="disabled")
    assert bodies(service, forced_down=False, status="enabled") == [
        {"forced_down": False},
        {"status": "enabled"},
    ]


def test_what_is_not_asked_for_stays() -> None:
    assert bodies(values.service(forced_down=True, status="disabled")) == []


def test_the_reason_is_kept_when_none_is_given() -> None:
    service = values.service(status="disabled", disabled_reason="a person's reason")
    assert bodies(service, status="disabled") == []
    assert bodies(service, status="disabled", disabled_reason="new") == [
        {"status": "disabled", "disabled_reason": "new"}
    ]
    enabled = values.service(disabled_reason="left over")
    assert bodies(enabled, status="disabled") == [
        {"status": "disabled", "disabled_reason": "left over"}
    ]


@given(
    service=st.builds(
        values.service,
        status=st.sampled_from(["enabled", "disabled"]),
        forced_down=st.booleans(),
        state=st.sampled_from(["up", "down"]),
        disabled_reason=st.sampled_from([None, "x", "y"]),
    ),
    wanted=st.builds(
        WantedService,
        forced_down=st.sampled_from([None, True, False]),
        status=st.sampled_from([None, "enabled", "disabled"]),
        disabled_reason=st.sampled_from([None, "", "x", "y"]),
        only_disabled_by_recovery=st.booleans(),
    ),
)
def test_the_second_time_there_is_nothing_to_do(service: Any, wanted: WantedService) -> None:
    changed = after(service, plan_service_change(service, wanted))
    assert plan_service_change(changed, wanted) == []
    assert wanted.forced_down in (None, changed.forced_down)
    if not wanted.only_disabled_by_recovery:
        assert wanted.status in (None, changed.status)


def test_a_service_that_is_forced_down_is_down() -> None:
    service = values.service()
    changes = plan_service_change(service, WantedService(forced_down=True))
    assert after(service, changes).state == "down"


def test_enabling_forgets_the_reason() -> None:
    service = values.service(status="disabled", disabled_reason="x")
    changes = plan_service_change(service, WantedService(status="enabled"))
    assert after(service, changes).disabled_reason is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("done", "evacuation_records_done"),
        ("accepted", "evacuations_in_progress"),
        ("pre-migrating", "evacuations_in_progress"),
    ],
)
def test_forced_down_stays_while_the_host_would_destroy_something(status: str, code: str) -> None:
    service = values.service(forced_down=True, state="down")
    with pytest.raises(RecoveryError) as raised:
        plan_service_change(service, WantedService(forced_down=False), [values.record(7, status)])
    assert raised.value.code == code
    assert raised.value.retriable
    assert raised.value.details["records"] == [{"id": 7, "instance": "id-web-1", "status": status}]


@pytest.mark.parametrize(
    "record",
    [
        values.record(1, "completed"),
        values.record(1, "failed"),
        values.record(1, "error"),
        values.record(1, "done", source_compute="compute-10"),
        values.record(1, "done", migration_type="live-migration"),
    ],
)
def test_other_records_do_not_hold_forced_down(record: Any) -> None:
    service = values.service(forced_down=True)
    assert plan_service_change(service, WantedService(forced_down=False), [record])


def test_records_do_not_matter_when_forced_down_is_not_lifted() -> None:
    records = [values.record(1, "done")]
    assert plan_service_change(values.service(), WantedService(forced_down=True), records)
    assert not plan_service_change(values.service(), WantedService(forced_down=False), records)


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("openstack_recovery run=run-1: host failed", True),
        ("openstack_recovery run=run-1", True),
        ("power supply burnt", False),
        ("was openstack_recovery run=run-1: host failed", False),
        ("", False),
        (None, False),
    ],
)
def test_what_a_person_has_disabled_can_be_left_so(reason: str | None, ours: bool) -> None:
    service = values.service(status="disabled", disabled_reason=reason)
    enable = [{"status": "enabled"}]
    found = bodies(service, status="enabled", only_disabled_by_recovery=True)
    assert found == (enable if ours else [])
    assert bodies(service, status="enabled") == enable


def test_only_enabling_asks_who_has_disabled_it() -> None:
    service = values.service(status="disabled", disabled_reason="x", forced_down=True)
    wanted = {"forced_down": False, "status": "enabled", "only_disabled_by_recovery": True}
    assert bodies(service, **wanted) == [{"forced_down": False}]
    assert bodies(values.service(), status="disabled", only_disabled_by_recovery=True)


def test_records_may_come_one_by_one() -> None:
    # In progress and done are two questions; the second must not find them used up.
    service = values.service(forced_down=True)
    with pytest.raises(RecoveryError) as raised:
        plan_service_change(
            service, WantedService(forced_down=False), iter([values.record(1, "done")])
        )
    assert raised.value.code == "evacuation_records_done"


OTHERS = [
    values.record(1, "failed"),
    values.record(2, "completed"),
    values.record(3, "accepted", source_compute="compute-10"),
    values.record(4, "accepted", source_compute="compute-2", dest_compute="compute-1"),
    # Nova itself asks for these.
    values.record(5, "running", migration_type="live-migration"),
]


def beside(service: ComputeService) -> list[ComputeService]:
    """Another one reports at EPOCH."""
    return [values.service("compute-2"), service]


@pytest.mark.parametrize("forced_down", [True, False])
def test_a_service_that_is_down_can_be_deleted(forced_down: bool) -> None:
    service = values.service(state="down", forced_down=forced_down, updated_at=values.at(-61))
    require_deletable(service, beside(service), [*OTHERS, values.record(9, "done")])


def test_a_service_that_is_up_cannot_be_deleted() -> None:
    service = values.service()
    with pytest.raises(RecoveryError) as raised:
        require_deletable(service, beside(service), [])
    assert (raised.value.code, raised.value.retriable) == ("host_is_up", False)
    assert raised.value.details == {"host": "compute-1", "binary": "nova-compute"}


@pytest.mark.parametrize("age", [0, 59, 60, None])
def test_one_that_is_forced_down_and_reports_cannot_be_deleted(age: float | None) -> None:
    reported = None if age is None else values.at(-age)
    service = values.service(state="down", forced_down=True, updated_at=reported)
    with pytest.raises(RecoveryError, match="is forced down and has a heartbeat") as raised:
        require_deletable(service, beside(service), [])
    # Forcing it down moves the heartbeat too.
    assert (raised.value.code, raised.value.retriable) == ("host_is_up", True)


@pytest.mark.parametrize("status", ["accepted", "pre-migrating"])
def test_no_service_is_deleted_while_its_instances_are_evacuated(status: str) -> None:
    service = values.service(state="down")
    with pytest.raises(RecoveryError) as raised:
        require_deletable(service, beside(service), [*OTHERS, values.record(9, status)])
    assert raised.value.code == "evacuations_in_progress"
    assert [record["id"] for record in raised.value.details["records"]] == [9]


def test_records_of_others_hold_nothing_back() -> None:
    require_none_in_progress("compute-1", OTHERS)
    require_none_done("compute-1", [*OTHERS, values.record(9, "done", source_compute="compute-2")])
    with pytest.raises(RecoveryError):
        require_none_done("compute-1", [*OTHERS, values.record(9, "done")])


FLEET = [
    values.service("compute-1"),
    values.service("compute-10"),
    values.service("compute-1.example.com"),
    values.service("compute-1", id="conductor", binary="nova-conductor"),
]


@pytest.mark.parametrize("host", ["compute-1", "compute-10", "compute-1.example.com"])
def test_a_service_is_found_by_its_exact_name(host: str) -> None:
    assert find_service(FLEET, host, "nova-compute").id == f"service-{host}"


@pytest.mark.parametrize("host", ["compute-", "compute", "Compute-1", "compute-1.example", "", "1"])
def test_a_part_of_a_name_finds_nothing(host: str) -> None:
    with pytest.raises(RecoveryError) as raised:
        find_service(FLEET, host, "nova-compute")
    assert raised.value.code == "host_not_found"


def test_similar_names_are_told() -> None:
    with pytest.raises(RecoveryError, match="compute-10"):
        find_service(FLEET, "compute-100", "nova-compute")


def test_two_services_with_one_name_are_refused() -> None:
    with pytest.raises(RecoveryError) as raised:
        find_service([*FLEET, values.service(id="stale")], "compute-1", "nova-compute")
    assert raised.value.code == "host_ambiguous"
    assert raised.value.details["service_ids"] == ["service-compute-1", "stale"]
