# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud's APIs as a build sees them: what FakeConductor has made, and what is set here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.conductor import (
    BuildSubmission,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    RequestSpecRow,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
    Instance,
    Port,
    VolumeAttachment,
)

from .conductor import FakeConductor
from .nova_databases import CELL0, CELL1, FakeDatabases
from .world import World

TOKEN = "gAAAA-a-secret-token"


class FakeBuildCloud:
    """Implements BuildCloud.

    Each call takes ``seconds``. ``errors`` are raised by the call of that name, one after the other;
    ``harmed`` are instances whose allocations or ports were freed while a message of them was alive
    or when they had been built.
    """

    def __init__(self, databases: FakeDatabases, conductor: FakeConductor, world: World) -> None:
        self._databases, self._conductor, self._world = databases, conductor, world
        self.seconds = 0.0
        self.errors: dict[str, list[RecoveryError]] = {}
        self.calls: list[tuple[str, str]] = []
        self.harmed: list[str] = []
        self.networks: dict[str, list[Mapping[str, Any]]] = {}
        self.port_status: dict[str, str] = {}
        self._ids = count(1)

    def _call(self, name: str, uuid: str) -> None:
        self.calls.append((name, uuid))
        # While something is locked nobody else has a turn.
        if self.seconds and not self._databases.in_transaction:
            self._world.spend(self.seconds)
        if self.errors.get(name):
            raise self.errors[name].pop(0)

    def _row(self, uuid: str) -> Mapping[str, Any] | None:
        rows = self._databases.rows_of(uuid, CELL1)
        row = None if rows is None else rows["instances"][0]
        return row if row is not None and row["launched_at"] else None

    def _failed(self, uuid: str) -> Mapping[str, Any] | None:
        for cell_id in (CELL0, CELL1):
            rows = self._databases.rows_of(uuid, cell_id)
            if rows is not None and rows["instances"][0]["vm_state"] == "error":
                return rows["instances"][0]
        return None

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        (uuid,) = names
        self._call("instances_named", uuid)
        row = self._row(uuid) or self._failed(uuid)
        if row is None:
            return []
        return [
            Instance(
                id=uuid,
                name="web",
                project_id=row["project_id"],
                host=row["host"],
                vm_state=row["vm_state"],
                task_state=row["task_state"],
                power_state=RUNNING,
                fault="no host had room" if row["vm_state"] == "error" else None,
            )
        ]

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        (uuid,) = instance_ids
        self._call("ports_of", uuid)
        row = self._row(uuid)
        if row is None:
            return []
        return [
            Port(
                id=request.get("port_id") or f"port-{number}",
                instance_id=uuid,
                status=self.port_status.get(uuid, "ACTIVE"),
                binding_host=row["host"],
                vif_type="ovs",
                network_id=request.get("network_id") or "",
                fixed_ips=frozenset({str(request["address"])} if request.get("address") else ()),
            )
            for number, request in enumerate(self.networks.get(uuid, ()))
        ]

    def allocation_hosts(self, instance_id: str) -> frozenset[str]:
        self._call("allocation_hosts", instance_id)
        host = self._conductor.allocations.get(instance_id)
        return frozenset() if host is None else frozenset({host})

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        self._call("volumes", ",".join(volume_ids))
        return None

    def delete_allocations(self, instance_id: str) -> None:
        self._call("delete_allocations", instance_id)
        self._note_harm(instance_id)
        self._conductor.allocations.pop(instance_id, None)

    def free_ports(self, instance_id: str, port_ids: Iterable[str]) -> None:
        self._call("free_ports", instance_id)
        self._note_harm(instance_id)

    def _note_harm(self, uuid: str) -> None:
        if self._conductor.alive.get(uuid) or self._row(uuid) is not None:
            self.harmed.append(uuid)

    def compose(self, request: BuildRequestRow, spec: RequestSpecRow) -> BuildSubmission:
        uuid = request.instance_uuid
        self._call("compose", uuid)
        networks = RequestSpec.loads(spec.spec, uuid).requested_networks
        if networks is None:
            raise RecoveryError("networks_unknown", "state them")
        self.networks[uuid] = list(networks)
        return BuildSubmission(
            instance_uuid=uuid,
            request_id=f"req-{next(self._ids)}",
            context={"auth_token": TOKEN},
            arguments={},
        )
