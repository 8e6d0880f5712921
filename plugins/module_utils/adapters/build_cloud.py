# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a build needs of the cloud: what an evacuation reads as well, and the message's parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..domain.errors import MutationRefused, RecoveryError
from ..domain.never_booted.build_message import BuildInput, build_message
from ..domain.never_booted.conductor import BuildSubmission
from ..domain.never_booted.image import image_from_system_metadata
from ..domain.never_booted.nova_rows import BuildRequestRow, RequestSpecRow
from ..domain.never_booted.request_spec import RequestSpec
from ..domain.never_booted.versioned_object import data_of
from .build_identity import BuildIdentities
from .evacuation_cloud import OpenStackEvacuationCloud
from .glance_image import GlanceImages
from .openstack_connection import CloudConnection, cloud_errors


class OpenStackBuildCloud(OpenStackEvacuationCloud):
    """Implements domain.never_booted.build_cloud.BuildCloud.

    :param injected_files: by instance, pairs of a path and the content in base64.
    """

    def __init__(
        self,
        connection: CloudConnection,
        identities: BuildIdentities,
        injected_files: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        super().__init__(connection)
        self._connection = connection
        self._identities = identities
        self._images = GlanceImages(connection)
        self._injected_files = injected_files

    def delete_allocations(self, instance_id: str) -> None:
        if self._connection.session.read_only:
            raise MutationRefused(f"DELETE allocations of {instance_id}")
        with cloud_errors(f"free the allocations of instance {instance_id}"):
            placement = self._connection.placement
            path = f"/allocations/{instance_id}"
            if self._connection.read(placement, path)["allocations"]:
                self._connection.delete(placement, path)

    def free_ports(self, instance_id: str, port_ids: Iterable[str]) -> None:
        wanted = set(port_ids)
        held = [port.id for port in self.ports_of([instance_id]) if port.id in wanted]
        if held and self._connection.session.read_only:
            raise MutationRefused(f"PUT ports of {instance_id}")
        for port_id in held:
            with cloud_errors(f"free port {port_id} of instance {instance_id}"):
                self._connection.sdk.network.update_port(
                    port_id, device_id="", device_owner="", binding_host_id=""
                )

    def compose(self, request: BuildRequestRow, spec: RequestSpecRow) -> BuildSubmission:
        stored = RequestSpec.loads(spec.spec, spec.instance_uuid)
        networks = stored.get("requested_networks")
        if networks is None:
            raise RecoveryError(
                "networks_unknown",
                f"Nova has not kept which networks instance {spec.instance_uuid} requested: state"
                " them with network_request",
            )
        instance = data_of(json.loads(request.instance), "Instance")
        given = BuildInput(
            build_request=request,
            request_spec=spec,
            requested_networks=networks,
            image=self._image(instance, request),
            identity=self._identities.identity(instance["user_id"], instance["project_id"]),
            injected_files=self._injected_files.get(request.instance_uuid, ()),
            group_members=self._group_members(stored),
        )
        return build_message(given, datetime.now(UTC).replace(tzinfo=None))

    def _image(self, instance: Mapping[str, Any], request: BuildRequestRow) -> dict[str, Any]:
        if instance["image_ref"]:
            return self._images.image(instance["image_ref"])
        devices = data_of(json.loads(request.block_device_mappings), "BlockDeviceMappingList")
        roots = (data_of(device, "BlockDeviceMapping") for device in devices["objects"])
        size = next((root.get("volume_size") for root in roots if root.get("boot_index") == 0), 0)
        return image_from_system_metadata(instance["system_metadata"], size or 0)

    def _group_members(self, spec: RequestSpec) -> list[str] | None:
        group = spec.get("instance_group")
        if group is None:
            return None
        wanted = data_of(group, "InstanceGroup").get("uuid")
        found = next((one for one in self.server_groups() if one.id == wanted), None)
        return None if found is None else sorted(found.member_ids)
