# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run in one sentence, for somebody who has just been woken."""

from __future__ import annotations

from dataclasses import dataclass

from .run import Run
from .values import as_mapping, mappings, text
from .words import BAD, BUSY, LATE, LEFT, OK

# What a run does with its instances, after "was" or "were".
_DONE = {
    "host_down": "evacuated and verified",
    "rebuild_never_booted": "built and verified",
    "reshape_instances": "reshaped and verified",
    "make_room": "removed to make room",
    "fail_back": "moved home and verified",
}
_ANY_DONE = "done and verified"
# Of others the subject is no host, and its instances are not "of" it.
_OF_A_HOST = ("host_down", "fail_back")

GOOD = "good"
ATTENTION = "attention"
FAILED = "failed"
PLAN = "plan"
OUTCOMES = (GOOD, ATTENTION, FAILED, PLAN)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``outcome`` is one of OUTCOMES, ``headline`` the sentence."""

    outcome: str
    headline: str


def verdict_of(run: Run) -> Verdict:
    if run.is_plan and run.error is None and not run.stopped:
        return Verdict(PLAN, _plan_headline(run))
    without_room = len(run.without_room)
    ended = run.error is None and not run.stopped
    if not run.entries and not (ended and without_room):
        return _without_instances(run)
    levels = run.levels()
    meant = len(run.entries) - levels[LEFT]
    need = levels[BAD] + levels[BUSY] + levels[LATE] + without_room
    headline = f"{_count(levels[OK], meant, run)} {_DONE.get(run.kind, _ANY_DONE)}"
    parts = [
        f"{levels[level]} {word}"
        for level, word in (
            (BAD, "failed"),
            (BUSY, "still at work"),
            (LATE, "not begun"),
            (LEFT, "left as they were" if levels[LEFT] > 1 else "left as it was"),
        )
        if levels[level]
    ]
    if without_room:
        parts.append(f"{without_room} still without room")
    if blocked := _blocked(run):
        parts.append(f"{blocked} blocked")
    if parts:
        headline += f"; {', '.join(parts)}"
    if run.stopped:
        headline += f"; stopped: {run.message}"
    if need == 0 and ended:
        return Verdict(GOOD, headline)
    return Verdict(FAILED if levels[OK] == 0 else ATTENTION, headline)


def _count(number: int, of: int, run: Run) -> str:
    if of == 0:
        return f"No instance{_whose(run)} was"
    were = "was" if of == 1 else "were"
    instances = "instance" if of == 1 else "instances"
    if number == of:
        amount = "The" if of == 1 else f"All {of}"
        return f"{amount} {instances}{_whose(run)} {were}"
    return f"{number} of {of} {instances}{_whose(run)} {were}"


def _whose(run: Run) -> str:
    return f" of {run.subject}" if run.kind in _OF_A_HOST else ""


def _without_instances(run: Run) -> Verdict:
    if run.error is not None or run.stopped or not run.begun:
        reason = run.message or (run.error.code if run.error else "it is not known why")
        # A module that has died does not say what it had done.
        untouched = (run.error is not None or not run.begun) and run.data.get("changed") is not True
        return Verdict(
            FAILED,
            f"Stopped before any instance was touched: {reason}"
            if untouched
            else f"Stopped: {reason}",
        )
    if run.message:
        return Verdict(GOOD, run.message)
    if blocked := _blocked(run):
        are = "is" if blocked == 1 else "are"
        return Verdict(GOOD, f"No instance could be rebuilt: {blocked} {are} blocked")
    return Verdict(GOOD, f"There was no instance{_whose(run)} to see to")


def _blocked(run: Run) -> int:
    """Never-booted instances that cannot be rebuilt now, and were to be left then."""
    return len(mappings(as_mapping(run.data.get("selection")).get("blocked")))


def _plan_headline(run: Run) -> str:
    moving = sum(text(entry.get("action")) != "skip" for entry in run.plan)
    staying = len(run.plan) - moving
    headline = f"Plan for {run.subject}, nothing was changed: {moving} to be worked on"
    return f"{headline}, {staying} to be left as they are" if staying else headline
