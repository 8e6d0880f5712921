# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m placements.shortage make|untouched|recovered

A host fails, and there is not enough room: one other host takes one of two large instances, and a
reserved one has the only place for an instance that wants its trait. Nova's API says what became
of them.
"""

from __future__ import annotations

import sys

from expecting import require

from .real import Lab
from .situations import FAST, OTHERS, SOURCE, Situation, Size, Wanted

USED, RESERVED = OTHERS
HIGH, LOW, TRAIT = "placement-high", "placement-low", "placement-trait"
_LARGE = Size(vcpus=2, memory_mb=64, root_gb=1)
_SPECIAL = Size(vcpus=1, memory_mb=64, root_gb=1, traits=((FAST, "required"),))
_ENOUGH = {"MEMORY_MB": 1024, "DISK_GB": 50}

SITUATION = Situation(
    # By name the low one would go first.
    instances=(
        Wanted(HIGH, _LARGE, zone="zone-a"),
        Wanted(LOW, _LARGE),
        Wanted(TRAIT, _SPECIAL),
    ),
    room={USED: {"VCPU": 3, **_ENOUGH}, RESERVED: {"VCPU": 1, **_ENOUGH}},
    zones={"zone-a": (SOURCE, USED), "zone-b": (RESERVED,)},
    fast=(SOURCE, RESERVED),
    disabled=(RESERVED,),
    reserved=(RESERVED,),
)


def untouched(lab: Lab) -> None:
    """Nothing was changed, though everything was asked for."""
    require(not lab.placed(lab.ids().values()), "something was evacuated")
    service = lab.service(SOURCE)
    require(not service["forced_down"], "the host was forced down")
    require(service["status"] == "enabled", "the host was disabled")
    require(lab.service(RESERVED)["status"] == "disabled", "the reserved host was enabled")


def recovered(lab: Lab) -> None:
    """The room has gone to whom it is meant for."""
    hosts = lab.hosts()
    require(hosts[HIGH] == USED, f"{HIGH} is on {hosts[HIGH]}")
    require(hosts[TRAIT] == RESERVED, f"{TRAIT} is on {hosts[TRAIT]}")
    require(hosts[LOW] == SOURCE, f"{LOW} is on {hosts[LOW]}")
    require(lab.placed([lab.ids()[LOW]]) == {lab.ids()[LOW]: False}, f"{LOW} was not tried")
    require(lab.service(RESERVED)["status"] == "enabled", "the reserved host was not enabled")
    require(lab.service(SOURCE)["forced_down"], "the host was not forced down")


def main(arguments: list[str]) -> None:
    lab = Lab()
    match arguments:
        case ["make"]:
            lab.make(SITUATION)
            lab.fail()
        case ["untouched"]:
            untouched(lab)
        case ["recovered"]:
            recovered(lab)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
