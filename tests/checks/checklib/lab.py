"""The lab that scenarios and benchmarks run against (tests/lab)."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .context import Context
from .layout import Layout, SetupError
from .report import Check

FAKE, LIBVIRT = "fake", "libvirt"
BASE_PORT = 15000
# Ports from there on, of labs that run beside the first.
_BESIDE = {"libvirt": 1000, "fake-2": 2000, "fake-3": 3000}


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


@dataclass(frozen=True)
class Lab:
    """A lab of one profile, that is with one kind of compute hosts.

    The first of the profile FAKE is the one that `tests/lab/lab` means by itself. Others have their
    own state and ports, so that they can run beside it.
    """

    context: Context
    profile: str = FAKE
    number: int = 1

    @property
    def name(self) -> str:
        return self.profile if self.number == 1 else f"{self.profile}-{self.number}"

    @property
    def environment(self) -> dict[str, str]:
        """By which its programs know which lab is meant."""
        if self.name == FAKE:
            return self.context.environment()
        state = os.environ.get("OPENSTACK_LAB_STATE") or str(
            self.context.layout.cache / "lab-state"
        )
        port = int(os.environ.get("OPENSTACK_LAB_BASE_PORT", BASE_PORT)) + _BESIDE[self.name]
        return self.context.environment() | {
            "OPENSTACK_LAB_STATE": f"{state}-{self.name}",
            "OPENSTACK_LAB_BASE_PORT": str(port),
            "OPENSTACK_LAB_PROFILE": self.profile,
        }

    def up(self, step: str) -> tuple[Check, dict[str, str]]:
        """Start it, without what it held before (a no-op if it runs), and return its variables."""
        lab = program(self.context.layout)
        if not lab.exists():
            raise SetupError(f"{lab} is missing")
        name = "lab up" if self.name == FAKE else f"lab up, {self.name}"
        check = self.context.check(step, name, [lab, "up", "--fresh"], env=self.environment)
        if not check.ok:
            return check, {}
        printed = subprocess.run(
            [lab, "env"], check=True, capture_output=True, text=True, env=self.environment
        )
        variables = parse_exports(printed.stdout)
        # The lab's programs behind the tools: both have a Python, and the tools' is meant.
        own = variables.pop("PATH", "").removesuffix(":$PATH")
        path = self.context.environment()["PATH"]
        return check, variables | {"PATH": f"{path}:{own}" if own else path}

    def is_up(self) -> bool:
        return self._run("status") == 0

    def down(self) -> None:
        self._run("down")

    def _run(self, action: str) -> int:
        command = [str(program(self.context.layout)), action]
        done = subprocess.run(command, check=False, capture_output=True, env=self.environment)
        return done.returncode


def every(context: Context) -> list[Lab]:
    """All that scenarios may run on."""
    return [Lab(context), Lab(context, number=2), Lab(context, number=3), Lab(context, LIBVIRT)]


def parse_exports(text: str) -> dict[str, str]:
    """Read lines such as `export OS_CLOUD=lab`."""
    words = shlex.split(text, comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)
