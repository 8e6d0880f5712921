# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebooks of alerts: what they need and start is there. The scenario alerts_storm runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_rulebook.util import substitute_variables
from ansible_rulebook.validators import Validate
from fakes.alerts import SOURCE, alert_webhook

ROOT = SOURCE.parents[4]
RULEBOOKS = ROOT / "extensions/eda/rulebooks"
STATUS = {"host_down": "firing", "host_return": "resolved"}
PLAYBOOKS = sorted(STATUS)
NAMES = [name + kind for name in PLAYBOOKS for kind in ("", "_awx")]
# All that --vars has to have.
NEEDED = {"alert_webhook_token_file": "/etc/ansible-rulebook/alert_token"}


def rulebook(name: str) -> Any:
    return yaml.safe_load((RULEBOOKS / f"{name}.yml").read_text())


def arguments(name: str, **variables: Any) -> Any:
    source = rulebook(name)[0]["sources"][0]["openstack_recovery.nova.alert_webhook"]
    return alert_webhook.Settings.of(substitute_variables(source, NEEDED | variables))


@pytest.mark.parametrize("path", sorted(RULEBOOKS.glob("*.yml")), ids=lambda path: path.stem)
def test_ansible_rulebook_can_read_it(path: Path) -> None:
    Validate.rulebook(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_the_source_starts_with_the_token_alone(name: str) -> None:
    settings = arguments(name)
    assert settings.token_file == NEEDED["alert_webhook_token_file"]
    assert settings.host == "127.0.0.1"
    assert settings.host_map is None
    assert settings.strip_port is False


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stated_reaches_the_source(name: str) -> None:
    stated = {"port": 7, "host": "::1", "certfile": "c", "keyfile": "k", "host_label": "hostname"}
    stated |= {"strip_port": True, "host_map": {"a": "b"}}
    settings = arguments(name, **{f"alert_webhook_{key}": value for key, value in stated.items()})
    assert {key: getattr(settings, key) for key in stated} == stated


def test_both_can_listen_on_one_machine() -> None:
    assert arguments("host_down").port != arguments("host_return").port
    for name in PLAYBOOKS:
        assert arguments(name).port == arguments(f"{name}_awx").port


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_asks_for_the_alert_and_is_throttled_for_each_host(name: str) -> None:
    [rule] = rulebook(name)[0]["rules"]
    status = STATUS[name.removesuffix("_awx")]
    wanted = f'event.alert.name == "NovaComputeDown" and event.alert.status == "{status}"'
    assert rule["condition"] == wanted
    assert rule["throttle"]["group_by_attributes"] == ["event.host"]


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_it_starts_a_playbook_that_there_is(name: str) -> None:
    [rule] = rulebook(name)[0]["rules"]
    assert rule["action"]["run_playbook"]["name"] == f"openstack_recovery.nova.{name}"
    assert (ROOT / "playbooks" / f"{name}.yml").is_file()


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_it_starts_a_job_template_that_there_is_with_all_it_asks_for(name: str) -> None:
    [rule] = rulebook(f"{name}_awx")[0]["rules"]
    action = rule["action"]["run_job_template"]
    templates = yaml.safe_load((ROOT / "extensions/awx/job_templates.yml").read_text())
    [template] = [one for one in templates if one["name"] == action["name"]]
    assert action["organization"] == template["organization"]
    assert template["playbook"] == f"playbooks/{name}.yml"
    survey = yaml.safe_load((ROOT / "extensions/awx" / template["survey_spec"]).read_text())
    required = {one["variable"] for one in survey["spec"] if one["required"]}
    assert set(action["job_args"]["extra_vars"]) == required


@pytest.mark.parametrize("host", ["1.10", "True", "0x10", "None", "[::1]", "compute-1", "{{ a }}"])
@pytest.mark.parametrize("name", PLAYBOOKS)
def test_the_host_stays_text(name: str, host: str) -> None:
    for kind, action in (("", "run_playbook"), ("_awx", "run_job_template")):
        [rule] = rulebook(name + kind)[0]["rules"]
        given = rule["action"][action]
        variables = given.get("job_args", given)["extra_vars"]
        context = {"event": {"host": host}, "fencing": "none"}
        assert substitute_variables(variables, context)["host"] == host
        assert substitute_variables(given["lock"], context) == f"host {host}"
