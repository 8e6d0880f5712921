# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles report, carried out by ansible-playbook, without a cloud."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from awx_objects import ROOT

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


def play(
    folder: Path, role: str, *arguments: str, tasks_from: str = "main", **variables: Any
) -> subprocess.CompletedProcess[str]:
    """Carry out a role on localhost; reports are written into the folder."""
    tasks = [
        {
            "name": "Carry out the role",
            "ansible.builtin.include_role": {
                "name": f"openstack_recovery.nova.{role}",
                "tasks_from": tasks_from,
            },
        }
    ]
    plays = [
        {
            "name": "Report",
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {f"{role}_report_dir": str(folder), **variables},
            "tasks": tasks,
        }
    ]
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    return ansible_playbook(folder, *arguments, str(playbook))


def ansible_playbook(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with this collection, in this folder."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT.parents[2]),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        "ANSIBLE_NOCOLOR": "true",
    }
    return subprocess.run(
        [PLAYBOOK, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def reported(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return found


def evacuated(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Report an evacuation that has succeeded."""
    return play(
        folder,
        "evacuate_host",
        *arguments,
        tasks_from="report",
        evacuate_host_host="compute-1",
        evacuate_host_current_run_id="r1",
        evacuate_host_started={"r1": "2026-11-22T03:00:00"},
        evacuate_host_evacuation={
            "seconds": 3.5,
            "instances": [{"id": "a", "name": "a", "status": "verified", "from": "compute-1"}],
        },
    )


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (("-e", "recovery_report_of_plan=true"), {"compute-1-r1-plan"}),
        (("-e", "recovery_report_of_plan=false"), set()),
        ((), set()),
    ],
)
def test_a_plan_is_written_when_somebody_asks_for_it_on_the_command_line(
    tmp_path: Path, arguments: tuple[str, ...], written: set[str]
) -> None:
    done = evacuated(tmp_path, "--check", *arguments)
    assert done.returncode == 0, done.stdout
    assert "rescued=0" in done.stdout
    assert {path.stem for path in tmp_path.glob("*.html")} - {"index"} == written


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"recovery_report_metrics_dir": "{{ nobody_has_stated_this }}"}, "is undefined"),
        ({"recovery_report_metrics_dir": {"no": "folder"}}, "could not be written"),
        ({"recovery_report_file_mode": ["0640"]}, "file_mode"),
        ({"recovery_report_of_plan": "perhaps"}, None),
    ],
)
def test_a_wrong_option_of_the_report_does_not_fail_a_run_that_has_succeeded(
    tmp_path: Path, option: dict[str, Any], told: str | None
) -> None:
    done = evacuated(tmp_path, "-e", json.dumps(option))
    assert done.returncode == 0, done.stdout
    assert "failed=0" in done.stdout
    said = re.search(r"Not all of the report was written: (.*)", done.stdout)
    assert (told in said[1]) if said and told else (said, told) == (None, None)
    assert '"recovery_reports": {' in done.stdout


@pytest.mark.parametrize("role", ["fail_back", "make_room", "rebuild_never_booted"])
def test_a_run_id_that_makes_no_file_name_is_refused_before_anything_is_done(
    tmp_path: Path, role: str
) -> None:
    done = play(tmp_path, role, **{f"{role}_run_id": "../x"})
    assert done.returncode == 2, done.stdout
    assert "a run id has 1 to 64 letters" in done.stderr + done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"play.yml"}


def test_a_rebuild_that_fails_before_the_build_is_reported_as_a_failure(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        "rebuild_never_booted",
        rebuild_never_booted_run_id="r1",
        rebuild_never_booted_filter={"older_than": "no time"},
    )
    assert done.returncode == 2, done.stdout
    message = reported(tmp_path, "never-booted-r1-refused")["message"]
    # What was wrong is also what the run ends with.
    assert done.stdout.count(message) >= 2
    (run,) = reported(tmp_path, "index")["runs"]
    assert run["outcome"] == "failed"
    assert run["headline"].startswith("Stopped")


@pytest.mark.parametrize(("message", "status"), [(None, 0), ("large: there is none", 2)])
def test_a_workflow_fails_when_another_image_or_flavor_has_failed(
    tmp_path: Path, message: str | None, status: int
) -> None:
    error = {"code": "flavor_not_found", "retriable": False} if message else None
    run = {"run_id": "r1", "error": None, "message": None, "instances": [], "seconds": 2.0}
    reshape = {**run, "run_id": "r2", "kind": "reshape_instances", "subject": "large"}
    handed = {
        "recovery_reports": {"compute-1": {**run, "kind": "host_down", "subject": "compute-1"}},
        "reshape_reports": {"r2": {**reshape, "error": error, "message": message}},
        "recovery_report_dir": str(tmp_path),
    }
    done = ansible_playbook(
        tmp_path, "openstack_recovery.nova.recovery_report", "-e", json.dumps(handed)
    )
    assert done.returncode == status, done.stdout
    assert message is None or message in done.stdout
    suffix = "-refused" if message else ""
    assert (tmp_path / f"reshape_instances-large-r2{suffix}.html").is_file()
