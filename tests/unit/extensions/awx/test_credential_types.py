# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credential types: AWX accepts them, they hide secrets, and what they inject is used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awx_objects import ROOT, load
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

# As AWX checks a field and an injector.
FIELD = {"id", "label", "type", "secret", "multiline", "format", "choices", "help_text", "default"}
FILE = re.compile(r"template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?")
RESERVED = {"PATH", "PYTHONPATH", "HOME", "VIRTUAL_ENV", "JOB_ID", "INVENTORY_ID", "MAX_EVENT_RES"}
# All other fields are secret.
OPEN = {"cloud", "username", "ca_certificates", "policy"}

SANDBOX = ImmutableSandboxedEnvironment()
TYPES = [pytest.param(entry, id=entry["name"]) for entry in load("credential_types")]
every_type = pytest.mark.parametrize("kind", TYPES)


def texts(kind: dict[str, Any]) -> list[str]:
    return [text for part in kind["injectors"].values() for text in part.values()]


def render(kind: dict[str, Any], fields: dict[str, str]) -> dict[str, dict[str, str]]:
    """What is injected; a file is named after its label."""
    names = [label.removeprefix("template.") for label in kind["injectors"].get("file", {})]
    tower = SimpleNamespace(filename=SimpleNamespace(**{name: f"/env/{name}" for name in names}))
    return {
        part: {
            key: SANDBOX.from_string(text).render(tower=tower, **fields)
            for key, text in its.items()
        }
        for part, its in kind["injectors"].items()
    }


@every_type
def test_awx_accepts_it(kind: dict[str, Any]) -> None:
    ids = [field["id"] for field in kind["inputs"]["fields"]]
    assert kind["kind"] in ("cloud", "net")
    assert set(kind["inputs"]) <= {"fields", "required"}
    assert len(set(ids)) == len(ids)
    assert set(kind["inputs"]["required"]) <= set(ids)
    for field in kind["inputs"]["fields"]:
        assert {"id", "label"} <= set(field) <= FIELD
        assert field["id"].isidentifier()
        assert field["type"] in ("string", "boolean")
    assert set(kind["injectors"]) <= {"file", "env", "extra_vars"}
    assert all(FILE.fullmatch(label) for label in kind["injectors"].get("file", {}))
    for name in kind["injectors"].get("env", {}):
        assert name.isidentifier()
        assert name not in RESERVED
        assert not name.startswith("ANSIBLE_")
    assert all(isinstance(text, str) for text in texts(kind))


@every_type
def test_it_injects_every_field_and_nothing_else(kind: dict[str, Any]) -> None:
    used = {n for text in texts(kind) for n in meta.find_undeclared_variables(SANDBOX.parse(text))}
    assert used - {"tower"} == {field["id"] for field in kind["inputs"]["fields"]}
    files = {label.removeprefix("template.") for label in kind["injectors"].get("file", {})}
    named = {n for text in texts(kind) for n in re.findall(r"tower\.filename\.(\w+)", text)}
    assert named == files


@every_type
def test_what_is_not_stated_to_be_open_is_secret(kind: dict[str, Any]) -> None:
    for field in kind["inputs"]["fields"]:
        assert field.get("secret", False) == (field["id"] not in OPEN), field["id"]


@every_type
def test_no_secret_is_in_the_environment(kind: dict[str, Any]) -> None:
    """It would be shown with the job, and by every process."""
    secret = {f["id"]: f"hidden-{f['id']}" for f in kind["inputs"]["fields"] if f.get("secret")}
    shown = render(kind, secret)
    assert "hidden" not in str(shown.get("env"))
    assert all(value in str(shown) for value in secret.values())


@every_type
def test_what_is_left_out_is_empty(kind: dict[str, Any]) -> None:
    rendered = render(kind, dict.fromkeys(kind["inputs"]["required"], "x"))
    assert "ndefined" not in str(rendered)


def test_without_ca_certificates_there_is_no_path_of_them() -> None:
    bmcs = next(entry for entry in load("credential_types") if entry["name"] == "BMC map")
    given = {"machines": "{}", "ca_certificates": "PEM"}
    assert render(bmcs, given)["env"]["BMC_CA_FILE"] == "/env/ca_certificates"
    assert render(bmcs, {"machines": "{}"})["env"]["BMC_CA_FILE"] == ""


@every_type
def test_only_names_of_files_become_variables(kind: dict[str, Any]) -> None:
    """AWX marks a variable as unsafe, and then Ansible reads it as YAML: 0123 is the number 83."""
    for text in kind["injectors"].get("extra_vars", {}).values():
        assert re.fullmatch(r"\{\{ tower\.filename\.\w+ \}\}", text)


@every_type
def test_what_is_injected_is_read_by_somebody(kind: dict[str, Any]) -> None:
    readers = "".join(
        path.read_text()
        for folder in ("playbooks", "extensions/eda/rulebooks")
        for path in (ROOT / folder).glob("*.yml")
    )
    for name in kind["injectors"].get("extra_vars", {}):
        assert f"'{name}'" in readers or f"{{{{ {name} " in readers
    for name in kind["injectors"].get("env", {}):
        assert f"'{name}'" in str(load("job_templates")) or name.startswith("OS_")


@pytest.mark.parametrize(
    ("files", "username", "expected"),
    [
        (
            {"MACHINES": "compute-1: {ipmi: bmc-1}\n", "PASSWORD": "0123", "CA": "PEM"},
            "off",
            [{"compute-1": {"ipmi": "bmc-1"}}, "off", "0123"],
        ),
        ({}, "", [{}, "", ""]),
    ],
)
def test_a_job_template_reads_what_the_bmc_map_injects(
    files: dict[str, str],
    username: str,
    expected: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        monkeypatch.setenv(f"BMC_{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("BMC_USERNAME", username)
    stated = next(t for t in load("job_templates") if t["name"] == "host_down")["extra_vars"]
    names = ["machines", "bmc_username", "bmc_password", "bmc_ca_file"]
    shown = ", ".join(f"fence_host_{name}" for name in names)
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("ansible"), "-i", "localhost,", "localhost"),
            *("-c", "local", "-e", json.dumps(stated)),
            *("-m", "ansible.builtin.debug", "-a", f"msg={{{{ [{shown}] }}}}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.partition("=>")[2])["msg"]
    assert found == [*expected, str(tmp_path / "CA") if files else ""]
