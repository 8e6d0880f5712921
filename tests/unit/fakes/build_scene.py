# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances to be built, with Nova, the cloud and time around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build import (
    Builder,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_state import (
    Build,
    BuildSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    Author,
    NewEntry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Preparer,
)

from .build_cloud import FakeBuildCloud
from .buried_instance import AUTHOR, UUIDS, buried, tables_of
from .conductor import FakeConductor
from .nova_databases import CELL0, CELL1, FakeDatabases
from .world import World

BEGIN = datetime.fromisoformat("2026-11-22T09:00:00")
SETTLE = 1800.0
ONE = UUIDS[0]


class TimedDatabases(FakeDatabases):
    """Whose clock is the world's."""

    def __init__(self, world: World, *, atomic: bool = True) -> None:
        self._world = world
        super().__init__(atomic=atomic)

    @property
    def moment(self) -> datetime:
        return BEGIN + timedelta(seconds=self._world.now)

    @moment.setter
    def moment(self, _value: datetime) -> None:
        """It follows the world."""


class BuildScene:
    """Everything around a Builder."""

    def __init__(self, *, atomic: bool = True) -> None:
        self.world = World()
        self.world.now = 1.0
        self.databases = TimedDatabases(self.world, atomic=atomic)
        self.conductor = FakeConductor(self.databases, self.world)
        self.cloud = FakeBuildCloud(self.databases, self.conductor, self.world)

    # -- what there is

    def prepared(self, uuid: str = ONE, *, cell_id: int = CELL0) -> str:
        buried(self.databases, uuid, cell_id=cell_id)
        (done,) = Preparer(self.databases, AUTHOR).apply(cell_id, [uuid])
        assert done.refusal is None
        return uuid

    def left_behind(self, uuid: str = ONE, *, age: float = 0.0) -> str:
        """A BuildRequest of Nova's own; nobody has prepared it."""
        self.prepared(uuid)
        state = self.databases.state
        state["cell0"]["entries"].clear()
        created = self.databases.moment - timedelta(seconds=age)
        requests = state["api"]["requests"]
        requests[uuid] = replace(requests[uuid], created_at=created)
        return uuid

    def half_built(self, uuid: str = ONE, *, cell_id: int = CELL1, age: float = 0.0) -> str:
        """As before, with rows of the build that was cut off."""
        self.left_behind(uuid, age=age)
        self.add_rows(uuid, cell_id, age=age)
        return uuid

    def add_rows(self, uuid: str, cell_id: int, *, age: float = 0.0, **columns: Any) -> None:
        moment = self.databases.moment - timedelta(seconds=age)
        self.databases.state[f"cell{cell_id - 1}"]["rows"][uuid] = tables_of(
            uuid, **{"created_at": moment, "updated_at": moment, **columns}
        )

    def entry(self, state: str, uuid: str = ONE, *, age: float = 0.0, **fields: Any) -> None:
        """Have the journal say this of it."""
        entries = self.databases.state["cell0"]["entries"]
        if self.databases.entry(uuid) is None:
            with self.databases.transaction(None) as transaction, transaction.step():
                new = NewEntry(
                    instance_uuid=uuid, state=journal.PREPARED, cell_uuid=None, project_id="p"
                )
                self.databases.journal.begin([new], AUTHOR)
        found = self.databases.entry(uuid)
        assert found is not None
        since = self.databases.moment - timedelta(seconds=age)
        changed = replace(found, **{"state": state, "updated_at": since, **fields})
        entries[found.id] = (changed, entries[found.id][1])

    # -- what is done

    def builder(self, author: Author = AUTHOR, **settings: Any) -> Builder:
        given: dict[str, Any] = {
            "settle_time": SETTLE,
            "build_timeout": 600.0,
            "verify_timeout": 60.0,
            **settings,
        }
        return Builder(
            databases=self.databases,
            conductor=self.conductor,
            cloud=self.cloud,
            author=author,
            settings=BuildSettings(**given),
            clock=self.world,
        )

    def run(
        self, uuids: Sequence[str] = (ONE,), author: Author = AUTHOR, **settings: Any
    ) -> list[Build]:
        return self.builder(author, **settings).run(uuids)

    def build(self, uuid: str = ONE, **settings: Any) -> Build:
        (done,) = self.run([uuid], **settings)
        return done

    def state(self, uuid: str = ONE) -> str | None:
        """What the journal says last."""
        found = self.databases.newest(uuid)
        return None if found is None else found.state

    def assert_safe(self, uuids: Sequence[str] = (ONE,)) -> None:
        """Nothing was lost, asked twice or harmed."""
        assert self.conductor.twice == []
        assert self.conductor.vanished == []
        assert self.cloud.harmed == []
        for uuid in uuids:
            mapping = self.databases.mapping(uuid)
            deleted = mapping is None or mapping.queued_for_delete
            assert deleted or self.databases.is_served(uuid), f"{uuid} is lost"
