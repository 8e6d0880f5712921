"""Results of the checks and the table at the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .command import Outcome

_print_lock = threading.Lock()


def say(text: str) -> None:
    """Print whole lines even when two steps run side by side."""
    with _print_lock:
        print(text, flush=True)


@dataclass(frozen=True)
class Check:
    """One row of the table. A row may stand for many tests."""

    step: str
    name: str
    seconds: float
    passed: int = 0
    failed: int = 0
    note: str = ""
    log: Path | None = None
    tail: str = ""

    @property
    def ok(self) -> bool:
        return self.failed == 0


def from_outcome(step: str, name: str, outcome: Outcome) -> Check:
    """Pass if the command did, and if Ansible had nothing to warn about."""
    warnings = outcome.ansible_warnings()
    ok = outcome.ok and not warnings
    if ok:
        note, tail = "", ""
    elif not outcome.ok:
        note, tail = f"exit status {outcome.returncode}", outcome.tail()
    else:
        note, tail = f"{len(warnings)} warnings", "\n".join(warnings)
    return Check(
        step, name, outcome.seconds, int(ok), int(not ok), note=note, log=outcome.log, tail=tail
    )


def announce(check: Check) -> Check:
    """Show a finished check at once; a failure with the end of its log."""
    word = "ok" if check.ok else "FAILED"
    say(f"{word:<6} {check.step}: {check.name} ({check.seconds:.1f} s) {check.note}".rstrip())
    if not check.ok:
        where = f"\n(whole log: {check.log})" if check.log else ""
        say(f"{check.tail}{where}")
    return check


def table(checks: Sequence[Check]) -> str:
    """The table, and the counts alone on the last line."""
    width = max([len(f"{c.step}: {c.name}") for c in checks], default=10)
    lines = ["", f"{'check':<{width}}  seconds  result"]
    for check in checks:
        result = "ok" if check.ok else "FAILED"
        if check.passed + check.failed > 1:
            result += f", {check.passed} passed, {check.failed} failed"
        if check.note:
            result += f" ({check.note})"
        lines.append(f"{f'{check.step}: {check.name}':<{width}}  {check.seconds:7.1f}  {result}")
    passed = sum(c.passed for c in checks)
    failed = sum(c.failed for c in checks)
    return "\n".join([*lines, "", f"{passed} passed, {failed} failed"])
