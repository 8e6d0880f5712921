# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the states of a migration record mean."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.records import (
    evacuations_from,
    in_progress,
    is_evacuation,
    newest_by_instance,
)
from fakes import values


@pytest.mark.parametrize(
    ("status", "going_on"),
    [
        ("accepted", True),
        ("pre-migrating", True),
        ("done", False),
        ("completed", False),
        ("failed", False),
        ("error", False),
        ("a status of a release to come", True),
    ],
)
def test_evacuations_in_progress(status: str, going_on: bool) -> None:
    assert in_progress(values.record(1, status)) is going_on


@pytest.mark.parametrize(
    ("kind", "status", "going_on"),
    [
        ("live-migration", "queued", True),
        ("live-migration", "running", True),
        ("live-migration", "completed", False),
        ("live-migration", "cancelled", False),
        ("migration", "post-migrating", True),
        # Waits for confirmation: the instance has a second home.
        ("resize", "finished", True),
        ("resize", "confirmed", False),
        ("resize", "reverted", False),
        ("resize", "error", False),
    ],
)
def test_other_moves_in_progress(kind: str, status: str, going_on: bool) -> None:
    other = values.record(1, status, migration_type=kind)
    assert not is_evacuation(other)
    assert in_progress(other) is going_on


def test_the_newest_record_of_each_instance() -> None:
    old, new = values.record(3, "failed"), values.record(11, "done")
    other = values.record(5, "done", instance_id="id-web-2")
    assert newest_by_instance([new, other, old]) == {"id-web-1": new, "id-web-2": other}


def test_evacuations_from_a_host() -> None:
    own = values.record(1, "completed")
    others = [
        values.record(2, "done", source_compute="compute-10"),
        values.record(3, "done", source_compute="compute-2", dest_compute="compute-1"),
        values.record(4, "running", migration_type="live-migration"),
    ]
    assert evacuations_from("compute-1", [own, *others]) == [own]
