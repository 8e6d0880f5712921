# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX's objects: what awx.awx's modules take, loaded whole, and leading to what is there."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from awx_objects import OBJECTS, PLAYBOOKS, ROOT, by_name, load, play, role_options, survey
from awxkit.api.pages import JobTemplate, WorkflowJobTemplate
from awxkit.api.pages.notification_templates import notification_types

# The file of each module.
KINDS = {
    "organization": "organizations",
    "execution_environment": "execution_environments",
    "project": "projects",
    "inventory": "inventories",
    "host": "hosts",
    "credential_type": "credential_types",
    "credential": "credentials",
    "notification_template": "notification_templates",
    "job_template": "job_templates",
    "workflow_job_template": "workflow_job_templates",
    "workflow_job_template_node": "workflow_job_template_nodes",
    "schedule": "schedules",
}
# By argument, what it names.
REFERENCES = {
    "organization": "organizations",
    "execution_environment": "execution_environments",
    "default_environment": "execution_environments",
    "project": "projects",
    "inventory": "inventories",
    "credential_type": "credential_types",
    "credentials": "credentials",
    "notification_templates_error": "notification_templates",
    "notification_templates_approvals": "notification_templates",
    "workflow_job_template": "workflow_job_templates",
    "unified_job_template": "job_templates",
}
JOBS = by_name("job_templates")
NODES = {node["identifier"]: node for node in load("workflow_job_template_nodes")}


def documentation(module: str) -> dict[str, Any]:
    """Options of a module of awx.awx."""
    root = os.environ.get("OTHER_COLLECTIONS_PATH")
    if root is None:
        pytest.skip("OTHER_COLLECTIONS_PATH is not set")
    path = Path(root, "ansible_collections", "awx", "awx", "plugins", "modules", f"{module}.py")
    tree = ast.parse(path.read_text())
    text = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION"
    )
    options: dict[str, Any] = yaml.safe_load(text)["options"]
    return options


def spec_of(options: dict[str, Any]) -> dict[str, Any]:
    """The argument spec that is documented."""
    known = ("type", "elements", "choices", "required", "default", "aliases")
    return {
        name: {
            **{key: option[key] for key in known if key in option},
            **({"options": spec_of(option["suboptions"])} if "suboptions" in option else {}),
        }
        for name, option in options.items()
    }


def arguments(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """As awx_setup gives them."""
    given = {key: value for key, value in entry.items() if key != "survey_spec"}
    if "survey_spec" in entry:
        given["survey_spec"] = yaml.safe_load((OBJECTS / entry["survey_spec"]).read_text())
    if kind == "execution_environments":
        given["image"] = "registry.example.com/image"
    return given


@pytest.mark.parametrize(("module", "kind"), KINDS.items())
def test_the_module_takes_them(module: str, kind: str) -> None:
    validator = ArgumentSpecValidator(spec_of(documentation(module)))
    for entry in load(kind):
        assert validator.validate(arguments(kind, entry)).error_messages == []


def test_a_word_that_the_module_does_not_know_is_found() -> None:
    validator = ArgumentSpecValidator(spec_of(documentation("job_template")))
    assert validator.validate({"name": "x", "playbok": "x"}).error_messages
    assert validator.validate({"name": "x", "job_type": "dry"}).error_messages


@pytest.mark.parametrize(("module", "kind"), KINDS.items())
def test_awx_setup_loads_all_of_them(module: str, kind: str) -> None:
    given = [
        set(task[f"awx.awx.{module}"])
        for task in play("awx_setup.yml")["tasks"]
        if f"awx.awx.{module}" in task
    ]
    stated = {key for entry in load(kind) for key in entry}
    assert set().union(*given) >= stated
    assert f"'/{kind}.yml'" in PLAYBOOKS["awx_setup.yml"].read_text()


def test_every_file_is_loaded() -> None:
    assert {path.stem for path in OBJECTS.glob("*.yml")} == set(KINDS.values())


def test_what_is_named_is_there() -> None:
    for kind in KINDS.values():
        for entry in load(kind):
            for argument, target in REFERENCES.items():
                named = entry.get(argument, [])
                for name in [named] if isinstance(named, str) else named:
                    assert name in by_name(target), f"{kind}: {argument} {name}"


def test_every_playbook_has_a_job_template_and_every_job_template_a_playbook() -> None:
    used = {PurePath(template["playbook"]) for template in JOBS.values()}
    assert {path.parent for path in used} == {PurePath("playbooks")}
    assert {path.name for path in used} == set(PLAYBOOKS) - {"awx_setup.yml"}
    # Rulebooks start them by the playbooks' names.
    assert {path.stem for path in used} <= set(JOBS)


@pytest.mark.parametrize("name", JOBS)
def test_variables_of_a_job_template_are_options_of_its_roles(name: str) -> None:
    options = role_options(PurePath(JOBS[name]["playbook"]).name)
    for variable, value in JOBS[name].get("extra_vars", {}).items():
        assert variable in options
        assert isinstance(value, str)
    # An execution environment is thrown away with what is written there.
    reports = {option for option in options if option.endswith("_report_dir")}
    assert {JOBS[name].get("extra_vars", {}).get(option) for option in reports} <= {""}


def test_a_job_has_one_credential_of_a_type() -> None:
    kinds = by_name("credentials")
    for template in JOBS.values():
        its = [kinds[name]["credential_type"] for name in template.get("credentials", [])]
        assert len(set(its)) == len(its)


@pytest.mark.parametrize(
    ("kind", "page"),
    [("job_templates", JobTemplate), ("workflow_job_templates", WorkflowJobTemplate)],
)
def test_awxkit_sends_every_field(kind: str, page: Any) -> None:
    apart = {*REFERENCES, "survey_spec", "playbook"}
    for entry in load(kind):
        stated = {key: value for key, value in entry.items() if key not in apart}
        sent = page.payload(page, **stated)
        if "extra_vars" in stated:
            sent["extra_vars"] = json.loads(sent["extra_vars"])
        assert {key: sent[key] for key in stated} == stated


def test_awxkit_knows_the_notifications() -> None:
    for entry in load("notification_templates"):
        assert entry["notification_type"] in notification_types


def test_nothing_is_evacuated_before_a_person_has_seen_the_plan() -> None:
    leads = {
        name: [*node.get("success_nodes", []), *node.get("always_nodes", [])]
        for name, node in NODES.items()
    }
    first = set(leads) - {name for names in leads.values() for name in names}
    assert first == {"confirm"}
    assert JOBS[NODES["confirm"]["unified_job_template"]]["job_type"] == "check"
    assert NODES["confirm"]["success_nodes"] == ["approve"]
    assert "approval_node" in NODES["approve"]
    assert NODES["approve"]["success_nodes"] == ["evacuate"]
    # Nothing follows them in any other case.
    for name in ("confirm", "approve"):
        assert set(NODES[name]) & {"always_nodes", "failure_nodes"} == set()
    assert NODES["evacuate"]["unified_job_template"] == "host_down"
    assert leads["evacuate"] == ["report"]


def test_a_workflow_asks_for_what_its_steps_need() -> None:
    for workflow in load("workflow_job_templates"):
        asked = {question["variable"] for question in survey(workflow)}
        steps = [
            survey(JOBS[node["unified_job_template"]])
            for node in NODES.values()
            if "unified_job_template" in node
        ]
        needed = {q["variable"] for questions in steps for q in questions if q["required"]}
        assert needed <= asked <= {q["variable"] for questions in steps for q in questions}


def test_what_is_scheduled_needs_no_answer_and_changes_nothing() -> None:
    for schedule in load("schedules"):
        template = JOBS[schedule["unified_job_template"]]
        assert not [question for question in survey(template) if question["required"]]
        assert template["name"].endswith("_report")
        assert schedule["rrule"].startswith("DTSTART;TZID=")


def test_the_playbooks_are_of_the_version_of_the_collection() -> None:
    manifest = json.loads((ROOT / "MANIFEST.json").read_text())
    version = manifest["collection_info"]["version"]
    assert {project["scm_branch"] for project in load("projects")} == {version}
