# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.verdict import (
    verdict_of,
)
from fakes.reports import instance, run

OK, GONE = instance("a"), instance("g", "gone", code="deleted")
FAILED = instance("b", "failed", code="evacuation_failed")
BUSY = instance("c", "in_progress", code="timeout")
LATE = instance("d", "not_started", code="timeout")
# As every role states them, whatever has happened.
TIMES = {"started_at": "2026-11-22T03:00:00", "finished_at": "2026-11-22T03:01:30"}
STOPPED = {**TIMES, "seconds": None, "message": "not fenced"}
ROOM = {
    "kind": "make_room",
    "waiting": [{"id": "w", "fits": "no_room"}, {"id": "x", "fits": "room"}],
}
REBUILD = {"kind": "rebuild_never_booted", "subject": "never-booted", "seconds": None}
ERROR = {"code": "evacuation_incomplete", "retriable": True}


@pytest.mark.parametrize(
    ("instances", "more", "outcome", "headline"),
    [
        ([OK], {}, "good", "The instance of compute-1 was evacuated and verified"),
        ([OK, OK], {}, "good", "All 2 instances of compute-1 were evacuated and verified"),
        ([OK, OK, GONE], {}, "good", "All 2 instances of compute-1 were evacuated and verified; 1 left as it was"),
        ([GONE], {}, "good", "No instance of compute-1 was evacuated and verified; 1 left as it was"),
        ([OK, FAILED], {"error": ERROR}, "attention", "1 of 2 instances of compute-1 were evacuated and verified; 1 failed"),
        ([BUSY, LATE], {"error": ERROR}, "failed", "0 of 2 instances of compute-1 were evacuated and verified; 1 still at work, 1 not begun"),
        ([OK], {"error": ERROR}, "attention", "The instance of compute-1 was evacuated and verified"),
        ([OK], {"kind": "fail_back"}, "good", "The instance of compute-1 was moved home and verified"),
        ([OK], {"kind": "of_my_own"}, "good", "The instance was done and verified"),
        ([OK, OK], {"kind": "rebuild_never_booted"}, "good", "All 2 instances were built and verified"),
        ([], {}, "good", "There was no instance of compute-1 to see to"),
        ([], {"message": "opt_in, and nothing opted in"}, "good", "opt_in, and nothing opted in"),
        ([], {"error": ERROR, "message": "it is up"}, "failed", "Stopped before any instance was touched: it is up"),
        ([], {**STOPPED, "begun": False}, "failed", "Stopped before any instance was touched: not fenced"),
        ([], {**STOPPED, "begun": False, "check_mode": True, "plan": [{"action": "evacuate"}]}, "failed",
         "Stopped before any instance was touched: not fenced"),
        ([], {**STOPPED, "message": "MODULE FAILURE"}, "failed", "Stopped: MODULE FAILURE"),
        ([], {**STOPPED, "message": "MODULE FAILURE", "check_mode": True}, "failed", "Stopped: MODULE FAILURE"),
        ([GONE], {**STOPPED, "message": "MODULE FAILURE"}, "failed",
         "No instance of compute-1 was evacuated and verified; 1 left as it was; stopped: MODULE FAILURE"),
        ([OK], {**STOPPED, "message": "MODULE FAILURE"}, "attention",
         "The instance of compute-1 was evacuated and verified; stopped: MODULE FAILURE"),
        ([], {**STOPPED, "check_mode": True, "plan": [{"action": "skip"}]}, "failed", "Stopped: not fenced"),
        ([], {**REBUILD, "selection": {"blocked": [{}]}}, "good", "No instance could be rebuilt: 1 is blocked"),
        ([], {**REBUILD, "selection": {"blocked": [{}, {}]}, "message": "bad input"}, "failed", "Stopped: bad input"),
        ([], {**REBUILD, "error": ERROR, "message": "no"}, "failed", "Stopped before any instance was touched: no"),
        ([], {**REBUILD, "error": ERROR, "message": "no", "changed": True}, "failed", "Stopped: no"),
        ([OK], {**REBUILD, "selection": {"blocked": [{}, {}]}}, "good", "The instance was built and verified; 2 blocked"),
        ([OK, OK], ROOM, "attention", "All 2 instances were removed to make room; 1 still without room"),
        ([], ROOM, "failed", "No instance was removed to make room; 1 still without room"),
        ([], {**ROOM, "error": ERROR, "message": "no"}, "failed", "Stopped before any instance was touched: no"),
        ([], {**TIMES, "seconds": None}, "good", "There was no instance of compute-1 to see to"),
        ([], {**TIMES, "message": "nothing", "notes": ["nothing"], "check_mode": True, "plan": [{"action": "skip"}]}, "plan",
         "Plan for compute-1, nothing was changed: 0 to be worked on, 1 to be left as they are"),
        ([], {"check_mode": True, "plan": [{"action": "evacuate"}, {"action": "skip"}]}, "plan",
         "Plan for compute-1, nothing was changed: 1 to be worked on, 1 to be left as they are"),
        ([], {"check_mode": True, "error": ERROR, "message": "no"}, "failed", "Stopped before any instance was touched: no"),
    ],
)  # fmt: skip
def test_verdicts(
    instances: list[dict[str, Any]], more: dict[str, Any], outcome: str, headline: str
) -> None:
    verdict = verdict_of(run(*instances, **more))
    assert (verdict.outcome, verdict.headline) == (outcome, headline)
