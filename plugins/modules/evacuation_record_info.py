#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: evacuation_record_info
short_description: List evacuation records, and wait until all are completed
version_added: 0.1.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Lists Nova's migration records of evacuations, by the host that was left, status and age.
  - Nova writes a record when it accepts an evacuation (C(accepted)); the destination claims it
    (C(pre-migrating)) and finishes it (C(done)). The nova-compute of the host that was left
    completes it at its next start (C(completed)). C(error) and C(failed) mean that the instance
    has stayed.
options:
  source:
    description:
      - Host that was left, exactly as Nova names it. A host that Nova does not know is an error.
    type: str
  status:
    description:
      - Only records with one of these statuses.
    type: list
    elements: str
    choices: [accepted, pre-migrating, done, completed, error, failed]
  newer_than:
    description:
      - Only records that were created within this many seconds before now.
    type: int
  older_than:
    description:
      - Only records that were created more than this many seconds before now.
    type: int
  wait_for:
    description:
      - Wait, at most O(timeout) seconds, until every record of O(source) has come to an end.
      - V(finished) means that none is C(accepted) or C(pre-migrating) any more, V(completed) that
        none is C(done) either.
      - The other filters do not narrow what is waited for. Records that are C(error) or C(failed)
        do not hold it up.
    type: str
    choices: [finished, completed]
  poll_interval:
    description:
      - Seconds between two looks while waiting.
    type: int
    default: 5
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Never changes anything. In check mode it does not wait either.
  diff_mode:
    support: full
    description: There is never a difference.
"""

EXAMPLES = r"""
- name: Which evacuations from compute-1 are still running?
  openstack_recovery.nova.evacuation_record_info:
    cloud: mycloud
    source: compute-1
    status: [accepted, pre-migrating]

- name: Wait until the host that has returned has cleaned up
  openstack_recovery.nova.evacuation_record_info:
    cloud: mycloud
    source: compute-1
    wait_for: completed
    timeout: 600
"""

RETURN = r"""
records:
  description: The records, the oldest first.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 12
      uuid: 3a5f0a0e-6f0e-4d54-9a69-0f0f3a3c9b52
      instance: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      status: done
      source: compute-1
      destination: compute-2
      created_at: '2026-03-01T02:15:00+00:00'
      updated_at: '2026-03-01T02:15:12+00:00'
      age: 95
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - The codes are C(host_not_found), C(wait_timeout) (with the records that are left in its
      details), C(forbidden), C(api_unavailable), C(tls_error), C(auth_failed) and
      C(invalid_cloud_config).
  returned: failure
  type: dict
"""

from collections.abc import Iterable
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api import (
    NovaApi,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import COMPUTE
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.record_query import (
    RecordQuery,
    select_records,
    show_record,
    wait_for_records,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.records import (
    EVACUATION,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.service_change import (
    find_service,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
)

OPTIONS = {
    "source": {"type": "str"},
    "status": {
        "type": "list",
        "elements": "str",
        "choices": ["accepted", "pre-migrating", "done", "completed", "error", "failed"],
    },
    "newer_than": {"type": "int"},
    "older_than": {"type": "int"},
    "wait_for": {"type": "str", "choices": ["finished", "completed"]},
    "poll_interval": {"type": "int", "default": 5},
}


def list_records(connection: CloudConnection, module: RecoveryModule) -> dict[str, Any]:
    params, nova = module.params, NovaApi(connection)
    if params["source"] is not None:
        find_service(nova.compute_services(), params["source"], COMPUTE)

    def read() -> Iterable[Any]:
        return nova.migrations(source_compute=params["source"], migration_type=EVACUATION)

    if params["wait_for"] and params["wait"] and not module.check_mode:
        records = wait_for_records(
            read, params["wait_for"], params["timeout"], params["poll_interval"], SystemClock()
        )
    else:
        records = list(read())
    query = RecordQuery(
        statuses=frozenset(params["status"] or ()),
        newer_than=params["newer_than"],
        older_than=params["older_than"],
    )
    now = nova.api_time()
    return {
        "changed": False,
        "records": [show_record(record, now) for record in select_records(records, query, now)],
    }


def main() -> None:
    module = RecoveryModule(OPTIONS, required_by={"wait_for": ["source"]})
    module.run(lambda connection: list_records(connection, module), reads_only=True)


if __name__ == "__main__":
    main()
