# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of the runs whose reports lie in one folder.

It follows from the files that are there: a report that somebody has removed is not in it any more,
and of two runs that end at once each finds the other's file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import RecoveryError
from .run import Run, parse_run
from .values import as_mapping, mappings, text
from .verdict import verdict_of

# Says whose files these are, so that no others are ever replaced.
GENERATOR = "openstack_recovery.nova"
INDEX = "index"

# When a file was changed last (nanoseconds) and its size: as long as both stand, it is not read again.
Stamp = Sequence[int]


def renewed(known: Any, stamps: Mapping[str, Stamp], read: Callable[[str], Any]) -> dict[str, Any]:
    """The history as index.json has it, the newest run first.

    :param known: what index.json has held; anything else is as good as nothing.
    :param stamps: of the JSON files in the folder, by name.
    :param read: a file's content; None when it is no JSON. A RecoveryError when it cannot be read now:
        what was known of it stands until it can.
    """
    before = {str(one.get("file")): one for one in mappings(as_mapping(known).get("runs"))}
    foreign = as_mapping(as_mapping(known).get("other_files"))
    runs: list[Mapping[str, Any]] = []
    others: dict[str, Stamp] = {}
    for name, stamp in stamps.items():
        entry: Mapping[str, Any] | None = before.get(name)
        if entry is None or entry.get("stamp") != list(stamp):
            if foreign.get(name) == list(stamp):
                others[name] = list(stamp)
                continue
            try:
                entry = _entry(name, stamp, read(name))
            except RecoveryError:
                if entry is None:
                    continue
        if entry is None:
            others[name] = list(stamp)
        else:
            runs.append(entry)
    runs.sort(key=lambda one: (str(one.get("finished_at") or ""), str(one["file"])), reverse=True)
    return {"generator": GENERATOR, "runs": runs, "other_files": others}


def is_history(content: Any) -> bool:
    """Whether this is an index.json that this collection has written."""
    return as_mapping(content).get("generator") == GENERATOR


def tells_of_instances(content: Any) -> bool:
    """Whether this is the report of a run that has worked on instances."""
    return bool(mappings(as_mapping(content).get("instances")))


def _entry(name: str, stamp: Stamp, content: Any) -> dict[str, Any] | None:
    """A report's entry; None for a file that is none."""
    try:
        run = parse_run(as_mapping(content))
    except RecoveryError:
        return None
    return {"file": name, "stamp": list(stamp), **summary(run)}


def summary(run: Run) -> dict[str, Any]:
    """What the history says of a run."""
    verdict = verdict_of(run)
    return {
        "kind": run.kind,
        "subject": run.subject,
        "run_id": run.run_id,
        "check_mode": run.is_plan,
        "outcome": verdict.outcome,
        "headline": verdict.headline,
        "finished_at": _stated(run, "finished_at"),
        "started_at": _stated(run, "started_at"),
        "seconds": run.seconds,
        "instances": run.levels(),
        "error": run.error.code if run.error else None,
    }


def _stated(run: Run, name: str) -> str | None:
    return text(run.data.get(name))
