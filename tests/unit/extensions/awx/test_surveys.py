# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Surveys ask for what the roles take: same type, choices and default; and as AWX accepts them."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pytest
import yaml
from awx_objects import OBJECTS, PLAYBOOKS, fed_by, load, role_options, survey

# What AWX knows, and the type of a default that it accepts.
DEFAULTS: dict[str, type] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}
NEEDED = {"question_name", "question_description", "variable", "type", "required"}
ALLOWED = NEEDED | {"default", "choices", "min", "max"}

TEMPLATES = {entry["name"]: entry for entry in load("job_templates")}
QUESTIONS = [
    pytest.param(PurePath(template["playbook"]).name, question, id=f"{name}-{question['variable']}")
    for name, template in TEMPLATES.items()
    for question in survey(template)
]
SURVEYS = sorted((OBJECTS / "surveys").glob("*.yml"))


def test_there_is_something_to_ask() -> None:
    assert len(QUESTIONS) > 25


@pytest.mark.parametrize(("playbook", "question"), QUESTIONS)
def test_a_question_is_about_a_variable_that_the_playbook_documents(
    playbook: str, question: dict[str, Any]
) -> None:
    variable = question["variable"]
    text = PLAYBOOKS[playbook].read_text()
    comment = [line for line in text.splitlines() if line.startswith("#")]
    documented = any(f"'{variable}'" in line or f"'{variable}:" in line for line in comment)
    assert documented or variable in role_options(playbook)


@pytest.mark.parametrize(("playbook", "question"), QUESTIONS)
def test_an_answer_is_what_the_option_takes(playbook: str, question: dict[str, Any]) -> None:
    options = fed_by(playbook, question["variable"])
    assert options
    for name, option in options.items():
        assert not option.get("no_log"), f"{name} is secret: it belongs into a credential"
        assert_same(question, option)


def assert_same(question: dict[str, Any], option: dict[str, Any]) -> None:
    kind, choices = option.get("type", "str"), option.get("choices")
    default = option.get("default")
    assert question["required"] == option.get("required", False)
    if kind == "bool":
        assert (question["type"], question["choices"]) == ("multiplechoice", ["true", "false"])
        assert question["default"] == str(default).lower()
    elif kind in ("int", "float"):
        assert question["type"] == {"int": "integer", "float": "float"}[kind]
        assert question["default"] == default
    elif kind == "list" and question["type"] == "multiplechoice":
        # Those that the playbook splits at commas.
        words = {word for choice in question["choices"] for word in choice.split(",")}
        assert words <= set(choices or ())
        assert question.get("default") == default
    elif kind == "list":
        assert question["type"] == ("multiselect" if choices else "textarea")
        assert question.get("choices") == choices
        assert question.get("default", "").split("\n") == (default or [""])
    elif choices:
        assert question["type"] == "multiplechoice"
        assert (question["choices"], question["default"]) == (choices, default)
    else:
        assert kind in ("str", "path")
        assert question["type"] == "text"
        assert question.get("default") == default


@pytest.mark.parametrize("path", SURVEYS, ids=lambda path: path.stem)
def test_awx_accepts_it(path: PurePath) -> None:
    spec = yaml.safe_load((OBJECTS / "surveys" / path.name).read_text())
    assert set(spec) == {"name", "description", "spec"}
    assert len({question["variable"] for question in spec["spec"]}) == len(spec["spec"])
    for question in spec["spec"]:
        assert set(question) >= NEEDED
        assert set(question) <= ALLOWED
        assert question["variable"].isidentifier()
        assert isinstance(question["required"], bool)
        assert ("choices" in question) == question["type"].startswith("multi")
        if "default" in question:
            assert isinstance(question["default"], DEFAULTS[question["type"]])
            for chosen in question["default"].split("\n") if "choices" in question else ():
                assert chosen in question["choices"]
        if question["type"] in ("integer", "float"):
            assert question["min"] <= question["default"] <= question["max"]


def test_every_survey_is_asked_by_a_template() -> None:
    asked = {
        t["survey_spec"]
        for t in [*load("job_templates"), *load("workflow_job_templates")]
        if "survey_spec" in t
    }
    assert asked == {f"surveys/{path.name}" for path in SURVEYS}
