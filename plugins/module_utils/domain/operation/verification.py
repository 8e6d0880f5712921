# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of all instances that have arrived, with what can be read for many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeAlias

from ..attached import ports_by_instance
from ..check import Check
from ..errors import RecoveryError
from ..nova import Instance, Port, VolumeAttachment


class Attachments(Protocol):
    """What Neutron and Cinder know of instances."""

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        """Ports whose device_id is one of these instances."""

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        """These volumes by id, unknown ones left out; None without a block storage service."""


Verify: TypeAlias = Callable[
    [str, list[Port], Mapping[str, VolumeAttachment] | None], Mapping[str, Check]
]


def verify_each(
    cloud: Attachments, arrived: Mapping[str, Instance], verify: Verify
) -> dict[str, Mapping[str, Check]]:
    """As Operation.verify has it.

    :param arrived: the instances by id.
    :param verify: the checks of one, from its id, its ports and the volumes of all.
    :raises RecoveryError: when something could not be read of any of them.
    """
    ports = ports_by_instance(cloud.ports_of(arrived))
    volumes = cloud.volumes({volume for one in arrived.values() for volume in one.volume_ids})
    found: dict[str, Mapping[str, Check]] = {}
    errors: list[RecoveryError] = []
    for instance_id in arrived:
        try:
            found[instance_id] = verify(instance_id, ports.get(instance_id, []), volumes)
        except RecoveryError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found
