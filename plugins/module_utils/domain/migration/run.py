# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole: plan, carry out, result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..clock import Clock
from ..errors import RecoveryError
from ..operation.result import SKIPPED, failure, totals
from ..operation.run import OperationRun
from ..operation.settings import OperationSettings
from .cloud import MigrationCloud
from .plan import Plan
from .planner import build_plan
from .request import Request
from .steps import MigrationOperation, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the module returns, before it is made a dictionary."""

    plan: Plan
    changed: bool
    seconds: float
    error: RecoveryError | None
    instances: list[dict[str, Any]] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        return totals(self.instances)


def require_per_source(per_source: int | None) -> None:
    """:raises RecoveryError: ``invalid_options``."""
    if per_source is not None and per_source < 1:
        raise RecoveryError(
            "invalid_options", f"concurrency_per_source must be at least 1, not {per_source}"
        )


def migrate(
    cloud: MigrationCloud,
    request: Request,
    settings: OperationSettings,
    clock: Clock,
    *,
    per_source: int | None,
    send_progress: Callable[[str], None] = lambda line: None,
    watched: Callable[[], bool] = lambda: True,
) -> Result:
    """Bring the instances to their hosts, and verify them.

    :param per_source: how many of one host may be in progress at once.
    :raises RecoveryError: when nothing was begun: bad request, a host that cannot take them.
    """
    began = clock.monotonic()
    plan = build_plan(cloud, request)
    run: OperationRun[Seen] = OperationRun(
        MigrationOperation(cloud, plan.moves, request.method),
        list(plan.subjects(per_source)),
        settings,
        clock,
        send_progress=send_progress,
        watched=watched,
    )
    run.run()
    return Result(
        plan=plan,
        changed=run.changed,
        seconds=round(clock.monotonic() - began, 1),
        error=failure(run.works, run.halt, "migration_incomplete"),
        instances=[work.as_dict() for work in run.works]
        + [{**skipped.as_dict(), "status": SKIPPED} for skipped in plan.skipped],
    )
