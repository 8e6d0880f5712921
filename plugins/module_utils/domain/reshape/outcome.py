# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a reshape in batches as one.

A module that is killed says nothing: what is not known to be well is a failure here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RecoveryError
from ..operation.result import SKIPPED, totals
from ..operation.work import FAILED, GONE, NOT_STARTED, VERIFIED

_GOOD_ENDS = frozenset({VERIFIED, SKIPPED, GONE})
_NO_RESULT = "no_result"


def reshape_outcome(
    planned: Mapping[str, Any],
    batches: Sequence[Mapping[str, Any]],
    *,
    on_refused: str = "fail",
) -> dict[str, Any]:
    """``instances``, ``totals``, ``requests``, ``error`` and ``message`` of a run in batches.

    Every instance of the plan is among them. ``error`` and ``message`` are None only when each is
    verified, skipped or gone.

    :param planned: what the module has returned for all instances in check mode.
    :param batches: what it has returned for each batch that was begun, with the ``ids`` of the batch.
        What the plan did not refuse is refused there by itself.
    :param on_refused: ``fail``: one that was refused after the plan was made is a failure, too.
    """
    done = {one["id"]: dict(one) for batch in batches for one in batch.get("instances") or ()}
    begun = {instance_id: batch for batch in batches for instance_id in batch["ids"]}
    plan = planned.get("plan") or ()
    instances = [
        _with_result(entry, done[entry["id"]])
        if entry["id"] in done
        else _without_result(entry, begun.get(entry["id"]))
        for entry in plan
    ]
    requests: Counter[str] = Counter()
    for batch in batches:
        requests.update(batch.get("requests") or {})
    unfinished = [
        one
        for entry, one in zip(plan, instances, strict=True)
        if one["status"] not in _GOOD_ENDS or (on_refused == "fail" and _newly_refused(entry, one))
    ]
    error, message = _failure(planned, batches, unfinished)
    return {
        "instances": instances,
        "totals": totals(instances),
        "requests": dict(requests),
        "error": error,
        "message": message,
    }


def _newly_refused(entry: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    return bool(one["status"] == SKIPPED and entry["action"] != "skip")


def _with_result(entry: Mapping[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    if one["status"] == SKIPPED and one["code"] == "being_deleted":
        # Its user does that: it was not when the plan was made.
        one["status"] = GONE
    # The module knows nothing but the id of one that was deleted.
    return {**one, **_kept(entry)} if one["status"] == GONE else one


def _kept(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("id", "name", "project_id", "from", "action")}


def _without_result(entry: Mapping[str, Any], batch: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = _kept(entry)
    if entry["action"] == "skip":
        status = GONE if entry["code"] == "deleted" else SKIPPED
        return {**kept, "status": status, "code": entry["code"], "reason": entry["reason"]}
    if batch is None:
        reason = "its batch was not begun"
        return {**kept, "status": NOT_STARTED, "code": "batch_not_begun", "reason": reason}
    reason = f"its batch has ended without a result for it: {_said(batch)}"
    return {**kept, "status": FAILED, "code": _NO_RESULT, "reason": reason}


def _failure(
    planned: Mapping[str, Any],
    batches: Sequence[Mapping[str, Any]],
    unfinished: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Any] | None, str | None]:
    """The error and its message: what the module says first, else what it has left open."""
    for result in (planned, *batches):
        if result.get("error"):
            return dict(result["error"]), result.get("msg")
    if "plan" not in planned:
        return _told(_NO_RESULT, f"there is no plan: {_said(planned)}")
    if not unfinished:
        return None, None
    lost = next((one for one in unfinished if one["code"] == _NO_RESULT), None)
    first = lost or unfinished[0]
    return _told(
        _NO_RESULT if lost else "reshape_incomplete",
        f"{len(unfinished)} of {len(planned['plan'])} instances are not verified. The first is"
        f" {first['name']}: {first['reason']}",
    )


def _told(code: str, message: str) -> tuple[dict[str, Any], str]:
    return RecoveryError(code, message, retriable=True).as_dict(), message


def _said(result: Mapping[str, Any]) -> str:
    return result.get("msg") or "the module says nothing"
