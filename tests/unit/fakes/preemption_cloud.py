# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud whose instances can be shelved and deleted, behind the Protocol of making room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
    Circumstances,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.needs import (
    Flavor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    Host,
    Inventory,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    SHUTDOWN,
    ComputeService,
    Instance,
    ServerGroup,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Facts,
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    Policy,
)

from . import values
from .world import World

_CALL_SECONDS = 0.1
_WORK_SECONDS = 5.0
_LATE_SECONDS = 20.0


class FakePreemptionCloud:
    """Implements PreemptionCloud. Hosts have MEMORY_MB only.

    :param memory: MiB of each host by its name.
    """

    def __init__(self, memory: Mapping[str, int]) -> None:
        self.world = World()
        self.memory = dict(memory)
        self.services = [values.service(host) for host in memory]
        self.zones: list[Aggregate] = []
        self.groups: list[ServerGroup] = []
        self.most: dict[str, int] = {}
        self.instances: dict[str, Instance] = {}
        # Amounts by host, by instance.
        self.holds: dict[str, dict[str, dict[str, int]]] = {}
        self.calls: list[tuple[str, str]] = []
        # By instance what becomes of a call: an HTTP status; "fails" (Nova gives up, and leaves off what
        # it has powered off), "breaks" (it is in ERROR then), "hangs", "keeps" (Placement still counts it); not answered: "lost" (Nova
        # carries it out), "late" (it does so some time later), "unheard".
        self.trouble: dict[str, Any] = {}
        self.offloads_at_once = True
        self.deletes_softly = False
        self.properties: Mapping[str, str] | None = {}
        self.flavors: dict[str, Flavor] = {}

    def add(self, name: str, memory_mb: int, host: str | None = "h1", **more: Any) -> Instance:
        """One that is on a host and holds what its flavor asks for, or one that waits (None)."""
        waits = {"host": None, "vm_state": "error", "launched": False, "power_state": 0}
        instance = values.instance(
            name,
            **{"host": host, "memory_mb": memory_mb, "image_id": "image"}
            | (waits if host is None else {})
            | more,
        )
        self.instances[instance.id] = instance
        if instance.host is not None:
            self.holds[instance.id] = {instance.host: {"MEMORY_MB": memory_mb}}
        return instance

    def change(self, name: str, /, **what: Any) -> None:
        self.instances[f"id-{name}"] = replace(self.instances[f"id-{name}"], **what)

    # What it tells.

    def compute_services(self) -> list[ComputeService]:
        return self.services

    def update_service(self, service_id: str, body: Mapping[str, Any]) -> None:
        raise AssertionError("nobody changes a service to make room")

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        self.world.spend(_CALL_SECONDS)
        wanted = set(names)
        return [i for i in self.instances.values() if {i.id, i.name} & wanted]

    def instances_everywhere(self) -> list[Instance]:
        return list(self.instances.values())

    def policy_facts(
        self, policy: Policy, instances: Iterable[Instance], *, reshapes: bool = False
    ) -> Facts:
        return Facts(subjects={instance.id: Subject.of(instance) for instance in instances})

    def server_groups(self) -> list[ServerGroup]:
        return self.groups

    def flavor_named(self, name_or_id: str) -> Flavor:
        if name_or_id not in self.flavors:
            raise RecoveryError("flavor_not_found", f"there is no flavor {name_or_id}")
        return self.flavors[name_or_id]

    def aggregates(self) -> list[Aggregate]:
        return self.zones

    def circumstances(self, instances: Iterable[Instance]) -> Mapping[str, Circumstances]:
        return {
            instance.id: Circumstances(pinned_zone=instance.zone, image_properties=self.properties)
            for instance in instances
        }

    def group_limits(self) -> Mapping[str, int]:
        return self.most

    def hosts(self, names: Iterable[str]) -> list[Host]:
        self.world.spend(_CALL_SECONDS)
        wanted = set(names)
        return [
            Host(
                name=name,
                inventories={"MEMORY_MB": [Inventory(total=total, used=self._used(name))]},
                held={one: held[name] for one, held in self.holds.items() if name in held},
            )
            for name, total in self.memory.items()
            if name in wanted
        ]

    def _used(self, host: str) -> int:
        return sum(held.get(host, {}).get("MEMORY_MB", 0) for held in self.holds.values())

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        return frozenset(self.holds.get(instance_id, ()))

    def failure_of(self, instance_id: str) -> str | None:
        return "no space left" if self.trouble.get(instance_id) == "fails" else None

    # What it does.

    def shelve(self, instance_id: str) -> str | None:
        offloads = "shelved_offloaded" if self.offloads_at_once else "shelved"
        return self._begin("shelve", instance_id, "shelving", offloads)

    def shelve_offload(self, instance_id: str) -> str | None:
        return self._begin("offload", instance_id, "shelving_offloading", "shelved_offloaded")

    def stop(self, instance_id: str) -> str | None:
        return self._begin("stop", instance_id, "powering-off", "stopped")

    def delete_instance(self, instance_id: str) -> None:
        end = "soft-delete" if self.deletes_softly else "deleted"
        self._begin("delete", instance_id, "deleting", end)

    def force_delete(self, instance_id: str) -> str | None:
        return self._begin("force_delete", instance_id, "deleting", "deleted")

    def _begin(self, call: str, instance_id: str, task: str, end: str) -> str:
        self.world.spend(_CALL_SECONDS)
        self.calls.append((call, self.instances[instance_id].name))
        trouble = self.trouble.get(instance_id)
        if isinstance(trouble, int):
            code = "auth_failed" if trouble == 401 else "api_refused"
            raise ApiRefused(code, f"could not {call}: HTTP {trouble}", status=trouble)
        if trouble == "late":
            self.world.after(_LATE_SECONDS, lambda: self._work(instance_id, task, end))
        elif trouble != "unheard":
            self._work(instance_id, task, end)
        if trouble in ("lost", "late", "unheard"):
            raise ApiUnavailable(f"could not {call}: no answer")
        return f"req-{len(self.calls)}"

    def _work(self, instance_id: str, task: str, end: str) -> None:
        before, trouble = self.instances[instance_id], self.trouble.get(instance_id)
        assert before.task_state is None, f"{task} while it is {before.task_state}"
        # Nova powers it off before it takes the image of it.
        power = SHUTDOWN if task == "shelving" else before.power_state
        self.instances[instance_id] = replace(before, task_state=task, power_state=power)
        vm_state = {"fails": before.vm_state, "breaks": "error"}.get(str(trouble), end)
        if trouble != "hangs":
            self.world.after(_WORK_SECONDS, lambda: self._end(instance_id, vm_state))

    def _end(self, instance_id: str, vm_state: str) -> None:
        self.instances[instance_id] = replace(
            self.instances[instance_id], task_state=None, vm_state=vm_state
        )
        if vm_state == "stopped":
            self.instances[instance_id] = replace(self.instances[instance_id], power_state=SHUTDOWN)
        if vm_state == "deleted":
            # Nova still shows it for a moment.
            self.world.after(3.0, lambda: self.instances.pop(instance_id))
        if vm_state == "shelved_offloaded":
            self.instances[instance_id] = replace(self.instances[instance_id], host=None)
        if (
            vm_state in ("deleted", "shelved_offloaded")
            and self.trouble.get(instance_id) != "keeps"
        ):
            self.holds.pop(instance_id, None)
