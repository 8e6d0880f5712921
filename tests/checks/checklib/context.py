"""What a step is given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .build import Build
from .command import Outcome, run
from .layout import Layout
from .report import Check, announce, from_outcome
from .toolenv import Tools


@dataclass(frozen=True)
class Context:
    layout: Layout
    tools: Tools
    build: Build
    other_collections: Path

    def environment(self) -> dict[str, str]:
        """The tools first on PATH, and of all collections only the installed build."""
        return self.tools.environment() | {
            "ANSIBLE_COLLECTIONS_PATH": str(self.build.collections),
            # Nothing is read from or left in the user's ~/.ansible.
            "ANSIBLE_HOME": str(self.layout.cache / "ansible"),
            # Modules run where openstacksdk is; an inventory can still say otherwise.
            "ANSIBLE_PYTHON_INTERPRETER": str(self.tools.bin / "python"),
            "OTHER_COLLECTIONS_PATH": str(self.other_collections),
        }

    def command(
        self,
        step: str,
        name: str,
        argv: list[str | Path],
        *,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> tuple[Check, Outcome]:
        """Run one command as one check."""
        outcome = run(
            argv,
            cwd=cwd or self.layout.root,
            env=self.environment() | (env or {}),
            log=self.layout.logs / f"{step}-{name.replace(' ', '-').replace(os.sep, '-')}.log",
        )
        return from_outcome(step, name, outcome), outcome

    def check(
        self,
        step: str,
        name: str,
        argv: list[str | Path],
        *,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> Check:
        """Run one command as one check and say at once how it went."""
        return announce(self.command(step, name, argv, cwd=cwd, env=env)[0])
