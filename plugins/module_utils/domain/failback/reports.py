# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the report of an evacuation says to bring home: pure data in, pure data out.

Only what an evacuation has verified can be brought home: of the rest nobody knows where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..report.values import moment

_KIND = "host_down"
_VERIFIED = "verified"
# These have never left their host, or are no more.
_LEFT_OUT = frozenset({"skipped", "gone"})


class UnusableReport(Exception):
    """Why a report cannot be taken, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evacuated:
    """What one report says of one instance."""

    id: str
    name: str
    source: str
    destination: str | None
    status: str
    finished: datetime


def fail_back_moves(
    reports: Iterable[Mapping[str, Any]],
    *,
    hosts: Sequence[str] = (),
    instances: Sequence[str] = (),
) -> dict[str, Any]:
    """What to bring home, what not and why, and what is wrong with the input.

    ``moves`` is for the module instance_migration; ``skipped`` has an entry for each instance whose
    evacuation was not verified, as that module returns them; with ``problems``, a list of sentences,
    nothing should be done.

    An instance that was evacuated again from where the first evacuation had put it goes home to the
    first host, if the reports of both are given.

    :param reports: each with ``name``, for messages, and ``report``: one evacuation's report, or
        several in a dictionary, as data or as JSON.
    :param hosts: only instances whose home is one of these.
    :param instances: only these, by id or exact name.
    """
    problems: list[str] = []
    told: dict[str, list[Evacuated]] = {}
    for given in reports:
        try:
            for entry in _read(given["report"]):
                told.setdefault(entry.id, []).append(entry)
        except UnusableReport as error:
            problems.append(f"{given['name']}: {error}")
    homes = {i: _home(entries) for i, entries in told.items()}
    problems += _unknown(told, homes, hosts, instances)
    moves, skipped = [], []
    for instance_id, entries in told.items():
        last, home = max(entries, key=lambda entry: entry.finished), homes[instance_id]
        if hosts and home not in hosts:
            continue
        if instances and not {instance_id, last.name} & set(instances):
            continue
        verified = _verified(entries)
        if verified:
            move = {"id": instance_id, "host": home, "from": verified[-1].destination}
            moves.append({**move, "name": last.name})
        else:
            skipped.append(_not_verified(last))
    return {"moves": moves, "skipped": skipped, "problems": problems}


def _verified(entries: Iterable[Evacuated]) -> list[Evacuated]:
    """The oldest first."""
    done = (entry for entry in entries if entry.status == _VERIFIED)
    return sorted(done, key=lambda entry: entry.finished)


def _home(entries: Iterable[Evacuated]) -> str:
    """Where it was before the first of the evacuations that have brought it to where it is."""
    entries = list(entries)
    verified = _verified(entries)
    if not verified:
        return entries[-1].source
    home = verified[-1].source
    for earlier in reversed(verified[:-1]):
        if earlier.destination == home:
            home = earlier.source
    return home


def _unknown(
    told: Mapping[str, Sequence[Evacuated]],
    homes: Mapping[str, str],
    hosts: Iterable[str],
    instances: Iterable[str],
) -> Iterator[str]:
    known = sorted(set(homes.values()))
    for host in sorted(set(hosts) - set(known)):
        yield f"nothing has left '{host}' by these reports; they are of {', '.join(known) or 'no host'}"
    names: dict[str, set[str]] = {}
    for instance_id, entries in told.items():
        for entry in entries:
            names.setdefault(entry.name, set()).add(instance_id)
    for wanted in sorted(set(instances) - set(told)):
        ids = sorted(names.get(wanted, ()))
        if not ids:
            yield f"no instance has the name or id '{wanted}' in these reports"
        elif len(ids) > 1:
            yield f"{len(ids)} instances have the name '{wanted}', give the id: {', '.join(ids)}"


def _not_verified(entry: Evacuated) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "from": entry.destination,
        "to": entry.source,
        "action": "skip",
        "status": "skipped",
        "code": "not_verified",
        "reason": f"its evacuation was not verified ({entry.status}): run host_down again, whose"
        " report then has it",
    }


def _read(given: Any) -> Iterator[Evacuated]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise UnusableReport(f"this is no JSON: {error}") from error
    if not isinstance(given, Mapping):
        raise UnusableReport("this is no report of an evacuation, which is a dictionary")
    if "instances" in given:
        yield from _entries(given)
        return
    # As one step of a workflow hands them to the next, by host.
    if not given or not all(isinstance(one, Mapping) for one in given.values()):
        raise UnusableReport("this is no report of an evacuation: it has no 'instances'")
    for one in given.values():
        yield from _entries(one)


def _entries(report: Mapping[str, Any]) -> Iterator[Evacuated]:
    kind = report.get("kind", _KIND)
    if kind != _KIND:
        raise UnusableReport(f"this is the report of {kind}, not of an evacuation ({_KIND})")
    if report.get("check_mode"):
        raise UnusableReport("this is a plan (--check): nothing was evacuated by it")
    listed = report.get("instances")
    if not isinstance(listed, list):
        raise UnusableReport("this is no report of an evacuation: 'instances' is no list")
    finished = _time(report.get("finished_at"))
    for number, entry in enumerate(listed):
        try:
            found = Evacuated(
                id=entry["id"],
                name=entry["name"],
                source=entry["from"],
                destination=entry.get("to"),
                status=entry["status"],
                finished=finished,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise UnusableReport(f"instances[{number}] has no {error}") from error
        if found.status not in _LEFT_OUT:
            yield found


def _time(text: Any) -> datetime:
    at = moment(text)
    if at is None:
        raise UnusableReport(f"its 'finished_at' is no time: {text!r}")
    return at
