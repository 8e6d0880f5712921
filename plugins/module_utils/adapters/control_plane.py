# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the services that an evacuation needs answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..domain.errors import RecoveryError
from ..domain.nova import ComputeService
from .openstack_connection import CloudConnection, cloud_errors


class ControlPlane:
    """Asks each service for something small."""

    def __init__(self, connection: CloudConnection) -> None:
        self._connection = connection

    def answers(self, services: Iterable[ComputeService]) -> dict[str, str | None]:
        """By service None, or what is wrong with it.

        :param services: every compute service, for the scheduler and conductor, which have no API.
        """
        found: dict[str, str | None] = {}
        services = list(services)
        for binary in ("nova-scheduler", "nova-conductor"):
            up = any(s.binary == binary and s.state == "up" for s in services)
            found[binary] = None if up else "none is up"
        cloud = self._connection
        found["neutron"] = self._ask(
            "neutron", lambda: cloud.sdk.network, "/networks?limit=1&fields=id"
        )
        found["placement"] = self._ask("placement", lambda: cloud.placement, "/resource_classes")
        found["glance"] = self._ask("glance", lambda: cloud.sdk.image, "/images?limit=1")
        return found

    def _ask(self, name: str, proxy: Callable[[], Any], path: str) -> str | None:
        try:
            with cloud_errors(f"ask {name}"):
                self._connection.read(proxy(), path)
        except RecoveryError as error:
            return error.message
        return None

    def aggregates_of(self, host: str) -> list[str]:
        """Names of the host aggregates that hold this host."""
        with cloud_errors("list the host aggregates"):
            return [
                aggregate.name
                for aggregate in self._connection.sdk.compute.aggregates()
                if host in (aggregate.hosts or ())
            ]
