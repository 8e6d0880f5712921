"""The command line: which steps, in which order, and the summary."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from . import command, lab, lock, peer, toolenv
from .bench import bench
from .build import build
from .context import Context
from .docs import docs
from .layout import Layout, SetupError
from .lint import lint
from .molecule import molecule, scenarios
from .report import Check, announce, say, table
from .sanity import sanity
from .unit import unit

_HELP = """\
steps:
  all                   every step below but bench; what `make test` runs
  setup                 install the locked tools into the cache, nothing else
  build                 build the collection, check the tarball, install it
  lint                  ruff, mypy, ansible-lint, antsibull-changelog, antsibull-docs
  sanity                ansible-test sanity
  unit [PYTEST ARG..]   pytest: tests/unit and tests/checks
  docs                  ansible-doc of every plugin and role
  molecule [NAME..]     scenarios under extensions/molecule, against the lab (root)
  bench [ARG..]         tests/bench/NAME, against the lab (root)
  env                   print the environment of the tools as `export` lines
  lock                  resolve the lock files again (after a change of a *.in file)

Every step installs the tools and builds the collection first if they changed.
Logs: build/logs.
"""
_STEPS = ("all", "setup", "build", "lint", "sanity", "unit", "docs", "molecule", "bench")
_TAKE_ARGUMENTS = ("unit", "molecule", "bench")

Step = Callable[[], list[Check]]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="check", epilog=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=[*_STEPS, "env", "lock"], metavar="STEP")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")
    options = parser.parse_args(argv)
    if options.arguments and options.step not in _TAKE_ARGUMENTS:
        parser.error(f"{options.step} takes no arguments")
    # A CI system ends a job with SIGTERM: clean up as for Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options.step, options.arguments)
    except SetupError as error:
        say(f"check: {error}")
        return 2
    except KeyboardInterrupt:
        say("check: interrupted")
        return 130


def _run(step: str, arguments: list[str]) -> int:
    layout = Layout.here()
    if step == "lock":
        return lock.resolve(layout)
    needs_lab = step in ("molecule", "bench") or (step == "all" and scenarios(layout))
    if needs_lab:
        lab.need_root(layout)
    start = time.monotonic()
    # `env` is read by a shell: only its own lines may go to the standard output.
    quiet = contextlib.redirect_stdout(sys.stderr) if step == "env" else contextlib.nullcontext()
    with quiet:
        context, checks = _prepare(layout, only_tools=step == "setup")
    if context is None or step in ("setup", "build"):
        return _summary(checks, start)
    if step == "env":
        _print_environment(context)
        return 0
    checks += _everything(context) if step == "all" else _one(context, step, arguments)
    return _summary(checks, start)


def _prepare(layout: Layout, *, only_tools: bool) -> tuple[Context | None, list[Check]]:
    """Tools and build, each only as far as something changed."""
    start = time.monotonic()
    tools = toolenv.install(layout)
    others = peer.other_collections(layout)
    checks = [announce(Check("setup", "tools", time.monotonic() - start, 1))]
    if only_tools:
        say(f"tools: {tools.bin}")
        return None, checks
    built, result = build(layout, tools)
    checks += [announce(check) for check in built]
    return (Context(layout, tools, result, others) if result else None), checks


def _one(context: Context, step: str, arguments: list[str]) -> list[Check]:
    steps: dict[str, Step] = {
        "lint": lambda: lint(context),
        "sanity": lambda: sanity(context),
        "docs": lambda: docs(context),
        "unit": lambda: unit(context, arguments),
        "molecule": lambda: molecule(context, arguments),
        "bench": lambda: bench(context, arguments),
    }
    return steps[step]()


def _everything(context: Context) -> list[Check]:
    """Sanity beside the other quick steps; then the scenarios, whose times matter."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        slow = pool.submit(sanity, context)
        quick = pool.submit(lambda: [*unit(context, []), *lint(context), *docs(context)])
        try:
            checks = [*quick.result(), *slow.result()]
        except BaseException:
            # Leaving the block waits for both threads: end what they are waiting for.
            command.stop_all()
            raise
    ours = [each for each in lab.every(context) if not each.is_up()]
    try:
        return checks + molecule(context, [])
    finally:
        # Whoever did not start a lab does not want its servers left behind.
        for each in ours:
            each.down()


def _print_environment(context: Context) -> None:
    for key, value in context.environment().items():
        if value != os.environ.get(key):
            say(f"export {key}={shlex.quote(value)}")
    say("unset PYTHONDONTWRITEBYTECODE")


def _summary(checks: list[Check], start: float) -> int:
    say(f"\n{time.monotonic() - start:.0f} s in all")
    say(table(checks))
    return 0 if checks and all(check.ok for check in checks) else 1
