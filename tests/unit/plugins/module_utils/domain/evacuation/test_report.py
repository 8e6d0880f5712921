# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables for people."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.report import (
    evacuation_table,
    plan_table,
    summary,
)


def entry(name: str, status: str, **others: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "status": status, **others}


INSTANCES = [
    entry(
        "web-1",
        "verified",
        **{"from": "compute-1", "to": "compute-2"},
        seconds=12.34,
        verifications={"record": {"passed": True}, "host": {"passed": False}},
    ),
    entry("a-longer-name", "skipped", reason="it is being deleted"),
]


def test_the_columns_stand_below_each_other() -> None:
    heading, rule, first, _second, reason, last = evacuation_table(INSTANCES)
    assert heading.split()[:4] == ["instance", "from", "to", "state"]
    assert set(rule) == {"-", " "}
    assert first.index("compute-1") == heading.index("from")
    assert first.endswith("12.3")
    assert reason == "a-longer-name (id-a-longer-name): it is being deleted"
    assert last == "1 of 1 instances verified, 1 skipped"


def test_checks_are_marked() -> None:
    first = evacuation_table(INSTANCES)[2].split()
    assert first[3:8] == ["verified", "ok", "WRONG", "-", "-"]


def test_nothing_at_all_is_a_table_too() -> None:
    assert evacuation_table([])[-1] == "0 of 0 instances verified"
    assert len(plan_table([])) == 2


def test_the_summary_counts_what_was_to_be_moved() -> None:
    states = ["verified", "failed", "in_progress", "skipped", "gone", "gone"]
    assert summary([entry("x", state) for state in states]) == (
        "1 of 3 instances verified, 1 skipped, 2 gone"
    )


def test_a_plan_is_numbered_and_tells_why_something_stays() -> None:
    plan = [
        {"name": "web-1", "from": "compute-1", "action": "evacuate", "power_state": "on"},
        {"name": "web-2", "from": "compute-1", "action": "skip", "reason": "it has a virtual TPM"},
    ]
    _heading, _rule, first, second = plan_table(plan)
    assert first.split() == ["1", "web-1", "compute-1", "evacuate", "on", "-", "-", "-", "-"]
    assert second.startswith("2")
    assert second.endswith("it has a virtual TPM")


@pytest.mark.parametrize(("fits", "word"), [(True, "yes"), (False, "no"), (None, "unknown")])
def test_a_plan_tells_whether_there_is_room(fits: bool | None, word: str) -> None:
    prediction = {"fits": fits, "hosts": [], "reason": "compute-2: down"}
    line = plan_table([{"name": "db", "action": "evacuate", "prediction": prediction}])[2]
    assert line.split()[-3:] == [word, "compute-2:", "down"]


def test_a_result_tells_what_was_foretold_right() -> None:
    def told(right: bool | None) -> dict[str, Any]:
        return {"name": "a", "id": "i", "status": "verified", "prediction": {"right": right}}

    assert evacuation_table([told(True), told(False), told(None)])[-1] == (
        "who finds room was foretold right for 1 of 2"
    )
    assert "foretold" not in evacuation_table([told(None)])[-1]


def test_a_plan_tells_which_rule_has_stated_what() -> None:
    rules = {"priority": "databases", "restart_group": "databases", "leave_off": "tests"}
    entry = {"name": "db", "action": "evacuate", "priority": 900, "restart_group": "first"}
    line = plan_table([{**entry, "rules": rules}])[2]
    assert " 900 " in line
    assert " first " in line
    assert line.endswith("priority, restart_group by databases; leave_off by tests")


def test_a_plan_in_which_the_policy_leaves_everything_says_so() -> None:
    left = {"name": "web-1", "action": "skip", "code": "left_by_policy", "reason": "no rule"}
    assert plan_table([left, left])[-1].startswith("nothing is evacuated")
    assert "nothing is evacuated" not in plan_table([left, {**left, "code": "vtpm"}])[-1]
