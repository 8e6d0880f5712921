# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes instances: shelves or deletes them, and waits until Placement counts them no more.

What comes next follows from what Nova shows. Right before each call everything is looked at again:
an instance that was locked, moved, or that the policy no longer calls preemptible, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..check import Check
from ..nova import Instance
from ..operation.step import Act, Arrived, Fail, Gone, Standing, Verdict, Wait
from ..operation.work import GONE, IN_PROGRESS, VERIFIED, Work
from ..policy.decision import Decision, decide
from ..policy.policy import SHELVE, Policy
from .candidates import OFFLOADED, SHELVED, SOFT_DELETED, why_spared
from .cloud import PreemptionCloud
from .plan import Removal
from .turn import Turn

_SHELVE, _OFFLOAD, _STOP, _DELETE, _FORCE = "shelve", "offload", "stop", "delete", "force_delete"
_DELETED = "deleted"
# In these states it does not run any more, or not as it did.
_TAKEN = frozenset({SHELVED, OFFLOADED, SOFT_DELETED, _DELETED, "error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An instance, and what the policy says of it now."""

    instance: Instance
    decision: Decision


class Removing:
    """Implements Operation for these removals."""

    def __init__(
        self, cloud: PreemptionCloud, policy: Policy, removals: Iterable[Removal], turn: Turn
    ) -> None:
        self._cloud = cloud
        self._policy = policy
        self._removals = {removal.id: removal for removal in removals}
        self._turn = turn

    def look(self, instance_ids: Sequence[str]) -> Mapping[str, Look]:
        wanted = set(instance_ids)
        # For a moment Nova still shows what it has deleted.
        instances = [
            instance
            for instance in self._cloud.instances_named(instance_ids)
            if instance.id in wanted and instance.vm_state != _DELETED
        ]
        subjects = self._cloud.policy_facts(self._policy, instances).subjects
        return {
            instance.id: Look(
                instance=instance, decision=decide(self._policy, subjects[instance.id])
            )
            for instance in instances
        }

    def judge(self, instance_id: str, seen: Look | None) -> Verdict:
        removal = self._removals[instance_id]
        shelves = removal.action == SHELVE
        if seen is None:
            return Gone() if shelves else Arrived()
        instance = seen.instance
        if instance.task_state is not None:
            return Wait(instance.task_state)
        # Of these two nothing runs any more: they only hold their room.
        if instance.vm_state == SOFT_DELETED:
            return Gone() if shelves else self._act(_FORCE, begun=True)
        if shelves and instance.vm_state == OFFLOADED:
            return Arrived()
        against = self._against(removal, seen)
        if against is not None:
            return against
        if shelves:
            is_shelved = instance.vm_state == SHELVED
            return self._act(_OFFLOAD if is_shelved else _SHELVE, begun=is_shelved)
        if removal.candidate.preemptible.stop_first and instance.vm_state == "active":
            return self._act(_STOP)
        return self._act(_DELETE)

    def _act(self, step: str, *, begun: bool = False) -> Verdict:
        against = self._turn.against(begun=begun)
        return Act(step) if against is None else against

    def _against(self, removal: Removal, seen: Look) -> Fail | None:
        instance = seen.instance
        if seen.decision.preemptible != removal.candidate.preemptible:
            return _stays(
                "not_preemptible", "the policy no longer says of it what it said in the plan"
            )
        if instance.host != removal.candidate.instance.host:
            return _stays("moved", f"it is on {instance.host or 'no host'} by now")
        reason = why_spared(instance, removal.action)
        return None if reason is None else _stays(*reason)

    def standing(self, instance_id: str, seen: Look | None) -> Standing:  # noqa: ARG002  of Operation
        if seen is None:
            return Standing(host=None, state=_DELETED)
        return Standing(host=seen.instance.host, state=seen.instance.vm_state)

    def send(self, instance_id: str, step: str) -> str | None:
        if step == _DELETE:
            self._cloud.delete_instance(instance_id)
            return None
        calls = {
            _SHELVE: self._cloud.shelve,
            _OFFLOAD: self._cloud.shelve_offload,
            _STOP: self._cloud.stop,
            _FORCE: self._cloud.force_delete,
        }
        return calls[step](instance_id)

    def why_ended(self, instance_id: str, step: str) -> str | None:  # noqa: ARG002  of Operation
        return self._cloud.failure_of(instance_id)

    def remedy(self, instance_id: str, seen: Look | None) -> str | None:  # noqa: ARG002  of Operation
        return None

    def verify(self, seen: Mapping[str, Look | None]) -> Mapping[str, Mapping[str, Check]]:
        return {
            instance_id: {
                check.name: check for check in (self._state(look), self._allocation(instance_id))
            }
            for instance_id, look in seen.items()
        }

    def _state(self, look: Look | None) -> Check:
        observed = _DELETED if look is None else look.instance.vm_state
        expected = _DELETED if look is None else OFFLOADED
        return Check("state", observed == expected, expected, observed)

    def _allocation(self, instance_id: str) -> Check:
        hosts = self._cloud.allocation_hosts(instance_id)
        return Check("allocation", not hosts, "none", ", ".join(sorted(hosts)) or "none")


def counts_as_removed(work: Work) -> bool:
    """Whether the limit counts it: it is gone, or Nova has taken up a call, or may have.

    So one counts, too, that could not be shelved. Nova powers it off before it takes the image, and
    leaves it off when that fails.
    """
    if work.state in (VERIFIED, GONE, IN_PROGRESS):
        return True
    if work.standing is not None and work.standing.state in _TAKEN:
        return True
    return any(call.refused is None for call in work.calls.values())


def _stays(code: str, reason: str) -> Fail:
    return Fail(code, reason, not_by_step=True)
