# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the plan of a reshape: which steps each instance needs, and what must be refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..attached import ports_by_instance
from ..errors import RecoveryError
from ..evacuation.order import one_at_a_time_groups
from ..evacuation.power import intended_by_actions, intended_by_state
from ..evacuation.selection import groups_by_member, pick_named
from ..never_booted.refusal import Refusal
from ..nova import COMPUTE, Instance, Port, ServerGroup
from ..operation.step import Arrived, Fail, Gone, Wait
from . import fit
from .plan import MissingInstance, Plan, PlannedReshape, RefusedInstance, Request, data_lost
from .shape import MISSING, FlavorWanted, ImageWanted, ReshapeCloud, Shape, Wanted
from .steps import CONFIRM, FINISHED, REBUILD, RESIZE, next_step, pending
from .verification import Before, addresses_of

# How the task states begin that a rebuild and a resize set.
_REBUILDING = "rebuild"
_RESIZING = "resize"


def build_plan(cloud: ReshapeCloud, request: Request) -> Plan:
    """:raises RecoveryError: what the whole request is refused for, before anything is changed."""
    wanted = Wanted(
        image=cloud.image(request.image) if request.image else None,
        flavor=cloud.flavor(request.flavor) if request.flavor else None,
        replace_root_disk=request.replace_root_disk,
    )
    instances, missing = _selected(cloud, request)
    shapes = cloud.shapes([instance.id for instance in instances])
    planner = _Planner(cloud, wanted, ports_by_instance(cloud.ports_of(shapes)))
    reshapes, refused = [], []
    for instance in instances:
        shape = shapes.get(instance.id)
        planned = planner.plan(shape) if shape else _GONE
        if isinstance(planned, Refusal):
            refused.append(RefusedInstance(instance=instance, refusal=planned))
        else:
            reshapes.append(planned)
    if refused and not request.skip_refused:
        _refuse(refused, len(instances))
    reshapes.sort(key=lambda planned: planned.action != "adopt")
    return Plan(
        wanted=wanted, reshapes=tuple(reshapes), refused=tuple(refused), missing=tuple(missing)
    )


_GONE = Refusal(code="being_deleted", message="it is deleted or being deleted")


def _selected(
    cloud: ReshapeCloud, request: Request
) -> tuple[list[Instance], list[MissingInstance]]:
    """Those that are meant, and those that are left out as Nova does not have them."""
    named, missing = None, []
    if request.instances is not None:
        found = cloud.instances_named(request.instances)
        wanted = dict.fromkeys(request.instances)
        if request.skip_missing:
            known = {word for instance in found for word in (instance.id, instance.name)}
            missing = [MissingInstance(name=word) for word in wanted if word not in known]
            wanted = dict.fromkeys(word for word in wanted if word in known)
        # One that was named twice, by its name and its id, is one.
        named = {instance.id: instance for instance in pick_named(wanted, found).values()}
    if request.host is None:
        return list((named or {}).values()), missing
    if not any(s.host == request.host and s.binary == COMPUTE for s in cloud.compute_services()):
        raise RecoveryError(
            "host_not_found",
            f"Nova has no compute service on '{request.host}'; nothing was done. The name must be"
            " exactly Nova's.",
            details={"host": request.host},
        )
    here = sorted(cloud.instances_on(request.host), key=lambda one: (one.name, one.id))
    if named is not None:
        here = [instance for instance in here if instance.id in named]
    return here, missing


def _refuse(refused: list[RefusedInstance], number: int) -> None:
    first = refused[0]
    raise RecoveryError(
        "refused",
        f"{len(refused)} of {number} instances are refused, nothing was done; the first is"
        f" {first.instance.name} ({first.instance.id}): {first.refusal.message}. State"
        " on_refused=skip to leave these out.",
        # What Nova works on now can be had later.
        retriable=all(one.refusal.code == "task_in_progress" for one in refused),
        details={
            "instances": {
                one.instance.id: {
                    "name": one.instance.name,
                    "code": one.refusal.code,
                    "message": one.refusal.message,
                }
                for one in refused
            }
        },
    )


@dataclass
class _Planner:
    cloud: ReshapeCloud
    wanted: Wanted
    ports: Mapping[str, Iterable[Port]]
    _up: dict[str, bool] = field(init=False)
    _groups: Mapping[str, Iterable[ServerGroup]] = field(init=False)
    _images: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        services = self.cloud.compute_services()
        self._up = {s.host: s.state == "up" for s in services if s.binary == COMPUTE}
        # Only a resize chooses a host.
        groups = self.cloud.server_groups() if self.wanted.flavor else []
        self._groups = groups_by_member(groups)

    def plan(self, shape: Shape) -> PlannedReshape | Refusal:
        if refusal := self._state_refusal(shape):
            return refusal
        steps = pending(shape, self.wanted)
        if steps and (refusal := _root_volume_refusal(shape, steps)):
            return refusal
        if REBUILD in steps and (refusal := self._rebuild_refusal(shape)):
            return refusal
        if RESIZE in steps and (refusal := self._resize_refusal(shape)):
            return refusal
        return PlannedReshape(
            shape=shape,
            before=self._before(shape),
            wanted=self.wanted,
            action=_action(shape, self.wanted, steps),
            steps=_to_send(shape, steps),
            not_with=one_at_a_time_groups(shape.instance.id, self._groups),
        )

    def _state_refusal(self, shape: Shape) -> Refusal | None:
        now = shape.instance
        verdict = next_step(shape, self.wanted, "")
        if isinstance(verdict, Gone):
            return _GONE
        if not now.launched:
            return Refusal(
                code="never_booted", message="it never booted: rebuild_never_booted is for it"
            )
        if isinstance(verdict, Fail):
            return Refusal(code=verdict.code, message=verdict.reason)
        if isinstance(verdict, Wait) and not _leads_there(shape, self.wanted):
            return Refusal(
                code="task_in_progress", message=f"Nova is at work on it ({verdict.phase})"
            )
        if isinstance(verdict, Arrived):
            return None
        if now.locked:
            # Nova lets administrators through.
            return Refusal(code="locked", message="it is locked: unlock it first")
        if not self._up.get(now.host or "", False):
            return Refusal(
                code="host_down",
                message=f"nova-compute on its host {now.host} is down: Nova would wait for it for"
                " ever. Evacuate it first",
            )
        return None

    def _rebuild_refusal(self, shape: Shape) -> Refusal | None:
        image = self.wanted.image
        if image is None:
            return None
        if refusal := _not_accessible(shape, "image", image):
            return refusal
        if not self.wanted.replace_root_disk:
            return Refusal(
                code="root_disk_replaced",
                message=f"a rebuild with another image replaces its {data_lost(shape)}, and what is"
                " on it is lost: state replace_root_disk=true to accept that",
            )
        before = self._image_before(shape)
        host = shape.instance.host or ""
        needs_traits = bool(fit.required_traits(image))
        return (
            fit.image_refusal(shape, self.wanted, image)
            or fit.properties_refusal(shape, image, before)
            or fit.host_refusal(
                image,
                self.cloud.traits(shape.instance.id) if needs_traits else None,
                self.cloud.architecture(host),
            )
            or fit.agreement_refusal(self._extra_specs(shape), image.properties)
        )

    def _resize_refusal(self, shape: Shape) -> Refusal | None:
        flavor = self.wanted.flavor
        if flavor is None:
            return None
        refusal = _not_accessible(shape, "flavor", flavor) or fit.flavor_refusal(shape, flavor)
        if refusal:
            return refusal
        if shape.has_sizes_of(flavor) and self.cloud.flavor_id(shape.instance.id) == flavor.id:
            return Refusal(
                code="flavor_edited",
                message=f"it has flavor {flavor.name}, whose extra specs were changed since: Nova"
                " resizes no instance to the flavor that it has. Make another flavor with these"
                " extra specs, and give that",
            )
        image = self.wanted.image
        if image and pending(shape, self.wanted)[0] == REBUILD:
            # By then it has the new image.
            return fit.agreement_refusal(flavor.extra_specs, image.properties)
        before = self._image_before(shape)
        return None if before is None else fit.agreement_refusal(flavor.extra_specs, before)

    def _extra_specs(self, shape: Shape) -> Mapping[str, str]:
        if pending(shape, self.wanted)[0] == REBUILD or self.wanted.flavor is None:
            return shape.instance.extra_specs
        return self.wanted.flavor.extra_specs

    def _image_before(self, shape: Shape) -> Mapping[str, Any] | None:
        if shape.root_volume:
            return shape.root_volume.image_properties
        image_id = shape.image_id or ""
        if image_id not in self._images:
            self._images[image_id] = self.cloud.image_properties(image_id)
        return self._images[image_id]

    def _before(self, shape: Shape) -> Before:
        now = shape.instance
        power = intended_by_state(now) if now.task_state is None else None
        return Before(
            power=power or intended_by_actions(self.cloud.power_actions(now.id)),
            addresses=addresses_of(self.ports.get(now.id, ())),
            volume_ids=now.volume_ids,
            kept=shape.kept,
            left_hosts=frozenset(
                host
                for host in self.cloud.allocation_hosts(now.id)
                if not self._up.get(host, False)
            ),
        )


def _not_accessible(shape: Shape, kind: str, wanted: FlavorWanted | ImageWanted) -> Refusal | None:
    project = shape.instance.project_id
    if wanted.project_ids is None or project in wanted.project_ids:
        return None
    return Refusal(
        code=f"{kind}_not_accessible",
        message=f"project {project} may not use {kind} {wanted.name}: give it access, or give"
        f" another {kind}",
    )


def _root_volume_refusal(shape: Shape, steps: list[str]) -> Refusal | None:
    volume = shape.root_volume
    # During a rebuild, which an earlier run may have begun, it is reserved and downloading.
    if volume is None or volume.status == "in-use" or shape.instance.task_state is not None:
        return None
    if REBUILD not in steps and volume.status != MISSING:
        return None
    return Refusal(code="root_volume", message=f"its root volume {volume.id} is {volume.status}")


def _action(shape: Shape, wanted: Wanted, steps: list[str]) -> str:
    verdict = next_step(shape, wanted, "")
    if isinstance(verdict, Wait) or shape.instance.vm_state == "resized":
        return "adopt"
    return ", ".join(steps) or "verify"


def _to_send(shape: Shape, steps: list[str]) -> tuple[str, ...]:
    """Without what an earlier run has sent. Whether a root volume was is seen only when it is done."""
    now = shape.instance
    waits = now.vm_state == "resized" and shape.resize_status == FINISHED
    if waits or (now.task_state or "").startswith(_RESIZING):
        return (CONFIRM, *(step for step in steps if step != RESIZE))
    return tuple(steps)


def _leads_there(shape: Shape, wanted: Wanted) -> bool:
    """Whether what Nova does now is what an earlier run has asked for."""
    task = shape.instance.task_state
    if task is None:
        # A resize to the wanted flavor that is being confirmed.
        return True
    if task.startswith(_REBUILDING):
        volume_backed = shape.instance.image_id is None
        return wanted.image is not None and (volume_backed or shape.has_image(wanted.image))
    if task.startswith(_RESIZING):
        return wanted.flavor is not None
    # What Nova itself, or an earlier run, does after a step.
    return task == "powering-off" or task.startswith("reboot")
