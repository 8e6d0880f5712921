# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances may be removed, and why others that the policy calls preemptible may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..nova import Instance
from ..policy.decision import Decision
from ..policy.policy import SHELVE, Preemptible

SHELVED, OFFLOADED, SOFT_DELETED = "shelved", "shelved_offloaded", "soft-delete"
# What Nova shelves; one that is shelved already is only taken off its host.
_SHELVABLE = frozenset({"active", "stopped", "paused", "suspended", SHELVED})
# In the middle of a resize it holds something on two hosts.
_NOT_DELETABLE = frozenset({"resized", OFFLOADED, "deleted", "building"})
# Its room comes free without anybody's doing.
LEAVING = frozenset({"deleting", "soft-deleting", "shelving_offloading"})
# What an earlier run has begun with it goes on.
_BEGUN = frozenset(
    {"shelving", "shelving_image_pending_upload", "shelving_image_uploading", "powering-off"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """An instance that a rule calls preemptible, and that stays: ``code`` and ``reason`` say why."""

    instance: Instance
    code: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance.id,
            "name": self.instance.name,
            "project_id": self.instance.project_id,
            "from": self.instance.host,
            "action": "skip",
            "code": self.code,
            "reason": self.reason,
        }


@dataclass(slots=True, kw_only=True)
class Excluded:
    """What must stay, and why: instances by their id, and all that an action is stated for, by action."""

    instances: dict[str, str] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)

    def why(self, instance_id: str, action: str) -> str | None:
        return self.instances.get(instance_id, self.actions.get(action))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that may be removed; ``rule`` is the name of the policy's rule that says so."""

    instance: Instance
    preemptible: Preemptible
    rule: str


def why_spared(instance: Instance, action: str) -> tuple[str, str] | None:
    """A code and a reason against removing this instance now; None when nothing speaks against it.

    :param action: shelve or delete.
    """
    if instance.locked:
        return "locked", "it is locked"
    if instance.task_state not in {None, *_BEGUN, *LEAVING}:
        return "task_in_progress", f"Nova is at work on it ({instance.task_state})"
    allowed = (
        instance.vm_state in _SHELVABLE
        if action == SHELVE
        else instance.vm_state not in _NOT_DELETABLE
    )
    if not allowed:
        return "vm_state", f"it is {instance.vm_state}, of which Nova would not {action} it"
    if action == SHELVE and instance.ephemeral_gb > 0:
        # Nova makes an image of the root disk alone, and removes all local disks with the guest.
        return (
            "ephemeral_disk",
            "its local ephemeral disk would be lost: Nova shelves only the root disk",
        )
    return None


def find_candidates(
    instances: Iterable[Instance],
    decisions: Mapping[str, Decision],
    excluded: Excluded,
) -> tuple[list[Candidate], list[Spared]]:
    """Those that may be removed, and those that a rule calls preemptible and that stay.

    :param decisions: of the policy, by instance id.
    """
    found, spared = [], []
    for instance in instances:
        decision = decisions[instance.id]
        preemptible = decision.preemptible
        if preemptible is None:
            continue
        reason = why_spared(instance, preemptible.action)
        if (stays := excluded.why(instance.id, preemptible.action)) is not None:
            reason = ("excluded", stays)
        if reason is not None:
            spared.append(Spared(instance=instance, code=reason[0], reason=reason[1]))
            continue
        rule = decision.rules["preemptible"]
        found.append(Candidate(instance=instance, preemptible=preemptible, rule=rule))
    return found, spared
