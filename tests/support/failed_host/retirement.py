# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host loses its power and never returns."""

from __future__ import annotations

from expecting import require
from lab_access import connect, lab

from . import instances
from .runs import play, refuse, succeed
from .stated import NOT_LOOKED_AT, fencing


def run(host: str) -> None:
    """:param host: where all instances are."""
    lab("kill", host)
    instances.wait_down(host)
    gone = {"never_returns": True}
    refuse(play("retire_host", host, gone), "is not retired, nothing was done")
    # It is off already, which is what is observed.
    succeed(play("host_down", host, fencing(host, "redfish", **NOT_LOOKED_AT)))
    instances.require_whole()
    refuse(play("retire_host", host, {}), "never starts again")
    ours = {server.id for server in instances.servers().values()}
    held = [uuid for uuid in ours if instances.allocations(uuid) != 2]
    require(not held, f"they hold nothing on {host} any more: {held}")
    succeed(play("retire_host", host, gone))
    require(instances.service(host) is None, f"{host} has a service")
    names = [p.name for p in connect().placement.resource_providers()]
    require(host not in names, f"{host} has a resource provider")
    held = [uuid for uuid in ours if instances.allocations(uuid) != 1]
    require(not held, f"they hold something on {host}: {held}")
    again = succeed(play("retire_host", host, gone))
    require("changed=0" in again.recap, f"not idempotent:\n{again.output[-3000:]}")
