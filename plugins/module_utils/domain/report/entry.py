# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instance in a report, whichever module has returned it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..check import Check
from ..timeline import Event
from .values import as_list, as_mapping, moment, number, text, texts
from .words import BAD, OK, level_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Whether the plan has found room for an instance, on which hosts, or what it lacks."""

    fits: bool
    hosts: tuple[str, ...] = ()
    reason: str | None = None

    def was_right(self, entry: Entry) -> bool | None:
        """None when the outcome says nothing of it."""
        arrived = entry.level == OK or entry.code == "not_verified"
        if arrived:
            return self.fits
        return not self.fits if entry.level == BAD else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of one instance. ``remark`` is what else its module says of its state."""

    id: str
    name: str
    project_id: str | None = None
    source: str | None = None
    destination: str | None = None
    status: str
    code: str | None = None
    reason: str | None = None
    remark: str | None = None
    seconds: float | None = None
    checks: tuple[Check, ...] = ()
    request_ids: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    prediction: Prediction | None = None

    @property
    def level(self) -> str:
        return level_of(self.status, self.code)

    @property
    def failing(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)


def parse_entry(data: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Entry:
    """:param known: what else is known of instances (their plan, their listing), by id."""
    # instance_build has names of its own: uuid, result, host, message, request_id, verification.
    instance_id = text(data.get("id")) or text(data.get("uuid")) or "unknown"
    other = known.get(instance_id, {})
    request_ids = texts(data.get("request_ids")) or texts([data.get("request_id")])
    prediction = as_mapping(data.get("prediction")) or as_mapping(other.get("prediction"))
    return Entry(
        id=instance_id,
        name=text(data.get("name")) or text(other.get("name")) or instance_id,
        project_id=text(data.get("project_id")) or text(other.get("project_id")),
        source=text(data.get("from")),
        destination=text(data.get("to")) or text(data.get("host")),
        status=text(data.get("status")) or text(data.get("result")) or "unknown",
        code=text(data.get("code")),
        reason=text(data.get("reason")) or text(data.get("message")),
        remark=text(data.get("state")),
        seconds=number(data.get("seconds")),
        checks=_checks(data.get("verifications") or data.get("verification")),
        request_ids=tuple(request_ids),
        events=_events(data.get("timeline")),
        prediction=parse_prediction(prediction),
    )


def parse_prediction(data: Mapping[str, Any]) -> Prediction | None:
    """:param data: ``fits``, ``hosts`` and ``reason``; empty when nothing was predicted."""
    if "fits" not in data:
        return None
    return Prediction(
        fits=data["fits"] is True,
        hosts=tuple(texts(data.get("hosts"))),
        reason=text(data.get("reason")),
    )


def _checks(data: Any) -> tuple[Check, ...]:
    return tuple(
        Check(
            str(name),
            as_mapping(check).get("passed") is True,
            text(as_mapping(check).get("expected")) or "",
            text(as_mapping(check).get("observed")) or "",
        )
        for name, check in as_mapping(data).items()
    )


def _events(data: Any) -> tuple[Event, ...]:
    found: list[tuple[datetime, Event]] = []
    for one in as_list(data):
        event, at = as_mapping(one), moment(as_mapping(one).get("at"))
        if at is not None:
            word = text(event.get("event")) or "unknown"
            found.append((at, Event(at, word, text(event.get("note")))))
    return tuple(event for _at, event in sorted(found, key=lambda pair: pair[0]))


def by_id(plan: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What a plan tells of each instance."""
    return {key: one for one in plan if (key := text(one.get("id")))}
