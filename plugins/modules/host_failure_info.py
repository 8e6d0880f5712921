#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_failure_info
short_description: Gather evidence about a compute host, and judge whether it has failed
version_added: 0.1.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Looks at a compute host from several sides and says V(failed), V(up) or V(unclear), with each
    piece of evidence and each gate.
  - Gates ask one question each and stay shut when in doubt. The verdict is V(failed) only when
    Nova says that the host is down and every gate is open.
  - The gates are C(heartbeat_silent) (its heartbeat stands still, also when it is forced down),
    C(own_view) (another compute host is up, so that what is seen from here can be believed),
    C(max_down_hosts), C(max_down_share), C(control_plane) (a scheduler and a conductor are up,
    Neutron, Placement and Glance answer), C(maintenance) (nobody took it out on purpose) and
    C(unreachable_tcp), C(unreachable_icmp), C(unreachable_libvirt) as O(require_unreachable) asks.
  - It reads only.
options:
  host:
    description:
      - Host name of the C(nova-compute) service, exactly as Nova shows it.
    type: str
    required: true
  max_down_hosts:
    description:
      - How many compute hosts may be down, this one included. No limit when omitted.
      - Hosts that a person has disabled do not count, hosts that a recovery run has disabled do.
    type: int
  max_down_share:
    description:
      - Which share of the compute hosts may be down, this one included, from 0 to 1.
    type: float
    default: 0.5
  require_unreachable:
    description:
      - Kinds of probes that must all find the host unreachable. A kind without a probe, or a probe
        that cannot be run, keeps the gate shut.
    type: list
    elements: str
    choices: [tcp, icmp, libvirt]
    default: []
  probe_tcp:
    description:
      - TCP ports to connect to. A refused connection is an answer, so the host is reachable.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: Host name, IPv4 or IPv6 address.
        type: str
        required: true
      port:
        description: Port number.
        type: int
        required: true
  probe_icmp:
    description:
      - Addresses to ping. Needs the C(ping) command.
    type: list
    elements: str
    default: []
  probe_libvirt:
    description:
      - libvirt URIs to open, for example V(qemu+tls://compute-1/system). Needs libvirt-python.
    type: list
    elements: str
    default: []
  probe_timeout:
    description:
      - Time-out of each probe, in seconds.
    type: int
    default: 5
  heartbeat_timeout:
    description:
      - A host that is forced down counts as silent when its last heartbeat is more than this many
        seconds older than the newest of all services.
    type: int
    default: 60
  heartbeat_watch:
    description:
      - Seconds between two looks at the heartbeat of a host that is forced down and was updated
        within O(heartbeat_timeout). Must be longer than Nova's C(report_interval).
    type: int
    default: 25
  maintenance_hosts:
    description:
      - Hosts that are in maintenance and must not count as failed.
    type: list
    elements: str
    default: []
  maintenance_aggregates:
    description:
      - Names of host aggregates whose hosts are in maintenance.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Never changes anything.
  diff_mode:
    support: full
    description: There is never a difference.
"""

EXAMPLES = r"""
- name: Has compute-1 failed?
  openstack_recovery.nova.host_failure_info:
    cloud: mycloud
    host: compute-1
    max_down_hosts: 2
    require_unreachable: [tcp]
    probe_tcp:
      - address: compute-1.mgmt.example.com
        port: 22
      - address: 2001:db8::11
        port: 22
  register: found

- name: Stop here when it has not
  ansible.builtin.assert:
    that: found.verdict == 'failed'
    fail_msg: "{{ found.reason }}"
"""

RETURN = r"""
verdict:
  description: V(failed), V(up) or V(unclear).
  returned: success
  type: str
  sample: failed
reason:
  description: The verdict in a sentence.
  returned: success
  type: str
  sample: nova-compute on compute-1 is down and every gate is open
stopped_by:
  description: Names of the gates that are shut.
  returned: success
  type: list
  elements: str
  sample: []
gates:
  description: Every gate, whether it is open (C(passed)) and why.
  returned: success
  type: list
  elements: dict
  sample:
    - name: max_down_share
      passed: true
      reason: 1 of 3 hosts are down (33%), allowed are 50%
evidence:
  description: Every piece of evidence with its C(name), C(source), C(observed_at) and C(value).
  returned: success
  type: list
  elements: dict
  sample:
    - name: service
      source: nova os-services
      observed_at: '2026-03-01T02:15:00+00:00'
      value: {state: down, status: enabled, forced_down: false, disabled_reason: null}
recovery_run_id:
  description: Id of the recovery run that has disabled the host, if one has.
  returned: success
  type: str
  sample: 20260301T021500-7f3a
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - The codes are C(host_not_found), C(host_ambiguous), C(invalid_options), C(cell_down),
      C(forbidden), C(api_unavailable), C(tls_error), C(auth_failed) and C(invalid_cloud_config).
  returned: failure
  type: dict
"""

import functools
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import probes
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.host_observer import (
    Probe,
    observe_host,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.evidence import (
    evidence_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.verdict import (
    PROBE_KINDS,
    Gates,
    judge,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    run_id_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
)

OPTIONS = {
    "host": {"type": "str", "required": True},
    "max_down_hosts": {"type": "int"},
    "max_down_share": {"type": "float", "default": 0.5},
    "require_unreachable": {
        "type": "list",
        "elements": "str",
        "choices": list(PROBE_KINDS),
        "default": [],
    },
    "probe_tcp": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
        },
    },
    "probe_icmp": {"type": "list", "elements": "str", "default": []},
    "probe_libvirt": {"type": "list", "elements": "str", "default": []},
    "probe_timeout": {"type": "int", "default": 5},
    "heartbeat_timeout": {"type": "int", "default": 60},
    "heartbeat_watch": {"type": "int", "default": 25},
    "maintenance_hosts": {"type": "list", "elements": "str", "default": []},
    "maintenance_aggregates": {"type": "list", "elements": "str", "default": []},
}


def judge_host(connection: CloudConnection, params: dict[str, Any]) -> dict[str, Any]:
    gates = Gates(
        max_down_hosts=params["max_down_hosts"],
        max_down_share=params["max_down_share"],
        require_unreachable=tuple(params["require_unreachable"]),
        maintenance_hosts=frozenset(params["maintenance_hosts"]),
        maintenance_aggregates=frozenset(params["maintenance_aggregates"]),
        heartbeat_timeout=params["heartbeat_timeout"],
        heartbeat_watch=params["heartbeat_watch"],
        probe_timeout=params["probe_timeout"],
    )
    gates.validate()
    seen = observe_host(
        connection,
        params["host"],
        _probes(params),
        gates,
        SystemClock(),
    )
    verdict = judge(seen, gates)
    return {
        "changed": False,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "stopped_by": verdict.stopped_by,
        "gates": [gate.as_dict() for gate in verdict.gates],
        "evidence": [piece.as_dict() for piece in evidence_of(seen)],
        "recovery_run_id": run_id_of(seen.service.disabled_reason),
    }


def _probes(params: dict[str, Any]) -> list[Probe]:
    timeout = float(params["probe_timeout"])
    for target in params["probe_tcp"]:
        if not 1 <= target["port"] <= 65535:
            raise RecoveryError("invalid_options", f"{target['port']} is not a TCP port")
    return [
        *(
            functools.partial(probes.tcp, target["address"], target["port"], timeout)
            for target in params["probe_tcp"]
        ),
        *(functools.partial(probes.icmp, address, timeout) for address in params["probe_icmp"]),
        *(functools.partial(probes.libvirt, uri, timeout) for uri in params["probe_libvirt"]),
    ]


def main() -> None:
    module = RecoveryModule(OPTIONS)
    module.run(lambda connection: judge_host(connection, module.params), reads_only=True)


if __name__ == "__main__":
    main()
