# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks as host aggregates without hosts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.aggregate_lock import (
    NAME_PREFIX,
    AggregateLockStore,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_lock import (
    LockStore,
)
from openstack import exceptions as sdk


class FakeAggregates:
    """The aggregates of openstacksdk's compute proxy, with Nova's rules."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 2, tzinfo=UTC)
        self.all: dict[str, Any] = {}
        self.broken: Exception | None = None
        self._ids = itertools.count(1)

    def _call(self) -> None:
        if self.broken is not None:
            raise self.broken

    def create_aggregate(self, name: str, **_fields: Any) -> Any:
        self._call()
        # MySQL compares without case.
        if any(found.name.lower() == name.lower() for found in self.all.values()):
            raise error(409)
        made = SimpleNamespace(
            id=next(self._ids),
            name=name,
            hosts=[],
            metadata={},
            created_at=self.now.replace(tzinfo=None).isoformat(),
        )
        self.all[str(made.id)] = made
        return made

    def aggregates(self) -> list[Any]:
        self._call()
        return list(self.all.values())

    def send_once(self, _proxy: Any, method: str, path: str, body: dict[str, Any]) -> str:
        self._call()
        assert method == "post"
        _root, resource, aggregate, action = path.split("/")
        assert (resource, action) == ("os-aggregates", "action")
        if aggregate not in self.all:
            raise error(404)
        self.all[aggregate].metadata |= body["set_metadata"]["metadata"]
        return "req-1"

    def delete_aggregate(self, aggregate: Any, ignore_missing: bool = True) -> None:
        self._call()
        if self.all.pop(str(aggregate), None) is None and not ignore_missing:
            raise error(404)


def error(status: int) -> Exception:
    failure = sdk.HttpException(f"HTTP {status}")
    failure.status_code = status
    return failure


@pytest.fixture(name="nova")
def _nova() -> FakeAggregates:
    return FakeAggregates()


@pytest.fixture(name="store")
def _store(nova: FakeAggregates) -> AggregateLockStore:
    connection: Any = SimpleNamespace(
        sdk=SimpleNamespace(compute=nova),
        session=SimpleNamespace(api_time=lambda: nova.now),
        send_once=nova.send_once,
    )
    return AggregateLockStore(connection)


def test_it_is_a_lock_store(store: AggregateLockStore, nova: FakeAggregates) -> None:
    same: LockStore = store
    assert same.api_time() == nova.now


def test_a_lock_is_an_aggregate_without_hosts(
    store: AggregateLockStore, nova: FakeAggregates
) -> None:
    made = store.create("compute-1", "run-1", "me")
    assert made is not None
    (aggregate,) = nova.all.values()
    assert (aggregate.name, aggregate.hosts) == (f"{NAME_PREFIX}compute-1", [])
    assert store.read("compute-1") == made
    assert (made.run_id, made.holder, made.renewed_at) == ("run-1", "me", nova.now)


def test_only_one_gets_it(store: AggregateLockStore) -> None:
    assert store.create("compute-1", "run-1", "me")
    assert store.create("compute-1", "run-2", "you") is None
    found = store.read("compute-1")
    assert found is not None
    assert found.run_id == "run-1"


def test_hosts_do_not_share_a_lock(store: AggregateLockStore) -> None:
    assert store.create("compute-1", "run-1", "me")
    assert store.read("compute-10") is None
    assert store.read("compute") is None
    assert store.create("compute-10", "run-2", "you")


def test_a_name_that_the_database_takes_for_another_is_seen(store: AggregateLockStore) -> None:
    assert store.create("compute-1", "run-1", "me")
    assert store.create("COMPUTE-1", "run-2", "you") is None
    assert store.read("COMPUTE-1") is not None


def test_renewing(store: AggregateLockStore, nova: FakeAggregates) -> None:
    made = store.create("compute-1", "run-1", "me")
    assert made is not None
    nova.now += timedelta(seconds=30)
    renewed = store.renew(made)
    assert renewed is not None
    assert renewed.renewed_at == nova.now
    assert store.read("compute-1") == renewed


def test_a_lock_of_another_is_neither_renewed_nor_deleted(store: AggregateLockStore) -> None:
    old = store.create("compute-1", "run-1", "me")
    assert old is not None
    assert store.delete(old)
    new = store.create("compute-1", "run-2", "you")
    assert store.renew(old) is None
    assert store.delete(old) is False
    assert store.read("compute-1") == new


def test_a_run_that_died_before_it_wrote_its_name_ages_from_the_creation(
    store: AggregateLockStore, nova: FakeAggregates
) -> None:
    nova.create_aggregate(f"{NAME_PREFIX}compute-1")
    born, nova.now = nova.now, nova.now + timedelta(hours=1)
    found = store.read("compute-1")
    assert found is not None
    assert found.renewed_at == born


@pytest.mark.parametrize(("status", "kind"), [(503, ApiUnavailable), (403, ApiRefused)])
def test_other_errors_are_no_answer_to_the_question(
    store: AggregateLockStore, nova: FakeAggregates, status: int, kind: type[Exception]
) -> None:
    made = store.create("compute-1", "run-1", "me")
    assert made is not None
    nova.broken = error(status)
    for call in (
        lambda: store.create("compute-1", "r", "h"),
        lambda: store.read("compute-1"),
        lambda: store.renew(made),
        lambda: store.delete(made),
    ):
        with pytest.raises(kind):
            call()
