# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole: plan, carry out, result."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock
from ..operation import result as operation
from ..operation.result import SKIPPED, failure
from ..operation.run import OperationRun
from ..operation.settings import OperationSettings
from ..progress import Watcher
from .cloud import MigrationCloud
from .plan import Plan
from .planner import build_plan
from .request import Request
from .steps import MigrationOperation, Seen


@dataclass(slots=True, kw_only=True)
class Result(operation.Result):
    """With the plan that was carried out."""

    plan: Plan


def migrate(
    cloud: MigrationCloud,
    request: Request,
    settings: OperationSettings,
    clock: Clock,
    *,
    watcher: Watcher,
) -> Result:
    """Bring the instances to their hosts, and verify them.

    :raises RecoveryError: when nothing was begun: bad request, a host that cannot take them.
    """
    began = clock.monotonic()
    plan = build_plan(cloud, request)
    run: OperationRun[Seen] = OperationRun(
        MigrationOperation(cloud, plan.moves, request.method),
        plan.subjects(),
        settings,
        clock,
        send_progress=watcher.send,
        watched=watcher.watched,
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
