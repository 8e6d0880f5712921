# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flavor of Nova by name or id, and which projects may use it."""

from __future__ import annotations

from typing import Any

from ..domain.errors import RecoveryError
from ..domain.reshape.shape import FlavorWanted
from .openstack_connection import CloudConnection, cloud_errors


class Flavors:
    """The flavors of a cloud, listed once for all that are looked up."""

    def __init__(self, connection: CloudConnection) -> None:
        self._connection = connection
        self._listed: list[Any] | None = None

    def choose(self, name_or_id: str) -> FlavorWanted:
        """The flavor with this id, or else the one with this name.

        :raises RecoveryError: ``flavor_not_found``, ``flavor_disabled``, and those of the API.
        """
        flavors = self._all()
        found = [flavor for flavor in flavors if flavor.id == name_or_id]
        found = found or [flavor for flavor in flavors if flavor.name == name_or_id]
        if not found:
            raise RecoveryError(
                "flavor_not_found",
                f"there is no flavor {name_or_id}: check the option flavor; nothing was done",
                details={"flavor": name_or_id},
            )
        chosen = found[0]
        if chosen.is_disabled:
            raise RecoveryError(
                "flavor_disabled",
                f"flavor {chosen.name} is disabled: enable it, or give another",
                details={"flavor": chosen.name},
            )
        return FlavorWanted(
            id=chosen.id,
            name=chosen.name,
            vcpus=int(chosen.vcpus),
            memory_mb=int(chosen.ram),
            root_gb=int(chosen.disk or 0),
            ephemeral_gb=int(chosen.ephemeral or 0),
            swap_mb=int(chosen.swap or 0),
            extra_specs={str(k): str(v) for k, v in (chosen.extra_specs or {}).items()},
            project_ids=None if chosen.is_public else self._projects_of(chosen.id),
        )

    def _all(self) -> list[Any]:
        if self._listed is None:
            with cloud_errors("list the flavors"):
                self._listed = list(self._connection.sdk.compute.flavors(is_public=None))
        return self._listed

    def _projects_of(self, flavor_id: str) -> frozenset[str]:
        with cloud_errors(f"read who may use flavor {flavor_id}"):
            path = f"/flavors/{flavor_id}/os-flavor-access"
            access = self._connection.read(self._connection.sdk.compute, path)
            return frozenset(entry["tenant_id"] for entry in access["flavor_access"])
