# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the templates show, as plain values: every decision about the page is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..check import Check
from .entry import Entry, Prediction, parse_prediction
from .evidence import as_json, gates_of
from .links import RequestLinks
from .pictures import axis_of, drawn, legend_of, overview_of, way_in_words
from .run import Run
from .tasks import Group, what_to_do
from .timeline import Window, duration
from .values import as_mapping, clock, mappings, moment, number, text, texts
from .verdict import ATTENTION, FAILED, GOOD, PLAN, verdict_of
from .words import (
    BAD,
    BUSY,
    LATE,
    LEFT,
    LEVEL_WORDS,
    LEVELS,
    MARKS,
    OK,
    in_words,
)

# A group with more instances than this is folded.
_FOLDED_FROM = 12
# The newest runs that the history's page shows; index.json has all.
_HISTORY_RUNS = 500
# How a run is marked: with a colour, and a sign beside it.
_OUTCOMES = {
    GOOD: (OK, MARKS[OK]),
    ATTENTION: (LATE, "!"),
    FAILED: (BAD, MARKS[BAD]),
    PLAN: (BUSY, "?"),
}
_KINDS = {
    "host_down": "host down",
    "rebuild_never_booted": "rebuild of never-booted instances",
    "reshape_instances": "another image or flavor",
    "make_room": "room made for instances",
    "fail_back": "fail-back",
}


def run_page(run: Run, links: RequestLinks, data_file: str) -> dict[str, Any]:
    """:param data_file: name of the JSON file beside the page."""
    verdict = verdict_of(run)
    window = Window.around(run.entries)
    numbers = {id(entry): number for number, entry in enumerate(run.entries, start=1)}
    ordered = sorted(run.entries, key=lambda entry: LEVELS.index(entry.level))
    rows = [_row(entry, numbers[id(entry)], window, links) for entry in ordered]
    over_all = overview_of(run.entries, window)
    requests = _requests(as_mapping(run.data.get("requests")))
    return {
        "title": f"{verdict.headline} - {run.run_id}",
        "kind": kind_words(run.kind),
        "subject": run.subject,
        "run_id": run.run_id,
        "is_plan": run.is_plan,
        "outcome": verdict.outcome,
        "headline": verdict.headline,
        "facts": _facts(run, requests),
        "notes": texts(run.data.get("notes")),
        "tiles": _tiles(run),
        "groups": [_group(group, numbers, links) for group in what_to_do(run)],
        "instances": rows,
        "has_checks": any(entry.checks for entry in run.entries),
        "has_predictions": any(entry.prediction for entry in run.entries),
        "axis": axis_of(window),
        "overview": over_all,
        "legend": legend_of((row["track"] for row in rows if row["track"]), over_all),
        "gates": gates_of(run.data),
        "service_changes": [_service_change(c) for c in mappings(run.data.get("service_changes"))],
        "plan": _plan(run.plan),
        "waiting": [_waiting(one) for one in mappings(run.data.get("waiting"))],
        "requests": requests,
        "data_file": data_file,
    }


def history_page(history: Mapping[str, Any]) -> dict[str, Any]:
    """:param history: what index.json has."""
    runs = mappings(history.get("runs"))
    return {
        "total": len(runs),
        "runs": [_history_row(one) for one in runs[:_HISTORY_RUNS]],
    }


def kind_words(kind: str) -> str:
    return _KINDS.get(kind, in_words(kind))


def _facts(run: Run, requests: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    facts = [
        ("run", run.run_id),
        ("began", clock(run.started_at)),
        ("ended", clock(run.finished_at)),
        ("took", duration(run.seconds) if run.seconds is not None else None),
        ("API requests", str(sum(count for _what, count in requests)) if requests else None),
    ]
    return [(name, value) for name, value in facts if value]


def _tiles(run: Run) -> list[dict[str, Any]]:
    tiles: list[dict[str, Any]] = [
        {"level": level, "mark": MARKS[level], "number": str(count), "word": LEVEL_WORDS[level]}
        for level, count in run.levels().items()
        if count
    ]
    right, compared = run.predictions()
    if compared:
        tiles.append(
            {
                "level": "plain",
                "mark": "",
                "number": f"{right} of {compared}",
                "word": "predictions right",
            }
        )
    return tiles


def _group(group: Group, numbers: Mapping[int, int], links: RequestLinks) -> dict[str, Any]:
    return {
        "level": group.level,
        "mark": MARKS[group.level],
        "code": group.code,
        "title": group.title,
        "guidance": group.guidance,
        "message": group.message,
        "request": _request(group.request_id, links) if group.request_id else None,
        "count": len(group.entries),
        "folded": len(group.entries) > _FOLDED_FROM,
        "instances": [
            {"number": numbers.get(id(entry)), "name": entry.name, "reason": entry.reason}
            for entry in group.entries
        ],
    }


def _row(entry: Entry, number: int, window: Window | None, links: RequestLinks) -> dict[str, Any]:
    return {
        "number": number,
        "id": entry.id,
        "name": entry.name,
        "project_id": entry.project_id,
        "source": entry.source,
        "destination": entry.destination,
        "status": in_words(entry.status),
        "level": entry.level,
        "mark": MARKS[entry.level],
        "code": entry.code,
        "reason": entry.reason,
        "remark": entry.remark,
        "seconds": _seconds(entry.seconds),
        "track": drawn(entry, window) if window else None,
        "steps": way_in_words(entry),
        "failing": [_check(check) for check in entry.failing],
        "checks": [_check(check) for check in entry.checks],
        "prediction": _prediction(entry),
        "requests": [_request(request_id, links) for request_id in entry.request_ids],
        "events": [
            {
                "at": clock(event.at, milliseconds=True),
                "event": in_words(event.event),
                "note": event.note,
            }
            for event in entry.events
        ],
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": in_words(check.name),
        "passed": check.passed,
        "mark": MARKS[OK if check.passed else BAD],
        "expected": check.expected,
        "observed": check.observed,
    }


def _prediction(entry: Entry) -> dict[str, Any] | None:
    if entry.prediction is None:
        return None
    right = entry.prediction.was_right(entry)
    return {**_predicted(entry.prediction), "right": right}


def _predicted(prediction: Prediction) -> dict[str, Any]:
    where = ", ".join(prediction.hosts)
    words = "fits" if prediction.fits else "no room"
    return {"fits": prediction.fits, "words": words, "why": prediction.reason or where}


def _waiting(one: Mapping[str, Any]) -> dict[str, str]:
    """An instance for which room was to be made."""
    return {
        "name": text(one.get("name")) or text(one.get("id")) or "",
        "room": in_words(text(one.get("fits")) or "unknown"),
        "host": text(one.get("host")) or "",
        "reason": text(one.get("reason")) or "",
    }


def _service_change(change: Mapping[str, Any]) -> dict[str, str]:
    return {
        "host": text(change.get("host")) or "",
        "what": ", ".join(
            f"{in_words(str(name))}: {_value(value)}"
            for name, value in change.items()
            if name != "host"
        ),
    }


def _plan(plan: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows, and the columns that are of use: those in which there is anything."""
    rows = [_plan_row(order, entry) for order, entry in enumerate(plan, start=1)]
    columns = ("from", "power", "group", "priority", "rules", "prediction", "reason")
    return {"rows": rows, "columns": [c for c in columns if any(row[c] for row in rows)]}


def _plan_row(order: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    prediction = parse_prediction(as_mapping(entry.get("prediction")))
    rules = as_mapping(entry.get("rules"))
    lost = text(entry.get("data_lost"))
    reasons = [text(entry.get("reason")), f"loses {lost}" if lost else None]
    return {
        "order": order,
        "id": text(entry.get("id")) or text(entry.get("uuid")) or "",
        "name": text(entry.get("name")) or "",
        "action": in_words(text(entry.get("action")) or ""),
        "from": text(entry.get("from")),
        "power": _power(entry),
        "group": text(entry.get("restart_group")),
        "priority": text(entry.get("priority")),
        "rules": ", ".join(
            f"{in_words(str(what))}: {_value(rule)}" for what, rule in rules.items()
        ),
        "prediction": _predicted(prediction) if prediction else None,
        "reason": "; ".join(reason for reason in reasons if reason),
    }


def _power(entry: Mapping[str, Any]) -> str | None:
    power = text(entry.get("power_state"))
    return "left off" if entry.get("leave_off") is True else power


def _requests(requests: Mapping[str, Any]) -> list[tuple[str, int]]:
    counted = [(str(what), int(number(count) or 0)) for what, count in requests.items()]
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))


def _request(request_id: str, links: RequestLinks) -> dict[str, str | None]:
    return {"id": request_id, "url": links.of(request_id)}


def _history_row(one: Mapping[str, Any]) -> dict[str, Any]:
    file = text(one.get("file")) or ""
    seconds = number(one.get("seconds"))
    outcome = text(one.get("outcome")) or ""
    level, mark = _OUTCOMES.get(outcome, (LEFT, MARKS[LEFT]))
    return {
        "page": f"{file.removesuffix('.json')}.html",
        "kind": kind_words(text(one.get("kind")) or ""),
        "subject": text(one.get("subject")) or "",
        "run_id": text(one.get("run_id")) or "",
        "outcome": outcome,
        "level": level,
        "mark": mark,
        "headline": text(one.get("headline")) or "",
        "finished": clock(moment(one.get("finished_at"))) or "",
        "took": duration(seconds) if seconds is not None else "",
        "error": text(one.get("error")),
    }


def _value(value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        return as_json(value)
    return {True: "yes", False: "no", None: "none"}.get(value, str(value))


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"
