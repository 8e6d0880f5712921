# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another image or flavor as an operation, and the whole run of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..check import Check
from ..clock import Clock
from ..errors import RecoveryError
from ..nova import Port
from ..operation.result import Result, failure
from ..operation.run import OperationRun
from ..operation.settings import OperationSettings
from ..operation.step import Standing, Verdict
from ..progress import Watcher
from . import steps
from .plan import Plan
from .shape import ReshapeCloud, Shape, Wanted
from .verification import verify


class Reshape:
    """Implements Operation for the instances of a plan."""

    def __init__(self, cloud: ReshapeCloud, plan: Plan) -> None:
        self._cloud = cloud
        self._wanted: Wanted = plan.wanted
        self._before = {planned.shape.instance.id: planned.before for planned in plan.reshapes}

    def look(self, instance_ids: Sequence[str]) -> Mapping[str, Shape]:
        return self._cloud.shapes(instance_ids)

    def judge(self, instance_id: str, seen: Shape | None) -> Verdict:
        return steps.next_step(seen, self._wanted, self._before[instance_id].power)

    def standing(self, instance_id: str, seen: Shape | None) -> Standing:  # noqa: ARG002  of Operation
        return steps.standing(seen, self._wanted)

    def remedy(self, instance_id: str, seen: Shape | None) -> str | None:
        return steps.remedy(seen, self._wanted, self._before[instance_id].power)

    def send(self, instance_id: str, step: str) -> str | None:
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
        ports: dict[str, list[Port]] = {}
        for port in self._cloud.ports_of(shapes):
            ports.setdefault(port.instance_id, []).append(port)
        volumes = self._cloud.volumes(
            {volume for shape in shapes.values() for volume in shape.instance.volume_ids}
        )
        found: dict[str, Mapping[str, Check]] = {}
        errors: list[RecoveryError] = []
        for instance_id, shape in shapes.items():
            try:
                hosts = self._cloud.allocation_hosts(instance_id)
            except RecoveryError as error:
                errors.append(error)
                continue
            found[instance_id] = verify(
                self._before[instance_id],
                self._wanted,
                shape,
                ports=ports.get(instance_id, ()),
                allocation_hosts=hosts,
                volumes=volumes,
            )
        if errors and not found:
            raise errors[0]
        return found


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
        + [refused.result() for refused in plan.refused],
        error=failure(run.works, run.halt, "reshape_incomplete"),
    )
