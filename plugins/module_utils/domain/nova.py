# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's, Neutron's and Placement's things as plain values, named as their APIs name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

# The binary of a compute service.
COMPUTE = "nova-compute"

# Power states of OS-EXT-STS:power_state (nova.compute.power_state).
NOSTATE, RUNNING, PAUSED, SHUTDOWN, CRASHED, SUSPENDED = 0, 1, 3, 4, 6, 7

_DELETED = frozenset({"deleted", "soft-delete"})
_DELETING = frozenset({"deleting", "soft-deleting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeService:
    """One row of os-services. ``status`` is enabled or disabled, ``state`` is up or down."""

    id: str
    host: str
    binary: str
    status: str
    state: str
    forced_down: bool = False
    disabled_reason: str | None = None
    updated_at: datetime | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A server of the compute API, with what an evacuation has to know of it.

    ``launched`` says whether it ever booted; ``image_id`` is None for a volume-backed instance;
    ``ephemeral_gb`` is the size of the flavor's local ephemeral disk in GiB; ``fault`` is Nova's
    message for an instance in ERROR; ``root_device_name`` is for example /dev/vda; ``vcpus`` to
    ``swap_mb`` are the flavor's sizes, ``zone`` is the availability zone of its host.
    """

    id: str
    name: str
    project_id: str
    host: str | None
    vm_state: str
    task_state: str | None = None
    power_state: int = NOSTATE
    launched: bool = True
    locked: bool = False
    image_id: str | None = None
    ephemeral_gb: int = 0
    extra_specs: dict[str, str] = field(default_factory=dict)
    volume_ids: frozenset[str] = frozenset()
    fault: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    root_device_name: str | None = None
    vcpus: int = 0
    memory_mb: int = 0
    root_gb: int = 0
    swap_mb: int = 0
    zone: str | None = None

    @property
    def is_being_deleted(self) -> bool:
        """Whether it is deleted, as far as its user is concerned, or about to be."""
        return self.vm_state in _DELETED or self.task_state in _DELETING


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRecord:
    """One row of os-migrations."""

    id: int
    instance_id: str
    status: str
    migration_type: str
    source_compute: str | None
    dest_compute: str | None
    created_at: datetime
    updated_at: datetime | None = None
    uuid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A Neutron port of an instance. ``binding_host`` and ``vif_type`` are its binding's.

    ``asks_placement``: it has resources of its own in Placement, as guaranteed bandwidth has.
    """

    id: str
    instance_id: str
    status: str
    binding_host: str
    vif_type: str
    admin_state_up: bool = True
    device_profile: str | None = None
    network_id: str = ""
    fixed_ips: frozenset[str] = frozenset()
    asks_placement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """A server group: ``policy`` is affinity, anti-affinity or a soft- variant of them."""

    id: str
    name: str
    policy: str
    member_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAttachment:
    """What the block storage service knows of one volume of an instance.

    ``status`` is the volume's; ``attached_to`` are the instances that it is attached to and
    ``attached_hosts`` the hosts from where.
    """

    volume_id: str
    status: str
    attached_to: frozenset[str]
    attached_hosts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerAction:
    """One entry of an instance's action log: ``action`` in Nova's word (create, stop, ...)."""

    action: str
    start_time: datetime
