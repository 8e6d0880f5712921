# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches are one run, and nothing is well that is not known to be."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.outcome import (
    reshape_outcome,
)
from hypothesis import given
from hypothesis import strategies as st

ERROR = {"code": "reshape_incomplete", "retriable": True, "details": {}, "request_id": None}


def entry(name: str, action: str = "rebuild", **fields: Any) -> dict[str, Any]:
    identity = {"id": name, "name": f"web-{name}", "project_id": "p", "from": "compute-1"}
    return {**identity, "action": action, **fields}


def done(name: str, status: str = "verified", **fields: Any) -> dict[str, Any]:
    return {**entry(name), "status": status, "code": None, "reason": None, **fields}


SKIP = entry("3", "skip", code="locked", reason="it is locked")


def test_batches_are_one_run() -> None:
    plan = {"plan": [entry("1"), entry("2", "resize"), SKIP]}
    batches = [
        {"ids": ["1"], "instances": [done("1")], "requests": {"GET servers": 2}},
        {"ids": ["2"], "instances": [done("2")], "requests": {"GET servers": 1}},
    ]
    outcome = reshape_outcome(plan, batches)
    assert [one["status"] for one in outcome["instances"]] == ["verified", "verified", "skipped"]
    assert outcome["totals"]["planned"] == 2
    assert outcome["requests"] == {"GET servers": 3}
    assert (outcome["error"], outcome["message"]) == (None, None)


def test_a_batch_without_a_result_is_not_one_that_was_not_begun() -> None:
    outcome = reshape_outcome(
        {"plan": [entry("1"), entry("2")]}, [{"ids": ["1"], "msg": "it was killed"}]
    )
    first, second = outcome["instances"]
    assert (first["status"], first["code"]) == ("failed", "no_result")
    assert first["reason"] == "its batch has ended without a result for it: it was killed"
    assert (second["status"], second["code"]) == ("not_started", "batch_not_begun")
    assert outcome["error"]["code"] == "no_result"
    assert outcome["error"]["retriable"]
    assert outcome["message"].startswith("2 of 2 instances are not verified. The first is web-1:")


def test_what_the_module_says_comes_first() -> None:
    failed = done("1", "failed", code="rebuild_failed", reason="no disk")
    batch = {"ids": ["1"], "instances": [failed], "error": ERROR, "msg": "0 of 1"}
    outcome = reshape_outcome({"plan": [entry("1")]}, [batch, {"ids": ["2"], "msg": "killed"}])
    assert (outcome["error"], outcome["message"]) == (ERROR, "0 of 1")


def test_without_a_plan_nothing_is_well() -> None:
    outcome = reshape_outcome({"msg": "it was killed"}, [])
    assert outcome["instances"] == []
    assert outcome["error"]["code"] == "no_result"
    assert outcome["message"] == "there is no plan: it was killed"


STATUSES = ("verified", "skipped", "gone", "failed", "in_progress", "not_started")


@given(st.lists(st.sampled_from([*STATUSES, "lost", "not begun"]), max_size=6))
def test_it_is_well_only_when_each_instance_is(statuses: list[str]) -> None:
    plan = {"plan": [entry(str(number)) for number in range(len(statuses))]}
    batches: list[dict[str, Any]] = []
    for number, status in enumerate(statuses):
        if status == "lost":
            batches.append({"ids": [str(number)]})
        elif status != "not begun":
            batches.append({"ids": [str(number)], "instances": [done(str(number), status)]})
    outcome = reshape_outcome(plan, batches)
    well = set(statuses) <= {"verified", "gone"}
    assert (outcome["error"] is None) == well
    assert len(outcome["instances"]) == len(statuses)
    outcome = reshape_outcome(plan, batches, on_refused="skip")
    assert (outcome["error"] is None) == (set(statuses) <= {"verified", "skipped", "gone"})


@pytest.mark.parametrize("message", [None, ""])
def test_a_module_that_says_nothing(message: str | None) -> None:
    outcome = reshape_outcome({"plan": [entry("1")]}, [{"ids": ["1"], "msg": message}])
    assert outcome["instances"][0]["reason"].endswith("the module says nothing")


def test_what_was_deleted_since_the_plan_is_gone() -> None:
    plan = {"plan": [entry("1"), entry("2"), entry("3", "skip", code="deleted", reason="none")]}
    missing = {"id": "1", "name": "1", "project_id": None, "from": None, "action": "skip"}
    deleting = done("2", "skipped", code="being_deleted", reason="it is deleted")
    batch = {"ids": ["1", "2"], "instances": [{**missing, "status": "gone"}, deleting]}
    outcome = reshape_outcome(plan, [batch])
    assert [one["status"] for one in outcome["instances"]] == ["gone"] * 3
    assert outcome["instances"][0]["name"] == "web-1"
    assert outcome["error"] is None


def test_what_was_locked_since_the_plan_is_a_failure_unless_such_are_left_out() -> None:
    locked = done("1", "skipped", code="locked", reason="it is locked")
    plan, batches = {"plan": [entry("1"), SKIP]}, [{"ids": ["1"], "instances": [locked]}]
    assert reshape_outcome(plan, batches, on_refused="skip")["error"] is None
    outcome = reshape_outcome(plan, batches)
    assert outcome["error"]["code"] == "reshape_incomplete"
    assert outcome["message"] == (
        "1 of 2 instances are not verified. The first is web-1: it is locked"
    )
    assert [one["status"] for one in outcome["instances"]] == ["skipped"] * 2
