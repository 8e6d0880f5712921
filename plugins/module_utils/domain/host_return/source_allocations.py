# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which allocations on a host belong to instances that have left it, and which of them can go.

Nova's own nova-compute removes them when it starts on the host; when that fails it only logs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..nova import MigrationRecord
from ..records import in_progress
from .cloud import ConsumerAllocations
from .departed import DELETED, GONE_FROM_HOST, Departed, moves_since


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAllocation:
    """An allocation of a departed instance on the host.

    :param kept_because: why it must stay for now; None when it can go.
    """

    instance_id: str
    resources: Mapping[str, Mapping[str, int]]
    kept_because: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.instance_id,
            "resources": {provider: dict(held) for provider, held in self.resources.items()},
            "kept_because": self.kept_because,
        }


def candidates(departed: Iterable[Departed], consumers: Collection[str]) -> list[Departed]:
    """Those that have left and still hold something on the host."""
    return [d for d in departed if d.fate in GONE_FROM_HOST and d.instance_id in consumers]


def source_allocation(
    departed: Departed,
    held: ConsumerAllocations,
    providers: Collection[str],
    moves: Iterable[MigrationRecord],
) -> SourceAllocation | None:
    """What it holds on the host's providers, and whether that can go; None when it holds nothing.

    :param moves: records of every kind of move, of this host or of this instance.
    """
    here = {p: dict(a["resources"]) for p, a in held.by_provider.items() if p in providers}
    if not here:
        return None
    return SourceAllocation(
        instance_id=departed.instance_id,
        resources=here,
        kept_because=_why_kept(departed, held, providers, moves),
    )


def _why_kept(
    departed: Departed,
    held: ConsumerAllocations,
    providers: Collection[str],
    moves: Iterable[MigrationRecord],
) -> str | None:
    if departed.fate not in GONE_FROM_HOST:
        return f"it is not gone from the host ({departed.fate})"
    for move in filter(in_progress, moves_since(departed, moves)):
        # A move back to this host holds here what it is going to need.
        return f"its {move.migration_type} record {move.id} is {move.status}"
    if departed.fate != DELETED and set(held.by_provider) <= set(providers):
        return (
            f"it holds nothing on {departed.host}, where it is now: run 'nova-manage placement"
            f" heal_allocations --force --instance {departed.instance_id}' first"
        )
    return None


def without_host(held: ConsumerAllocations, providers: Collection[str]) -> ConsumerAllocations:
    """What is left when the host's providers are taken out."""
    rest = {p: a for p, a in held.by_provider.items() if p not in providers}
    return replace(held, by_provider=rest)
