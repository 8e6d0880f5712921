"""Benchmarks on the lab; not part of `all`, since their result is a number."""

from __future__ import annotations

from . import lab
from .command import run
from .context import Context
from .layout import SetupError
from .report import Check, announce, from_outcome, say

STEP = "bench"


def bench(context: Context, arguments: list[str]) -> list[Check]:
    name, *options = arguments or ["evacuation"]
    program = context.layout.root / "tests" / "bench" / name
    if not program.is_file():
        raise SetupError(f"There is no benchmark tests/bench/{name}")
    started, variables = lab.Lab(context).up(STEP)
    if not started.ok:
        return [started]
    outcome = run(
        [program, *options],
        cwd=context.layout.root,
        env=context.environment() | variables,
        log=context.layout.logs / f"bench-{name}.log",
        on_line=say,
        timeout=7200,
    )
    return [started, announce(from_outcome(STEP, name, outcome))]
