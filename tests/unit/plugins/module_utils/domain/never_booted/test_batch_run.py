# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many instances: looked at before any is changed, then batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    batch_run,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.batch_run import (
    BATCH_SIZE,
    PATIENCE,
    ToDo,
    apply_to_all,
    batches,
    look_at_all,
    refuse_bad_ones,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    CommitInDoubt,
    DatabaseConflict,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Outcome,
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.refusal import (
    Refusal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restorer,
)
from fakes.buried_instance import AUTHOR, UUIDS, buried
from fakes.nova_databases import CELL0, CELL1, FakeDatabases
from fakes.world import World

IN_1 = ToDo(cell_id=1)
GONE = Refusal(code="deleted", message="its user has deleted it")


class FakeWorker:
    """Answers as it is told; ``fails`` are errors of the next calls."""

    def __init__(self) -> None:
        self.applied: list[tuple[int | None, list[str]]] = []
        self.fails: list[RecoveryError] = []
        self.answers: dict[str, Outcome] = {}

    def plan(self, instance_uuids: Sequence[str], *, whole: bool) -> dict[str, Any]:
        raise AssertionError("it was looked at already")

    def apply(self, cell_id: int | None, instance_uuids: Sequence[str]) -> list[Outcome]:
        self.applied.append((cell_id, list(instance_uuids)))
        if self.fails:
            raise self.fails.pop(0)
        return [
            self.answers.get(uuid, Outcome(instance_uuid=uuid, changed=True))
            for uuid in instance_uuids
        ]


def run(worker: FakeWorker, found: dict[str, Any], world: World | None = None) -> list[Outcome]:
    return list(apply_to_all(worker, found, world or World()))


def test_batches_are_sorted_and_hold_each_once() -> None:
    uuids = [f"{number:04d}" for number in range(BATCH_SIZE * 2 + 1)]
    found = list(batches([*reversed(uuids), *uuids]))
    assert [len(batch) for batch in found] == [BATCH_SIZE, BATCH_SIZE, 1]
    assert [uuid for batch in found for uuid in batch] == uuids
    assert list(batches([])) == []


def test_looking_finds_cells_refusals_and_nothing_to_do() -> None:
    databases = FakeDatabases()
    first, second, third, fourth = UUIDS[:4]
    buried(databases, first)
    buried(databases, second, cell_id=CELL1)
    buried(databases, third)
    Preparer(databases, AUTHOR).apply(CELL0, [third])
    found = look_at_all(Preparer(databases, AUTHOR), UUIDS[:4])
    refusal = found.pop(fourth)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "instance_not_found"
    assert found == {first: ToDo(cell_id=CELL0), second: ToDo(cell_id=CELL1), third: None}
    back = look_at_all(Restorer(databases, AUTHOR), UUIDS[:3])
    assert back == {first: None, second: None, third: ToDo(cell_id=CELL0)}


def test_looking_takes_neither_locks_nor_whole_instances() -> None:
    databases = FakeDatabases()
    buried(databases)
    look_at_all(Preparer(databases, AUTHOR), UUIDS[:1])
    assert databases.locked == []
    assert "instances of cell0" in databases.calls
    assert "rows of cell0" not in databases.calls


def test_one_that_is_refused_stops_all() -> None:
    refuse_bad_ones({"a": IN_1, "b": None})
    with pytest.raises(RecoveryError, match="nothing was changed: b is refused as deleted") as one:
        refuse_bad_ones({"a": IN_1, "b": GONE})
    assert "more" not in one.value.message
    with pytest.raises(RecoveryError, match=r"and 1 more, see error.details") as two:
        refuse_bad_ones({"a": GONE, "b": GONE})
    assert two.value.code == "refused"
    assert not two.value.retriable
    assert two.value.details["instances"] == {
        name: {"code": "deleted", "message": GONE.message} for name in ("a", "b")
    }


def test_nothing_is_changed_when_one_is_refused() -> None:
    databases = FakeDatabases()
    buried(databases, UUIDS[0])
    found = look_at_all(Preparer(databases, AUTHOR), UUIDS[:2])
    with pytest.raises(RecoveryError):
        refuse_bad_ones(found)
    assert databases.entry(UUIDS[0]) is None


def test_each_cell_has_batches_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_run, "BATCH_SIZE", 2)
    worker = FakeWorker()
    found = {"c": IN_1, "a": IN_1, "b": IN_1, "x": ToDo(cell_id=2), "n": None, "r": GONE}
    outcomes = {one.instance_uuid: one for one in run(worker, found)}
    assert worker.applied == [(1, ["a", "b"]), (1, ["c"]), (2, ["x"])]
    assert (outcomes["n"].changed, outcomes["n"].refusal) == (False, None)
    assert (outcomes["r"].changed, outcomes["r"].refusal) == (False, GONE)
    assert all(outcomes[name].changed for name in "abcx")


@pytest.mark.parametrize(
    "error",
    [
        DatabaseConflict("deadlock"),
        CommitInDoubt("lost"),
        RecoveryError("changed_meanwhile", "again", retriable=True),
    ],
)
def test_what_can_go_away_is_tried_again(error: RecoveryError) -> None:
    worker, world = FakeWorker(), World()
    worker.fails = [error, error, error]
    assert [one.changed for one in run(worker, {"a": IN_1}, world)] == [True]
    assert world.slept == [0.1, 0.2, 0.4]


def test_what_an_earlier_try_has_done_counts_as_changed() -> None:
    worker = FakeWorker()
    worker.fails = [CommitInDoubt("lost")]
    worker.answers = {
        "a": Outcome(instance_uuid="a", changed=False),
        "b": Outcome(instance_uuid="b", changed=False, refusal=GONE),
    }
    assert [one.changed for one in run(worker, {"a": IN_1, "b": IN_1})] == [True, False]
    worker.fails = []
    assert [one.changed for one in run(worker, {"a": IN_1, "b": IN_1})] == [False, False]


def test_patience_ends() -> None:
    worker, world = FakeWorker(), World()
    worker.fails = [DatabaseConflict("deadlock")] * 1000
    with pytest.raises(DatabaseConflict) as caught:
        run(worker, {"a": IN_1}, world)
    assert PATIENCE - 5 <= world.now <= PATIENCE
    assert max(world.slept) == 5.0
    # An earlier try can have come through.
    assert caught.value.changed


def test_what_never_goes_away_is_not_tried_again() -> None:
    worker, world = FakeWorker(), World()
    worker.fails = [RecoveryError("database_no_grant", "no")]
    with pytest.raises(RecoveryError) as caught:
        run(worker, {"a": IN_1}, world)
    assert world.slept == []
    assert not caught.value.changed


def test_an_error_says_whether_batches_before_it_were_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_run, "BATCH_SIZE", 1)
    for changed in (True, False):
        worker = FakeWorker()
        worker.answers = {"a": Outcome(instance_uuid="a", changed=changed)}
        outcomes = apply_to_all(worker, {"a": IN_1, "b": IN_1}, World())
        assert next(outcomes).instance_uuid == "a"
        worker.fails = [RecoveryError("database_no_grant", "no")]
        with pytest.raises(RecoveryError) as caught:
            list(outcomes)
        assert caught.value.changed is changed
