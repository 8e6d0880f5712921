"""Molecule scenarios against labs: of one profile one after the other, the profiles side by side."""

from __future__ import annotations

import re
import shutil
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
# The profile of scenarios that need no cloud.
_NO_LAB = "none"
# Profiles that run side by side. What needs no lab installs packages, as labs do when they start: it
# comes after one.
_LANES = ((lab.FAKE,), (lab.LIBVIRT, _NO_LAB))
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
    profiles = {name: profile_of(context.layout, name) for name in wanted or names}
    with ThreadPoolExecutor(max_workers=len(_LANES)) as pool:
        running = [pool.submit(_lane, context, lane, profiles) for lane in _LANES]
        try:
            return [check for lane in running for check in lane.result()]
        except BaseException:
            # Leaving the block waits for all lanes: end what they are waiting for.
            stop_all()
            raise


def profile_of(layout: Layout, name: str) -> str:
    """Kind of the lab's compute hosts, which a scenario names in its molecule.yml."""
    text = (layout.root / "extensions" / "molecule" / name / "molecule.yml").read_text()
    found = _PROFILE.search(text)
    return found[1] if found else lab.FAKE


def _lane(context: Context, lane: tuple[str, ...], profiles: dict[str, str]) -> list[Check]:
    """One scenario after the other, those of one profile with a lab of their own.

    :param profiles: by name of the scenario.
    """
    checks = []
    for profile in lane:
        if names := [name for name, its in profiles.items() if its == profile]:
            checks += _scenarios(context, profile, names)
    return checks


def _scenarios(context: Context, profile: str, names: list[str]) -> list[Check]:
    checks: list[Check] = []
    variables: dict[str, str] = {}
    if profile != _NO_LAB:
        started, variables = lab.Lab(context, profile).up(STEP)
        checks = [started]
        if not started.ok:
            return checks
    for name in names:
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
        checks.append(announce(from_outcome(STEP, name, outcome)))
    return checks
