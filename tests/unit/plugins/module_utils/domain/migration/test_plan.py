# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Order, totals and lanes of a plan."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    Skip,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.plan import (
    Baseline,
    Plan,
    PlannedMigration,
    SkippedMigration,
    in_order,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.request import (
    Wish,
)
from fakes import values

ACTIONS = ["adopt", "confirm", "verify", "live_migrate", "cold_migrate"]


def move(name: str, action: str = "live_migrate", source: str = "compute-2") -> PlannedMigration:
    return PlannedMigration(
        instance=values.instance(name, host=source),
        source=source,
        host="compute-1",
        action=action,
        baseline=Baseline(vm_state="active", volume_ids=frozenset(), port_ids=frozenset()),
    )


def test_what_is_in_progress_comes_first_and_what_is_off_last() -> None:
    wild = [
        move("a", "cold_migrate"),
        move("c"),
        move("b"),
        move("d", "verify"),
        move("e", "adopt"),
    ]
    assert [m.instance.name for m in in_order(wild)] == ["e", "d", "b", "c", "a"]


def test_totals_and_entries() -> None:
    wish = Wish(instance_id="gone", host="compute-1")
    skipped = SkippedMigration(wish=wish, instance=None, skip=Skip("deleted", "it is gone"))
    plan = Plan(moves=(move("a"), move("b", "verify")), skipped=(skipped,))
    assert plan.changes_something
    assert plan.totals() == {
        "planned": 2, "adopt": 0, "confirm": 0, "verify": 1, "live_migrate": 1,
        "cold_migrate": 0, "skip": 1,
    }  # fmt: skip
    first, _second, last = plan.as_list()
    assert (first["from"], first["to"], first["code"]) == ("compute-2", "compute-1", None)
    assert (last["name"], last["action"], last["code"]) == ("gone", "skip", "deleted")
    assert set(first) == set(last)


def test_to_wait_and_to_verify_changes_nothing() -> None:
    assert not Plan(moves=(move("a", "adopt"), move("b", "verify"))).changes_something
    assert Plan(moves=(move("a", "confirm"),)).changes_something


def test_what_is_at_home_does_not_leave_it() -> None:
    plan = Plan(moves=tuple(move(action, action) for action in ACTIONS))
    assert {subject.action: subject.leaves for subject in plan.subjects()} == {
        action: None if action == "verify" else "compute-2" for action in ACTIONS
    }
    assert {subject.source for subject in plan.subjects()} == {"compute-2"}
