# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of an evacuation: what moves, in which order, what stays and why.

Check mode returns this object, a run applies it and the diff renders it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..capacity.forecast import Prediction
from ..errors import RecoveryError
from ..nova import ComputeService, Instance, MigrationRecord
from ..policy.decision import Decision
from ..policy.policy import OPT_IN, Policy
from ..records import SUCCEEDED
from ..service_change import ServiceChange
from .selection import Skip, StoragePolicy
from .verification import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for: all instances of ``host``, or those named, or those named of the host.

    ``rehearsal``: plan for a host that is up, which is of no use but to look at the plan.
    ``disabled_reason``: force the hosts' services down and disable them, for this reason.
    """

    host: str | None
    instances: tuple[str, ...] | None = None
    storage: StoragePolicy
    rehearsal: bool = False
    disabled_reason: str | None = None
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        if self.instances is not None and not self.instances:
            raise RecoveryError(
                "invalid_options",
                "'instances' is an empty list: it does not mean all. Leave it out to evacuate every"
                " instance of 'host'.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMove:
    """One instance to bring to another host.

    ``record`` is None for an evacuation still to be submitted; otherwise the record of one that an
    earlier run submitted: in progress, or done and to be verified. ``keep_away`` says why such a
    one must not be submitted again if it fails. ``decision`` is what the policy says of it,
    ``prediction`` whether it will find room; None where nothing was predicted.
    """

    instance: Instance
    baseline: Baseline
    decision: Decision = field(default_factory=Decision)
    exclusive_groups: frozenset[str] = frozenset()
    loses: str | None = None
    record: MigrationRecord | None = None
    keep_away: Skip | None = None
    ended_record_ids: frozenset[int] = frozenset()
    prediction: Prediction | None = None

    @property
    def without_room(self) -> bool:
        """Whether no host is expected to take it."""
        return self.prediction is not None and self.prediction.fits is False

    @property
    def action(self) -> str:
        if self.record is None:
            return "evacuate"
        return "verify" if self.record.status in SUCCEEDED else "adopt"

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance.id,
            "name": self.instance.name,
            "project_id": self.instance.project_id,
            "from": self.baseline.source,
            "action": self.action,
            "power_state": self.baseline.power,
            "record_id": self.record.id if self.record else None,
            "one_at_a_time_with": sorted(self.exclusive_groups),
            "data_lost": self.loses,
            "prediction": self.prediction.as_dict() if self.prediction else None,
            "priority": self.decision.priority,
            "restart_group": self.decision.restart_group,
            "leave_off": self.decision.leave_off,
            "reshape": asdict(self.decision.reshape) if self.decision.reshape else None,
            "rules": dict(self.decision.rules),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedInstance:
    instance: Instance
    skip: Skip
    decision: Decision = field(default_factory=Decision)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance.id,
            "name": self.instance.name,
            "project_id": self.instance.project_id,
            "from": self.instance.host,
            "action": "skip",
            "code": self.skip.code,
            "reason": self.skip.reason,
            "rules": dict(self.decision.rules),
        }


@dataclass(frozen=True, slots=True)
class PlannedServiceChange:
    """One call that keeps new instances away from a host and lets Nova take it as down."""

    service: ComputeService
    change: ServiceChange

    def as_dict(self) -> dict[str, Any]:
        return {"host": self.service.host, **self.change.body}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``service_changes`` come first, then ``moves`` in the order in which they are submitted.

    ``silent_sources`` are those whose heartbeat is known to stand still, from before any change.
    """

    sources: tuple[str, ...]
    silent_sources: frozenset[str] = frozenset()
    service_changes: tuple[PlannedServiceChange, ...] = ()
    moves: tuple[PlannedMove, ...] = ()
    skipped: tuple[SkippedInstance, ...] = ()
    policy: Policy = field(default_factory=Policy)
    # What of the policy was ignored, and why.
    notes: tuple[str, ...] = ()

    @property
    def changes_something(self) -> bool:
        return bool(self.service_changes) or any(move.record is None for move in self.moves)

    @property
    def needs_lock(self) -> bool:
        """Only to verify what an earlier run has moved can be done beside another run."""
        return bool(self.service_changes) or any(move.action != "verify" for move in self.moves)

    @property
    def nothing_opted_in(self) -> str | None:
        """Why nothing moves, where the policy would have had to opt something in."""
        opted_in = self.moves or any(entry.decision.evacuate for entry in self.skipped)
        if opted_in or not self.skipped or self.policy.selection != OPT_IN:
            return None
        return (
            f"nothing is evacuated: the policy evacuates what a rule opts in (selection: opt_in),"
            f" and no rule opts in one of the {len(self.skipped)} instances"
        )

    def totals(self) -> dict[str, int]:
        """Counts by what is to be done."""
        actions = Counter(entry["action"] for entry in self.as_list())
        return {
            "planned": len(self.moves),
            **{action: actions[action] for action in ("evacuate", "adopt", "verify", "skip")},
        }

    def as_list(self) -> list[dict[str, Any]]:
        planned: Sequence[PlannedMove | SkippedInstance] = (*self.moves, *self.skipped)
        return [entry.as_dict() for entry in planned]
