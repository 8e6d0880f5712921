# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do until a host that was evacuated works again, in a safe order.

nova-compute destroys, when it starts, the guests of evacuations that are in progress too: those have
not moved yet. So it does with an instance that was moved back while its record is still done. It
completes the records that are done, and until then Nova refuses to lift forced_down. A host may be
enabled only once it is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..run_marker import run_id_of
from .departed import ENDANGERED, STAYED, Departed
from .observation import EvacuatedHost

STARTED, RESTARTED = "started", "restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``needed`` is None where that cannot be said, because nobody looked at the hypervisor."""

    name: str
    needed: bool | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "needed": self.needed, "reason": self.reason}


def steps(seen: EvacuatedHost) -> list[Step]:
    """Every step of a return, those that are not needed too."""
    return [
        _wait_for_evacuations(seen),
        _move_endangered(seen),
        _terminate_leftovers(seen),
        _start_compute(seen),
        _complete_records(seen),
        _remove_allocations(seen),
        _lift_forced_down(seen),
        _enable(seen),
    ]


def wanted_compute(seen: EvacuatedHost) -> str:
    """How nova-compute is to be started: it completes records only at its start."""
    return RESTARTED if seen.done else STARTED


def failed_to_leave(seen: EvacuatedHost) -> list[Departed]:
    """Instances whose last evacuation failed, of this outage or still in ERROR."""
    return [
        d
        for d in seen.departed
        if d.fate == STAYED and (d.vm_state == "error" or seen.service.forced_down)
    ]


def is_disabled_by_a_person(seen: EvacuatedHost) -> bool:
    return seen.service.status == "disabled" and not run_id_of(seen.service.disabled_reason)


def _wait_for_evacuations(seen: EvacuatedHost) -> Step:
    name, count = "wait_for_evacuations", len(seen.moving)
    if seen.run is not None:
        reason = f"run {seen.run.run_id} ({seen.run.holder}) is evacuating it"
        return Step(name=name, needed=True, reason=reason)
    reason = f"{count} evacuations from the host are in progress"
    return Step(name=name, needed=count > 0, reason=reason)


def _move_endangered(seen: EvacuatedHost) -> Step:
    found = [departed.instance_id for departed in seen.departed if departed.fate == ENDANGERED]
    reason = f"{len(found)} instances that were moved back would be destroyed by nova-compute"
    if found:
        reason += f": {', '.join(found)}"
    return Step(name="move_endangered", needed=bool(found), reason=reason)


def _terminate_leftovers(seen: EvacuatedHost) -> Step:
    name = "terminate_leftovers"
    if seen.guests is None:
        return Step(name=name, needed=None, reason="its hypervisor was not looked at")
    count = len(seen.guests.leftover)
    return Step(
        name=name,
        needed=count > 0,
        reason=f"{count} guests of instances that have left are on its hypervisor",
    )


def _start_compute(seen: EvacuatedHost) -> Step:
    if seen.done:
        reason = f"it is to be {RESTARTED}: it completes {len(seen.done)} records at its start"
        return Step(name="start_compute", needed=True, reason=reason)
    up = seen.service.state == "up"
    reason = "nova-compute is up" if up else f"nova-compute is to be {STARTED}"
    return Step(name="start_compute", needed=not up, reason=reason)


def _complete_records(seen: EvacuatedHost) -> Step:
    count = len(seen.done)
    reason = f"{count} evacuation records are done, not completed"
    return Step(name="complete_records", needed=count > 0, reason=reason)


def _remove_allocations(seen: EvacuatedHost) -> Step:
    count = sum(not allocation.kept_because for allocation in seen.allocations)
    reason = f"{count} instances that have left hold an allocation on it"
    if seen.done and count:
        reason += "; nova-compute removes them at its start, what is left after that is removed"
    return Step(name="remove_allocations", needed=count > 0, reason=reason)


def _lift_forced_down(seen: EvacuatedHost) -> Step:
    forced = seen.service.forced_down
    reason = "it is forced down" if forced else "it is not forced down"
    return Step(name="lift_forced_down", needed=forced, reason=reason)


def _enable(seen: EvacuatedHost) -> Step:
    service = seen.service
    if service.status == "enabled":
        return Step(name="enable", needed=False, reason="it is enabled")
    run_id = run_id_of(service.disabled_reason)
    if run_id:
        return Step(name="enable", needed=True, reason=f"recovery run {run_id} has disabled it")
    why = f": {service.disabled_reason}" if service.disabled_reason else ""
    return Step(
        name="enable", needed=False, reason=f"it stays disabled, which a person has done{why}"
    )
