#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compute_service
short_description: Force a compute service down or up, disable or enable it, or delete it
version_added: 0.1.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Brings one compute service, found by its exact host and binary, to the wanted state.
  - When both are asked for, O(forced_down) is set before the service is disabled. Nova makes a call
    to the host when a service that it believes to be up is disabled, and with a dead host that
    call waits for its long time-out.
  - A host name that matches no service, or more than one, is an error and changes nothing.
options:
  host:
    description:
      - Host name of the service, exactly as C(openstack compute service list) shows it.
    type: str
    required: true
  binary:
    description:
      - Binary of the service. Nova lets only C(nova-compute) be changed.
    type: str
    default: nova-compute
  forced_down:
    description:
      - Whether Nova is to treat the service as down at once, whatever it reports.
      - V(false) is refused while evacuations from the host are in progress (error code
        C(evacuations_in_progress)), and while evacuation records of it are C(done)
        (C(evacuation_records_done)). Both errors list them. Its nova-compute has to start again
        to complete the latter.
      - Left as it is when omitted.
    type: bool
  status:
    description:
      - Whether the scheduler may use the host.
      - Left as it is when omitted.
    type: str
    choices: [enabled, disabled]
  disabled_reason:
    description:
      - Why the service is disabled. A reason that stands there already is kept when this is
        omitted.
    type: str
  only_disabled_by_recovery:
    description:
      - With O(status=enabled), leaves a service disabled that a person has disabled, or anything
        else but a recovery run of this collection.
    type: bool
    default: false
    version_added: 0.3.0
  state:
    description:
      - V(absent) deletes the service, for a host that never returns. It is refused while the
        service is up (error code C(host_is_up)), while evacuations from the host are in progress,
        and, by Nova, while instances are on the host (C(api_refused)). A service that is not there
        is no error then.
      - Nova calls a service down that is forced down, whatever it reports. Such a service counts as
        up until its heartbeat is 60 seconds older than the newest of any service. Forcing it down,
        disabling it or changing the reason moves the heartbeat too, so that C(host_is_up) is
        C(retriable) then.
      - Nova deletes the resource provider of the host with it. Run
        M(openstack_recovery.nova.source_allocation) first, because Nova leaves a provider on which
        evacuated instances still hold something.
    type: str
    choices: [present, absent]
    default: present
    version_added: 0.3.0
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Reports what would change and sends nothing but reads.
  diff_mode:
    support: full
    description: Shows the service before and after.
"""

EXAMPLES = r"""
- name: Tell Nova that compute-1 is down, and keep new instances away
  openstack_recovery.nova.compute_service:
    cloud: mycloud
    host: compute-1
    forced_down: true
    status: disabled
    disabled_reason: power supply burnt

- name: Let it work again
  openstack_recovery.nova.compute_service:
    cloud: mycloud
    host: compute-1
    forced_down: false
    status: enabled

- name: Forget a host that never returns
  openstack_recovery.nova.compute_service:
    cloud: mycloud
    host: compute-1
    state: absent
"""

RETURN = r"""
service:
  description: The service as it is now; in check mode as it would be.
  returned: success with O(state=present)
  type: dict
  sample:
    id: 5f6a1c1e-9f5f-4f2c-8a1c-3d1f6f1b6a52
    host: compute-1
    binary: nova-compute
    state: down
    status: disabled
    forced_down: true
    disabled_reason: power supply burnt
    zone: nova
changes:
  description: The calls that were made, in order; in check mode those that would be.
  returned: success
  type: list
  elements: dict
  sample:
    - forced_down: true
    - status: disabled
      disabled_reason: power supply burnt
recovery_run_id:
  description: Id of the recovery run that has disabled the service, if one has.
  returned: success with O(state=present)
  type: str
  sample: 20260301T021500-7f3a
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    code:
      description:
        - One of C(host_not_found), C(host_ambiguous), C(evacuations_in_progress),
          C(evacuation_records_done), C(host_is_up), C(forbidden),
          C(cell_down), C(api_unavailable), C(api_refused), C(unexpected_answer), C(tls_error),
          C(auth_failed), C(no_endpoint), C(invalid_options), C(invalid_cloud_config).
      type: str
    retriable:
      description: Whether running the same task later can succeed.
      type: bool
    details:
      description: The facts behind the message.
      type: dict
    request_id:
      description: OpenStack request id of the call that failed.
      type: str
"""

from dataclasses import asdict
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api import (
    NovaApi,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    ComputeService,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    run_id_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.service_change import (
    WantedService,
    after,
    find_service,
    plan_service_change,
    require_deletable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
)

OPTIONS = {
    "host": {"type": "str", "required": True},
    "binary": {"type": "str", "default": "nova-compute"},
    "forced_down": {"type": "bool"},
    "status": {"type": "str", "choices": ["enabled", "disabled"]},
    "disabled_reason": {"type": "str"},
    "only_disabled_by_recovery": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def change_service(connection: CloudConnection, module: RecoveryModule) -> dict[str, Any]:
    params, nova = module.params, NovaApi(connection)
    wanted = WantedService(
        forced_down=params["forced_down"],
        status=params["status"],
        disabled_reason=params["disabled_reason"],
        only_disabled_by_recovery=params["only_disabled_by_recovery"],
    )
    before = find_service(nova.compute_services(), params["host"], params["binary"])
    lifts = params["forced_down"] is False and before.forced_down
    records = nova.migrations(source_compute=before.host) if lifts else []
    changes = plan_service_change(before, wanted, records)
    now = after(before, changes)
    if not module.check_mode:
        for number, change in enumerate(changes):
            try:
                nova.update_service(before.id, change.body)
            except RecoveryError as error:
                error.changed = number > 0
                raise
        if changes:
            now = find_service(nova.compute_services(), before.host, before.binary)
    return {
        "changed": bool(changes),
        "service": _shown(now),
        "changes": [change.body for change in changes],
        "recovery_run_id": run_id_of(now.disabled_reason),
        "diff": {"before": _shown(before), "after": _shown(now)},
    }


def delete_service(connection: CloudConnection, module: RecoveryModule) -> dict[str, Any]:
    params, nova = module.params, NovaApi(connection)
    wanted = (params["host"], params["binary"])
    services = nova.compute_services()
    found = [s for s in services if (s.host, s.binary) == wanted]
    if not found:
        return {"changed": False, "changes": []}
    service = find_service(found, *wanted)
    require_deletable(service, services, nova.migrations(source_compute=service.host))
    if not module.check_mode:
        nova.delete_service(service.id)
    return {
        "changed": True,
        "changes": [{"state": "absent"}],
        "diff": {"before": _shown(service), "after": {}},
    }


def _shown(service: ComputeService) -> dict[str, Any]:
    shown = asdict(service)
    # It changes with every heartbeat and would make a difference of every diff.
    del shown["updated_at"]
    return shown


def main() -> None:
    module = RecoveryModule(OPTIONS, required_by={"disabled_reason": ["status"]})
    work = delete_service if module.params["state"] == "absent" else change_service
    module.run(lambda connection: work(connection, module), reads_only=False)


if __name__ == "__main__":
    main()
