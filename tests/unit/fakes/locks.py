# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A place for locks like Nova's aggregates: names are unique, ids are never used again."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_lock import (
    LockRecord,
    RunLock,
)

from .world import World


class FakeLockStore:
    """Implements LockStore. ``down`` lets every call go unanswered."""

    def __init__(self, world: World, *, latency: float = 0.01) -> None:
        self.world = world
        self.latency = latency
        self.down = False
        self.locks: dict[str, LockRecord] = {}
        self.calls: list[str] = []
        self._ids = itertools.count(1)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.world.spend(self.latency)
        if self.down:
            raise ApiUnavailable(f"could not {name}")

    def api_time(self) -> datetime:
        return self.world.api_time()

    def create(self, host: str, run_id: str, holder: str) -> LockRecord | None:
        self._call("create")
        if host in self.locks:
            return None
        made = LockRecord(
            id=str(next(self._ids)),
            host=host,
            run_id=run_id,
            holder=holder,
            renewed_at=self.api_time(),
        )
        self.locks[host] = made
        return made

    def read(self, host: str) -> LockRecord | None:
        self._call("read")
        return self.locks.get(host)

    def renew(self, record: LockRecord) -> LockRecord | None:
        self._call("renew")
        now = self.locks.get(record.host)
        if now is None or now.id != record.id:
            return None
        self.locks[record.host] = replace(now, renewed_at=self.api_time())
        return self.locks[record.host]

    def delete(self, record: LockRecord) -> bool:
        self._call("delete")
        now = self.locks.get(record.host)
        if now is None or now.id != record.id:
            return False
        del self.locks[record.host]
        return True


def lock_of(store: FakeLockStore, run_id: str, host: str = "compute-1") -> RunLock:
    return RunLock(store, store.world, host=host, run_id=run_id, holder=f"somebody for {run_id}")
