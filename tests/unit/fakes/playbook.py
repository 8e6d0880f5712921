# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real ansible-playbook with the collection's roles, and modules that do what a test says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.openstack_recovery.nova.plugins.filter import recovery

COLLECTION = Path(recovery.__file__ or "").parents[2]
# Answer of a module that dies.
KILLED = "killed"

_MODULES = ("cell0_rebuild_prep", "instance_build", "instance_migration", "instance_reshape")
# Each call is known by its instances; the plan is the one in check mode.
_MODULE = """\
#!/usr/bin/python
# WANT_JSON
import json, os, pathlib, signal, sys
given = json.loads(pathlib.Path(sys.argv[1]).read_text())
scene = json.loads(pathlib.Path(os.environ["STUB_SCENE"]).read_text())
call = ",".join(given.get("instances") or [move["id"] for move in given["moves"]])
with open(os.environ["STUB_CALLS"], "a") as calls:
    calls.write(json.dumps([bool(given["_ansible_check_mode"]), given]) + "\\n")
answer = scene["plans" if given["_ansible_check_mode"] else "runs"][call]
if answer == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
print(json.dumps(answer))
"""


class Playbook:
    """One folder, in which one playbook is run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        nova = folder / "ansible_collections" / "openstack_recovery" / "nova"
        for part in ("meta", "plugins", "roles"):
            shutil.copytree(COLLECTION / part, nova / part)
        (nova / "galaxy.yml").write_text(
            "namespace: openstack_recovery\nname: nova\nversion: 0.0.1\n"
        )
        for module in _MODULES:
            (nova / "plugins" / "modules" / f"{module}.py").write_text(_MODULE)

    @property
    def _calls(self) -> Path:
        return self._folder / "calls"

    def run(
        self,
        tasks: list[dict[str, Any]],
        plans: Mapping[str, Any],
        runs: Mapping[str, Any],
        *arguments: str,
    ) -> tuple[int, str]:
        """The exit status of these tasks, and all that was shown.

        :param plans: by the instances with commas, what the module answers in check mode.
        :param runs: what it answers else; KILLED to die by SIGKILL.
        :param arguments: further ones of ansible-playbook.
        """
        scene = self._folder / "scene.json"
        scene.write_text(json.dumps({"plans": plans, "runs": runs}))
        play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        playbook = self._folder / "playbook.yml"
        playbook.write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            [shutil.which("ansible-playbook") or "ansible-playbook", str(playbook), *arguments],
            cwd=self._folder,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(self._folder),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "ANSIBLE_SHOW_CUSTOM_STATS": "true",
                "PYTHONPATH": "",
                "STUB_SCENE": str(scene),
                "STUB_CALLS": str(self._calls),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def sent(self) -> list[dict[str, Any]]:
        """The arguments of each call that was not in check mode."""
        calls = [json.loads(line) for line in self._calls.read_text().splitlines()]
        return [given for check_mode, given in calls if not check_mode]
