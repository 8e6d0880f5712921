# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role reshape_instances, run by Ansible: what a batch says, or does not say, is not lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.playbook import KILLED, Playbook

NAMES = ("a", "b", "c", "d")


def entry(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": f"web-{name}",
        "project_id": "p",
        "from": "compute-1",
        "action": "rebuild",
    }


def verified(*names: str) -> dict[str, Any]:
    return {
        "changed": True,
        "instances": [{**entry(name), "status": "verified"} for name in names],
        "totals": {},
        "seconds": 1.0,
        "requests": {"GET servers": 1},
    }


PLANS = {",".join(NAMES): {"changed": True, "plan": [entry(name) for name in NAMES], "totals": {}}}


def reshaped(
    folder: Path, runs: dict[str, Any], **variables: Any
) -> tuple[int, dict[str, Any], Playbook]:
    """The exit status and the report of a run in batches of two."""
    playbook = Playbook(folder)
    given = {
        "instances": list(NAMES),
        "image": "debian-13",
        "batch_size": 2,
        "max_failures": 3,
        "report_dir": str(folder),
        "run_id": "r1",
        **variables,
    }
    status, shown = playbook.run(
        [
            {
                "ansible.builtin.include_role": {
                    "name": "openstack_recovery.nova.reshape_instances"
                },
                "vars": {f"reshape_instances_{name}": value for name, value in given.items()},
            }
        ],
        PLANS,
        runs,
    )
    assert "WARNING" not in shown, shown
    found = list(folder.glob("*.json"))
    reports = [path for path in found if path.name != "scene.json"]
    assert reports, shown
    report: dict[str, Any] = json.loads(reports[0].read_text())
    return status, report, playbook


def test_batches_that_are_verified_are_a_success(tmp_path: Path) -> None:
    runs = {"a,b": verified("a", "b"), "c,d": verified("c", "d")}
    status, report, _playbook = reshaped(tmp_path, runs)
    assert (status, report["error"]) == (0, None)
    assert report["totals"]["verified"] == 4


@pytest.mark.parametrize(
    "answer", [KILLED, {"failed": True, "msg": "no room for a temporary file"}]
)
def test_a_batch_that_dies_is_a_failure(tmp_path: Path, answer: Any) -> None:
    status, report, playbook = reshaped(tmp_path, {"a,b": answer, "c,d": verified("c", "d")})
    assert status != 0
    assert report["error"]["code"] == "no_result"
    assert [(one["status"], one["code"]) for one in report["instances"]] == [
        *[("failed", "no_result")] * 2,
        *[("not_started", "batch_not_begun")] * 2,
    ]
    assert [given["instances"] for given in playbook.sent()] == [["a", "b"]]


@pytest.mark.parametrize("on_refused", ["fail", "skip"])
def test_what_changed_since_the_plan_holds_up_nobody_else(tmp_path: Path, on_refused: str) -> None:
    first = {
        **verified(),
        "instances": [
            {**entry("a"), "status": "gone", "code": "deleted", "reason": "deleted"},
            {**entry("b"), "status": "skipped", "code": "locked", "reason": "it is locked"},
        ],
    }
    runs = {"a,b": first, "c,d": verified("c", "d")}
    status, report, playbook = reshaped(tmp_path, runs, on_refused=on_refused)
    assert [(given["on_refused"], given["on_missing"]) for given in playbook.sent()] == [
        ("skip", "skip")
    ] * 2
    statuses = [one["status"] for one in report["instances"]]
    assert statuses == ["gone", "skipped", "verified", "verified"]
    assert (status == 0) == (on_refused == "skip")
    assert (report["error"] is None) == (on_refused == "skip")


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_shape_that_fails_keeps_no_other_from_being_tried(tmp_path: Path, folder: str) -> None:
    playbook = Playbook(tmp_path)
    shape = {"image": None, "flavor": "large", "replace_root_disk": False}
    other = {"image": "debian-13", "flavor": None, "replace_root_disk": True}
    failed = {**entry("a"), "status": "failed", "code": "resize_failed", "reason": "no room"}
    error = {"code": "reshape_incomplete", "retriable": True, "details": {}, "request_id": None}
    wanted = [("a", shape), ("b", other), ("c", other)]
    status, shown = playbook.run(
        [
            {
                "ansible.builtin.include_role": {
                    "name": "openstack_recovery.nova.reshape_instances",
                    "tasks_from": "by_policy",
                },
                "vars": {
                    "reshape_instances_by_policy": [
                        {"id": name, "reshape": what} for name, what in wanted
                    ],
                    "reshape_instances_run_id": "r1",
                    "reshape_instances_report_dir": str(tmp_path / folder),
                },
            }
        ],
        {"a": {"plan": [entry("a")]}, "b,c": {"plan": [entry("b"), entry("c")]}},
        {
            "a": {"instances": [failed], "error": error, "msg": "0 of 1", "failed": True},
            "b,c": verified("b", "c"),
        },
    )
    assert status != 0
    assert "large: 0 of 1" in shown
    asked = [(one["instances"], one.get("image"), one.get("flavor")) for one in playbook.sent()]
    assert asked == [(["a"], None, "large"), (["b", "c"], "debian-13", None)]
    # None of the two reports has taken the place of the other.
    stats = shown[shown.index("CUSTOM STATS") :]
    assert stats.count('"kind": "reshape_instances"') == 2
