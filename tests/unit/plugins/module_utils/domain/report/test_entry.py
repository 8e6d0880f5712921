# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One instance, whichever module has returned it."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.entry import (
    by_id,
    parse_entry,
    parse_prediction,
)
from fakes.reports import entry, instance

CHECK = {"passed": False, "expected": "1 bound to b", "observed": "none"}


def test_an_evacuated_one() -> None:
    found = parse_entry(
        instance(
            to="compute-2",
            status="failed",
            code="not_verified",
            seconds="4.5",
            verifications={"ports": CHECK, "host": {**CHECK, "passed": True}},
            request_ids=["req-1", None],
        ),
        {},
    )
    assert (found.source, found.destination, found.level) == ("compute-1", "compute-2", "bad")
    assert found.seconds == 4.5
    assert [check.name for check in found.failing] == ["ports"]
    assert found.request_ids == ("req-1",)


def test_one_that_was_built_which_has_words_of_its_own() -> None:
    built = {
        "uuid": "u1",
        "result": "died",
        "code": "died",
        "message": "No valid host",
        "host": None,
        "request_id": "req-7",
        "verification": {"ports": CHECK},
    }
    found = parse_entry(built, by_id([{"id": "u1", "name": "web-1", "project_id": "p"}]))
    assert (found.id, found.name, found.project_id) == ("u1", "web-1", "p")
    assert (found.status, found.level, found.reason) == ("died", "bad", "No valid host")
    assert found.request_ids == ("req-7",)
    assert found.checks[0].observed == "none"


def test_one_of_which_nothing_is_known() -> None:
    found = parse_entry({}, {})
    assert (found.id, found.name, found.status) == ("unknown", "unknown", "unknown")


def test_events_are_in_their_order_and_those_without_a_time_are_left_out() -> None:
    found = entry((5, "verified"), (0, "waiting"), (1, "submitted"))
    assert [event.event for event in found.events] == ["waiting", "submitted", "verified"]
    assert not parse_entry({"timeline": [{"event": "waiting"}, "x", {"at": "never"}]}, {}).events


@pytest.mark.parametrize(
    ("fits", "status", "code", "right"),
    [
        (True, "verified", None, True),
        (False, "verified", None, False),
        (False, "failed", "evacuation_failed", True),
        (True, "failed", "evacuation_failed", False),
        (True, "failed", "not_verified", True),
        (True, "in_progress", "timeout", None),
        (True, "skipped", "vtpm", None),
    ],
)
def test_a_prediction_is_compared_with_what_says_something_of_it(
    fits: bool, status: str, code: str | None, right: bool | None
) -> None:
    found = parse_entry(instance(status=status, code=code, prediction={"fits": fits}), {})
    assert found.prediction is not None
    assert found.prediction.was_right(found) is right


def test_the_prediction_may_stand_in_the_plan_only() -> None:
    plan = by_id([{"id": "id-web-1", "prediction": {"fits": True, "hosts": ["b"]}}])
    found = parse_entry(instance(), plan)
    assert found.prediction is not None
    assert found.prediction.hosts == ("b",)
    assert parse_prediction({}) is None
