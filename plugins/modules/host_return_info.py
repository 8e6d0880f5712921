#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_return_info
short_description: Tell what an evacuated host still needs before it can work again
version_added: 0.3.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Looks at a compute host that was evacuated, and says which steps of its return are left, which
    instances have left it, which have not, and what it still holds of those that have.
  - The steps stand in the order in which they are safe. nova-compute must not start on the host
    while an evacuation from it is in progress, because it destroys those guests too.
  - It reads only.
options:
  host:
    description:
      - Host name of the C(nova-compute) service, exactly as Nova shows it.
    type: str
    required: true
  guests:
    description:
      - Instance UUIDs of all guests that its hypervisor has, as
        M(openstack_recovery.nova.libvirt_instance) lists them.
      - When omitted, nobody has looked, and whether guests were left over is not known.
    type: list
    elements: str
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
- name: List the guests of compute-1
  openstack_recovery.nova.libvirt_instance:
    uri: qemu+tls://compute-1.example.com/system
  register: hypervisor

- name: What is left to do before compute-1 can work again?
  openstack_recovery.nova.host_return_info:
    cloud: mycloud
    host: compute-1
    guests: "{{ hypervisor.domains | map(attribute='uuid') | list }}"
"""

RETURN = r"""
steps:
  description:
    - Every step of the return in its order. C(needed) is null where it is not known, because
      O(guests) is omitted.
  returned: success
  type: list
  elements: dict
  sample:
    - name: start_compute
      needed: true
      reason: 'it is to be restarted: it completes 3 records at its start'
compute:
  description: How nova-compute is to be started, V(started) or V(restarted).
  returned: success
  type: str
  sample: restarted
guests:
  description:
    - The guests of its hypervisor. C(leftover) are those of instances that were evacuated, C(own)
      those that Nova has on this host, C(unexplained) all others, which are left alone.
  returned: when O(guests) is given
  type: dict
  sample:
    leftover: [7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    own: []
    unexplained: []
instances:
  description:
    - Instances with an evacuation from this host, as far as it is still open, or the host still
      has something of them. C(fate) is V(moving), V(moved), V(deleted), V(returned), V(stayed),
      V(elsewhere), or V(endangered) for one that was moved back while a record of it is C(done).
      nova-compute destroys its guest when it starts.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      name: db-1
      fate: moved
      host: compute-2
      vm_state: active
      record: {id: 12, status: done}
      what_to_do:
not_moved:
  description: Those of RV(instances) whose evacuation has failed, with what to do.
  returned: success
  type: list
  elements: dict
  sample: []
allocations:
  description:
    - What instances that have left hold on the host's resource providers. C(kept_because) says why
      it must stay for now.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      resources: {5f6a1c1e-9f5f-4f2c-8a1c-3d1f6f1b6a52: {VCPU: 1, MEMORY_MB: 512}}
      kept_because:
instances_here:
  description: Number of instances that Nova has on the host.
  returned: success
  type: int
  sample: 0
disabled_by_a_person:
  description: Whether its service is disabled with a reason that no recovery run wrote.
  returned: success
  type: bool
  sample: false
recovery_run_id:
  description: Id of the recovery run that has disabled the service, if one has.
  returned: success
  type: str
  sample: 20260301T021500-7f3a
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - The codes are C(host_not_found), C(host_ambiguous), C(cell_down), C(forbidden),
      C(api_unavailable), C(api_refused), C(unexpected_answer), C(tls_error), C(auth_failed),
      C(no_endpoint) and C(invalid_cloud_config).
  returned: failure
  type: dict
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.return_cloud import (
    OpenStackReturnCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.observation import (
    observe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.report import (
    show,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
)

OPTIONS = {
    "host": {"type": "str", "required": True},
    "guests": {"type": "list", "elements": "str"},
}


def look(connection: CloudConnection, params: dict[str, Any]) -> dict[str, Any]:
    seen = observe(OpenStackReturnCloud(connection), params["host"], params["guests"])
    return {"changed": False, **show(seen)}


def main() -> None:
    module = RecoveryModule(OPTIONS)
    module.run(lambda connection: look(connection, module.params), reads_only=True)


if __name__ == "__main__":
    main()
