"""Unit tests: pytest, against the installed build."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

from .context import Context
from .report import Check, announce

STEP = "unit"


def unit(context: Context, arguments: list[str]) -> list[Check]:
    """`arguments` go to pytest: `tests/checks/check unit -k records`."""
    root = context.layout.root
    report = context.layout.logs / "unit.xml"
    report.unlink(missing_ok=True)
    if not (root / "tests" / "unit").is_dir():
        # Testing only the runner would look like success.
        return [announce(Check(STEP, "pytest", 0.0, failed=1, note="there is no tests/unit"))]
    check, outcome = context.command(
        STEP,
        "pytest",
        [
            *("python", "-m", "pytest", "-q", "--config-file", root / "pyproject.toml"),
            *("--rootdir", root, "-p", "no:cacheprovider", "--junitxml", report),
            *arguments,
        ],
        env={
            "PYTHONPATH": str(context.build.collections),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(context.layout.cache / "hypothesis"),
        },
    )
    passed, failed, skipped = _counts(report)
    # A run that broke before or beside the tests (nothing collected, a plug-in) still fails.
    failed = failed or check.failed
    note = f"{skipped} skipped" if skipped else check.note
    tail = outcome.tail(80)
    return [
        announce(dataclasses.replace(check, passed=passed, failed=failed, note=note, tail=tail))
    ]


def _counts(report: Path) -> tuple[int, int, int]:
    if not report.is_file():
        return 0, 0, 0
    # The file was written by our own pytest a moment ago.
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", "0"))
        failed += int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
        skipped += int(suite.get("skipped", "0"))
    return max(total - failed - skipped, 0), failed, skipped
