# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is powered off by its BMC, and somebody powers it on in the middle of the evacuation."""

from __future__ import annotations

from expecting import require, wait
from lab_access import lab

from . import hypervisors, instances
from .runs import environment, play, start, succeed
from .stated import NOT_LOOKED_AT, fencing, folder, readmit


def run(host: str) -> None:
    """:param host: where all instances are."""
    _guard(host)
    lab("partition", host)
    instances.wait_down(host)
    with instances.only_destination(host):
        _recovered_with_power_back(host)
    instances.require_whole()
    # The guard ends, and nova-compute completes the records by itself.
    wait("nova-compute", lambda: hypervisors.has_nova_compute(host), 60)
    readmit(host)
    _guard(host, state="absent")


def _recovered_with_power_back(host: str) -> None:
    log, before = folder() / "power-cut.log", len(instances.records(host))
    stated = fencing(host, "redfish", evacuate_host_concurrency=1, **NOT_LOOKED_AT)
    playbook = start("host_down", host, stated, log)
    wait("evacuation", lambda: len(instances.records(host)) > before, instances.SECONDS)
    require(not hypervisors.has_power(host), f"{host} is evacuated with its power on")
    lab("start", host, "--no-wait")
    wait("power", lambda: hypervisors.has_power(host), instances.SECONDS)
    while playbook.poll() is None:
        started = hypervisors.has_nova_compute(host)
        require(not started or not instances.is_evacuated(host), f"nova-compute runs on {host}")
    require(playbook.returncode == 0, f"it failed:\n{log.read_text()[-6000:]}")


def _guard(host: str, state: str = "present") -> None:
    """Installed by its role, as what the lab runs before nova-compute."""
    stated = {
        "compute_guard_host": host,
        "compute_guard_state": state,
        "compute_guard_kind": "program",
        "compute_guard_path": str(hypervisors.before_compute(host)),
        "compute_guard_python": f"{environment()['OPENSTACK_LAB_VENV']}/bin/python",
        "compute_guard_cloud": environment()["OS_CLOUD"],
        "compute_guard_clouds_file": environment()["OS_CLIENT_CONFIG_FILE"],
        "compute_guard_poll_interval": 1,
    }
    path = folder() / "guard.yml"
    path.write_text(_GUARD)
    succeed(play(str(path), host, stated))


_GUARD = """
- name: Install the guard
  hosts: localhost
  gather_facts: false
  roles:
    - role: openstack_recovery.nova.compute_guard
"""
