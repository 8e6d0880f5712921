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
    planned: Mapping[str, Any], batches: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """``instances``, ``totals``, ``requests``, ``error`` and ``message`` of a run in batches.

    Every instance of the plan is among them. ``error`` and ``message`` are None only when each is
    verified, skipped or gone.

    :param planned: what the module has returned for all instances in check mode.
    :param batches: what it has returned for each batch that was begun, with the ``ids`` of the batch.
    """
    done = {one["id"]: dict(one) for batch in batches for one in batch.get("instances") or ()}
    begun = {instance_id: batch for batch in batches for instance_id in batch["ids"]}
    instances = [
        done.get(entry["id"]) or _without_result(entry, begun.get(entry["id"]))
        for entry in planned.get("plan") or ()
    ]
    requests: Counter[str] = Counter()
    for batch in batches:
        requests.update(batch.get("requests") or {})
    error, message = _failure(planned, batches, instances)
    return {
        "instances": instances,
        "totals": totals(instances),
        "requests": dict(requests),
        "error": error,
        "message": message,
    }


def _without_result(entry: Mapping[str, Any], batch: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = {name: entry[name] for name in ("id", "name", "project_id", "from", "action")}
    if entry["action"] == "skip":
        return {**kept, "status": SKIPPED, "code": entry["code"], "reason": entry["reason"]}
    if batch is None:
        reason = "its batch was not begun"
        return {**kept, "status": NOT_STARTED, "code": "batch_not_begun", "reason": reason}
    reason = f"its batch has ended without a result for it: {_said(batch)}"
    return {**kept, "status": FAILED, "code": _NO_RESULT, "reason": reason}


def _failure(
    planned: Mapping[str, Any],
    batches: Sequence[Mapping[str, Any]],
    instances: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Any] | None, str | None]:
    """The error and its message: what the module says first, else what it has left open."""
    for result in (planned, *batches):
        if result.get("error"):
            return dict(result["error"]), result.get("msg")
    if "plan" not in planned:
        return _told(_NO_RESULT, f"there is no plan: {_said(planned)}")
    open_ones = [one for one in instances if one["status"] not in _GOOD_ENDS]
    if not open_ones:
        return None, None
    lost = next((one for one in open_ones if one["code"] == _NO_RESULT), None)
    first = lost or open_ones[0]
    return _told(
        _NO_RESULT if lost else "reshape_incomplete",
        f"{len(open_ones)} of {len(instances)} instances are not verified. The first is"
        f" {first['name']}: {first['reason']}",
    )


def _told(code: str, message: str) -> tuple[dict[str, Any], str]:
    return RecoveryError(code, message, retriable=True).as_dict(), message


def _said(result: Mapping[str, Any]) -> str:
    return result.get("msg") or "the module says nothing"
