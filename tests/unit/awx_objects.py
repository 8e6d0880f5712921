# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies in extensions/awx, and what the playbooks do with a variable."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_conf import (
    NOVA_OPTIONS,
)

ROOT = Path(openstack_connection.__file__ or "").parents[3]
OBJECTS = ROOT / "extensions" / "awx"
PLAYBOOKS = {path.name: path for path in (ROOT / "playbooks").glob("*.yml")}
GROUPS = {
    "group/openstack_recovery.nova.openstack": openstack_connection.CONNECTION_OPTIONS,
    "group/openstack_recovery.nova.nova_databases": NOVA_OPTIONS,
}
_OURS = "openstack_recovery.nova."

Object = dict[str, Any]


def load(kind: str) -> list[Object]:
    """The objects of a kind: the name of its file."""
    found: list[Object] = yaml.safe_load((OBJECTS / f"{kind}.yml").read_text())
    return found


def by_name(kind: str) -> dict[str, Object]:
    return {entry["name"]: entry for entry in load(kind)}


def survey(template: Object) -> list[Object]:
    """Its questions."""
    if "survey_spec" not in template:
        return []
    spec: list[Object] = yaml.safe_load((OBJECTS / template["survey_spec"]).read_text())["spec"]
    return spec


def play(playbook: str) -> Object:
    """Its only play."""
    plays: list[Object] = yaml.safe_load(PLAYBOOKS[playbook].read_text())
    assert len(plays) == 1
    return plays[0]


def role_options(playbook: str) -> dict[str, Object]:
    """Options of every role that the playbook runs, as far as the playbook runs it."""
    found: dict[str, Object] = {}
    for role, entry in _roles(play(playbook)):
        path = ROOT / "roles" / role.removeprefix(_OURS) / "meta" / "argument_specs.yml"
        found |= (
            yaml.safe_load(path.read_text())["argument_specs"].get(entry, {}).get("options", {})
        )
    return found


def fed_by(playbook: str, variable: str) -> dict[str, Object]:
    """Options of roles and modules that get what is in this variable, by name."""
    its = play(playbook)
    options = role_options(playbook)
    names = {variable}
    made = [*its.get("vars", {}).items()]
    made += [item for task in _tasks(its) for item in task.get("vars", {}).items()]
    # A variable may be made from another one.
    while more := {name for name, text in made if _mentions(text, names)} - names:
        names |= more
    found = {name: options[name] for name in names if name in options}
    for group, values in its.get("module_defaults", {}).items():
        found |= {n: GROUPS[group][n] for n, text in values.items() if _mentions(text, names)}
    for task in _tasks(its):
        for action in task:
            if action.startswith(_OURS):
                module = importlib.import_module(
                    f"ansible_collections.{_OURS}plugins.modules.{action.removeprefix(_OURS)}"
                )
                given = task[action].items()
                found |= {n: module.OPTIONS[n] for n, text in given if _mentions(text, names)}
    return found


def _mentions(text: object, names: set[str]) -> bool:
    words = str(text).replace("{{", " ").replace("(", " ").split()
    return any(name in words for name in names)


def _roles(its: Object) -> set[tuple[str, str]]:
    """Names of the roles, and their entry points."""
    included = [
        task["ansible.builtin.include_role"]
        for task in _tasks(its)
        if "ansible.builtin.include_role" in task
    ]
    found = {(given["name"], given.get("tasks_from", "main")) for given in included}
    return found | {(entry["role"], "main") for entry in its.get("roles", [])}


def _tasks(its: Object) -> Iterator[Object]:
    for part in ("pre_tasks", "tasks", "block", "rescue", "always"):
        for task in its.get(part, []):
            yield task
            yield from _tasks(task)
