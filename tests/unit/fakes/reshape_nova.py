# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Nova that rebuilds and resizes, in simulated time, as the real one was seen to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
    SHUTDOWN,
    ComputeService,
    Instance,
    Port,
    PowerAction,
    ServerGroup,
    VolumeAttachment,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    FlavorWanted,
    ImageWanted,
    RootVolume,
    Shape,
)

from . import values
from .world import EPOCH, World

OLD_IMAGE, NEW_IMAGE = "image-old", "image-new"
SMALL = FlavorWanted(
    id="f1", name="small", vcpus=1, memory_mb=64, root_gb=1, ephemeral_gb=0, swap_mb=0
)
LARGE = replace(SMALL, id="f2", name="large", memory_mb=128, root_gb=2)
IMAGE = ImageWanted(id=NEW_IMAGE, name="new", size=1000)

_OF_SHAPE = {"flavor_name", "root_volume", "resize_status", "newest_action", "kept"}
# What becomes of a call.
WORKS = "works"
NO_HOST = "no host"
FAILS = "fails on the host"
REFUSED = "refused"
LOST = "not answered, and lost"
TAKEN = "not answered, and taken"
OUTCOMES = (WORKS, NO_HOST, FAILS, REFUSED, LOST, TAKEN)


def shape(name: str = "web-1", flavor: FlavorWanted = SMALL, **fields: Any) -> Shape:
    """An instance with this flavor. Fields are of the Shape, or else of the Instance."""
    of_shape = {key: fields.pop(key) for key in _OF_SHAPE & fields.keys()}
    sizes = {
        "vcpus": flavor.vcpus,
        "memory_mb": flavor.memory_mb,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "swap_mb": flavor.swap_mb,
        "extra_specs": dict(flavor.extra_specs),
    }
    image = {} if of_shape.get("root_volume") else {"image_id": OLD_IMAGE}
    instance = values.instance(name, **{**sizes, **image, **fields})
    return Shape(**{"instance": instance, "flavor_name": flavor.name, "kept": {}, **of_shape})


def volume(**fields: Any) -> RootVolume:
    return RootVolume(
        **{"id": "volume", "status": "in-use", "size_gb": 1, "image_id": OLD_IMAGE, **fields}
    )


class ReshapeNova:
    """Implements ReshapeCloud. ``script`` is by instance and call: the outcome of each time."""

    def __init__(self, world: World, shapes: Iterable[Shape] = ()) -> None:
        self.world = world
        self.now = {one.instance.id: one for one in shapes}
        self.script: dict[tuple[str, str], list[str]] = {}
        self.calls: list[tuple[str, str]] = []
        # Root disks that were made anew.
        self.replaced: list[str] = []
        self.stopped = {
            one.instance.id for one in self.now.values() if one.instance.vm_state == "stopped"
        }
        self.services = [values.service(f"compute-{number}") for number in (1, 2, 3)]
        self.groups: list[ServerGroup] = []
        self.images: dict[str, ImageWanted] = {NEW_IMAGE: IMAGE}
        self.flavors = {"small": SMALL, "large": LARGE}
        self.properties: dict[str, Mapping[str, Any] | None] = {OLD_IMAGE: {}, NEW_IMAGE: {}}
        self.host_traits: frozenset[str] = frozenset()
        self.host_architecture: str | None = "x86_64"
        self.trouble: list[Exception] = []
        # Where each instance is allocated besides.
        self.left_hosts: frozenset[str] = frozenset()
        # Of each instance with another than the usual one.
        self.addresses: dict[str, str] = {}

    # Reads

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        wanted = set(names)
        found = (one.instance for one in self.now.values())
        return [one for one in found if wanted & {one.id, one.name}]

    def instances_on(self, host: str) -> list[Instance]:
        return [one.instance for one in self.now.values() if one.instance.host == host]

    def shapes(self, instance_ids: Iterable[str]) -> dict[str, Shape]:
        self.world.spend(0.1)
        if self.trouble:
            raise self.trouble.pop(0)
        return {one: self.now[one] for one in instance_ids if one in self.now}

    def image(self, name_or_id: str) -> ImageWanted:
        return self.images[name_or_id]

    def flavor(self, name_or_id: str) -> FlavorWanted:
        return self.flavors[name_or_id]

    def flavor_id(self, instance_id: str) -> str:
        return {one.name: one.id for one in (SMALL, LARGE)}[self.now[instance_id].flavor_name]

    def image_properties(self, image_id: str) -> Mapping[str, Any] | None:
        return self.properties[image_id]

    def traits(self, instance_id: str) -> frozenset[str]:
        return self.host_traits

    def architecture(self, host: str) -> str | None:
        return self.host_architecture

    def compute_services(self) -> list[ComputeService]:
        return self.services

    def server_groups(self) -> list[ServerGroup]:
        return self.groups

    def power_actions(self, instance_id: str) -> list[PowerAction]:
        action = "stop" if instance_id in self.stopped else "create"
        return [PowerAction(action=action, start_time=EPOCH)]

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        return [
            values.port(
                id=f"port-{one}",
                instance_id=one,
                binding_host=self.now[one].instance.host or "",
                fixed_ips=frozenset({self.addresses.get(one, "10.0.0.9")}),
            )
            for one in instance_ids
            if one in self.now
        ]

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        return self.left_hosts | {self.now[instance_id].instance.host or ""}

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        return None if list(volume_ids) else {}

    def failure_of(self, instance_id: str) -> str | None:
        return f"No valid host for {instance_id}"

    # Calls

    def rebuild(self, instance_id: str, image_id: str) -> str | None:
        return self._call(
            "rebuild", instance_id, lambda how: self._rebuild(instance_id, image_id, how)
        )

    def resize(self, instance_id: str, flavor_id: str) -> str | None:
        flavor = next(one for one in self.flavors.values() if one.id == flavor_id)
        return self._call("resize", instance_id, lambda how: self._resize(instance_id, flavor, how))

    def confirm_resize(self, instance_id: str) -> str | None:
        return self._call("confirm", instance_id, lambda how: self._confirm(instance_id))

    def hard_reboot(self, instance_id: str) -> str | None:
        return self._call("hard_reboot", instance_id, lambda how: self._reboot(instance_id))

    def stop(self, instance_id: str) -> str | None:
        return self._call("stop", instance_id, lambda how: self._stop(instance_id))

    def _call(self, name: str, instance_id: str, take: Callable[[str], None]) -> str:
        self.world.spend(0.1)
        outcomes = self.script.get((instance_id, name))
        outcome = outcomes.pop(0) if outcomes else WORKS
        self.calls.append((name, instance_id))
        busy = self.now[instance_id].instance.task_state is not None
        if outcome == REFUSED or busy:
            raise ApiRefused("api_refused", f"{name} is refused", status=409, request_id="req-4")
        if outcome == LOST:
            raise ApiUnavailable(f"{name} was not answered")
        take(outcome)
        if outcome == TAKEN:
            raise ApiUnavailable(f"{name} was not answered")
        return f"req-{name}"

    def _set(self, instance_id: str, **fields: Any) -> None:
        before = self.now.get(instance_id)
        if before is not None:
            of_shape = {key: fields.pop(key) for key in _OF_SHAPE & fields.keys()}
            self.now[instance_id] = replace(
                before, instance=replace(before.instance, **fields), **of_shape
            )

    def _rebuild(self, instance_id: str, image_id: str, outcome: str) -> None:
        before = self.now[instance_id]
        state = before.instance.vm_state
        self._set(instance_id, task_state="rebuilding", newest_action="rebuild")
        if before.root_volume is None:
            self._set(instance_id, image_id=image_id)
        else:
            self._set(instance_id, root_volume=replace(before.root_volume, status="downloading"))

        def end() -> None:
            if outcome == NO_HOST:
                old = {"image_id": before.instance.image_id}
                self._set(instance_id, root_volume=before.root_volume)
                self._set(instance_id, task_state=None, vm_state="error", **old)
            elif outcome == FAILS:
                self.replaced.append(instance_id)
                self._set(instance_id, task_state=None, vm_state="error")
                if before.root_volume:
                    broken = replace(before.root_volume, status="error")
                    self._set(instance_id, root_volume=broken)
            else:
                self.replaced.append(instance_id)
                if before.root_volume:
                    made = replace(before.root_volume, image_id=image_id)
                    self._set(instance_id, root_volume=made)
                stopped = state == "stopped"
                self._set(
                    instance_id,
                    task_state=None,
                    vm_state="stopped" if stopped else "active",
                    power_state=SHUTDOWN if stopped else RUNNING,
                )

        self.world.after(5, end)

    def _resize(self, instance_id: str, flavor: FlavorWanted, outcome: str) -> None:
        self._set(instance_id, task_state="resize_prep", newest_action="resize")
        sizes = {
            "vcpus": flavor.vcpus,
            "memory_mb": flavor.memory_mb,
            "root_gb": flavor.root_gb,
            "ephemeral_gb": flavor.ephemeral_gb,
            "swap_mb": flavor.swap_mb,
            "flavor_name": flavor.name,
        }

        def end() -> None:
            if outcome == NO_HOST:
                self._set(instance_id, task_state=None)
            elif outcome == FAILS:
                # The flavor is the old one again, and the host is not.
                self._set(instance_id, task_state=None, vm_state="error", host="compute-2")
            else:
                moved = {"host": "compute-2", "resize_status": "finished"}
                self._set(instance_id, task_state=None, vm_state="resized", **moved, **sizes)

        self.world.after(8, end)

    def _confirm(self, instance_id: str) -> None:
        self._set(instance_id, resize_status="confirming")
        state = "stopped" if self.now[instance_id].instance.power_state == SHUTDOWN else "active"
        self.world.after(4, lambda: self._set(instance_id, vm_state=state, resize_status=None))

    def _reboot(self, instance_id: str) -> None:
        self._set(instance_id, task_state="rebooting_hard")
        running = {"task_state": None, "vm_state": "active", "power_state": RUNNING}
        self.world.after(3, lambda: self._set(instance_id, **running))

    def _stop(self, instance_id: str) -> None:
        self._set(instance_id, task_state="powering-off")
        stopped = {"task_state": None, "vm_state": "stopped", "power_state": SHUTDOWN}
        self.world.after(2, lambda: self._set(instance_id, **stopped))
