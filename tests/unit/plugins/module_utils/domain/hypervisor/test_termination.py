# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ending domains: what is gone counts, and every one is told of."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.libvirt_domain import (
    STATES,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.termination import (
    diff_of,
    end_domains,
    is_changed,
    listed,
    plan_termination,
    survey,
)
from fakes.hypervisor import FakeConnection, FakeHypervisor, domain, unreachable, uuid_of


def end(hypervisor: FakeHypervisor, *wanted: int, hangs_after: int | None = None) -> dict[str, str]:
    """Result by UUID; all of Nova's when none is named."""
    connection = FakeConnection(hypervisor)
    connection.hangs_after = hangs_after
    named = [uuid_of(number) for number in wanted] or None
    planned = plan_termination(survey(connection, None), named)
    results = end_domains(connection, planned, all_of_nova=named is None)
    return {each.uuid: each.result for each in results}


def failure(
    hypervisor: FakeHypervisor, *wanted: int, hangs_after: int | None = None
) -> tuple[RecoveryError, dict[str, str]]:
    with pytest.raises(RecoveryError) as caught:
        end(hypervisor, *wanted, hangs_after=hangs_after)
    error = caught.value
    return error, {each["uuid"]: each["result"] for each in error.details["domains"]}


@pytest.mark.parametrize("state", [state for state in STATES if state != "shutoff"])
def test_a_domain_with_a_process_is_terminated_in_whatever_state(state: str) -> None:
    hypervisor = FakeHypervisor(domain(1, state))
    assert end(hypervisor) == {uuid_of(1): "terminated"}
    assert hypervisor.calls == [("destroy", uuid_of(1)), ("undefine", uuid_of(1))]


def test_whether_it_has_a_process_counts_and_not_its_state() -> None:
    hypervisor = FakeHypervisor(
        domain(1, "shutoff", active=True), domain(2, "crashed", active=False)
    )
    assert end(hypervisor) == {uuid_of(1): "terminated", uuid_of(2): "not_running"}
    assert ("destroy", uuid_of(2)) not in hypervisor.calls


def test_a_transient_domain_has_no_definition_to_remove() -> None:
    hypervisor = FakeHypervisor(domain(1, persistent=False))
    assert end(hypervisor) == {uuid_of(1): "terminated"}
    assert hypervisor.calls == [("destroy", uuid_of(1))]


def test_only_what_was_named_ends() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2, "shutoff"), domain(3), domain(9, foreign=True))
    assert end(hypervisor, 2, 1, 7, 1) == {
        uuid_of(2): "not_running",
        uuid_of(1): "terminated",
        uuid_of(7): "absent",
        uuid_of(3): "kept",
    }
    assert sorted(hypervisor.held) == [uuid_of(3), uuid_of(9)]


def test_all_of_nova_are_not_all() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(9, foreign=True))
    assert end(hypervisor) == {uuid_of(1): "terminated"}
    assert list(hypervisor.held) == [uuid_of(9)]


def test_nothing_to_do_connects_to_nothing_that_can_change() -> None:
    connection = FakeConnection(FakeHypervisor(domain(1)))
    planned = plan_termination(survey(connection, None), [])
    assert [each.result for each in end_domains(connection, planned, all_of_nova=False)] == ["kept"]
    assert connection.read_only == [True]


def test_a_foreign_domain_that_is_named_stops_everything() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(9, foreign=True))
    seen = survey(FakeConnection(hypervisor), None)
    for plan in (plan_termination, listed):
        with pytest.raises(RecoveryError) as caught:
            plan(seen, [uuid_of(1), uuid_of(9)])
        assert (caught.value.code, caught.value.details) == (
            "domain_not_nova",
            {"uuids": [uuid_of(9)]},
        )
    assert hypervisor.calls == []


def test_one_that_became_foreign_after_the_plan_is_left_alone() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2))
    connection = FakeConnection(hypervisor)
    planned = plan_termination(survey(connection, None), [uuid_of(1), uuid_of(2)])
    hypervisor.held[uuid_of(1)] = domain(1, foreign=True)
    with pytest.raises(RecoveryError) as caught:
        end_domains(connection, planned, all_of_nova=False)
    first, second = caught.value.details["domains"]
    assert (first["result"], first["error"]["code"]) == ("still_running", "domain_not_nova")
    assert second["result"] == "terminated"
    assert ("destroy", uuid_of(1)) not in hypervisor.calls


@pytest.mark.parametrize("named", [(), (1, 2)])
def test_what_a_call_answers_does_not_count(named: tuple[int, ...]) -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2))
    hypervisor.unkillable = {uuid_of(1)}
    error, results = failure(hypervisor, *named)
    assert (error.code, error.retriable, error.changed) == ("domain_still_running", True, True)
    assert results == {uuid_of(1): "still_running", uuid_of(2): "terminated"}
    # What still has a process keeps its definition.
    assert ("undefine", uuid_of(1)) not in hypervisor.calls


def test_nor_does_its_error_once_the_domain_is_gone() -> None:
    hypervisor = FakeHypervisor(domain(1, persistent=False))

    def destroy(uuid: str) -> None:
        del hypervisor.held[uuid]
        raise RecoveryError("libvirt_error", "the monitor was closed")

    hypervisor.destroy = destroy  # type: ignore[method-assign]
    assert end(hypervisor) == {uuid_of(1): "terminated"}


def test_a_definition_that_stays_is_told() -> None:
    hypervisor = FakeHypervisor(domain(1))
    hypervisor.refuses[("undefine", uuid_of(1))] = RecoveryError("libvirt_error", "busy")
    error, results = failure(hypervisor)
    assert (error.code, results) == ("domain_still_defined", {uuid_of(1): "still_defined"})
    assert "busy" in error.message
    [shown] = error.details["domains"]
    assert shown["error"] == {"code": "libvirt_error", "message": "busy"}
    assert (shown["state"], shown["active"], shown["state_before"]) == ("shutoff", False, "running")


def test_one_that_comes_back_is_seen() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2))
    hypervisor.brought_back = {uuid_of(1): domain(1), uuid_of(5): domain(5)}
    error, results = failure(hypervisor)
    assert error.code == "domain_still_running"
    assert results == {
        uuid_of(1): "still_running",
        uuid_of(2): "terminated",
        uuid_of(5): "still_running",
    }


def test_the_state_of_a_tpm_is_kept() -> None:
    hypervisor = FakeHypervisor(domain(1, has_tpm=True), domain(2))
    end(hypervisor)
    assert ("undefine_keeping_tpm", uuid_of(1)) in hypervisor.calls
    assert ("undefine", uuid_of(2)) in hypervisor.calls


@pytest.mark.parametrize(
    ("steps", "changed", "expected"),
    [
        (0, False, ["unreachable", "unreachable", "unreachable"]),
        (1, True, ["unreachable", "unreachable", "unreachable"]),
        (2, True, ["terminated", "unreachable", "unreachable"]),
        (5, True, ["terminated", "terminated", "unreachable"]),
    ],
)
def test_a_hang_in_the_middle_tells_what_was_done(
    steps: int, changed: bool, expected: list[str]
) -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2), domain(3), domain(4))
    error, results = failure(hypervisor, 1, 2, 3, hangs_after=steps)
    assert (error.code, error.retriable, error.changed) == (
        "hypervisor_unreachable",
        True,
        changed,
    )
    assert list(results.values()) == [*expected, "kept"]
    # The last that was seen of it.
    assert [each["active"] for each in error.details["domains"]] == [
        *(result == "unreachable" for result in expected),
        True,
    ]


def test_a_connection_that_breaks_ends_it() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2))
    hypervisor.refuses[("destroy", uuid_of(1))] = unreachable()
    error, results = failure(hypervisor)
    assert error.code == "hypervisor_unreachable"
    assert set(results.values()) == {"unreachable"}
    assert hypervisor.calls == [("destroy", uuid_of(1))]


def test_the_hypervisor_must_be_the_one_that_was_meant() -> None:
    connection = FakeConnection(FakeHypervisor(domain(1), hostname="compute-1.b"))
    assert survey(connection, "compute-1.b").hostname == "compute-1.b"
    for other in ("compute-1", "compute-1.a", ""):
        with pytest.raises(RecoveryError) as caught:
            survey(connection, other)
        assert caught.value.code == "wrong_hypervisor"


def test_a_plan_says_what_will_be() -> None:
    hypervisor = FakeHypervisor(domain(1, "paused"), domain(2, "shutoff"), domain(9, foreign=True))
    connection = FakeConnection(hypervisor)
    planned = plan_termination(survey(connection, None), None)
    assert is_changed(planned)
    done = end_domains(connection, planned, all_of_nova=True)
    assert [each.as_dict() for each in planned] == [each.as_dict() for each in done]
    assert diff_of(planned) == {
        "before": {uuid_of(1): "paused", uuid_of(2): "shutoff"},
        "after": {uuid_of(1): "absent", uuid_of(2): "absent"},
    }
    again = plan_termination(survey(connection, None), None)
    assert (again, is_changed(again)) == ([], False)


def test_a_list_has_novas_domains_and_counts_the_others() -> None:
    hypervisor = FakeHypervisor(domain(2, "paused"), domain(1), domain(9, foreign=True))
    seen = survey(FakeConnection(hypervisor), None)
    assert len(seen.foreign) == 1
    first, second = [each.as_dict() for each in listed(seen, None)]
    assert (first["uuid"], second["uuid"]) == (uuid_of(1), uuid_of(2))
    assert second == {
        "uuid": uuid_of(2),
        "name": "instance-00000002",
        "state": "paused",
        "active": True,
        "persistent": True,
        "disks": [
            {
                "target": "vda",
                "type": "file",
                "source": f"/var/lib/nova/instances/{uuid_of(2)}/disk",
            }
        ],
        "nova": {
            "name": "web-2",
            "project_id": "p",
            "project_name": "shop",
            "flavor": "m1.tiny",
            "created_at": "2026-03-01 02:15:00",
            "version": "33.0.2",
        },
        "state_before": "paused",
        "result": "kept",
        "error": None,
    }
    assert [each.result for each in listed(seen, [uuid_of(1), uuid_of(7)])] == ["kept", "absent"]
