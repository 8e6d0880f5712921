"""Tests of the runner itself, run by `tests/checks/check unit`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checklib import cache, lab
from checklib.build import REQUIRED, unexpected
from checklib.command import run
from checklib.lab import Lab, parse_exports
from checklib.layout import Layout
from checklib.molecule import LONG, by_length, profile_of, scenarios
from checklib.report import Check, from_outcome, table


def test_tarball_with_all_that_belongs_there_is_accepted() -> None:
    assert unexpected([*REQUIRED, "tests/unit/test_x.py", "changelogs/changelog.yaml"]) == []


@pytest.mark.parametrize(
    "stray",
    [
        ".mypy_cache/x",
        "build/x",
        "extensions/molecule/x/molecule.yml",
        "plugins/modules/__pycache__/x.pyc",
        "tests/lab/lab",
    ],
)
def test_tarball_with_left_overs_is_refused(stray: str) -> None:
    assert len(unexpected([*REQUIRED, stray])) == 1


def test_tarball_without_licence_is_refused() -> None:
    assert unexpected(sorted(REQUIRED - {"COPYING"})) == ["missing: COPYING"]


def test_lab_variables_are_read_as_a_shell_would() -> None:
    text = "# lab\nexport OS_CLOUD=lab\nexport A='two words'\nB=\"x=y\"\n"
    assert parse_exports(text) == {"OS_CLOUD": "lab", "A": "two words", "B": "x=y"}


def _python(code: str, tmp_path: Path, timeout: float = 30) -> Check:
    argv = [sys.executable, "-c", code]
    outcome = run(argv, cwd=tmp_path, env={}, log=tmp_path / "log", timeout=timeout)
    return from_outcome("step", "name", outcome)


@pytest.mark.parametrize("warning", ["[WARNING]: x", "[DEPRECATION WARNING]: x"])
def test_a_warning_of_ansible_fails_a_successful_command(warning: str, tmp_path: Path) -> None:
    assert not _python(f"print('{warning}')", tmp_path).ok


def test_coloured_warnings_are_seen(tmp_path: Path) -> None:
    assert not _python(r"print('\x1b[1;35m[WARNING]\x1b[0m: x')", tmp_path).ok


def test_a_quiet_success_passes(tmp_path: Path) -> None:
    assert _python("print('WARNING  of another tool')", tmp_path).ok


def test_a_command_that_takes_too_long_is_killed_and_fails(tmp_path: Path) -> None:
    check = _python("import time; time.sleep(60)", tmp_path, timeout=0.2)
    assert not check.ok
    assert "killed" in check.tail


def test_the_last_line_holds_the_counts_alone() -> None:
    checks = [Check("a", "b", 1.0, passed=3), Check("c", "d", 1.0, passed=1, failed=2)]
    assert table(checks).splitlines()[-1] == "4 passed, 2 failed"


def test_what_was_interrupted_is_made_again(tmp_path: Path) -> None:
    target = tmp_path / "thing"

    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.ensure(target, interrupted)
    assert cache.ensure(target, lambda folder: (folder / "whole").touch())
    assert sorted(path.name for path in target.iterdir()) == [".complete", "whole"]
    assert not cache.ensure(target, interrupted)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [("host_down", "fake"), ("host_return", "libvirt"), ("fencing", "none")],
)
def test_scenarios_run_on_the_kind_of_lab_that_they_name(scenario: str, expected: str) -> None:
    assert profile_of(Layout.here(), scenario) == expected


def test_long_scenarios_begin_first_and_all_of_them_exist() -> None:
    names = scenarios(Layout.here())
    ordered = by_length(names)
    assert sorted(ordered) == names
    assert tuple(ordered[: len(LONG)]) == LONG


def test_the_runner_knows_the_ports_of_the_lab() -> None:
    assert importlib.import_module("openstack_lab.settings").DEFAULT_BASE_PORT == lab.BASE_PORT


def test_a_lab_with_other_hosts_has_a_state_and_ports_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENSTACK_LAB_STATE", "/x/lab")
    monkeypatch.setenv("OPENSTACK_LAB_BASE_PORT", "20000")
    context: Any = SimpleNamespace(environment=lambda: {"OS_CLOUD": "x"})
    assert Lab(context).environment == {"OS_CLOUD": "x"}
    assert Lab(context, "libvirt").environment == {
        "OS_CLOUD": "x",
        "OPENSTACK_LAB_STATE": "/x/lab-libvirt",
        "OPENSTACK_LAB_BASE_PORT": "21000",
        "OPENSTACK_LAB_PROFILE": "libvirt",
    }
    labs = [each.environment for each in lab.every(context)]
    for name in ("OPENSTACK_LAB_STATE", "OPENSTACK_LAB_BASE_PORT"):
        assert len({each.get(name) for each in labs}) == len(labs)
