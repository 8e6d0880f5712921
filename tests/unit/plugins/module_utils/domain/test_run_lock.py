# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time for a host."""

from __future__ import annotations

import functools

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_lock import (
    LEASE_SECONDS,
    LockRecord,
    LockStore,
    RunLock,
)
from fakes.locks import FakeLockStore, lock_of
from fakes.world import World
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
def store() -> FakeLockStore:
    return FakeLockStore(World())


def hold(store: FakeLockStore, lock: RunLock, seconds: float) -> None:
    """What a run does all the time."""
    end = store.world.now + seconds
    while store.world.now < end:
        store.world.sleep(2)
        lock.keep()


def test_the_fake_is_a_lock_store(store: FakeLockStore) -> None:
    same: LockStore = store
    assert same.read("compute-1") is None


def test_a_lock_is_taken_kept_and_given_back(store: FakeLockStore) -> None:
    lock = lock_of(store, "one")
    assert not lock.is_held()
    lock.acquire()
    assert lock.is_held()
    assert store.locks["compute-1"].run_id == "one"
    hold(store, lock, 300)
    assert lock.is_held()
    lock.release()
    assert store.locks == {}
    assert not lock.is_held()
    lock.release()


def test_locks_of_two_hosts_do_not_know_each_other(store: FakeLockStore) -> None:
    for host in ("compute-1", "compute-10"):
        lock_of(store, "one", host).acquire()
    assert set(store.locks) == {"compute-1", "compute-10"}


def test_of_two_runs_one_goes_on(store: FakeLockStore) -> None:
    first = lock_of(store, "one")

    def one() -> None:
        first.acquire()
        hold(store, first, 120)
        first.release()

    results = store.world.run_together({"one": one, "two": lock_of(store, "two").acquire})
    assert results["one"] is None
    assert isinstance(results["two"], RecoveryError)
    assert results["two"].code == "run_in_progress"
    assert results["two"].details["run_id"] == "one"
    assert results["two"].retriable


def test_a_second_run_takes_over_when_the_first_ends(store: FakeLockStore) -> None:
    first, second = lock_of(store, "one"), lock_of(store, "two")
    first.acquire()
    store.world.after(12, first.release)
    # Released from outside of the waiting run.
    store.latency = 0
    second.acquire()
    assert store.locks["compute-1"].run_id == "two"
    assert store.world.now < 20


def test_the_lock_of_a_dead_run_is_taken_over_after_its_lease(store: FakeLockStore) -> None:
    lock_of(store, "dead").acquire()
    lock_of(store, "two").acquire()
    assert store.locks["compute-1"].run_id == "two"
    assert LEASE_SECONDS < store.world.now < LEASE_SECONDS + 10


def test_an_old_lock_is_taken_over_at_once(store: FakeLockStore) -> None:
    lock_of(store, "dead").acquire()
    store.world.sleep(3600)
    before = store.world.now
    lock_of(store, "two").acquire()
    assert store.world.now - before < 2


def test_a_run_that_lost_its_lock_may_not_submit(store: FakeLockStore) -> None:
    first, second = lock_of(store, "one"), lock_of(store, "two")
    first.acquire()
    store.world.sleep(60)
    second.acquire()
    assert not first.is_held()
    with pytest.raises(RecoveryError) as raised:
        first.keep()
    assert raised.value.code == "lock_lost"
    assert raised.value.retriable
    assert not first.is_held()
    first.release()
    assert store.locks["compute-1"].run_id == "two"
    assert second.is_held()


def test_a_lock_that_somebody_has_deleted_is_lost(store: FakeLockStore) -> None:
    lock = lock_of(store, "one")
    lock.acquire()
    store.locks.clear()
    store.world.sleep(15)
    with pytest.raises(RecoveryError, match="took over"):
        lock.keep()
    assert not lock.is_held()


def test_without_an_answer_the_lock_is_sure_for_less_than_its_lease(store: FakeLockStore) -> None:
    lock = lock_of(store, "one")
    lock.acquire()
    store.down = True
    held = []
    while store.world.now < 2 * LEASE_SECONDS:
        held.append((store.world.now, lock.is_held()))
        store.world.sleep(2)
        try:
            lock.keep()
        except ApiUnavailable:
            assert store.world.now > LEASE_SECONDS / 2
    assert held[5][1]
    assert max(moment for moment, sure in held if sure) < LEASE_SECONDS - 5


def test_a_run_that_stood_still_takes_its_lock_anew_when_nobody_has_it(
    store: FakeLockStore,
) -> None:
    lock = lock_of(store, "one")
    lock.acquire()
    old = store.locks["compute-1"].id
    store.world.sleep(120)
    assert not lock.is_held()
    # True: what was read before may be out of date.
    assert lock.keep() is True
    assert lock.is_held()
    assert store.locks["compute-1"].id != old


def test_taking_a_lock_over_while_its_holder_wakes_up(store: FakeLockStore) -> None:
    """The holder renews between the other's look at the lock and its deletion."""
    sleeper, thief = lock_of(store, "sleeper"), lock_of(store, "thief")
    sleeper.acquire()
    store.world.sleep(LEASE_SECONDS + 5)
    real_delete = store.delete

    def wake_up_first(record: LockRecord) -> bool:
        store.delete = real_delete  # type: ignore[method-assign]
        sleeper.keep()
        return real_delete(record)

    store.delete = wake_up_first  # type: ignore[method-assign]
    with pytest.raises(RecoveryError):
        thief.acquire()
        hold(store, thief, 1)
        assert not sleeper.is_held() or not thief.is_held()
        sleeper.keep()
        raise RecoveryError("fine", "only one has it")
    assert not (sleeper.is_held() and thief.is_held())


def test_a_store_that_denies_what_it_will_not_show_is_not_asked_for_ever(
    store: FakeLockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "create", lambda *a: store.world.count_step())
    with pytest.raises(RecoveryError) as raised:
        lock_of(store, "one").acquire()
    assert raised.value.code == "run_in_progress"
    assert store.calls.count("read") < 30


@pytest.mark.parametrize(
    "error", [ApiUnavailable("no answer"), ApiRefused("api_refused", "no", status=400)]
)
def test_a_lock_that_cannot_be_given_back_does_not_cost_the_result(
    store: FakeLockStore, monkeypatch: pytest.MonkeyPatch, error: RecoveryError
) -> None:
    told: list[str] = []
    lock = RunLock(store, store.world, host="h", run_id="r", holder="x", on_wait=told.append)
    lock.acquire()

    def fail(record: LockRecord) -> bool:
        raise error

    monkeypatch.setattr(store, "delete", fail)
    lock.release()
    assert "runs out by itself" in told[0]
    assert not lock.is_held()


def test_whoever_waits_is_told_for_whom(store: FakeLockStore) -> None:
    told: list[str] = []
    lock_of(store, "dead").acquire()
    RunLock(
        store, store.world, host="compute-1", run_id="two", holder="x", on_wait=told.append
    ).acquire()
    assert "dead" in told[0]
    assert "somebody for dead" in told[0]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    starts=st.lists(st.floats(0, 90), min_size=2, max_size=3),
    lengths=st.lists(st.floats(10, 200), min_size=3, max_size=3),
    latency=st.sampled_from([0.0, 0.01, 0.7, 3.0]),
    pauses=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 200), st.floats(1, 120)), max_size=4),
)
def test_never_do_two_runs_have_the_lock(
    starts: list[float],
    lengths: list[float],
    latency: float,
    pauses: list[tuple[int, float, float]],
) -> None:
    world = World()
    store = FakeLockStore(world, latency=latency)
    locks = {f"run-{number}": lock_of(store, f"run-{number}") for number in range(len(starts))}
    seen: list[str] = []

    def watch() -> None:
        holders = [name for name, lock in locks.items() if lock.is_held()]
        if len(holders) > 1:
            seen.append(f"{holders} at {world.now}")
        world.after(0.25, watch)

    def work(name: str, start: float, length: float) -> str:
        world.sleep(start)
        locks[name].acquire()
        hold(store, locks[name], length)
        locks[name].release()
        return "done"

    watch()
    results = world.run_together(
        {
            name: functools.partial(work, name, start, length)
            for name, start, length in zip(locks, starts, lengths, strict=False)
        },
        {
            f"run-{number}": [(at, long) for who, at, long in pauses if who == number]
            for number in range(3)
        },
    )
    assert seen == []
    for result in results.values():
        assert result == "done" or result.code in ("run_in_progress", "lock_lost")
    assert "done" in results.values() or pauses


def test_a_renewal_that_took_too_long_is_not_believed(
    store: FakeLockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper, thief = lock_of(store, "sleeper"), lock_of(store, "thief")
    sleeper.acquire()
    store.world.sleep(30)
    old = store.locks["compute-1"]
    renew = store.renew

    def stall(record: LockRecord) -> LockRecord | None:
        # The process stands still before the request leaves; the lease runs out meanwhile.
        store.world.spend(20)
        return renew(record)

    monkeypatch.setattr(store, "renew", stall)
    sleeper.keep()
    # Another run has read the old lock before that, and deletes it now.
    store.delete(old)
    thief.acquire()
    assert not (sleeper.is_held() and thief.is_held())
