# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a job template by ansible-runner as AWX does, and tells the longest silence of its output.

    python3 -m awx_jobs.job FOLDER TEMPLATE [ANSWERS]

ANSWERS to the survey are JSON. The job has only what AWX gives it: a fresh FOLDER, an empty home, no
variable of the caller's environment but PATH, a project that it cannot write to, and processes that end
with it. FOLDER/job.json says {"rc": int, "stdout": str, "artifacts": what it hands on, "lines": int,
"silence": seconds}. Silence is the longest time between two events while an evacuation runs, by their
own time stamps; lines is how many tell of its progress.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import ansible_runner
from expecting import require

from . import inputs

_SUPPORT = Path(__file__).resolve().parents[1]
_PROJECT = _SUPPORT.parents[1]
_INVENTORY = _PROJECT / "extensions" / "molecule" / "resources" / "inventory" / "hosts.yml"
# A container's: what it runs is gone with its first process, and the project is mounted read-only.
_ISOLATED = (
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *("sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'),
)


def start(
    folder: Path,
    template: str,
    answers: inputs.Object | None = None,
    handed_on: inputs.Object | None = None,
) -> subprocess.Popen[bytes]:
    """In the background; the job's first process is the only child of what is returned.

    :param answers: to the survey, by variable.
    :param handed_on: by earlier steps of a workflow.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # The playbooks alone: roles and modules are the image's.
    shutil.copytree(_PROJECT / "playbooks", folder / "project" / "playbooks")
    (folder / "inventory").mkdir()
    shutil.copy(_INVENTORY, folder / "inventory" / "hosts.yml")
    (folder / "home").mkdir()
    job = inputs.write(folder, template, answers or {}, handed_on or {})
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder / "home"),
        "PYTHONPATH": str(_SUPPORT),
        # As in the image, where collections lie in a folder that Ansible knows.
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        **job.environment,
    }
    run = [sys.executable, "-B", "-m", "awx_jobs.job", "--run", str(folder), job.playbook]
    return subprocess.Popen(
        [*_ISOLATED, str(folder / "project"), *run, *job.arguments],
        env=environment,
        cwd=folder / "project",
        start_new_session=True,
    )


def _run(folder: Path, playbook: str, arguments: list[str]) -> int:
    """Within: what the execution environment does."""
    require(not os.access(folder / "project", os.W_OK), "the project can be written to")
    run = ansible_runner.run(
        private_data_dir=str(folder),
        playbook=playbook,
        inventory=str(folder / "inventory" / "hosts.yml"),
        cmdline=" ".join(arguments) or None,
        quiet=True,
    )
    shown = [event for event in run.events if event["stdout"]]
    progress = [n for n, event in enumerate(shown) if " verified" in event["stdout"]]
    times = [datetime.fromisoformat(event["created"]) for event in shown]
    # From the last event before the first line of progress to the one after the last.
    around = times[max(progress[0] - 1, 0) : progress[-1] + 2] if progress else times
    told = {
        "rc": run.rc,
        "artifacts": _artifacts(run),
        "lines": len(progress),
        "silence": max(((b - a).total_seconds() for a, b in itertools.pairwise(around)), default=0),
        "stdout": "\n".join(event["stdout"] for event in shown),
    }
    (folder / "job.json").write_text(json.dumps(told), encoding="utf-8")
    return int(run.rc)


def _artifacts(run: ansible_runner.Runner) -> inputs.Object:
    """What the playbook hands on, by set_stats."""
    stats = [e["event_data"] for e in run.events if e["event"] == "playbook_on_stats"]
    return dict(stats[-1].get("artifact_data", {})) if stats else {}


def main() -> int:
    if sys.argv[1] == "--run":
        folder, playbook, *arguments = sys.argv[2:]
        return _run(Path(folder), playbook, arguments)
    folder, template, *answers = sys.argv[1:]
    return start(Path(folder), template, json.loads(answers[0]) if answers else None).wait()


if __name__ == "__main__":
    sys.exit(main())
