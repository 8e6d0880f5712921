"""Molecule scenarios against labs: one after the other on each lab, the labs side by side."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import lab
from .command import run, stop_all
from .context import Context
from .layout import Layout, SetupError
from .report import Check, announce, from_outcome, say

STEP = "molecule"

# Worth a line on the screen while a scenario runs; the rest goes to its log.
_LIVE = re.compile(r"^(INFO .*\[|fatal:|failed:|ERROR|CRITICAL|.*\[(DEPRECATION )?WARNING\])")
_SCENARIO_LIMIT = 1800
# They take longest, so they begin first: no lane is to be left with one of them at the end.
LONG = (
    "reshape",
    "make_room",
    "never_booted",
    "fail_back",
    "never_booted_killed",
    "awx_jobs",
    "host_down",
    "never_booted_disturbed",
    "build_failed",
    "alerts",
)
# The profile of scenarios that need no cloud.
_NO_LAB = "none"
_PROFILE = re.compile(r"^ +OPENSTACK_LAB_PROFILE: (\w+)$", re.MULTILINE)


def scenarios(layout: Layout) -> list[str]:
    """Scenarios by name. `default` without a playbook only holds shared settings."""
    folder = layout.root / "extensions" / "molecule"
    found = [path.parent for path in folder.glob("*/molecule.yml")]
    return sorted(path.name for path in found if not _is_shared(path))


def _is_shared(path: Path) -> bool:
    if path.name.startswith("_"):
        return True
    return path.name == "default" and not (path / "converge.yml").exists()


def molecule(context: Context, wanted: list[str]) -> list[Check]:
    names = scenarios(context.layout)
    if unknown := sorted(set(wanted) - set(names)):
        raise SetupError(f"No such scenario: {', '.join(unknown)}. There are: {', '.join(names)}")
    if not names:
        say("molecule: there are no scenarios under extensions/molecule yet")
        return [Check(STEP, "no scenarios yet", 0.0)]
    waiting: dict[str, deque[str]] = defaultdict(deque)
    for name in wanted or by_length(names):
        waiting[profile_of(context.layout, name)].append(name)
    first, second, third, libvirt = lab.every(context)
    lanes: list[list[lab.Lab | None]] = [[first], [second], [libvirt, None, third]]
    with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
        running = [pool.submit(_lane, context, lane, waiting) for lane in lanes]
        try:
            return [check for lane in running for check in lane.result()]
        except BaseException:
            # Leaving the block waits for all lanes: end what they are waiting for.
            stop_all()
            raise


def by_length(names: list[str]) -> list[str]:
    """The long ones first, the others as they are."""
    return sorted(names, key=lambda name: LONG.index(name) if name in LONG else len(LONG))


def profile_of(layout: Layout, name: str) -> str:
    """Kind of the lab's compute hosts, which a scenario names in its molecule.yml."""
    text = (layout.root / "extensions" / "molecule" / name / "molecule.yml").read_text()
    found = _PROFILE.search(text)
    return found[1] if found else lab.FAKE


def _lane(
    context: Context, places: list[lab.Lab | None], waiting: dict[str, deque[str]]
) -> list[Check]:
    """Scenarios on one lab after the other, None for those that need none.

    :param waiting: names of scenarios, by profile. All lanes take from it.
    """
    checks = []
    for place in places:
        names = waiting[place.profile if place else _NO_LAB]
        # Another lab takes a minute to start.
        if len(names) >= (2 if place and place.number > 1 else 1):
            checks += _scenarios(context, place, names)
    return checks


def _scenarios(context: Context, place: lab.Lab | None, names: deque[str]) -> list[Check]:
    checks: list[Check] = []
    variables: dict[str, str] = {}
    if place is not None:
        started, variables = place.up(STEP)
        checks = [started]
        if not started.ok:
            return checks
    while names:
        with contextlib.suppress(IndexError):  # another lane was faster
            checks.append(_scenario(context, names.popleft(), variables))
    return checks


def _scenario(context: Context, name: str, variables: dict[str, str]) -> Check:
    say(f"molecule: {name}")
    # Molecule remembers in there what it has created: a run that was killed must not count.
    memory = context.layout.logs.parent / "molecule" / name
    shutil.rmtree(memory, ignore_errors=True)
    outcome = run(
        ["molecule", "test", "--scenario-name", name],
        cwd=context.layout.root,
        env=context.environment() | variables | {"MOLECULE_EPHEMERAL_DIRECTORY": str(memory)},
        log=context.layout.logs / f"molecule-{name}.log",
        on_line=lambda line: say(f"  {line[:140]}") if _LIVE.match(line) else None,
        timeout=_SCENARIO_LIMIT,
    )
    return announce(from_outcome(STEP, name, outcome))
