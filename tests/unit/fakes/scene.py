# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole run against the fake cloud, with one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.recovery import (
    Result,
    recover,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    StoragePolicy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.settings import (
    Settings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.throttle import (
    Throttle,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)

from . import values
from .locks import FakeLockStore
from .nova import FakeNova
from .world import World


@dataclass
class Scene:
    """A cloud whose compute-1 has failed."""

    world: World
    nova: FakeNova
    locks: FakeLockStore
    lines: list[tuple[float, str]] = field(default_factory=list)
    # Somebody evacuates by hand too, so that limits do not hold.
    by_hand: bool = False

    @classmethod
    def make(cls, instances: int = 0, **nova: Any) -> Scene:
        world = World()
        scene = cls(world, FakeNova(world, **nova), FakeLockStore(world))
        scene.nova.populate(instances)
        return scene

    def plan(
        self,
        *names: str,
        host: str | None = "compute-1",
        storage: StoragePolicy = values.SHARED,
        policy: Any = None,
    ) -> Plan:
        request = Request(
            host=host, instances=names or None, storage=storage, policy=parse_policy(policy)
        )
        return build_plan(self.nova, request)

    def recover(
        self,
        *names: str,
        host: str | None = "compute-1",
        storage: StoragePolicy = values.SHARED,
        run_id: str = "run-1",
        disabled_reason: str | None = None,
        policy: Any = None,
        watched: Any = lambda: True,
        **settings: Any,
    ) -> Result:
        return recover(
            self.nova,
            self.locks,
            Request(
                host=host,
                instances=names or None,
                storage=storage,
                disabled_reason=disabled_reason,
                policy=parse_policy(policy),
            ),
            make_settings(**settings),
            self.world,
            run_id=run_id,
            holder="a test",
            watcher=Watcher(
                send=lambda line: self.lines.append((self.world.now, line)), watched=watched
            ),
        )


def make_settings(
    *, concurrency: int = 16, per_destination: int | None = None, **others: Any
) -> Settings:
    throttle = Throttle(concurrency=concurrency, per_destination=per_destination)
    return Settings(throttle=throttle, **others)


def states(result: Result) -> dict[str, str]:
    """Name and status of each instance of a result."""
    return {entry["name"]: entry["status"] for entry in result.instances}
