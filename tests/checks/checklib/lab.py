"""The lab that scenarios and benchmarks run against (tests/lab)."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from .context import Context
from .layout import Layout, SetupError
from .report import Check


def need_root(layout: Layout) -> None:
    """Said before anything else runs, not after ten minutes of other checks."""
    if os.geteuid() != 0:
        raise SetupError(
            "The lab installs packages and starts servers and needs root:"
            f" run it with sudo, for instance: sudo make -C {layout.root} test."
            " Without root: make lint unit sanity docs"
        )


def program(layout: Layout) -> Path:
    return layout.root / "tests" / "lab" / "lab"


def up(context: Context, step: str, profile: str = "fake") -> tuple[Check, dict[str, str]]:
    """Start the lab (a no-op if it runs) and return its variables.

    :param profile: kind of its compute hosts; a lab that runs with other ones is ended first.
    """
    lab = program(context.layout)
    if not lab.exists():
        raise SetupError(f"{lab} is missing")
    if _variables(context).get("OPENSTACK_LAB_PROFILE") not in (None, profile):
        down(context)
    name = "lab up" if profile == "fake" else f"lab up, {profile}"
    check = context.check(step, name, [lab, "up", "--profile", profile])
    if not check.ok:
        return check, {}
    variables = _variables(context)
    # The lab's programs behind the tools: both have a Python, and the tools' is meant.
    own = variables.pop("PATH", "").removesuffix(":$PATH")
    path = context.environment()["PATH"]
    return check, variables | {"PATH": f"{path}:{own}" if own else path}


def _variables(context: Context) -> dict[str, str]:
    """Of the lab that was started last; empty when none was."""
    command = [str(program(context.layout)), "env"]
    printed = subprocess.run(
        command, check=False, capture_output=True, text=True, env=context.environment()
    )
    return parse_exports(printed.stdout) if printed.returncode == 0 else {}


def is_up(context: Context) -> bool:
    command = [str(program(context.layout)), "status"]
    done = subprocess.run(command, check=False, capture_output=True, env=context.environment())
    return done.returncode == 0


def down(context: Context) -> None:
    command = [str(program(context.layout)), "down"]
    subprocess.run(command, check=False, capture_output=True, env=context.environment())


def parse_exports(text: str) -> dict[str, str]:
    """Read lines such as `export OS_CLOUD=lab`."""
    words = shlex.split(text, comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)
