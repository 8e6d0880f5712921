# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator states to the playbooks, and the return of a host as every case ends with it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from expecting import require, wait
from lab_access import LAB

from . import hypervisors, instances
from .runs import machines, play, start, succeed

# An unreachable BMC or libvirt is one after that many seconds.
CONNECT_SECONDS = 3
# The hosts' disks are not shared; what was on them is made anew from the image.
LOCAL_DISKS = {"evacuate_host_shared_storage": False, "evacuate_host_on_local_storage": "rebuild"}
# For fencing by a BMC: on one machine an address whose host is off refuses connections, as only what
# has power does elsewhere.
NOT_LOOKED_AT = {"fence_host_libvirt_uri": ""}


def folder() -> Path:
    """Where a scenario keeps its files."""
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


def tasks_file(name: str, tasks: list[dict[str, Any]]) -> str:
    """A file of tasks; JSON is YAML."""
    path = folder() / f"{name}.yml"
    path.write_text(json.dumps(tasks))
    return str(path)


def fencing(host: str, *methods: str, **more: Any) -> dict[str, Any]:
    """For host_down."""
    return {
        **LOCAL_DISKS,
        "fencing": list(methods),
        "fence_host_machines": machines(),
        "fence_host_libvirt_uri": hypervisors.facts()[host]["libvirt_uri"],
        "fence_host_connect_timeout": CONNECT_SECONDS,
        **more,
    }


def returning(host: str, **more: Any) -> dict[str, Any]:
    """For host_return."""
    return {
        "libvirt_uri": hypervisors.facts()[host]["libvirt_uri"],
        "readmit_host_libvirt_connect_timeout": CONNECT_SECONDS,
        "readmit_host_start_with": "tasks",
        "readmit_host_start_tasks_file": tasks_file(f"start-{host}", _start(host)),
        "readmit_host_poll_interval": 2,
        "readmit_host_report_dir": str(folder()),
        **more,
    }


def _start(host: str) -> list[dict[str, Any]]:
    """The lab's ``systemctl start`` and ``restart``."""
    return [
        {
            "name": "Stop nova-compute",
            "ansible.builtin.command": f"{LAB} stop-compute {host}",
            "when": "readmit_host_compute == 'restarted'",
            "changed_when": True,
        },
        {
            "name": "Start nova-compute",
            "ansible.builtin.command": f"{LAB} start-compute {host}",
            "when": "(readmit_host_seen.steps | selectattr('name', 'equalto', 'start_compute')"
            " | first).needed",
            "changed_when": True,
        },
    ]


def readmit(host: str, killed_at: str | None = None, **more: Any) -> dict[str, Any]:
    """Shown first, then done, then there is nothing left to do; the report of what was done.

    :param killed_at: task of a run before, during which that is killed.
    """
    stated = returning(host, **more)
    shown = succeed(play("host_return", host, stated, "--check"))
    require(instances.service(host).is_forced_down, f"check mode changes:\n{shown.output[-3000:]}")
    require("changed=0" in shown.recap, f"check mode changes:\n{shown.output[-3000:]}")
    if killed_at:
        _kill(host, stated, killed_at)
    succeed(play("host_return", host, stated))
    report: dict[str, Any] = json.loads((folder() / f"{host}-return.json").read_text())
    instances.require_readmitted(host)
    again = succeed(play("host_return", host, stated))
    require("changed=0" in again.recap, f"not idempotent:\n{again.output[-3000:]}")
    return report


def _kill(host: str, stated: dict[str, Any], task: str) -> None:
    log = folder() / f"killed-{host}.log"
    playbook = start("host_return", host, stated, log)
    wait(
        f"task '{task}'",
        lambda: task in log.read_text() or playbook.poll() is not None,
        instances.SECONDS,
    )
    require(playbook.poll() is None, f"it ended by itself:\n{log.read_text()[-3000:]}")
    os.killpg(playbook.pid, signal.SIGKILL)
    playbook.wait()
