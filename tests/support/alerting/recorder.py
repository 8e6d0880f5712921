# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A collection whose playbooks only write down what they were given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from .programs import COLLECTION, shipped

_PLAYBOOKS = ("host_down", "host_return")
_PLAYBOOK = [
    {
        "name": "Write down the call",
        "hosts": "{{ ansible_limit | default('localhost') }}",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Write it",
                "ansible.builtin.copy": {
                    "content": "{{ {'host': host, 'fencing': fencing, 'event': ansible_eda.event} | to_json }}",
                    "dest": "{{ calls }}/{{ play }}-{{ ansible_eda.event.meta.uuid }}.json",
                    "mode": "0600",
                },
            }
        ],
    }
]


class Recorder:
    """The shipped rulebooks and event sources beside such playbooks, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.collections = folder / "collections"
        self._calls = folder / "calls"
        self._calls.mkdir()
        made = self.collections / COLLECTION
        (made / "playbooks").mkdir(parents=True)
        shutil.copytree(shipped() / "extensions/eda", made / "extensions/eda")
        shutil.copy(shipped() / "MANIFEST.json", made)
        for name in _PLAYBOOKS:
            play = [_PLAYBOOK[0] | {"vars": {"play": name}}]
            (made / "playbooks" / f"{name}.yml").write_text(yaml.safe_dump(play), encoding="utf-8")

    @property
    def variables(self) -> dict[str, Any]:
        """What its playbooks need in the inventory."""
        return {"fencing": "none", "calls": str(self._calls)}

    def calls(self, playbook: str) -> list[dict[str, Any]]:
        """What the playbook was given, each time."""
        return [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self._calls.glob(f"{playbook}-*.json"))
        ]
