"""Benchmarks on the lab; not part of `all`, since their result is a number."""

from __future__ import annotations

from . import lab
from .command import run
from .context import Context
from .layout import SetupError
from .report import Check, announce, from_outcome, say

STEP = "bench"


def bench(context: Context, arguments: list[str]) -> list[Check]:
    program = context.layout.root / "tests" / "bench" / "bench"
    if not program.exists():
        raise SetupError("There is no tests/bench/bench yet")
    started, variables = lab.up(context, STEP)
    if not started.ok:
        return [started]
    outcome = run(
        [program, *arguments],
        cwd=context.layout.root,
        env=context.environment() | variables,
        log=context.layout.logs / "bench.log",
        on_line=say,
        timeout=7200,
    )
    return [started, announce(from_outcome(STEP, "bench", outcome))]
