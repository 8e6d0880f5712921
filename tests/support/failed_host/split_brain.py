# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is cut off and goes on running its guests; its BMC is dead as well, or lies."""

from __future__ import annotations

import time
from typing import Any

from expecting import require
from lab_access import lab

from . import hypervisors, instances
from .runs import play, refuse, succeed
from .stated import fencing, folder, readmit

HOST = "compute-1"
_FOREIGN = "foreign"
_FOREIGN_XML = f"""
<domain type='qemu'>
  <name>{_FOREIGN}</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
</domain>
"""


def run() -> None:
    foreign = folder() / "foreign.xml"
    foreign.write_text(_FOREIGN_XML)
    hypervisors.virsh(HOST, "create", str(foreign))
    lab("partition", HOST)
    instances.wait_down(HOST)
    _refused()
    _fenced_through_libvirt()
    _cable_back()
    require(hypervisors.state(HOST, _FOREIGN) == "running", "the foreign domain was touched")
    hypervisors.virsh(HOST, "destroy", _FOREIGN)


def _refused() -> None:
    """What was not observed stops it, with every guest where it was."""
    with hypervisors.fault(f"bmc-{HOST}", "lies"):
        _not_fenced("redfish")
    with hypervisors.fault(f"bmc-{HOST}", "closed"):
        _not_fenced("redfish")
    with hypervisors.fault(f"libvirtd-{HOST}", "hang"):
        began = time.monotonic()
        _not_fenced("libvirt")
        took = time.monotonic() - began
        require(took < 60, f"a libvirt that hangs held it up for {took:.0f} s")
    instances.require_whole()
    require(not instances.records(HOST), "something was evacuated")
    require(not instances.service(HOST).is_forced_down, f"{HOST} was forced down")


def _not_fenced(*methods: str) -> None:
    stated: dict[str, Any] = fencing(HOST, *methods, confirm_host_failure_samples=1)
    refuse(play("host_down", HOST, stated), "is not fenced, and nothing was evacuated")


def _fenced_through_libvirt() -> None:
    policy = {"fence_host_on_unreachable_bmc": "proceed_if_libvirt_terminated"}
    with hypervisors.fault(f"bmc-{HOST}", "closed"), instances.only_destination(HOST):
        succeed(play("host_down", HOST, fencing(HOST, "redfish", "libvirt", **policy)))
    instances.require_whole()
    for name, server in instances.servers().items():
        require(server.compute_host != HOST, f"{name} is still on {HOST}")


def _cable_back() -> None:
    """Without a restart Nova cleans nothing."""
    lab("heal", HOST)
    time.sleep(5)
    states = {record.status for record in instances.records(HOST)}
    require(states == {"done"}, f"records without a restart: {states}")
    report = readmit(
        HOST,
        readmit_host_remove_folders=True,
        readmit_host_shared_storage=False,
        readmit_host_instances_path=hypervisors.instances_path(),
    )
    ended = {domain["uuid"]: domain["folder"] for domain in report["ended_guests"]}
    ours = {name: server.id for name, server in instances.servers().items()}
    removed = {name for name, uuid in ours.items() if ended.get(uuid) == "removed"}
    require(set(instances.FROM_IMAGE) <= removed, f"folders on {HOST}: {ended}")
