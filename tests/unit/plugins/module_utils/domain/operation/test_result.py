# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has come to as a whole."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.result import (
    failure,
    totals,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.work import (
    Work,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.timeline import (
    Timeline,
    WallTime,
)
from fakes.world import World

LIMIT = RecoveryError("failure_limit", "enough", details={"max_failures": 0})
GONE = RecoveryError("abandoned", "nobody is there")


def works(*wanted: str) -> list[Work]:
    found = []
    for number, state in enumerate(wanted):
        subject = Subject(
            id=str(number), name=f"web-{number}", project_id="p", source=None, action="resize"
        )
        work = Work(subject, Timeline(WallTime.of(World())), state)
        work.reason = f"reason {number}"
        found.append(work)
    return found


def test_totals() -> None:
    counts = totals([{"status": state} for state in ("verified", "failed", "skipped", "gone")])
    assert counts == {
        "planned": 2,
        "verified": 1,
        "failed": 1,
        "in_progress": 0,
        "not_started": 0,
        "skipped": 1,
        "gone": 1,
    }


def test_no_failure() -> None:
    assert failure(works("verified", "gone"), None, "incomplete") is None


@pytest.mark.parametrize("state", ["failed", "in_progress", "not_started"])
def test_one_that_has_not_come_to_its_end(state: str) -> None:
    error = failure(works("verified", state), None, "incomplete")
    assert error is not None
    assert (error.code, error.retriable) == ("incomplete", True)
    assert error.message.startswith(f"1 of 2 instances verified, 1 {state.replace('_', ' ')}")
    assert ("The first to fail is web-1: reason 1" in error.message) == (state == "failed")
    assert error.details[state] == 1


def test_the_limit_and_what_ended_the_run() -> None:
    error = failure(works("failed", "not_started"), LIMIT, "incomplete")
    assert error is not None
    assert error.code == "failure_limit"
    assert error.details["max_failures"] == 0
    assert failure(works("verified"), GONE, "incomplete") is GONE
