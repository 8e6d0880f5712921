# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An execution environment is made of what the collection needs, as ansible-builder reads it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from awx_objects import ROOT

BUILDER = Path(sys.executable).with_name("ansible-builder")
SOURCES = [*(ROOT / "plugins").glob("modules/*.py"), *(ROOT / "plugins").glob("doc_fragments/*.py")]
# By a library's name in the documentation: what is not installed by itself.
NOT_PYTHON = {"python": "the interpreter", "the": "a command, see bindep.txt"}


def builder(*arguments: str | Path) -> str:
    done = subprocess.run(
        [BUILDER, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def requirements() -> dict[str, str]:
    """Lowest version, or nothing, by the name of the library."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    stated = [line.partition(">=") for line in lines if line and not line.startswith("#")]
    return {name: version for name, _at_least, version in stated}


def documented() -> set[tuple[str, str]]:
    """What modules say that they require: name, and lowest version or nothing."""
    found = set()
    for path in SOURCES:
        for block in re.findall(r"^requirements:\n((?:  - .*\n)+)", path.read_text(), re.MULTILINE):
            for line in block.splitlines():
                words = re.fullmatch(r"  - ([\w.-]+)(?:,.*)?(?: >= ([\d.]+))?(?: .*)?", line)
                assert words, line
                found.add((words[1], words[2] or ""))
    return {(name, version) for name, version in found if name not in NOT_PYTHON}


@pytest.fixture(scope="module")
def introspected() -> dict[str, Any]:
    collections = ROOT.parents[2]
    found: dict[str, Any] = yaml.safe_load(builder("introspect", collections))
    return found


def test_what_modules_require_is_installed() -> None:
    stated = requirements()
    assert len(documented()) >= 6
    for name, version in documented():
        assert name in stated, f"{name} is missing in requirements.txt"
        if version:
            assert stated[name] == version
    assert set(stated) == {name for name, _version in documented()}


def test_it_is_said_why_each_was_chosen() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    assert [name for name in requirements() if f"| {name}" not in text] == []


def test_programs_that_modules_call_are_installed(introspected: dict[str, Any]) -> None:
    system = "\n".join(introspected["system"])
    for line in ("ipmitool [platform:dpkg platform:rpm]", "iputils [platform:rpm]"):
        assert line in system
    # Headers of libvirt are for compiling only, its library is not.
    assert "libvirt-devel [compile platform:rpm]" in system
    assert "libvirt-libs [platform:rpm]" in system


def test_introspection_finds_the_libraries(introspected: dict[str, Any]) -> None:
    found = {re.split(r"[>=#\s]", line)[0] for line in introspected["python"]}
    assert found == set(requirements())


def test_a_build_context_is_made(tmp_path: Path) -> None:
    wanted = yaml.safe_load((ROOT / "execution-environment.yml").read_text())
    shutil.copy(ROOT / "execution-environment.yml", tmp_path)
    (tmp_path / wanted["additional_build_files"][0]["src"]).touch()
    builder("create", "-f", tmp_path / "execution-environment.yml", "-c", tmp_path / "context")
    made = tmp_path / "context" / "_build"
    [collection] = yaml.safe_load((made / "requirements.yml").read_text())["collections"]
    # Where the build mounts what is in the context.
    assert (made / Path(collection["name"]).relative_to("/build")).is_file()


def test_the_collection_is_of_this_version() -> None:
    text = (ROOT / "execution-environment.yml").read_text()
    version = json.loads((ROOT / "MANIFEST.json").read_text())["collection_info"]["version"]
    named = re.findall(r"openstack_recovery-nova-([\d.]+)\.tar\.gz", text)
    assert set(named) == {version}


def test_ansible_is_one_that_the_collection_supports() -> None:
    wanted = yaml.safe_load((ROOT / "execution-environment.yml").read_text())["dependencies"]
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    lowest = runtime["requires_ansible"].removeprefix(">=").removesuffix(".0")
    assert f"ansible-core>={lowest}," in wanted["ansible_core"]["package_pip"]
