# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another image or flavor as an operation, and the whole run of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..check import Check
from ..clock import Clock
from ..evacuation.power import intended_by_state
from ..operation.result import Result, failure
from ..operation.run import OperationRun
from ..operation.settings import OperationSettings
from ..operation.step import Act, Fail, Standing, Verdict
from ..operation.verification import verify_each
from ..progress import Watcher
from . import steps
from .plan import Plan
from .shape import ReshapeCloud, Shape, Wanted
from .verification import addresses_of, verify


class Reshape:
    """Implements Operation for the instances of a plan."""

    def __init__(self, cloud: ReshapeCloud, plan: Plan) -> None:
        self._cloud = cloud
        self._wanted: Wanted = plan.wanted
        self._before = {planned.shape.instance.id: planned.before for planned in plan.reshapes}
        # What an earlier run has begun shows nothing of what was before it.
        self._renewable = {
            planned.shape.instance.id for planned in plan.reshapes if planned.action != "adopt"
        }
        self._sent: set[str] = set()
        self._ports_read: set[str] = set()

    def look(self, instance_ids: Sequence[str]) -> Mapping[str, Shape]:
        return self._cloud.shapes(instance_ids)

    def judge(self, instance_id: str, seen: Shape | None) -> Verdict:
        untouched = instance_id not in self._sent
        if untouched and seen is not None and instance_id in self._renewable:
            self._renew_before(instance_id, seen)
        verdict = steps.next_step(seen, self._wanted, self._before[instance_id].power)
        if untouched and seen is not None and seen.instance.locked and isinstance(verdict, Act):
            return Fail("locked", "it was locked meanwhile: unlock it first", not_by_step=True)
        return verdict

    def _renew_before(self, instance_id: str, seen: Shape) -> None:
        """Its user may have stopped it, or given it a volume, while it waited for its turn."""
        power = intended_by_state(seen.instance)
        if seen.instance.task_state is not None or power is None:
            return
        before = replace(
            self._before[instance_id],
            power=power,
            kept=seen.kept,
            volume_ids=seen.instance.volume_ids,
        )
        if instance_id not in self._ports_read:
            addresses = addresses_of(self._cloud.ports_of([instance_id]))
            before = replace(before, addresses=addresses)
            self._ports_read.add(instance_id)
        self._before[instance_id] = before

    def standing(self, instance_id: str, seen: Shape | None) -> Standing:  # noqa: ARG002  of Operation
        return steps.standing(seen, self._wanted)

    def remedy(self, instance_id: str, seen: Shape | None) -> str | None:
        return steps.remedy(seen, self._wanted, self._before[instance_id].power)

    def send(self, instance_id: str, step: str) -> str | None:
        self._sent.add(instance_id)
        image, flavor = self._wanted.image, self._wanted.flavor
        if step == steps.REBUILD and image:
            return self._cloud.rebuild(instance_id, image.id)
        if step == steps.RESIZE and flavor:
            return self._cloud.resize(instance_id, flavor.id)
        if step == steps.CONFIRM:
            return self._cloud.confirm_resize(instance_id)
        if step == steps.STOP:
            return self._cloud.stop(instance_id)
        return self._cloud.hard_reboot(instance_id)

    def why_ended(self, instance_id: str, step: str) -> str | None:  # noqa: ARG002  of Operation
        return self._cloud.failure_of(instance_id)

    def verify(self, seen: Mapping[str, Shape | None]) -> Mapping[str, Mapping[str, Check]]:
        shapes = {instance_id: shape for instance_id, shape in seen.items() if shape}
        return verify_each(
            self._cloud,
            {instance_id: shape.instance for instance_id, shape in shapes.items()},
            lambda instance_id, ports, volumes: verify(
                self._before[instance_id],
                self._wanted,
                shapes[instance_id],
                ports=ports,
                allocation_hosts=self._cloud.allocation_hosts(instance_id),
                volumes=volumes,
            ),
        )


def reshape(
    cloud: ReshapeCloud,
    plan: Plan,
    settings: OperationSettings,
    clock: Clock,
    *,
    watcher: Watcher,
) -> Result:
    """Carry the plan out, and verify each instance."""
    began = clock.monotonic()
    run = OperationRun(
        Reshape(cloud, plan),
        [planned.subject for planned in plan.reshapes],
        settings,
        clock,
        send_progress=watcher.send,
        watched=watcher.watched,
    )
    run.run()
    return Result(
        changed=run.changed,
        seconds=round(clock.monotonic() - began, 1),
        instances=[work.as_dict() for work in run.works]
        + [skipped.result() for skipped in plan.skipped],
        error=failure(run.works, run.halt, "reshape_incomplete"),
    )
