# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order instances are evacuated, and which must not move at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..nova import Instance, ServerGroup
from ..policy.decision import Decision
from ..policy.policy import Policy

# What serves users now goes first; what was off or broken can wait.
_STATE_RANK = {"active": 0, "error": 1, "stopped": 2}


def evacuation_order(
    instances: Iterable[Instance], policy: Policy, decisions: Mapping[str, Decision]
) -> list[Instance]:
    """By restart group, then by priority; within one running instances first, then those in error.

    Stopped ones come last, and what is alike goes by name.

    :param decisions: what the policy says of each instance, by its id.
    """

    def rank(instance: Instance) -> tuple[int, int, int, str, str]:
        decision = decisions[instance.id]
        return (
            policy.group_index(decision.restart_group),
            -decision.priority,
            _STATE_RANK.get(instance.vm_state, 3),
            instance.name,
            instance.id,
        )

    return sorted(instances, key=rank)


def one_at_a_time_groups(
    instance_id: str, groups_by_member: Mapping[str, Iterable[ServerGroup]]
) -> frozenset[str]:
    """Ids of the groups of which only one member may be moving at a time.

    The members of an anti-affinity group that are scheduled at the same moment can be given the
    same host; Nova then fails one of them late, on the destination, and does not reschedule it.
    """
    return frozenset(
        group.id
        for group in groups_by_member.get(instance_id, ())
        if group.policy in ("anti-affinity", "soft-anti-affinity")
    )
