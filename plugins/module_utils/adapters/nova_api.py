# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's compute API as the domain's values."""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..domain.errors import ApiRefused, RecoveryError
from ..domain.nova import ComputeService, Instance, MigrationRecord, PowerAction, ServerGroup
from .nova_lists import server_groups
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing

# From this microversion on an evacuated instance is stopped on its destination.
_LEAVES_OFF = "2.95"


class NovaApi:
    """Calls of the compute API; implements ComputeServices and EvacuationRecords."""

    def __init__(self, connection: CloudConnection) -> None:
        self._connection = connection
        self._compute = connection.sdk.compute
        self._send = functools.partial(connection.send_once, connection.sdk.compute)
        # Whether Nova can stop what it evacuates, until it has said that it cannot.
        self._leaves_off = True

    def api_time(self) -> datetime:
        return self._connection.session.api_time()

    # os-services

    def compute_services(self) -> list[ComputeService]:
        with cloud_errors("list the compute services"):
            return [_service(found) for found in self._compute.services()]

    def update_service(self, service_id: str, body: Mapping[str, Any]) -> None:
        with cloud_errors(f"update compute service {service_id}"):
            self._send("put", f"/os-services/{service_id}", dict(body))

    def delete_service(self, service_id: str) -> None:
        with cloud_errors(f"delete compute service {service_id}"):
            self._connection.delete(self._compute, f"/os-services/{service_id}")

    # os-hypervisors

    def hypervisor_hostnames(self, host: str) -> frozenset[str]:
        """What the hypervisors of the compute service with exactly this host call themselves."""
        return frozenset(found.name for found in self._hypervisors_of(host))

    def _hypervisors_of(self, host: str) -> list[Any]:
        with cloud_errors("list the hypervisors"):
            return [
                found
                for found in self._compute.hypervisors(details=True)
                if (found.service_details or {}).get("host") == host
            ]

    # os-migrations

    def migrations(
        self,
        *,
        host: str | None = None,
        source_compute: str | None = None,
        migration_type: str | None = None,
        status: str | None = None,
        instance_id: str | None = None,
    ) -> list[MigrationRecord]:
        wanted = {
            "host": host,
            "source_compute": source_compute,
            "migration_type": migration_type,
            "status": status,
            # openstacksdk's name for instance_uuid.
            "server_id": instance_id,
        }
        query = {name: value for name, value in wanted.items() if value is not None}
        with cloud_errors("list migration records"):
            return [_record(found) for found in self._compute.migrations(**query)]

    # servers

    def instances_on(self, host: str) -> list[Instance]:
        with cloud_errors(f"list the instances of host {host}"):
            found = [
                instance_of(server)
                for server in self._compute.servers(all_projects=True, compute_host=host)
            ]
        return [instance for instance in found if instance.host == host]

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        found: dict[str, Instance] = {}
        for name in names:
            for instance in self._instances_named(name):
                found[instance.id] = instance
        return list(found.values())

    def _instances_named(self, name: str) -> list[Instance]:
        if _is_uuid(name):
            with cloud_errors(f"read instance {name}"):
                server = none_if_missing(functools.partial(self._compute.get_server, name))
            if server is not None:
                return [instance_of(server)]
        with cloud_errors(f"find the instance named {name}"):
            # Nova matches names by regular expression; only the exact name counts here.
            query = {"name": f"^{re.escape(name)}$", "all_projects": True}
            return [
                instance_of(server)
                for server in self._compute.servers(**query)
                if server.name == name
            ]

    def instances_changed_since(self, since: datetime) -> list[Instance]:
        with cloud_errors("list the instances that have changed"):
            stamp = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return [
                instance_of(server)
                for server in self._compute.servers(all_projects=True, changes_since=stamp)
            ]

    def server_groups(self) -> list[ServerGroup]:
        with cloud_errors("list the server groups"):
            return [
                ServerGroup(
                    id=group["id"],
                    name=group["name"],
                    policy=group["policy"] or "",
                    member_ids=frozenset(group["members"]),
                )
                for group in server_groups(self._connection)
            ]

    def power_actions(self, instance_id: str) -> list[PowerAction]:
        with cloud_errors(f"read the actions of instance {instance_id}"):
            return [
                PowerAction(action=entry.action, start_time=_time(entry.start_time) or _EPOCH)
                for entry in self._compute.server_actions(instance_id)
            ]

    def evacuate(self, instance_id: str, *, leave_off: bool) -> str | None:
        if leave_off and self._leaves_off:
            try:
                return self._evacuate(instance_id, microversion=_LEAVES_OFF)
            except ApiRefused as error:
                # Older than this, or one of its hosts is: it says so, and has done nothing.
                if error.status not in (400, 406) or _LEAVES_OFF not in error.message:
                    raise
                self._leaves_off = False
        return self._evacuate(instance_id)

    def _evacuate(self, instance_id: str, **version: str) -> str | None:
        with cloud_errors(f"evacuate instance {instance_id}"):
            body: dict[str, Any] = {"evacuate": {}}
            return self._send("post", f"/servers/{instance_id}/action", body, **version)

    def stop(self, instance_id: str) -> str | None:
        with cloud_errors(f"stop instance {instance_id}"):
            return self._send("post", f"/servers/{instance_id}/action", {"os-stop": None})

    def live_migrate(self, instance_id: str, host: str) -> str | None:
        # The scheduler checks the host; Nova itself finds out whether disks are to be copied.
        body = {"os-migrateLive": {"host": host, "block_migration": "auto"}}
        with cloud_errors(f"live-migrate instance {instance_id} to {host}"):
            return self._send("post", f"/servers/{instance_id}/action", body)

    def cold_migrate(self, instance_id: str, host: str) -> str | None:
        with cloud_errors(f"migrate instance {instance_id} to {host}"):
            body = {"migrate": {"host": host}}
            return self._send("post", f"/servers/{instance_id}/action", body)

    def rebuild(self, instance_id: str, image_id: str) -> str | None:
        # What is not given is kept: name, metadata, key pair, user data. The answer holds a new
        # password of the guest's administrator, which is neither kept here nor logged.
        body = {"rebuild": {"imageRef": image_id}}
        with cloud_errors(f"rebuild instance {instance_id}"):
            return self._send("post", f"/servers/{instance_id}/action", body, log=False)

    def resize(self, instance_id: str, flavor_id: str) -> str | None:
        body = {"resize": {"flavorRef": flavor_id}}
        with cloud_errors(f"resize instance {instance_id}"):
            return self._send("post", f"/servers/{instance_id}/action", body)

    def hard_reboot(self, instance_id: str) -> str | None:
        with cloud_errors(f"reboot instance {instance_id}"):
            body = {"reboot": {"type": "HARD"}}
            return self._send("post", f"/servers/{instance_id}/action", body)

    def confirm_resize(self, instance_id: str) -> str | None:
        with cloud_errors(f"confirm the resize of instance {instance_id}"):
            return self._send("post", f"/servers/{instance_id}/action", {"confirmResize": None})

    def failure_of(self, instance_id: str) -> str | None:
        """Nova's words for why the instance's newest action has failed; None if it has not."""
        with cloud_errors(f"read the actions of instance {instance_id}"):
            newest = next(iter(self._compute.server_actions(instance_id)), None)
            if newest is None or newest.message != "Error":
                return None
            shown = self._compute.get_server_action(newest.request_id, instance_id)
            failed = (event for event in shown.events or () if event.result == "Error")
            details = next((event.details for event in failed if event.details), None)
            return details.strip().rstrip(".") if details else None


_EPOCH = datetime.fromtimestamp(0, UTC)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _time(text: str | None) -> datetime | None:
    """Nova's times are UTC, some without saying so."""
    if not text:
        return None
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _service(found: Any) -> ComputeService:
    if found.status == "UNKNOWN" or found.state is None:
        raise RecoveryError(
            "cell_down",
            f"the cell of host '{found.host}' does not answer, so Nova's lists are incomplete;"
            " nothing was done. Bring its database back first.",
            retriable=True,
            details={"host": found.host},
        )
    return ComputeService(
        id=found.id,
        host=found.host,
        binary=found.binary,
        status=found.status,
        state=found.state,
        forced_down=bool(found.is_forced_down),
        disabled_reason=found.disabled_reason,
        updated_at=_time(found.updated_at),
        zone=found.availability_zone,
    )


def _record(found: Any) -> MigrationRecord:
    if found.source_compute is None:
        # Every record has one. Without it the records of a host look like none at all.
        raise ApiRefused(
            "forbidden",
            "Nova does not show the hosts of migration records to this user (policy"
            " os_compute_api:os-migrations:index:host). By Nova's default that needs the role"
            " admin.",
            status=403,
        )
    return MigrationRecord(
        id=int(found["id"]),
        uuid=found.uuid,
        instance_id=found.server_id,
        status=found.status,
        migration_type=found.migration_type,
        source_compute=found.source_compute,
        dest_compute=found.dest_compute,
        created_at=_time(found.created_at) or _EPOCH,
        updated_at=_time(found.updated_at),
    )


def cell_down(instance_id: str) -> RecoveryError:
    """What to say of an instance whose status is UNKNOWN."""
    return RecoveryError(
        "cell_down",
        f"the cell of instance {instance_id} does not answer, so Nova's lists are incomplete;"
        " nothing was done. Bring its database back first.",
        retriable=True,
        details={"instance": instance_id},
    )


def instance_of(server: Any) -> Instance:
    """The Instance of a server as openstacksdk reads it."""
    if server.status == "UNKNOWN":
        raise cell_down(server.id)
    if server.vm_state is None:
        raise ApiRefused(
            "forbidden",
            "Nova does not show the state and host of instances to this user (policies"
            " os_compute_api:os-extended-status and os-extended-server-attributes). By Nova's"
            " default policy that needs the role admin.",
            status=403,
        )
    image = server.image or {}
    flavor = server.flavor or {}
    return Instance(
        id=server.id,
        name=server.name or "",
        project_id=server.project_id or "",
        host=server.compute_host,
        vm_state=server.vm_state,
        task_state=server.task_state,
        power_state=int(server.power_state or 0),
        launched=server.launched_at is not None,
        locked=bool(server.is_locked),
        image_id=image.get("id") or None,
        ephemeral_gb=int(flavor.get("ephemeral") or 0),
        extra_specs={str(k): str(v) for k, v in (flavor.get("extra_specs") or {}).items()},
        volume_ids=frozenset(volume["id"] for volume in server.attached_volumes or ()),
        fault=(server.fault or {}).get("message"),
        metadata={str(k): str(v) for k, v in (server.metadata or {}).items()},
        tags=frozenset(server.tags or ()),
        root_device_name=server.root_device_name,
        vcpus=int(flavor.get("vcpus") or 0),
        memory_mb=int(flavor.get("ram") or 0),
        root_gb=int(flavor.get("disk") or 0),
        swap_mb=int(flavor.get("swap") or 0),
        zone=server.availability_zone,
    )
