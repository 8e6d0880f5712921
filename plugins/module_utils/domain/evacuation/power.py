# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance is meant to run after its evacuation.

An instance that is ACTIVE or STOPPED says it itself. One in ERROR does not, nor one that Nova has
started on its destination, as it does whatever the instance was, to stop it again a moment later:
the action log tells what was last asked of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..nova import Instance, MigrationRecord, PowerAction
from ..records import in_progress

ON = "on"
OFF = "off"
# Somebody has taken the instance into a state of its own since (paused, suspended, rescued).
ANY = "any"

# Nova's words for what an evacuation does until the instance is started: it is in its old state.
_REBUILDS = "rebuild"
_TURNS_OFF = frozenset({"stop", "shelve"})
_TURNS_ON = frozenset({"create", "start", "reboot", "resume", "unpause", "unshelve", "unrescue"})
_KEEPS_ASIDE = frozenset({"pause", "suspend", "rescue"})


class ActionLog(Protocol):
    """Of the compute API."""

    def power_actions(self, instance_id: str) -> list[PowerAction]:
        """The instance's action log."""


def intended_power(
    log: ActionLog, instance: Instance, record: MigrationRecord | None, *, leave_off: bool
) -> str:
    """on, off or any. The action log is read only when nothing else tells.

    :param record: that of an evacuation which has moved it, or is moving it.
    :param leave_off: the policy wants it to be off after its evacuation.
    """
    if leave_off:
        if record is None or in_progress(record) or instance.vm_state != "active":
            return OFF
        # It runs all the same: its owner may have started it since.
        actions = log.power_actions(instance.id)
        since = [action for action in actions if action.start_time > record.created_at]
        return ON if any(action.action in _TURNS_ON for action in since) else OFF
    by_state = intended_by_state(instance, record)
    return by_state or intended_by_actions(log.power_actions(instance.id))


def intended_by_state(instance: Instance, record: MigrationRecord | None = None) -> str | None:
    """on or off, or None when only the action log can tell.

    :param record: that of an evacuation which has moved it, or is moving it.
    """
    if record is not None and not in_progress(record):
        return None
    if instance.vm_state == "active":
        if record is not None and not (instance.task_state or "").startswith(_REBUILDS):
            # Started on its destination, and perhaps about to be stopped.
            return None
        return ON
    if instance.vm_state == "stopped":
        return OFF
    return None


def intended_by_actions(actions: Iterable[PowerAction]) -> str:
    """What the newest action that bears on an instance's power has asked for.

    An instance without any such action is meant to run: creating it asked for that.
    """
    for action in sorted(actions, key=lambda action: action.start_time, reverse=True):
        if action.action in _TURNS_OFF:
            return OFF
        if action.action in _TURNS_ON:
            return ON
        if action.action in _KEEPS_ASIDE:
            return ANY
    return ON
