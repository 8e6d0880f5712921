# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs awx_setup with awx.awx's modules: all is made, and a second run changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from expecting import require

from .api import TOKEN, Awx, Object

_INPUTS = {
    "OpenStack": {"cloud": "mycloud", "clouds": "clouds: {mycloud: {auth: {password: secret-1}}}"},
    "BMCs": {"machines": "{}", "username": "admin", "password": "secret-2"},
}
_STATED = {
    "execution_environment_image": "registry.example.com/openstack-recovery:1",
    "notification_url": "https://chat.example.com/hook",
}


def main() -> None:
    awx = Awx()
    with awx.serving() as address:
        require(
            "State the image" in _play(address, {}, fails=True), "it does not ask for the image"
        )
        require(not awx.changes, f"and sends {awx.changes}")
        output = _play(address, {**_STATED, "credential_inputs": _INPUTS})
        require("secret-" not in output, "it shows a secret")
        _require_all(awx)
        made = len(awx.changes)
        require("changed=0 " in _play(address, _STATED), "a second run changes something")
        require(len(awx.changes) == made, f"a second run sends {awx.changes[made:]}")
    print("awx_setup: ok")


def _play(address: str, variables: dict[str, Any], *, fails: bool = False) -> str:
    paths = [os.environ["ANSIBLE_COLLECTIONS_PATH"], os.environ["OTHER_COLLECTIONS_PATH"]]
    done = subprocess.run(
        [
            *("ansible-playbook", "-i", "localhost,", "-e", json.dumps(variables)),
            *("-e", f"ansible_python_interpreter={os.environ['ANSIBLE_PYTHON_INTERPRETER']}"),
            *("-c", "local", "openstack_recovery.nova.awx_setup"),
        ],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(paths),
            "CONTROLLER_HOST": address,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    require((done.returncode != 0) == fails, f"it ended with {done.returncode}:\n{done.stdout}")
    require("[WARNING]" not in done.stdout, f"it warns:\n{done.stdout}")
    return done.stdout


def _require_all(awx: Awx) -> None:
    templates, nodes = awx.by_name("job_templates"), awx.by_name("workflow_job_template_nodes")
    for name, template in templates.items():
        asked = awx.surveys.get(template["id"], {}).get("spec", [])
        require(bool(asked) == template["survey_enabled"], f"{name} has the survey {asked}")
    down = templates["host_down"]
    require(
        "lookup('ansible.builtin.env', 'BMC_MACHINES_FILE')" in down["extra_vars"],
        f"its variables are {down['extra_vars']}",
    )
    require(_names(awx, down, "credentials") == ["OpenStack", "BMCs"], "host_down's credentials")
    kind = awx.by_name("credential_types")["OpenStack clouds.yaml"]
    require(
        kind["injectors"]["env"]["OS_CLOUD"] == "{{ cloud }}", f"it injects {kind['injectors']}"
    )
    image = awx.by_name("execution_environments")["OpenStack recovery"]["image"]
    require(image == _STATED["execution_environment_image"], f"the image is {image}")
    order = [(name, _names(awx, node, "success_nodes")) for name, node in nodes.items()]
    expected = [
        ("confirm", ["approve"]),
        ("approve", ["evacuate"]),
        ("evacuate", []),
        ("report", []),
    ]
    require(order == expected, f"the steps are {order}")
    require(_names(awx, nodes["evacuate"], "always_nodes") == ["report"], "nothing is reported")
    require(len(awx.objects["workflow_approval_templates"]) == 1, "nobody is asked")


def _names(awx: Awx, found: Object, link: str) -> list[str]:
    return [other.get("name") or other["identifier"] for other in awx.linked(found, link)]


if __name__ == "__main__":
    main()
