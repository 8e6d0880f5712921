# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the return, or the end, of a host needs of the outside: Protocols, and Placement's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..cloud import ComputeServices, EvacuationRecords
from ..nova import Instance
from ..run_lock import LockRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerAllocations:
    """All that one consumer has in Placement (``GET /allocations/{consumer}``).

    :param by_provider: resource provider UUID to ``{"resources": {class: amount}, ...}``.
    :param generation: of the consumer; what is written back is refused when it has changed.
    """

    consumer: str
    by_provider: Mapping[str, Mapping[str, Any]]
    generation: int | None
    project_id: str
    user_id: str


class ReturnCloud(ComputeServices, EvacuationRecords, Protocol):
    """Nova and Placement, as far as a host is concerned that was evacuated."""

    def api_time(self) -> datetime:
        """The compute API's clock (UTC), from its newest answer."""

    def instances_on(self, host: str) -> list[Instance]:
        """Instances of all projects whose host is exactly this one."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids; unknown ones are left out."""

    def evacuation_lock(self, host: str) -> LockRecord | None:
        """The lock of the evacuation run that works, or has worked, on this host."""

    def providers_of(self, host: str) -> frozenset[str]:
        """UUIDs of the host's resource providers: of its compute nodes, and all below them."""

    def consumers_on(self, provider: str) -> frozenset[str]:
        """UUIDs of all that hold an allocation of this resource provider."""

    def allocations_of(self, consumer: str) -> ConsumerAllocations:
        """What this consumer holds, wherever."""

    def replace_allocations(self, wanted: ConsumerAllocations) -> None:
        """Write these instead of what the consumer holds.

        :raises RecoveryError: ApiRefused with status 409 when the generation has changed.
        """
