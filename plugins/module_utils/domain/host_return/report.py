# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen of an evacuated host, as host_return_info returns it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..run_marker import run_id_of
from ..text_table import text_table
from .observation import EvacuatedHost
from .steps import failed_to_leave, is_disabled_by_a_person, steps, wanted_compute


def show(seen: EvacuatedHost) -> dict[str, Any]:
    """Plain values, JSON-serialisable."""
    shown = {
        "steps": [step.as_dict() for step in steps(seen)],
        "compute": wanted_compute(seen),
        "instances": [departed.as_dict() for departed in seen.departed],
        "not_moved": [departed.as_dict() for departed in failed_to_leave(seen)],
        "allocations": [allocation.as_dict() for allocation in seen.allocations],
        "instances_here": seen.instances_here,
        "disabled_by_a_person": is_disabled_by_a_person(seen),
        "recovery_run_id": run_id_of(seen.service.disabled_reason),
    }
    if seen.guests is not None:
        shown["guests"] = seen.guests.as_dict()
    return shown


def return_table(seen: Mapping[str, Any]) -> list[str]:
    """The steps as lines for people, and below them the instances that have not moved.

    :param seen: what host_return_info has returned.
    """
    needed = {True: "yes", False: "no", None: "not known"}
    rows = [(step["name"], needed[step["needed"]], step["reason"]) for step in seen["steps"]]
    lines = text_table(("step", "needed", "why"), rows)
    if seen["not_moved"]:
        left = [
            (d["name"], d["id"], d["vm_state"] or "", d["what_to_do"] or "")
            for d in seen["not_moved"]
        ]
        lines += ["", *text_table(("not moved", "id", "state", "what to do"), left)]
    return lines
