# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook by ansible-runner, as AWX does, and tells the longest silence of its output.

    run_as_job.py FOLDER OUTPUT.json INVENTORY PLAYBOOK [name=value ...]

OUTPUT.json: {"rc": int, "silence": seconds, "stdout": str}. Silence is the longest time between two
events while the evacuation runs, by the events' own time stamps.
"""

from __future__ import annotations

import itertools
import json
import sys
from datetime import datetime
from pathlib import Path

import ansible_runner

folder, output, inventory, playbook, *variables = sys.argv[1:]
Path(folder).mkdir(parents=True, exist_ok=True)
run = ansible_runner.run(
    private_data_dir=folder,
    inventory=inventory,
    playbook=playbook,
    extravars=dict(variable.split("=", 1) for variable in variables),
    quiet=True,
)
shown = [event for event in run.events if event["stdout"]]
progress = [n for n, event in enumerate(shown) if " verified" in event["stdout"]]
times = [datetime.fromisoformat(event["created"]) for event in shown]
# From the last event before the first line of progress to the one after the last.
around = times[max(progress[0] - 1, 0) : progress[-1] + 2] if progress else times
silence = max((b - a).total_seconds() for a, b in itertools.pairwise(around))
Path(output).write_text(
    json.dumps(
        {
            "rc": run.rc,
            "lines": len(progress),
            "silence": silence,
            "stdout": "\n".join(event["stdout"] for event in shown),
        }
    ),
    encoding="utf-8",
)
