#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: source_allocation
short_description: Remove what evacuated instances still hold in Placement on the host they left
version_added: 0.3.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - An evacuated instance holds its resources on both hosts until the nova-compute of the host that
    it left starts again and frees them. When that fails, Nova only logs it; when the host never
    returns, nobody does it.
  - Takes these allocations off the resource providers of one host. What the instances hold
    elsewhere stays as it is.
  - An instance that is on this host, that is being moved, or that holds nothing anywhere else, keeps
    what it has; RV(kept) says why.
  - Nothing is removed while an evacuation from the host is in progress, or while records are
    C(done) unless O(host_never_returns=true).
options:
  host:
    description:
      - Host that the instances have left, exactly as Nova names its C(nova-compute) service.
    type: str
    required: true
  host_never_returns:
    description:
      - Whether nova-compute is never going to start on the host again, so that nobody else is going
        to free what records in status C(done) stand for.
    type: bool
    default: false
  state:
    description:
      - V(absent) is the only one.
    type: str
    choices: [absent]
    default: absent
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Reports what would be removed and sends nothing but reads.
  diff_mode:
    support: full
    description: Shows what the instances hold on the host before and after.
"""

EXAMPLES = r"""
- name: Free what has not been freed when compute-1 returned
  openstack_recovery.nova.source_allocation:
    cloud: mycloud
    host: compute-1
"""

RETURN = r"""
removed:
  description: What was taken off the host, by instance; in check mode what would be.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      resources: {5f6a1c1e-9f5f-4f2c-8a1c-3d1f6f1b6a52: {VCPU: 1, MEMORY_MB: 512}}
      kept_because:
kept:
  description: What stays for now, with the reason.
  returned: success
  type: list
  elements: dict
  sample: []
others:
  description:
    - UUIDs of all other consumers that hold something on the host when this is done, in check mode
      when it would be. They are instances that are on the host, migrations, or what was never
      Nova's. C(openstack resource provider allocation show UUID) shows what one holds.
  returned: success
  type: list
  elements: str
  sample: []
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - The codes are C(host_not_found), C(host_ambiguous), C(run_in_progress), C(evacuations_in_progress),
      C(evacuation_records_done), C(allocation_changed), C(cell_down), C(forbidden),
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
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.freeing import (
    free_host,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
)

OPTIONS = {
    "host": {"type": "str", "required": True},
    "host_never_returns": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["absent"], "default": "absent"},
}


def remove_allocations(connection: CloudConnection, module: RecoveryModule) -> dict[str, Any]:
    freed = free_host(
        OpenStackReturnCloud(connection),
        module.params["host"],
        host_never_returns=module.params["host_never_returns"],
        only_plan=module.check_mode,
    )
    return {
        "changed": bool(freed.removed),
        "removed": [allocation.as_dict() for allocation in freed.removed],
        "kept": [allocation.as_dict() for allocation in freed.kept],
        "others": list(freed.others),
        "diff": {
            "before": {a.instance_id: a.as_dict()["resources"] for a in freed.before},
            "after": {a.instance_id: a.as_dict()["resources"] for a in freed.kept},
        },
    }


def main() -> None:
    module = RecoveryModule(OPTIONS)
    module.run(lambda connection: remove_allocations(connection, module), reads_only=False)


if __name__ == "__main__":
    main()
