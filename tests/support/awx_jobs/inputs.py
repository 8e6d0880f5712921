# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job gets, made from extensions/awx as AWX makes it.

Injectors are templates of Jinja, in its sandbox; a file's name is known to the other injectors. Of the
variables those that the job template states may be templates of Ansible's; answers and what credentials
inject may not: they are written as ``!unsafe``.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from expecting import require
from jinja2.sandbox import ImmutableSandboxedEnvironment

_PROJECT = Path(__file__).resolve().parents[3]
_OBJECTS = _PROJECT / "extensions" / "awx"

Object = dict[str, Any]


class _Unsafe(yaml.SafeDumper):
    """Writes every text as one that is no template."""

    def represent_data(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.represent_scalar("!unsafe", data)
        return super().represent_data(data)


@dataclass
class Inputs:
    """Of one job.

    :param playbook: relative to the project.
    :param environment: variables that credentials inject.
    :param arguments: of ansible-playbook, beside env/extravars.
    """

    playbook: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)


def write(folder: Path, template: str, answers: Object, handed_on: Object) -> Inputs:
    """Lay the files of a job into ``folder``.

    :param answers: to the survey, by variable; its defaults stand for the others.
    :param handed_on: by earlier steps of a workflow.
    """
    wanted = _by_name("job_templates.yml")[template]
    questions = _questions(wanted)
    unknown = answers.keys() - questions.keys()
    accepted = not unknown or wanted.get("ask_variables_on_launch")
    require(accepted, f"AWX refuses what {template} does not ask for: {unknown}")
    env = folder / "env"
    env.mkdir()
    trusted = wanted.get("extra_vars", {})
    defaults = {name: q["default"] for name, q in questions.items() if "default" in q}
    given = {**handed_on, **defaults, **answers}
    stated = {key: value for key, value in trusted.items() if key not in given}
    texts = [yaml.safe_dump({key: value}) for key, value in stated.items()]
    texts += [yaml.dump({key: value}, Dumper=_Unsafe) for key, value in given.items()]
    _write(env / "extravars", "".join(texts))
    inputs = Inputs(wanted["playbook"])
    if wanted["job_type"] == "check":
        inputs.arguments.append("--check")
    credentials = _lab_credentials()
    for name in wanted.get("credentials", []):
        if name in credentials:
            kind = _by_name("credentials.yml")[name]["credential_type"]
            _inject(_by_name("credential_types.yml")[kind], credentials[name], env, inputs)
    return inputs


def _questions(template: Object) -> dict[str, Object]:
    """By variable."""
    if not template.get("survey_enabled"):
        return {}
    survey = yaml.safe_load((_OBJECTS / template["survey_spec"]).read_text())
    return {question["variable"]: question for question in survey["spec"]}


def _inject(kind: Object, fields: Object, env: Path, inputs: Inputs) -> None:
    sandbox = ImmutableSandboxedEnvironment()
    tower = SimpleNamespace(filename=SimpleNamespace())

    def render(text: str) -> str:
        return sandbox.from_string(text).render(tower=tower, **fields)

    injectors = kind["injectors"]
    for label, text in injectors.get("file", {}).items():
        path = env / f"tmp{secrets.token_hex(4)}"
        _write(path, render(text))
        setattr(tower.filename, label.removeprefix("template."), str(path))
    for name, text in injectors.get("env", {}).items():
        inputs.environment[name] = render(text)
    variables = {name: render(text) for name, text in injectors.get("extra_vars", {}).items()}
    if variables:
        path = env / f"tmp{secrets.token_hex(4)}"
        _write(path, yaml.dump(variables, Dumper=_Unsafe))
        inputs.arguments += ["-e", f"@{path}"]


def _lab_credentials() -> dict[str, Object]:
    """Fields by name of the credential, for the cloud that the environment names; it has no BMCs."""
    stated: dict[str, Object] = {
        "OpenStack": {
            "clouds": Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text(),
            "cloud": os.environ["OS_CLOUD"],
        }
    }
    if nova_conf := os.environ.get("OPENSTACK_LAB_NOVA_CONF"):
        stated["Nova controller"] = {"nova_conf": Path(nova_conf).read_text()}
    return stated


def _by_name(file: str) -> dict[str, Object]:
    found = {entry["name"]: entry for entry in yaml.safe_load((_OBJECTS / file).read_text())}
    require(found, f"{file} is empty")
    return found


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
