# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No run removes more than its limit, whatever becomes of each removal."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.run import (
    Result,
    make_room,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from fakes.locks import FakeLockStore
from fakes.preemption_cloud import FakePreemptionCloud
from hypothesis import example, given, settings
from hypothesis import strategies as st

ACTIONS: dict[str, dict[str, Any]] = {
    "shelve": {"value": 5},
    "dear": {"value": 9},
    "delete": {"value": 5, "action": "delete"},
    "stop": {"value": 9, "action": "delete", "stop_first": True},
}
TROUBLES = (None, 401, 403, 409, "fails", "breaks", "hangs", "keeps", "lost", "late", "unheard")
# What Nova shows of one that runs no more, or not as it did.
TAKEN = ("deleted", "soft-delete", "shelved", "shelved_offloaded", "error")


@dataclass(frozen=True)
class Case:
    """A full host of instances of 2, each with what becomes of its removal, and others that wait.

    ``locks`` are moments at which the instance of that number is locked, ``leaving`` how many leave
    by themselves after half a minute. ``silence`` says from when on nothing answers, and how long;
    ``other_run`` when the lock is taken away and given back.
    """

    how: list[tuple[str, Any]]
    waiting: int = 1
    limit: int = 1
    concurrency: int = 1
    offloads: bool = True
    softly: bool = False
    locks: dict[int, float] = field(default_factory=dict)
    leaving: int = 0
    silence: tuple[float, float] = (0.0, 0.0)
    other_run: float | None = None

    @property
    def names(self) -> list[str]:
        return [f"{word}-{number}" for number, (word, _trouble) in enumerate(self.how)]

    def cloud(self) -> FakePreemptionCloud:
        made = FakePreemptionCloud({"h1": 2 * (len(self.how) + self.leaving)})
        made.offloads_at_once, made.deletes_softly = self.offloads, self.softly
        for name, (word, trouble) in zip(self.names, self.how, strict=True):
            made.add(name, 2, "h1", metadata={"how": word})
            made.trouble[f"id-{name}"] = trouble
        for number in range(self.waiting):
            made.add(f"w{number}", 2, None)
        for number in range(self.leaving):
            made.add(f"leaves-{number}", 2, task_state="deleting")
            made.world.after(30.0, lambda name=f"id-leaves-{number}": made._end(name, "deleted"))
        self._silence(made)

        def lock(name: str) -> None:
            if f"id-{name}" in made.instances:
                made.change(name, locked=True)

        for number, when in self.locks.items():
            if number < len(self.names):
                made.world.after(when, lambda name=self.names[number]: lock(name))
        return made

    def is_silent(self, cloud: FakePreemptionCloud) -> bool:
        begins, seconds = self.silence
        return begins <= cloud.world.now < begins + seconds

    def _silence(self, made: FakePreemptionCloud) -> None:
        for name in ("instances_everywhere", "instances_named", "allocation_hosts"):
            answer = getattr(made, name)

            def ask(*what: Any, answer: Any = answer) -> Any:
                if self.is_silent(made):
                    raise ApiUnavailable("no answer")
                return answer(*what)

            setattr(made, name, ask)

    def _store(self, cloud: FakePreemptionCloud) -> FakeLockStore:
        store = FakeLockStore(cloud.world)
        begins, seconds = self.silence
        if seconds:
            cloud.world.after(begins, lambda: setattr(store, "down", True))
            cloud.world.after(begins + seconds, lambda: setattr(store, "down", False))
        if self.other_run is not None:
            cloud.world.after(self.other_run, store.locks.clear)
        return store

    def run(self, cloud: FakePreemptionCloud) -> Result:
        rules = [
            {"name": word, "match": {"metadata": {"how": word}}, "preemptible": preemptible}
            for word, preemptible in ACTIONS.items()
        ]
        policy = parse_policy({"version": 1, "rules": rules, "make_room": {"limit": self.limit}})
        waiting = tuple(f"id-w{number}" for number in range(self.waiting))
        return make_room(
            cloud,
            self._store(cloud),
            Request(instances=waiting, policy=policy),
            OperationSettings(
                concurrency=self.concurrency, instance_timeout=60, timeout=600, verify_timeout=20
            ),
            cloud.world,
            run_id="run",
            holder="test",
            watcher=Watcher(),
        )

    def taken(self, cloud: FakePreemptionCloud) -> set[str]:
        """What is not there any more as it was."""
        left = {one.name: one for one in cloud.instances.values() if one.vm_state not in TAKEN}
        return {
            name for name in self.names if name not in left or left[name].power_state != RUNNING
        }


CASES = st.builds(
    Case,
    how=st.lists(
        st.tuples(st.sampled_from(sorted(ACTIONS)), st.sampled_from(TROUBLES)),
        min_size=2,
        max_size=6,
    ),
    waiting=st.integers(1, 3),
    limit=st.integers(1, 4),
    concurrency=st.integers(1, 4),
    offloads=st.booleans(),
    softly=st.booleans(),
    locks=st.dictionaries(st.integers(0, 5), st.floats(0.0, 40.0), max_size=2),
    leaving=st.integers(0, 2),
    silence=st.just((0.0, 0.0)) | st.tuples(st.floats(1.0, 40.0), st.floats(1.0, 150.0)),
    other_run=st.none() | st.floats(1.0, 60.0),
)


@settings(max_examples=300, deadline=None)
@given(CASES)
@example(Case([("dear", "breaks"), ("dear", None)]))
@example(Case([("stop", "late"), ("stop", None)], locks={0: 3.0}))
@example(Case([("stop", None), ("stop", None)], locks={0: 3.0}))
@example(Case([("shelve", "fails"), ("shelve", None)]))
def test_whatever_becomes_of_each_no_more_go_than_the_limit(case: Case) -> None:
    cloud = case.cloud()
    result = None
    try:
        result = case.run(cloud)
    except RecoveryError as error:
        assert error.code in ("insufficient_room", "api_unavailable", "lock_lost")
        assert not cloud.calls
    # What is under way arrives.
    cloud.world.spend(60.0)
    assert len(case.taken(cloud)) <= case.limit
    if result is not None and result.error is None:
        assert set(result.last.room_for()) >= set(result.first.room_for())


@settings(max_examples=200, deadline=None)
@given(CASES)
def test_nothing_is_deleted_any_more_once_one_could_not_be_shelved(case: Case) -> None:
    cloud = case.cloud()
    with suppress(RecoveryError):
        result = case.run(cloud)
        failed = [
            number
            for number, one in enumerate(result.instances)
            if (one["action"], one["status"]) == ("shelve", "failed")
        ]
        after = result.instances[failed[0] :] if failed else []
        assert all(one["action"] == "shelve" for one in after)


def test_one_that_is_to_be_deleted_is_not_taken_for_one_that_could_not_be_shelved() -> None:
    case = Case([("shelve", "fails"), ("stop", None)])
    cloud = case.cloud()
    error = case.run(cloud).error
    assert error is not None
    assert error.code == "room_incomplete"
    assert cloud.calls == [("shelve", "shelve-0")]


def test_what_placement_still_counts_has_gone_all_the_same() -> None:
    case = Case([("delete", "keeps"), ("delete", "keeps"), ("delete", None)], limit=2)
    cloud = case.cloud()
    error = case.run(cloud).error
    assert error is not None
    assert error.code == "removal_incomplete"
    assert cloud.calls == [("delete", "delete-0")]


def test_one_that_was_broken_by_its_removal_counts() -> None:
    case = Case([("delete", "breaks"), ("delete", None)], limit=1)
    cloud = case.cloud()
    error = case.run(cloud).error
    assert error is not None
    assert error.code == "room_incomplete"
    assert len(cloud.calls) == 1


def test_one_that_was_shut_down_and_could_not_be_shelved_counts() -> None:
    case = Case([("shelve", "fails")] * 4, limit=2)
    cloud = case.cloud()
    result = case.run(cloud)
    assert result.error is not None
    assert result.error.code == "room_incomplete"
    assert [name for _call, name in cloud.calls] == ["shelve-0", "shelve-1"]
    assert case.taken(cloud) == {"shelve-0", "shelve-1"}
