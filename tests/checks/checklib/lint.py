"""Style, types and the collection's own rules."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from .context import Context
from .layout import NAME, NAMESPACE
from .report import Check, announce

STEP = "lint"


def lint(context: Context) -> list[Check]:
    root = context.layout.root
    installed = context.build.root

    def check(name: str, *argv: str | Path, cwd: Path = root) -> Check:
        return context.check(STEP, name, list(argv), cwd=cwd)

    return [
        check("ruff check", "ruff", "check", "--no-cache", "."),
        check("ruff format", "ruff", "format", "--no-cache", "--check", "--diff", "."),
        *_mypy(context),
        context.check(
            STEP,
            "ansible-lint",
            ["ansible-lint", "--offline", "--profile", "production", "--strict"],
            # The playbook awx_setup calls modules of awx.awx, which only those with an AWX need.
            env={
                "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(
                    str(path) for path in (context.build.collections, context.other_collections)
                )
            },
        ),
        check("antsibull-changelog", "antsibull-changelog", "lint"),
        check(
            "antsibull-docs",
            *("antsibull-docs", "lint-collection-docs", ".", "--plugin-docs"),
            *("--validate-collection-refs", "self", "--disallow-unknown-collection-refs"),
            cwd=installed,
        ),
    ]


def _mypy(context: Context) -> list[Check]:
    """Two runs: the collection as it is imported, then the programs around it."""
    cache = context.layout.cache / "mypy"
    config = context.layout.root / "pyproject.toml"
    common: list[str | Path] = ["mypy", "--config-file", config]

    inside = Path("ansible_collections", NAMESPACE, NAME)
    shipped = [
        inside / folder
        for folder in ("plugins", "extensions/eda")
        if any((context.build.collections / inside / folder).rglob("*.py"))
    ]
    check, _ = context.command(
        STEP,
        "mypy collection",
        [*common, "--cache-dir", cache / "collection", *shipped],
        cwd=context.build.collections,
        env={"MYPYPATH": str(context.build.collections)},
    )
    # Paths as in the checkout, where the error will be put right.
    checks = [announce(dataclasses.replace(check, tail=check.tail.replace(f"{inside}/", "")))]
    # Each of these folders is a small program with its own import root.
    for folder in ("checks", "lab", "demo", "bench", "support"):
        target = context.layout.root / "tests" / folder
        if any(target.rglob("*.py")):
            checks.append(
                context.check(
                    STEP,
                    f"mypy tests/{folder}",
                    [*common, "--cache-dir", cache / folder, "."],
                    cwd=target,
                    env={"MYPYPATH": str(target)},
                )
            )
    return checks
