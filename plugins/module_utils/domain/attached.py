# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance still has its ports and volumes, and where it is now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from .check import Check
from .nova import Instance, Port, VolumeAttachment


def ports_by_instance(ports: Iterable[Port]) -> dict[str, list[Port]]:
    """Ports by the id of their instance."""
    found: dict[str, list[Port]] = {}
    for port in ports:
        found.setdefault(port.instance_id, []).append(port)
    return found


def check_ports(
    before: Collection[str], ports: Iterable[Port], host: str, *, running: bool
) -> Check:
    """Its ports are bound to this host, and ACTIVE while it runs.

    :param before: ids of the ports that it had; none may be missing.
    """
    ports = list(ports)
    wrong = []
    for port in ports:
        if port.binding_host != host:
            wrong.append(f"{port.id} bound to {port.binding_host or 'no host'}")
        elif port.vif_type in ("binding_failed", "unbound"):
            wrong.append(f"{port.id} {port.vif_type}")
        elif running and port.admin_state_up and port.status != "ACTIVE":
            # The port of an instance that is off may be DOWN: nothing on the host answers for it.
            wrong.append(f"{port.id} {port.status}")
    missing = set(before) - {port.id for port in ports}
    wrong.extend(f"{port_id} is gone" for port_id in sorted(missing))
    expected = f"{len(before)} bound to {host or 'the destination'}"
    return Check("ports", not wrong, expected, "; ".join(wrong) or expected)


def check_volumes(
    before: frozenset[str],
    instance: Instance,
    volumes: Mapping[str, VolumeAttachment] | None,
    host: str,
) -> Check:
    """The same volumes are attached, and to this host.

    :param before: ids of the volumes that it had.
    :param volumes: None when the cloud has no block storage service.
    """
    now = instance.volume_ids
    wrong = [f"{volume_id} is not attached any more" for volume_id in sorted(before - now)]
    wrong += [f"{volume_id} was not attached before" for volume_id in sorted(now - before)]
    if volumes is not None:
        for volume_id in sorted(now):
            volume = volumes.get(volume_id)
            if volume is None:
                wrong.append(f"{volume_id} is unknown to the block storage service")
            elif volume.status != "in-use" or instance.id not in volume.attached_to:
                wrong.append(f"{volume_id} is {volume.status}")
            elif volume.attached_hosts and host not in volume.attached_hosts:
                wrong.append(f"{volume_id} attached on {', '.join(sorted(volume.attached_hosts))}")
    expected = f"{len(before)} attached"
    return Check("volumes", not wrong, expected, "; ".join(wrong) or expected)
