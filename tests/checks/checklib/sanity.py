"""ansible-test sanity without containers."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from .cache import locked
from .command import run
from .context import Context
from .report import Check, announce, say

STEP = "sanity"

_RUNNING = re.compile(r'^Running sanity test "(?P<name>[^"]+)"')
_FAILED = re.compile(r"The (\d+) sanity test\(s\) listed below")


def sanity(context: Context) -> list[Check]:
    """All sanity tests, in ansible-test's own environments under our HOME."""
    home = context.layout.home
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    env = context.environment()
    # The user's pip settings and download cache stay valid although HOME is ours.
    env["XDG_CONFIG_HOME"] = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    env["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    env["HOME"] = str(home)
    with locked(context.layout.cache / "sanity.lock"):
        _provide_pip(context)
        outcome = run(
            ["ansible-test", "sanity", "--local", "--python", python, "--color", "no"],
            cwd=context.build.root,
            env=env,
            log=context.layout.logs / "sanity.log",
            on_line=lambda line: say(f"  {line}") if line.startswith("ERROR:") else None,
        )
    lines = outcome.output.splitlines()
    names = {match["name"] for line in lines if (match := _RUNNING.match(line))}
    failed = next((int(m[1]) for line in lines if (m := _FAILED.search(line))), 0)
    if not outcome.ok and not failed:
        failed = 1
    if outcome.ok and not names:
        # ansible-test found nothing to test: that is no success.
        failed = 1
    return [
        announce(
            Check(
                STEP,
                f"ansible-test, Python {python}",
                outcome.seconds,
                len(names) - min(failed, len(names)),
                failed,
                note="" if not failed else f"exit status {outcome.returncode}",
                log=outcome.log,
                tail=outcome.tail(),
            )
        )
    ]


def _provide_pip(context: Context) -> None:
    """Put our stand-in for get-pip.py where ansible-test keeps downloads.

    The name holds the pip version of the ansible-core release: 24.2 for 2.19,
    25.2 for 2.20 and 2.21.
    """
    folder = context.layout.home / ".ansible" / "test" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("get_pip_24_2.py", "get_pip_25_2.py"):
        shutil.copyfile(context.layout.checks / "bootstrap_pip.py", folder / name)
