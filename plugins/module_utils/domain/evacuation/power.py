# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance is meant to run after its evacuation.

An instance that was ACTIVE or STOPPED says it itself. One in ERROR does not, and Nova starts it
on the destination whatever it was: its action log tells what was last asked of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..nova import Instance, PowerAction

ON = "on"
OFF = "off"
# Somebody has taken the instance into a state of its own since (paused, suspended, rescued).
ANY = "any"

_TURNS_OFF = frozenset({"stop", "shelve"})
_TURNS_ON = frozenset({"create", "start", "reboot", "resume", "unpause", "unshelve", "unrescue"})
_KEEPS_ASIDE = frozenset({"pause", "suspend", "rescue"})


def intended_by_state(instance: Instance) -> str | None:
    """on or off, or None when only the action log can tell."""
    if instance.vm_state == "active":
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
