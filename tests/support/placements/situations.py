# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random situations: what a host that fails leaves, and what the other two have to offer.

A seed and a number give the same situation each time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SOURCE = "compute-1"
OTHERS = ("compute-2", "compute-3")
FAST, SLOW = "CUSTOM_PLACEMENTS_FAST", "CUSTOM_PLACEMENTS_SLOW"
_ZONES: list[dict[str, tuple[str, ...]]] = [
    {},
    {"zone-a": (SOURCE, OTHERS[0]), "zone-b": (OTHERS[1],)},
    {"zone-a": (SOURCE, OTHERS[1]), "zone-b": (OTHERS[0],)},
    {"zone-a": (SOURCE, *OTHERS)},
]


@dataclass(frozen=True)
class Size:
    """Of a flavor; ``traits`` are its extra specs."""

    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    traits: tuple[tuple[str, str], ...] = ()

    def needs(self) -> dict[str, int]:
        """What it takes of a host when its root disk is local."""
        disk = self.root_gb + self.ephemeral_gb + -(-self.swap_mb // 1024)
        return {"VCPU": self.vcpus, "MEMORY_MB": self.memory_mb, "DISK_GB": disk}


@dataclass(frozen=True)
class Wanted:
    """An instance on the host that fails; ``zone`` is the one that its user asks for."""

    name: str
    size: Size
    zone: str | None = None
    grouped: bool = False


@dataclass(frozen=True)
class Situation:
    """``room`` is what the other hosts have free, ``disabled`` those of them that are disabled.

    ``members`` are hosts with a member of the anti-affinity group already. ``reserved`` are hosts
    in the aggregate placement-spares.
    """

    instances: tuple[Wanted, ...]
    room: dict[str, dict[str, int]]
    zones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fast: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    per_host: int = 1
    concurrency: int = 1


def situation(seed: int, number: int, instances: int) -> Situation:
    """:param number: of the situation, from 0.
    :param instances: how many the host that fails leaves.
    """
    dice = random.Random(f"{seed}/{number}")
    zones = dice.choice(_ZONES)
    per_host = dice.choice([1, 2])
    free_places = per_host
    wanted = []
    for index in range(instances):
        traits = dice.choice([()] * 6 + [((FAST, "required"),), ((SLOW, "forbidden"),)])
        size = Size(
            vcpus=dice.choice([1, 1, 2, 4]),
            memory_mb=dice.choice([64, 128, 256, 512]),
            root_gb=dice.choice([1, 2, 4]),
            ephemeral_gb=dice.choice([0, 0, 2]),
            swap_mb=dice.choice([0, 0, 512, 1500]),
            traits=traits,
        )
        grouped = free_places > 0 and dice.random() < 0.2
        free_places -= grouped
        zone = "zone-a" if zones and dice.random() < 0.4 else None
        wanted.append(Wanted(f"placement-{index}", size, zone, grouped))
    return Situation(
        instances=tuple(wanted),
        room={host: _room(dice, wanted) for host in OTHERS},
        zones=zones,
        fast=(SOURCE, *(host for host in OTHERS if dice.random() < 0.6)),
        slow=tuple(host for host in OTHERS if dice.random() < 0.4),
        disabled=(dice.choice(OTHERS),) if dice.random() < 0.1 else (),
        members=tuple(host for host in OTHERS if dice.random() < 0.3),
        per_host=per_host,
        concurrency=dice.choice([2, 8, 16]),
    )


def _room(dice: random.Random, wanted: list[Wanted]) -> dict[str, int]:
    """Of one or two resource classes too little for all, of the others enough."""
    scarce = dice.sample(["VCPU", "MEMORY_MB", "DISK_GB"], dice.choice([1, 1, 2]))
    demand = {
        name: sum(one.size.needs()[name] for one in wanted)
        for name in ("VCPU", "MEMORY_MB", "DISK_GB")
    }
    return {
        name: int(amount * dice.uniform(0.2, 0.8)) if name in scarce else amount + 1
        for name, amount in demand.items()
    }
