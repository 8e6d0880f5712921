# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock is kept while a run plans and removes, and what another run may have changed is seen."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.turn import (
    PLAN_OUTDATED,
    Turn,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Fail,
    Wait,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from fakes.locks import FakeLockStore, lock_of
from fakes.world import World


@pytest.fixture(name="store")
def _store() -> FakeLockStore:
    return FakeLockStore(World())


def turn_of(store: FakeLockStore, **more: Any) -> Turn:
    lock = lock_of(store, "mine")
    lock.acquire()
    return Turn(lock, store.world, Watcher(**more))


def another_run(store: FakeLockStore) -> None:
    """It takes the lock over, and is done with it."""
    store.locks.clear()


def test_what_takes_long_to_read_is_read_once_where_nobody_else_had_the_lock(
    store: FakeLockStore,
) -> None:
    turn = turn_of(store)
    reads = []

    def ask() -> int:
        reads.append(store.world.now)
        store.world.spend(100.0)
        return len(reads)

    assert turn.read(ask) == 1
    # It is ours, and fresh.
    assert turn.against(begun=False) is None
    assert len(store.locks) == 1


def test_what_was_read_while_another_had_the_lock_is_read_again(store: FakeLockStore) -> None:
    turn = turn_of(store)
    reads = []

    def ask() -> int:
        reads.append(store.world.now)
        if len(reads) == 1:
            store.world.spend(50.0)
            another_run(store)
        return len(reads)

    assert turn.read(ask) == 2
    assert turn.against(begun=False) is None


def test_what_another_still_has_is_lost(store: FakeLockStore) -> None:
    turn = turn_of(store)

    def ask() -> None:
        store.world.spend(50.0)
        another_run(store)
        lock_of(store, "other").acquire()

    with pytest.raises(RecoveryError, match="took over the lock"):
        turn.read(ask)


def test_nothing_is_begun_on_a_plan_that_may_be_outdated(store: FakeLockStore) -> None:
    turn = turn_of(store)
    store.world.spend(50.0)
    another_run(store)
    assert turn.goes_on()
    against = turn.against(begun=False)
    assert isinstance(against, Fail)
    assert against.code == PLAN_OUTDATED
    assert turn.against(begun=True) is None
    assert turn.read(lambda: 1) == 1
    assert turn.against(begun=False) is None


def test_nothing_is_sent_while_nobody_knows_whose_the_lock_is(store: FakeLockStore) -> None:
    turn = turn_of(store)
    store.down = True
    store.world.spend(15.0)
    assert turn.goes_on()
    assert turn.against(begun=False) is None
    store.world.spend(15.0)
    assert turn.goes_on()
    assert turn.against(begun=True) == Wait("lock")
    store.world.spend(30.0)
    assert turn.goes_on()
    store.down = False
    assert turn.goes_on()
    assert turn.against(begun=False) is None
    assert turn.lost is None


def test_a_turn_ends_with_the_lock_or_when_nobody_waits(store: FakeLockStore) -> None:
    turn = turn_of(store)
    store.world.spend(50.0)
    another_run(store)
    lock_of(store, "other").acquire()
    assert not turn.goes_on()
    assert turn.lost is not None
    assert turn.lost.code == "lock_lost"
    assert not turn_of(FakeLockStore(World()), watched=lambda: False).goes_on()
