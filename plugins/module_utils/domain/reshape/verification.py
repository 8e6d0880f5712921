# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an instance has what it was to get, and has kept everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..attached import check_ports, check_volumes
from ..check import Check
from ..evacuation.power import OFF, ON
from ..nova import RUNNING, SHUTDOWN, Instance, Port, VolumeAttachment
from .shape import Shape, Wanted

CHECKS = (
    *("image", "flavor", "power_state", "ports", "addresses", "volumes", "allocation", "kept"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was true of the instance before: its ports with their addresses, and what is kept.

    ``left_hosts`` are down, and still hold an allocation of it: an evacuation has left them.
    """

    power: str
    addresses: Mapping[str, frozenset[str]]
    volume_ids: frozenset[str]
    kept: Mapping[str, str]
    left_hosts: frozenset[str] = frozenset()


def addresses_of(ports: Iterable[Port]) -> dict[str, frozenset[str]]:
    """By the id of the port, as Before has them."""
    return {port.id: port.fixed_ips for port in ports}


def verify(
    before: Before,
    wanted: Wanted,
    shape: Shape,
    *,
    ports: Iterable[Port],
    allocation_hosts: frozenset[str],
    volumes: Mapping[str, VolumeAttachment] | None,
) -> dict[str, Check]:
    """All checks by name. Image and flavor are there only where another one was asked for."""
    now, ports = shape.instance, list(ports)
    host = now.host or ""
    checks = [
        _power_state(before.power, now),
        check_ports(before.addresses.keys(), ports, host, running=before.power == ON),
        _addresses(before.addresses, ports),
        check_volumes(before.volume_ids, now, volumes, host),
        Check(
            "allocation",
            bool(host) and allocation_hosts - before.left_hosts == {host},
            host or "one host",
            ", ".join(sorted(allocation_hosts)) or "none",
        ),
        _kept(before.kept, shape.kept),
    ]
    if wanted.image:
        passed = shape.has_image(wanted.image)
        checks.append(Check("image", passed, wanted.image.id, shape.image_id or "none"))
    if wanted.flavor:
        passed = shape.has_flavor(wanted.flavor)
        checks.append(Check("flavor", passed, wanted.flavor.name, shape.flavor_name))
    found = {check.name: check for check in checks}
    return {name: found[name] for name in CHECKS if name in found}


def _power_state(power: str, now: Instance) -> Check:
    vm_state, number = ("stopped", SHUTDOWN) if power == OFF else ("active", RUNNING)
    return Check(
        "power_state",
        (now.vm_state, now.power_state, now.task_state) == (vm_state, number, None),
        f"{vm_state}, power state {number}",
        f"{now.vm_state}, power state {now.power_state}"
        + (f", {now.task_state}" if now.task_state else ""),
    )


def _addresses(before: Mapping[str, frozenset[str]], ports: Iterable[Port]) -> Check:
    now = addresses_of(ports)
    changed = sorted(port_id for port_id in before if now.get(port_id) != before[port_id])
    number = sum(map(len, before.values()))
    observed = f"not those of {', '.join(changed)}" if changed else f"the same {number}"
    return Check("addresses", not changed, f"the same {number}", observed)


def _kept(before: Mapping[str, str], now: Mapping[str, str]) -> Check:
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    expected = ", ".join(sorted(before))
    observed = f"changed: {', '.join(changed)}" if changed else expected
    return Check("kept", not changed, expected, observed)
