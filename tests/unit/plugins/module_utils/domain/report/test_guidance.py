# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong, the report says what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report import (
    guidance,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.guidance import (
    GUIDANCE,
    guidance_for,
)

PLUGINS = Path(guidance.__file__ or "").parents[3]
SOURCES = [path for path in sorted(PLUGINS.rglob("*.py")) if not path.stem.startswith("guidance")]
# Calls whose first word, or whose 'code', is an error code.
CALLS = ("RecoveryError", "ApiRefused", "Refusal", "Skip", "Fail", "bmc_error", "_attempt_over")
# Words that stand among the codes in the modules' documentation, and are none.
NO_CODES = frozenset(
    [
        "active",
        "changed",
        "code",
        "details",
        "domains",
        "expected",
        "failed",
        "folder",
        "folder_error",
        "folders",
        "heartbeats",
        "holder",
        "host",
        "hosts",
        "instances",
        "message",
        "observed",
        "passed",
        "path",
        "problems",
        "reason",
        "refused_instances",
        "request_id",
        "result",
        "retriable",
        "run_id",
        "state",
        "unchecked",
        "status",
    ]
)
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every sentence of a documentation, with where it stands."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from texts(below, f"{path}.{key}")
    elif isinstance(value, list):
        for below in value:
            yield from texts(below, path)
    elif isinstance(value, str):
        yield path, value


def documented() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((PLUGINS / "modules").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)):
                continue
            for where, text in texts(yaml.safe_load(str(node.value.value))):
                if ".error." in f"{where}." or ".code." in f"{where}." or "codes are" in text:
                    for word in re.findall(r"C\(([a-z0-9_]+)\)", text):
                        found[word] = f"{path.stem}{where}"
    return {word: where for word, where in found.items() if word not in NO_CODES}


def raised() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name not in CALLS:
                continue
            given = [*node.args, *(k.value for k in node.keywords if k.arg == "code")]
            words = [
                a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
            if words and CODE.fullmatch(words[0]):
                found[words[0]] = f"{path.stem}:{node.lineno}"
    return found


def test_there_is_something_to_compare_with() -> None:
    assert len(documented()) > 100
    assert len(raised()) > 100


def test_every_code_that_a_module_documents_has_guidance() -> None:
    missing = {code: where for code, where in documented().items() if code not in GUIDANCE}
    assert not missing


def test_every_code_that_is_raised_has_guidance() -> None:
    missing = {code: where for code, where in raised().items() if code not in GUIDANCE}
    assert not missing


def test_there_is_no_guidance_for_what_nobody_says() -> None:
    said = set(documented())
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
    # A step that Nova did not carry out is named after it.
    said |= {f"{word}_failed" for word in said if CODE.fullmatch(word)}
    assert not set(GUIDANCE) - said


@pytest.mark.parametrize("code", GUIDANCE)
def test_it_says_what_to_do_in_a_sentence_or_two(code: str) -> None:
    text = GUIDANCE[code]
    assert text[0].isupper() or text.startswith("libvirt ")
    assert text.endswith(".")
    assert 20 < len(text) < 260
    assert "  " not in text


def test_what_is_not_known_is_told_from_what_the_module_says() -> None:
    assert "run again" in guidance_for("something_new", retriable=True)
    assert guidance_for("something_new") != guidance_for("something_new", retriable=True)
    assert guidance_for("host_is_up", retriable=True) == GUIDANCE["host_is_up"]


@pytest.mark.parametrize(
    "module", ["instance_migration", "instance_preemption", "instance_reshape"]
)
def test_a_login_that_is_refused_half_way_is_not_said_to_come_before_all(module: str) -> None:
    """What ends an operation after its first call (see domain/operation/run.py)."""
    tree = ast.parse((PLUGINS / "modules" / f"{module}.py").read_text())
    (returned,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RETURN"
    ]
    said = yaml.safe_load(returned)["error"]["description"]
    (before,) = [text for text in said if text.startswith("Nothing was changed")]
    (after,) = [text for text in said if "can come after a part" in text]
    for code in ("auth_failed", "failure_limit", "abandoned"):
        assert f"C({code})" in after
        assert f"C({code})" not in before
