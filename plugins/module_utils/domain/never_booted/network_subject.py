# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an instance itself tells about its networks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .network_request import Requests
from .nova_rows import BuildRequestRow, InstanceRows
from .versioned_object import data_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An instance whose networks are in question.

    ``sriov_ports`` are the ports for which the scheduler is to claim a PCI device, with the id of
    that PCI request. ``stored`` are the requested networks that its RequestSpec has; None when
    it has none.
    """

    instance_uuid: str
    project_id: str
    hostname: str | None = None
    sriov_ports: Mapping[str, str] = field(default_factory=dict)
    stored: Requests | None = None


def subject_of_rows(rows: InstanceRows, stored: Requests | None) -> Subject:
    """From the rows of its cell."""
    extra = rows.one("instance_extra") or {}
    # instance_extra has a bare list, not a primitive.
    requests = json.loads(extra.get("pci_requests") or "[]")
    return Subject(
        instance_uuid=rows.instance_uuid,
        project_id=rows.instance["project_id"],
        hostname=rows.instance.get("hostname"),
        sriov_ports=_sriov_ports(requests),
        stored=stored,
    )


def subject_of_build_request(row: BuildRequestRow, stored: Requests | None) -> Subject:
    """From its BuildRequest.

    :raises RecoveryError: ``unexpected_object``.
    """
    instance = data_of(json.loads(row.instance), "Instance")
    requests: list[Mapping[str, Any]] = []
    if instance.get("pci_requests"):
        objects = data_of(instance["pci_requests"], "InstancePCIRequests")["requests"]
        requests = [data_of(request, "InstancePCIRequest") for request in objects]
    return Subject(
        instance_uuid=row.instance_uuid,
        project_id=row.project_id,
        hostname=instance.get("hostname"),
        sriov_ports=_sriov_ports(requests),
        stored=stored,
    )


def _sriov_ports(requests: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    # A request with an alias is the flavor's, and has no port.
    return {
        request["requester_id"]: request["request_id"]
        for request in requests
        if request.get("requester_id") and request.get("alias_name") is None
    }
