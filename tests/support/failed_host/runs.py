# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's playbooks as people do, on the lab's hosts with hypervisors."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expecting import require

from . import hypervisors

PROJECT = Path(__file__).resolve().parents[3]
_INVENTORY = PROJECT / "extensions" / "molecule" / "resources" / "inventory" / "hosts.yml"
_LIMIT = 600


@dataclass(frozen=True)
class Run:
    """How a playbook ended."""

    code: int
    output: str

    @property
    def recap(self) -> str:
        return self.output.rsplit("PLAY RECAP", 1)[-1]


def environment() -> dict[str, str]:
    """Ansible's Python with the lab's libvirt-python, which is built for the lab."""
    own = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "libvirt-python"
    own.mkdir(exist_ok=True)
    for file in Path(os.environ["OPENSTACK_LAB_VENV"]).glob("lib/python3*/site-packages/libvirt*"):
        link = own / file.name
        if not link.is_symlink():
            link.symlink_to(file)
    return {**os.environ, "PYTHONPATH": str(own)}


def machines() -> dict[str, Any]:
    """The map of BMCs that an operator would keep."""
    return {
        host: {
            "redfish": bmc["url"],
            "system": bmc["system_id"],
            "serial_number": bmc["serial_number"],
            "username": bmc["username"],
            "password": bmc["password"],
            "ca_file": bmc["ca_file"],
        }
        for host, bmc in ((name, facts["bmc"]) for name, facts in hypervisors.facts().items())
    }


def command(playbook: str, host: str, variables: dict[str, Any], *options: str) -> list[str]:
    given = {"host": host, "cloud": os.environ["OS_CLOUD"], **variables}
    return [
        *("ansible-playbook", "-i", str(_INVENTORY)),
        playbook if "/" in playbook else f"openstack_recovery.nova.{playbook}",
        *("-e", json.dumps(given), *options),
    ]


def play(playbook: str, host: str, variables: dict[str, Any], *options: str) -> Run:
    done = subprocess.run(
        command(playbook, host, variables, *options),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def start(playbook: str, host: str, variables: dict[str, Any], log: Path) -> subprocess.Popen[str]:
    """In the background, in a group of processes of its own, with its output in a file."""
    with log.open("w", encoding="utf-8") as file:
        return subprocess.Popen(
            command(playbook, host, variables),
            env=environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def succeed(run: Run) -> Run:
    require(run.code == 0, f"it failed:\n{run.output[-6000:]}")
    require("[WARNING]" not in run.output, f"it warns:\n{run.output[-6000:]}")
    return run


def refuse(run: Run, *words: str) -> Run:
    """It has to fail, and say these words."""
    require(run.code != 0, f"it did not fail:\n{run.output[-6000:]}")
    flat = " ".join(run.output.split())
    missing = [word for word in words if word not in flat]
    require(not missing, f"it does not say {missing}:\n{run.output[-6000:]}")
    return run
