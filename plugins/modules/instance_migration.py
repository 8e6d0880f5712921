#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_migration
short_description: Bring instances to given hosts by live or cold migration, and verify each one
version_added: 0.4.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Migrates each instance of O(moves) to its host, a few at a time. What runs or is paused is
    live-migrated, what is stopped is migrated cold, confirmed, and stopped as before.
  - A host that cannot take instances is refused before anything is changed. That is one that is down
    (C(host_is_down)) or disabled (C(host_is_disabled)), or whose evacuation records are not completed
    (C(evacuation_records_done), C(evacuations_in_progress)). Nova would end the guest of an instance
    that came back to such a host.
  - Nova's scheduler checks the host for each instance, as microversion 2.93 has no way around it.
    What it refuses stays where it is and as it is.
  - An instance counts as moved only when six checks have passed. Nova's migration record is
    C(completed) or C(confirmed), it is on the host, its power state is the one it had, its ports are
    bound to that host and ACTIVE, it holds an allocation there and none where it was, and the same
    volumes are attached.
  - A run that was killed is finished by the next. It waits for migrations to the wanted host that are
    in progress, whoever has begun them, and confirms a cold one that waits for it.
  - Instances that cannot be migrated are skipped, each with a C(code) and a C(reason). The codes are
    C(deleted), C(being_deleted), C(moved_elsewhere), C(migration_in_progress), C(busy), C(locked),
    C(vm_state_not_migratable), C(not_running) and C(source_is_down).
  - No state is ever reset, no migration is aborted or reverted, and what has failed is not tried again
    in the same run.
  - While it runs, an action plugin of the same name shows a line of progress at least every 15
    seconds.
options:
  moves:
    description:
      - The instances and their hosts. An instance that is on its host already is verified.
    type: list
    elements: dict
    required: true
    suboptions:
      id:
        description: Id of the instance.
        type: str
        required: true
      host:
        description: Host to bring it to, exactly as Nova names it.
        type: str
        required: true
      from:
        description:
          - Host that it must be on. One that is elsewhere is skipped with C(moved_elsewhere).
          - Wherever it is when omitted.
        type: str
      name:
        description: Its name, for the result, should Nova have the instance no more.
        type: str
  method:
    description:
      - V(auto) live-migrates what runs or is paused, and migrates cold what is stopped.
      - V(live) skips what is stopped.
      - V(cold) migrates what runs cold, too. It is shut down for that, and started on its host.
    type: str
    choices: [auto, live, cold]
    default: auto
  include_locked:
    description:
      - Whether to migrate locked instances, too. Nova lets an administrator do that.
    type: bool
    default: false
  concurrency:
    description:
      - How many may be in progress at once.
    type: int
    default: 4
  concurrency_per_source:
    description:
      - How many may be in progress at once from one host.
      - Nova itself does one live migration of a host after the other by default
        (C(max_concurrent_live_migrations)), and the others wait with their state already changed.
    type: int
    default: 1
  max_failures:
    description:
      - How many instances may fail. With one more, no further one is begun.
      - All are begun, whatever happens, with V(-1).
    type: int
    default: 2
  instance_timeout:
    description:
      - Seconds for one instance, from its first call to its verification.
      - An instance on which Nova is still working then is reported as C(in_progress) and left
        alone. It counts as one in progress until Nova has ended that.
    type: int
    default: 1800
  verify_timeout:
    description:
      - Seconds for the checks to pass, from when the instance has arrived.
    type: int
    default: 300
  timeout:
    description:
      - Seconds for the whole run.
    type: int
    default: 14400
  poll_interval:
    description:
      - Seconds between two looks at what is in progress.
    type: int
    default: 2
  wait:
    description:
      - Must be true. What was not waited for was not verified.
    type: bool
    default: true
  progress_path:
    description:
      - File to which lines of progress are appended, set by the action plugin. The run ends when
        it is gone or nobody has touched it for half a minute, since nobody waits for its result then.
    type: path
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Returns the plan, with ways, skips and reasons, and sends nothing but reads.
  diff_mode:
    support: full
    description: Shows the host of each instance before and after.
seealso:
  - module: openstack_recovery.nova.instance_evacuation
"""

EXAMPLES = r"""
- name: What would go home?
  openstack_recovery.nova.instance_migration:
    cloud: mycloud
    moves: "{{ moves }}"
  check_mode: true

- name: Bring two instances to compute-1, one after the other
  openstack_recovery.nova.instance_migration:
    cloud: mycloud
    concurrency: 1
    moves:
      - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
        host: compute-1
        from: compute-2
      - id: 0b6a2c1e-3d5f-4f0e-9b1a-5a9d5b8b7c22
        host: compute-1
"""

RETURN = r"""
plan:
  description:
    - What was planned, in order. C(action) is C(live_migrate), C(cold_migrate), C(adopt) (a migration
      to the host is in progress), C(confirm) (a cold one waits for that), C(verify) (it is on its host)
      or C(skip) (with a C(code) and a C(reason)).
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  sample:
    - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      name: web-1
      project_id: 0d1c0f4a7b0e4b0c9a3c1c9a1c7a6f10
      from: compute-2
      to: compute-1
      action: live_migrate
      vm_state: active
      code: null
      reason: null
instances:
  description: Each instance with its result. Empty in check mode.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  contains:
    id:
      description: Id of the instance.
      type: str
    name:
      description: Its name.
      type: str
    project_id:
      description: Its project.
      type: str
    from:
      description: Host that it left.
      type: str
    to:
      description: Host that it is on now; of a skipped one the host it was to be brought to.
      type: str
    status:
      description:
        - C(verified), C(failed), C(in_progress) (Nova still works on it), C(not_started),
          C(skipped) or C(gone) (deleted meanwhile).
      type: str
    action:
      description: As in RV(plan).
      type: str
    state:
      description: How far it has come, for people.
      type: str
    code:
      description:
        - Why it is not verified, as a word. A skip code as listed above, C(live_migrate_failed),
          C(cold_migrate_failed), C(confirm_failed), C(nova_refused), C(in_error), C(host_is_down),
          C(host_is_disabled), C(not_verified), C(timeout), C(failure_limit), C(auth_failed) or
          C(abandoned).
      type: str
    reason:
      description: Why it is not verified, as a sentence.
      type: str
    seconds:
      description: Time from when it was begun to the end.
      type: float
    verifications:
      description:
        - By C(record), C(host), C(power_state), C(ports), C(allocation) and C(volumes) whether it
          has C(passed), what was C(expected) and what C(observed).
      type: dict
    request_ids:
      description: OpenStack request ids of this run's calls for it.
      type: list
      elements: str
    timeline:
      description: What happened to it, each with C(at) (ISO 8601, UTC), C(event) and C(note).
      type: list
      elements: dict
totals:
  description: Number of instances by status, and those that were C(planned).
  returned: success, and failure after the plan was made
  type: dict
  sample: {planned: 12, verified: 12, failed: 0, in_progress: 0, not_started: 0, skipped: 0, gone: 0}
seconds:
  description: Time of the whole run.
  returned: when not in check mode
  type: float
requests:
  description: Number of API requests by HTTP method and kind.
  returned: success, and failure after the plan was made
  type: dict
  sample: {GET os-migrations: 21, GET servers: 12, POST servers/action: 12}
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - Nothing was changed with the codes C(invalid_options), C(host_not_found), C(host_ambiguous),
      C(host_is_down), C(host_is_disabled), C(evacuation_records_done), C(evacuations_in_progress),
      C(cell_down), C(no_endpoint), C(tls_error), C(forbidden) and C(invalid_cloud_config). The details
      of those that are about hosts name each of the C(hosts).
    - C(migration_incomplete), C(failure_limit), C(abandoned) and C(auth_failed) can come after a part was
      done; RV(instances) has each instance. What Nova forbids for one instance only is C(nova_refused)
      there.
    - C(api_unavailable), C(api_refused), C(api_error) and C(unexpected_answer) say that the plan could
      not be made.
  returned: failure
  type: dict
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.evacuation_cloud import (
    OpenStackEvacuationCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.plan import (
    Plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.request import (
    METHODS,
    Request,
    parse_moves,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.run import (
    migrate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
    failure_of,
)

_MOVE = {
    "id": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "from": {"type": "str"},
    "name": {"type": "str"},
}
OPTIONS = {
    "moves": {"type": "list", "elements": "dict", "required": True, "options": _MOVE},
    "method": {"type": "str", "choices": list(METHODS), "default": "auto"},
    "include_locked": {"type": "bool", "default": False},
    "concurrency": {"type": "int", "default": 4},
    "concurrency_per_source": {"type": "int", "default": 1},
    "max_failures": {"type": "int", "default": 2},
    "instance_timeout": {"type": "int", "default": 1800},
    "verify_timeout": {"type": "int", "default": 300},
    "timeout": {"type": "int", "default": 14400},
    "poll_interval": {"type": "int", "default": 2},
    "progress_path": {"type": "path"},
}


def bring(connection: CloudConnection, module: RecoveryModule, watcher: Watcher) -> dict[str, Any]:
    """What the module returns."""
    params = module.params
    unlimited = params["max_failures"] == -1
    settings = OperationSettings(
        concurrency=params["concurrency"],
        concurrency_per_source=params["concurrency_per_source"],
        max_failures=None if unlimited else params["max_failures"],
        instance_timeout=params["instance_timeout"],
        verify_timeout=params["verify_timeout"],
        timeout=params["timeout"],
        poll_interval=params["poll_interval"],
    )
    settings.validate(wait=params["wait"])
    request = Request(
        wishes=parse_moves(params["moves"]),
        method=params["method"],
        include_locked=params["include_locked"],
    )
    cloud = OpenStackEvacuationCloud(connection)
    if module.check_mode:
        plan = build_plan(cloud, request)
        return {
            "changed": plan.changes_something,
            "plan": plan.as_list(),
            "instances": [],
            "totals": plan.totals(),
            "requests": connection.session.requests,
            "diff": _diff(plan, {}),
        }
    result = migrate(
        cloud,
        request,
        settings,
        SystemClock(),
        watcher=watcher,
    )
    return {
        "changed": result.changed,
        "plan": result.plan.as_list(),
        "instances": result.instances,
        "totals": result.totals(),
        "seconds": result.seconds,
        "requests": connection.session.requests,
        "diff": _diff(result.plan, {entry["id"]: entry["to"] for entry in result.instances}),
        **failure_of(result.error),
    }


def _diff(plan: Plan, hosts: dict[str, str | None]) -> dict[str, Any]:
    """The host of each instance that is to be moved, before and after."""
    moving = [move for move in plan.moves if move.is_to_begin]
    return {
        "before": {f"{m.instance.name} ({m.instance.id})": m.source for m in moving},
        "after": {
            f"{m.instance.name} ({m.instance.id})": hosts.get(m.instance.id) or m.host
            for m in moving
        },
    }


def main() -> None:
    module = RecoveryModule(OPTIONS)
    module.run_watched(lambda connection, watcher: bring(connection, module, watcher))


if __name__ == "__main__":
    main()
