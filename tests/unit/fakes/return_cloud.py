# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake Nova with Placement's providers and consumers, for a host that was evacuated.

It keeps book of what must never happen, in ``violations``: an instance that loses what it holds
where it is, or anywhere but on the host that is freed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.cloud import (
    ConsumerAllocations,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Instance,
    MigrationRecord,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_lock import (
    LockRecord,
)

from . import values
from .locks import FakeLockStore
from .nova import FakeNova, refused
from .world import World

SMALL = {"VCPU": 1, "MEMORY_MB": 512}


class FakeReturnCloud(FakeNova):
    """Implements ReturnCloud. Every host has one provider, ``rp-HOST``, unless ``trees`` says more."""

    def __init__(self, world: World | None = None, **nova: Any) -> None:
        super().__init__(world or World(), **nova)
        self.locks = FakeLockStore(self.world)
        self.trees = {host: {f"rp-{host}"} for host in self.services}
        self.holds: dict[str, dict[str, dict[str, int]]] = {}
        self.generations: dict[str, int] = {}
        # What others do, one at a time, just before the next write arrives.
        self.before_write: list[Callable[[], None]] = []
        self.writes: list[ConsumerAllocations] = []
        self.looked_up: list[str] = []

    # What there is

    def has(
        self, name: str = "web-1", *, on: Iterable[str] | None = None, **fields: Any
    ) -> Instance:
        """An instance that holds something on these hosts; on its own when omitted."""
        added = self.add(values.instance(name, **fields))
        hosts = [added.host or ""] if on is None else on
        self.hold(added.id, {f"rp-{host}": SMALL for host in hosts if host})
        return added

    def evacuated(self, name: str = "web-1", status: str = "done", **fields: Any) -> Instance:
        """An instance that has moved from compute-1 to compute-2, and holds what it needs on both."""
        moved = self.has(name, on=("compute-1", "compute-2"), **{"host": "compute-2", **fields})
        self.write_record(status, instance_id=moved.id)
        return moved

    def hold(self, consumer: str, by_provider: Mapping[str, Mapping[str, int]]) -> None:
        """Somebody else writes this."""
        self.holds[consumer] = {p: dict(resources) for p, resources in by_provider.items()}
        self.generations[consumer] = self.generations.get(consumer, 0) + 1

    def held_on(self, host: str) -> set[str]:
        """All that hold something on this host."""
        return {c for c, held in self.holds.items() if self.trees[host] & set(held)}

    def change(self, instance_id: str, **fields: Any) -> None:
        """Something happens to the instance."""
        self._change(instance_id, **fields)

    def delete(self, instance_id: str) -> None:
        """As Nova: its records can be seen no more, and it holds nothing."""
        super().delete(instance_id)
        self.records = [r for r in self.records if r.instance_id != instance_id]
        self.holds.pop(instance_id, None)

    def finish(self, record: MigrationRecord, status: str) -> None:
        """The record comes to this status."""
        self._set(record.id, status=status)

    # ReturnCloud

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        names = list(names)
        self.looked_up += names
        return super().instances_named(names)

    def evacuation_lock(self, host: str) -> LockRecord | None:
        return self.locks.read(host)

    def providers_of(self, host: str) -> frozenset[str]:
        self._call("providers_of", host)
        return frozenset(self.trees[host])

    def consumers_on(self, provider: str) -> frozenset[str]:
        self._call("consumers_on", provider)
        return frozenset(c for c, held in self.holds.items() if provider in held)

    def allocations_of(self, consumer: str) -> ConsumerAllocations:
        self._call("allocations_of", consumer)
        held = self.holds.get(consumer, {})
        return ConsumerAllocations(
            consumer=consumer,
            by_provider={p: {"resources": dict(r), "generation": 7} for p, r in held.items()},
            generation=self.generations[consumer] if held else None,
            project_id="project" if held else "",
            user_id="user" if held else "",
        )

    def replace_allocations(self, wanted: ConsumerAllocations) -> None:
        self._call("replace_allocations", wanted.consumer)
        if self.before_write:
            self.before_write.pop(0)()
        if wanted.generation != self.generations[wanted.consumer]:
            raise refused(409)
        before, after = self.holds[wanted.consumer], wanted.by_provider
        host = self.instances[wanted.consumer].host
        if host and self.trees[host] & set(before) - set(after):
            self.violations.append(f"{wanted.consumer} loses what it holds where it is")
        if any(before.get(p) != a["resources"] for p, a in after.items()):
            self.violations.append(f"{wanted.consumer} is given what it did not have")
        if (wanted.project_id, wanted.user_id) != ("project", "user"):
            self.violations.append(f"{wanted.consumer} is given to somebody else")
        self.writes.append(wanted)
        self.hold(wanted.consumer, {p: a["resources"] for p, a in after.items()})
        if not after:
            del self.holds[wanted.consumer]


def down(cloud: FakeReturnCloud, **fields: Any) -> FakeReturnCloud:
    """compute-1 is as an evacuation leaves it."""
    mark = "openstack_recovery run=run-1: host failed"
    cloud.services["compute-1"] = replace(
        cloud.services["compute-1"],
        **{"forced_down": True, "status": "disabled", "disabled_reason": mark, **fields},
    )
    return cloud
