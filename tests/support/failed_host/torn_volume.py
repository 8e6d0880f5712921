# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that was not ended keeps the lock of its volume: the second one cannot start.

Its guests are paused, so that none runs twice although the operator has stated what is not true.
"""

from __future__ import annotations

from expecting import require
from lab_access import lab

from . import hypervisors, instances
from .instances import FROM_IMAGE, FROM_VOLUME
from .runs import play, refuse, succeed
from .stated import fencing, readmit, tasks_file


def run(host: str) -> None:
    """:param host: where all instances are."""
    ours = {name: server.id for name, server in instances.servers().items()}
    for uuid in ours.values():
        hypervisors.virsh(host, "suspend", uuid)
    lab("partition", host)
    instances.wait_down(host)
    with instances.only_destination(host):
        stated = fencing(host, "none", evacuate_host_retries=0)
        refuse(play("host_down", host, stated), "2 of 3 instances verified")
        require(instances.statuses()[FROM_VOLUME] == "ERROR", "the volume's lock did not stop it")
        _repair(host, ours[FROM_VOLUME])
    instances.require_whole((FROM_VOLUME,))
    left = set(hypervisors.defined(host)) & set(ours.values())
    require(left == {ours[name] for name in FROM_IMAGE}, f"left over on {host}: {left}")
    lab("heal", host)
    readmit(host, killed_at="Wait until it has completed all records")
    instances.require_whole()


def _repair(host: str, uuid: str) -> None:
    """Only this guest is ended; the others stay as left-overs for the host's return."""
    end = {
        "name": "End the guest",
        "openstack_recovery.nova.libvirt_instance": {
            "uri": hypervisors.facts()[host]["libvirt_uri"],
            "state": "absent",
            "instances": [uuid],
        },
    }
    say = {"name": "Say so", "ansible.builtin.set_fact": {"fence_host_observed_off": True}}
    path = tasks_file("end-guest", [end, say])
    # The look at libvirt would find the guests that are left.
    stated = fencing(host, "tasks", fencing_tasks_file=path, fence_host_libvirt_uri="")
    succeed(play("host_down", host, stated))
