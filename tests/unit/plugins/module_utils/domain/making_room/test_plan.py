# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as it is returned, and when it is refused. The planner's tests make plans."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.openstack_recovery.nova.plugins.module_utils import domain
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.candidates import (
    Candidate,
    Spared,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    GETS_ROOM,
    HAS_ROOM,
    NO_ROOM,
    Plan,
    Removal,
    Waiter,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    FAIL,
    CapacityPolicy,
    Policy,
    Preemptible,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import values


def waiter(name: str, fits: str) -> Waiter:
    return Waiter(instance=values.instance(name, host=None, zone="z"), fits=fits)


def plan(*fits: str) -> Plan:
    return Plan(waiting=tuple(waiter(f"{word}-{n}", word) for n, word in enumerate(fits)))


@pytest.mark.parametrize(
    ("fits", "on_shortage", "refused"),
    [
        ((HAS_ROOM, GETS_ROOM), FAIL, False),
        ((GETS_ROOM, NO_ROOM), "by_priority", False),
        ((GETS_ROOM, NO_ROOM), FAIL, True),
        ((NO_ROOM, NO_ROOM), "by_priority", True),
    ],
)
def test_it_is_refused_when_nothing_of_what_was_asked_is_to_be_had(
    fits: tuple[str, ...], on_shortage: str, *, refused: bool
) -> None:
    policy = Policy(capacity=CapacityPolicy(on_shortage=on_shortage))
    if not refused:
        plan(*fits).require_room(policy)
        return
    with pytest.raises(RecoveryError) as error:
        plan(*fits).require_room(policy)
    assert error.value.code == "insufficient_room"


def test_those_that_get_room_come_before_those_that_have_it() -> None:
    assert plan(HAS_ROOM, NO_ROOM, GETS_ROOM).room_for() == ["id-gets_room-2", "id-has_room-0"]


def test_all_that_is_told_is_plain() -> None:
    goes = Candidate(instance=values.instance("a"), preemptible=Preemptible(value=3), rule="batch")
    made = Plan(
        waiting=(waiter("w", GETS_ROOM),),
        removals=(Removal(candidate=goes, frees={"VCPU": 1}, waiters=("id-w",)),),
        spared=(Spared(instance=values.instance("b"), code="locked", reason="it is locked"),),
    )
    removal, spared = made.as_list()
    assert removal == {
        "id": "id-a",
        "name": "a",
        "project_id": "project",
        "from": "compute-1",
        "action": "shelve",
        "stop_first": False,
        "value": 3,
        "rule": "batch",
        "frees": {"VCPU": 1},
        "for": ["id-w"],
    }
    assert spared["action"] == "skip"
    assert made.waiting[0].as_dict()["zone"] == "z"


def test_the_policy_of_the_page_is_one() -> None:
    page = Path(next(iter(domain.__path__))).parents[2] / "docs" / "making-room.md"
    text = page.read_text().split("```yaml\n")[1].split("```")[0]
    policy = parse_policy(yaml.safe_load(text))
    assert policy.make_room.limit == 2
    assert [rule.preemptible for rule in policy.rules][:2] == [
        Preemptible(value=10),
        Preemptible(value=1, action="delete", stop_first=True),
    ]
