# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers what the verdict about a host needs, from Nova, the other services and probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..domain.clock import Clock
from ..domain.host_failure.evidence import Observed, ProbeResult
from ..domain.host_failure.verdict import Gates, needs_second_look
from ..domain.nova import COMPUTE
from ..domain.service_change import find_service
from .control_plane import ControlPlane
from .nova_api import NovaApi
from .openstack_connection import CloudConnection

Probe = Callable[[], ProbeResult]


def observe_host(
    connection: CloudConnection,
    host: str,
    probes: Sequence[Probe],
    gates: Gates,
    clock: Clock,
) -> Observed:
    """Everything about this host, read once; its heartbeat twice when that is needed.

    :raises RecoveryError: unknown or ambiguous host, or a compute API that cannot be read.
    """
    nova, control_plane = NovaApi(connection), ControlPlane(connection)
    services = nova.compute_services()
    seen = Observed(
        host=host,
        at=nova.api_time(),
        service=find_service(services, host, COMPUTE),
        services=services,
        records=nova.migrations(source_compute=host),
        aggregates=control_plane.aggregates_of(host),
        answers=control_plane.answers(services),
        probes=[probe() for probe in probes],
    )
    if not needs_second_look(seen, gates):
        return seen
    first = seen.service.updated_at
    clock.sleep(gates.heartbeat_watch)
    services = nova.compute_services()
    return replace(
        seen,
        at=nova.api_time(),
        service=find_service(services, host, COMPUTE),
        services=services,
        watched=True,
        earlier_update=first,
    )
