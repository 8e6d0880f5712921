# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables."""

from __future__ import annotations

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.report import (
    making_room_table,
)

WAITING = {"id": "w", "name": "web-1", "zone": "az-a", "needs": {"VCPU": 2, "MEMORY_MB": 512}}
PLANNED = {"id": "a", "name": "batch-1", "from": "h1", "value": 10, "rule": "batch"}
RESULT: dict[str, Any] = {
    "waiting": [
        {**WAITING, "fits": "gets_room", "host": "h1"},
        {**WAITING, "name": "web-2", "fits": "no_room", "reason": "too much"},
    ],
    "plan": [
        {**PLANNED, "action": "shelve"},
        {"id": "b", "name": "batch-2", "from": "h1", "action": "skip", "reason": "it is locked"},
    ],
    "notes": ["the policy names the project 'x', which does not exist"],
}
ENDED = {"id": "a", "name": "batch-1", "from": "h1", "action": "shelve", "status": "verified"}
ENDED |= {"state": "shelved_offloaded"}


def test_the_plan() -> None:
    lines = "\n".join(making_room_table(RESULT))
    assert "web-1    az-a  MEMORY_MB 512, VCPU 2  when the plan is carried out  h1    -" in lines
    assert (
        "web-2    az-a  MEMORY_MB 512, VCPU 2  none                          -     too much"
        in lines
    )
    assert "batch-1  h1    10     batch  shelve  to be removed  -" in lines
    assert "batch-2  h1    -      -      skip    stays          it is locked" in lines
    assert lines.endswith("which does not exist")


def test_what_became_of_it() -> None:
    lines = "\n".join(making_room_table({**RESULT, "instances": [ENDED], "fewest": False}))
    assert "verified, shelved_offloaded" in lines
    assert "fewer may do" in lines


def test_what_only_a_later_plan_said() -> None:
    another = ENDED | {"id": "c", "name": "batch-3", "from": "h2"}
    unlocked = ENDED | {"id": "b", "name": "batch-2"}
    lines = "\n".join(making_room_table({**RESULT, "instances": [another, unlocked]}))
    assert "batch-3  h2    -      -      shelve  verified, shelved_offloaded  -" in lines
    assert "batch-2  h1    -      -      shelve  verified, shelved_offloaded  -" in lines
    assert lines.count("batch-") == 3
    assert "batch-3" in "\n".join(making_room_table({"instances": [another]}))


def test_nothing_at_all() -> None:
    assert len(making_room_table({})) == 2
