# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role fail_back, run by Ansible: its report counts those that the module was not told of, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.playbook import Playbook

MOVED = {"id": "a", "name": "web-a", "from": "compute-2", "to": "compute-1"}
PLAN = {"plan": [{**MOVED, "action": "live_migrate"}], "totals": {"planned": 1, "skip": 0}}
DONE = {"instances": [{**MOVED, "status": "verified"}], "totals": {"planned": 1, "skipped": 0}}


def evacuated(name: str, status: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": f"web-{name}",
        "from": "compute-1",
        "to": "compute-2",
        "status": status,
    }


@pytest.mark.parametrize(("arguments", "counted"), [((), "skipped"), (("--check",), "skip")])
def test_those_that_are_left_out_are_counted(
    tmp_path: Path, arguments: tuple[str, ...], counted: str
) -> None:
    evacuation = {
        "kind": "host_down",
        "finished_at": "2026-11-22T10:00:00Z",
        "instances": [evacuated("a", "verified"), evacuated("b", "failed")],
    }
    tasks = [
        {
            "ansible.builtin.include_role": {"name": "openstack_recovery.nova.fail_back"},
            "vars": {"fail_back_reports": evacuation, "fail_back_report_dir": ""},
        },
        {
            "ansible.builtin.copy": {
                "content": "{{ fail_back_report | to_json }}",
                "dest": str(tmp_path / "report"),
                "mode": "0600",
            },
            "check_mode": False,
        },
    ]
    status, shown = Playbook(tmp_path).run(tasks, {"a": PLAN}, {"a": DONE}, *arguments)
    assert status == 0, shown
    report = json.loads((tmp_path / "report").read_text())
    assert report["totals"]["planned"] == 1
    assert report["totals"][counted] == 1
    assert [one["id"] for one in report["plan"] + report["instances"]].count("b") >= 1
