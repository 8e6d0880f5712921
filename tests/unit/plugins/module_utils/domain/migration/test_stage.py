# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a migration has come."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.stage import (
    COLD,
    LIVE,
    Moving,
    Occupied,
    Resting,
    ToConfirm,
    stage_of,
)
from fakes import values

HOME = "compute-1"


def record(status: str, kind: str = LIVE, to: str | None = HOME, number: int = 1) -> Any:
    return values.record(
        number, status, migration_type=kind, source_compute="compute-2", dest_compute=to
    )


def stage(*records: Any, **instance: Any) -> Any:
    return stage_of(values.instance(**{"host": "compute-2", **instance}), records, HOME)


@pytest.mark.parametrize("status", ["accepted", "queued", "preparing", "running", "post-migrating"])
def test_on_its_way(status: str) -> None:
    assert stage(record(status, to=None), task_state="migrating") == Moving(status, "compute-2")
    assert stage(record(status)) == Moving(status, "compute-2")


@pytest.mark.parametrize("status", ["completed", "confirmed", "error", "failed", "cancelled"])
def test_what_has_ended_is_history(status: str) -> None:
    assert stage(record(status)) == Resting()


def test_a_cold_one_waits_for_its_confirmation() -> None:
    waits = record("finished", COLD)
    assert stage(waits, host=HOME, vm_state="resized") == ToConfirm("compute-2")
    # Nova marks the record first.
    assert isinstance(stage(waits, host=HOME, task_state="resize_finish"), Moving)
    assert isinstance(stage(record("confirming", COLD), vm_state="resized"), Moving)
    assert isinstance(stage(record("confirmed", COLD), vm_state="resized"), Moving)


@pytest.mark.parametrize(
    "other",
    [
        record("finished", "resize"),
        record("running", to="compute-3"),
        record("finished", COLD, to="compute-3"),
        values.record(1, "accepted"),
        values.record(1, "a status that no release has had", migration_type=LIVE),
    ],
)
def test_another_move_must_end_first(other: Any) -> None:
    found = stage(other, vm_state="resized")
    assert isinstance(found, Occupied)
    assert found.code == "migration_in_progress"


def test_one_that_is_resized_without_a_record() -> None:
    assert isinstance(stage(vm_state="resized"), Occupied)


def test_what_others_do_with_it() -> None:
    found = stage(task_state="rebooting")
    assert isinstance(found, Occupied)
    assert found.code == "busy"


def test_the_newest_record_counts() -> None:
    assert stage(record("running", number=2), record("error")) == Moving("running", "compute-2")
    assert stage(record("error", number=2), record("completed")) == Resting()
