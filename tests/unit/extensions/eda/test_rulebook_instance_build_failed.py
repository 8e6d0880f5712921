# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rulebooks hand to the source, and to the playbook. The scenario build_failed runs one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openstack_recovery.nova.plugins.module_utils import adapters
from ansible_rulebook.util import substitute_variables
from fakes import nova_messages

ROOT = Path(next(iter(adapters.__path__))).parents[2]
NAMES = ("instance_build_failed", "instance_build_failed_awx")
NEEDED = {"nova_transport_url_file": "/etc/ansible-rulebook/nova_url"}
REQUESTS = [
    {"instance": "173c5d34-4d30-461a-8fd7-27ce4f69f77f", "networks": "none"},
    {
        "instance": "9e9d7eb2-33fd-4460-9f7c-d6efcf913040",
        # Jinja would make a number and a truth of these, were they not in a list.
        "networks": [
            {"network": "71b5da73-e55c-47b5-a9de-55656461dd6a", "tag": "1.10"},
            {"tag": "True"},
        ],
    },
    {"instance": "0ac616fb-b871-4d8e-a7f5-4f4f27e880f9", "networks": []},
]


def rulebook(name: str) -> Any:
    (found,) = yaml.safe_load((ROOT / f"extensions/eda/rulebooks/{name}.yml").read_text())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_source_takes_what_it_is_given(name: str) -> None:
    (given,) = rulebook(name)["sources"]
    arguments = substitute_variables(given["openstack_recovery.nova.build_messages"], NEEDED)
    source = nova_messages.load("event_source/build_messages")
    settings = source.Settings.of(arguments)
    assert settings == source.Settings(transport_url_file=NEEDED["nova_transport_url_file"])


@pytest.mark.parametrize("name", NAMES)
def test_requests_are_handed_on_as_they_are(name: str) -> None:
    (rule,) = rulebook(name)["rules"]
    ((_kind, action),) = rule["action"].items()
    extra = action.get("extra_vars") or action["job_args"]["extra_vars"]
    event = {"requests": REQUESTS, "personality": {"x": []}}
    assert substitute_variables(extra, {"event": event}) == {"requests": REQUESTS}


def test_both_do_the_same() -> None:
    by_playbook, by_job = (rulebook(name) for name in NAMES)
    assert by_playbook["sources"] == by_job["sources"]
    (first,), (second,) = by_playbook.pop("rules"), by_job.pop("rules")
    assert by_playbook == by_job
    playbook, template = first["action"]["run_playbook"], second["action"]["run_job_template"]
    assert playbook["name"] == f"openstack_recovery.nova.{template['name']}"
    assert playbook["lock"] == template["lock"]


@pytest.mark.parametrize("name", NAMES)
def test_no_run_is_started_twice(name: str) -> None:
    """It would remove instances once more; what needs a second attempt has it in its role."""
    (rule,) = rulebook(name)["rules"]
    ((_kind, action),) = rule["action"].items()
    assert not action.keys() & {"retry", "retries"}
    tasks = yaml.safe_load((ROOT / "roles/keep_network_requests/tasks/main.yml").read_text())
    assert (tasks[0]["retries"], tasks[0]["delay"]) == (1, 15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("variables", "started"),
    [
        ({}, "keep_network_requests"),
        ({"build_failed_playbook": "make_room_and_rebuild"}, "make_room_and_rebuild"),
    ],
)
def test_what_is_started_is_stated(name: str, variables: dict[str, str], started: str) -> None:
    (rule,) = rulebook(name)["rules"]
    ((_kind, action),) = rule["action"].items()
    found = substitute_variables(action["name"], variables)
    assert found.removeprefix("openstack_recovery.nova.") == started
    assert (ROOT / f"playbooks/{started}.yml").is_file()


def test_the_job_template_takes_them() -> None:
    templates = yaml.safe_load((ROOT / "extensions/awx/job_templates.yml").read_text())
    (found,) = [each for each in templates if each["name"] == "keep_network_requests"]
    assert found["ask_variables_on_launch"]


def test_the_playbook_that_makes_room_takes_them_and_tries_none_twice() -> None:
    (play,) = yaml.safe_load((ROOT / "playbooks/make_room_and_rebuild.yml").read_text())
    assert play["vars"]["keep_network_requests_requests"] == "{{ requests | default([]) }}"
    keep, select, make_room, *_others = play["tasks"]
    role = "ansible.builtin.include_role"
    assert keep[role]["name"] == "openstack_recovery.nova.keep_network_requests"
    assert select["vars"]["rebuild_never_booted_retry_failed"] == "{{ requests is not defined }}"
    # Also when making room has failed: what was removed for one of them is used.
    assert make_room["block"][0][role]["name"] == "openstack_recovery.nova.make_room"
    assert make_room["always"][0][role]["name"] == "openstack_recovery.nova.rebuild_never_booted"


def test_the_playbook_takes_them() -> None:
    (play,) = yaml.safe_load((ROOT / "playbooks/keep_network_requests.yml").read_text())
    assert play["vars"]["keep_network_requests_requests"] == "{{ requests | default([]) }}"
    (role,) = play["roles"]
    assert role["role"] == "openstack_recovery.nova.keep_network_requests"
