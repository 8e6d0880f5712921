# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance is meant to run."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.power import (
    OFF,
    ON,
    intended_by_actions,
    intended_by_state,
    intended_power,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import PowerAction
from fakes import values


class Log:
    """Counts how often it is read."""

    def __init__(self, *actions: PowerAction) -> None:
        self.actions, self.reads = list(actions), 0

    def power_actions(self, _instance_id: str) -> list[PowerAction]:
        self.reads += 1
        return self.actions


@pytest.mark.parametrize(
    ("vm_state", "status", "action", "intended", "reads"),
    [
        ("active", None, "create", OFF, 0),
        ("error", None, "create", OFF, 0),
        ("active", "accepted", "start", OFF, 0),
        ("stopped", "done", "start", OFF, 0),
        # Nova has started it, to stop it again.
        ("active", "done", "evacuate", OFF, 1),
        ("active", "done", "start", ON, 1),
        ("active", "done", "reboot", ON, 1),
    ],
)
def test_what_is_to_be_left_off_is_off_unless_its_owner_has_started_it_since(
    vm_state: str, status: str | None, action: str, intended: str, reads: int
) -> None:
    log = Log(
        PowerAction(action="start", start_time=values.at(-60)),
        PowerAction(action=action, start_time=values.at(60)),
    )
    record = values.record(1, status) if status else None
    instance = values.instance(vm_state=vm_state)
    assert intended_power(log, instance, record, leave_off=True) == intended
    assert log.reads == reads


def test_the_log_is_read_when_the_state_does_not_tell() -> None:
    log = Log(PowerAction(action="stop", start_time=values.at(0)))
    assert intended_power(log, values.instance(), None, leave_off=False) == ON
    assert log.reads == 0
    broken = values.instance(vm_state="error")
    assert intended_power(log, broken, None, leave_off=False) == OFF
    assert log.reads == 1


@pytest.mark.parametrize(
    ("vm_state", "intended"), [("active", "on"), ("stopped", "off"), ("error", None)]
)
def test_the_state_tells_unless_it_is_error(vm_state: str, intended: str | None) -> None:
    assert intended_by_state(values.instance(vm_state=vm_state)) == intended


@pytest.mark.parametrize(
    ("status", "vm_state", "task_state", "intended"),
    [
        ("accepted", "active", "rebuilding", "on"),
        ("pre-migrating", "active", "rebuild_spawning", "on"),
        ("pre-migrating", "stopped", "rebuild_block_device_mapping", "off"),
        # Nova starts it on its destination whatever it was, and only then stops it.
        ("pre-migrating", "active", None, None),
        ("pre-migrating", "active", "powering-off", None),
        ("pre-migrating", "stopped", None, "off"),
        ("done", "active", None, None),
        ("done", "stopped", None, None),
    ],
)
def test_what_nova_is_moving_tells_until_it_is_started(
    status: str, vm_state: str, task_state: str | None, intended: str | None
) -> None:
    instance = values.instance(vm_state=vm_state, task_state=task_state)
    assert intended_by_state(instance, values.record(status=status)) == intended


@pytest.mark.parametrize(
    ("actions", "intended"),
    [
        ([], "on"),
        (["create"], "on"),
        (["create", "stop"], "off"),
        (["create", "stop", "start"], "on"),
        (["create", "stop", "evacuate", "evacuate"], "off"),
        (["create", "stop", "start", "evacuate", "rebuild", "lock"], "on"),
        (["create", "stop", "reboot"], "on"),
        (["create", "shelve"], "off"),
        (["create", "shelve", "unshelve"], "on"),
        (["an action of a release to come"], "on"),
    ],
)
def test_the_newest_action_that_bears_on_it_tells(actions: list[str], intended: str) -> None:
    log = [
        PowerAction(action=word, start_time=values.at(number))
        for number, word in enumerate(actions)
    ]
    # Nova lists the newest first; the order of the list must not matter.
    assert intended_by_actions(log) == intended_by_actions(log[::-1]) == intended


@pytest.mark.parametrize("action", ["pause", "suspend", "rescue"])
def test_an_instance_that_its_owner_has_put_aside_is_not_meant_to_run(action: str) -> None:
    log = [
        PowerAction(action="create", start_time=values.at(0)),
        PowerAction(action=action, start_time=values.at(1)),
    ]
    assert intended_by_actions(log) != ON
