# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the instances that were evacuated from a host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.departed import (
    Departed,
    departed_from,
    moves_since,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Instance,
    MigrationRecord,
)
from fakes import values

AWAY = values.instance(host="compute-2")
HERE = values.instance()


def fates(*records: MigrationRecord, instance: Instance | None = AWAY) -> list[Departed]:
    known = {instance.id: instance} if instance else {}
    return departed_from("compute-1", records, known)


def fate(*records: MigrationRecord, instance: Instance | None = AWAY) -> str:
    (found,) = fates(*records, instance=instance)
    return found.fate


@pytest.mark.parametrize(
    ("status", "instance", "expected"),
    [
        ("accepted", HERE, "moving"),
        ("pre-migrating", HERE, "moving"),
        # The destination has written the host already, not yet the record.
        ("pre-migrating", AWAY, "moving"),
        ("accepted", None, "moving"),
        ("a status of a release to come", AWAY, "moving"),
        ("done", AWAY, "moved"),
        ("completed", AWAY, "moved"),
        ("done", None, "deleted"),
        ("completed", None, "deleted"),
        ("failed", None, "deleted"),
        ("done", values.instance(vm_state="deleted", host="compute-2"), "deleted"),
        # Its owner can restore it.
        ("done", values.instance(vm_state="soft-delete", host="compute-2"), "moved"),
        ("failed", HERE, "stayed"),
        ("error", HERE, "stayed"),
        ("completed", HERE, "returned"),
        ("done", HERE, "endangered"),
        # It failed here, and something else has moved it.
        ("failed", AWAY, "elsewhere"),
        ("error", AWAY, "elsewhere"),
        ("completed", values.instance(vm_state="shelved_offloaded", host=None), "elsewhere"),
    ],
)
def test_the_fate_of_an_instance(status: str, instance: Instance | None, expected: str) -> None:
    assert fate(values.record(1, status), instance=instance) == expected


def test_hosts_with_similar_names_are_others() -> None:
    assert fate(values.record(1, "done"), instance=values.instance(host="compute-10")) == "moved"
    assert fates(values.record(1, "done", source_compute="compute-10")) == []
    assert fates(values.record(1, "done", migration_type="live-migration")) == []


def test_one_evacuation_in_progress_is_enough_whatever_came_later() -> None:
    # Nova accepts two at once; the older one can still act.
    records = [values.record(1, "accepted"), values.record(2, "done")]
    (found,) = fates(*records)
    assert (found.fate, found.record.id) == ("moving", 1)
    (found,) = fates(values.record(1, "done"), values.record(2, "accepted"))
    assert (found.fate, found.record.id) == ("moving", 2)


def test_the_newest_record_tells_when_none_is_in_progress() -> None:
    (found,) = fates(values.record(12, "failed"), values.record(7, "completed"), instance=HERE)
    assert (found.fate, found.record.id) == ("stayed", 12)


def test_one_that_failed_after_one_that_did_not_is_still_gone() -> None:
    assert fate(values.record(1, "done"), values.record(2, "failed")) == "moved"


def test_any_record_that_is_done_endangers_an_instance_that_is_back() -> None:
    records = [values.record(1, "done"), values.record(2, "failed")]
    assert fate(*records, instance=HERE) == "endangered"
    # The record of another host's evacuation is that host's affair.
    records = [values.record(1, "completed"), values.record(2, "done", source_compute="compute-2")]
    assert fate(*records, instance=HERE) == "returned"


def test_the_oldest_comes_first_and_values_are_plain() -> None:
    records = [
        values.record(2, "done", instance_id="id-b", created_at=values.at(5)),
        values.record(1, "completed", instance_id="id-a", created_at=values.at(1)),
    ]
    known = {f"id-{n}": values.instance(n, host="compute-2") for n in "ab"}
    found = departed_from("compute-1", records, known)
    assert [d.instance_id for d in found] == ["id-a", "id-b"]
    assert found[0].as_dict() == {
        "id": "id-a",
        "name": "a",
        "fate": "moved",
        "host": "compute-2",
        "vm_state": "active",
        "record": {"id": 1, "status": "completed"},
        "what_to_do": None,
    }


@pytest.mark.parametrize(
    ("status", "instance", "words"),
    [
        ("accepted", HERE, "wait until"),
        ("done", HERE, "move it to another host before nova-compute starts"),
        ("error", values.instance(vm_state="error"), "openstack server reboot --hard id-web-1"),
        ("failed", HERE, "it is still on this host"),
    ],
)
def test_what_to_do(status: str, instance: Any, words: str) -> None:
    (found,) = fates(values.record(1, status), instance=instance)
    assert words in found.as_dict()["what_to_do"]


@pytest.mark.parametrize("instance", [AWAY, None])
def test_nothing_is_to_be_done_for_one_that_has_left(instance: Instance | None) -> None:
    (found,) = fates(values.record(1, "done"), instance=instance)
    assert found.as_dict()["what_to_do"] is None


def test_moves_since_the_evacuation() -> None:
    (found,) = fates(values.record(5, "done", created_at=values.at(10)))
    moves = [
        values.record(1, "running", migration_type="live-migration", created_at=values.at(9)),
        # In another cell ids begin again, so that only the time tells.
        values.record(2, "running", migration_type="live-migration", created_at=values.at(10)),
        values.record(9, "running", instance_id="id-web-2", created_at=values.at(11)),
    ]
    assert [move.id for move in moves_since(found, moves)] == [2]
