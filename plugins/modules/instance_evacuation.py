#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_evacuation
short_description: Evacuate the instances of a failed host, and verify each one
version_added: 0.1.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Evacuates every instance of O(host), or the named O(instances), to hosts that Nova's scheduler
    picks. An instance keeps its id, name, ports, addresses, metadata and volumes.
  - An instance counts as evacuated only when six checks have passed. Nova's migration record is
    C(done) or C(completed), its host is the record's destination, its power state is the intended
    one, its ports are bound to that host and ACTIVE, its allocations are there (and on the host
    that it left, until that returns), and the same volumes are attached.
  - A running instance runs afterwards, a stopped one is stopped. Of one in ERROR the action log
    tells what was last asked of it.
  - Only one run works on a host at a time. The lock is a host aggregate without hosts, named
    C(openstack_recovery lock HOST), which is deleted at the end. A second run fails with
    C(run_in_progress) and changes nothing; the lock of a run that has died is taken over after at
    most 45 seconds. A second run waits for up to a minute before it gives up.
  - A run that was killed is finished by the next, which adopts what is in progress and verifies
    what has been moved. Everything follows from what Nova says at that time.
  - A host that returns meanwhile may start its guests again. While instances are still to be
    submitted its heartbeat is read. One that moves stops the submissions for a minute, a second one
    for good, with the code C(host_has_returned); what is moving is waited for. A host that
    was forced down within the last minute is watched for 25 seconds first.
  - A failed evacuation is tried again, up to O(retries) times, and never stops the others. A call
    that was not answered is repeated only when Nova has written no record for 90 seconds. No
    state is ever reset, and no instance is touched while a record of it is in progress.
  - Instances that Nova cannot evacuate are skipped, each with a C(code) and a C(reason). The codes
    are C(being_deleted), C(never_booted), C(vm_state_not_evacuable), C(migration_in_progress),
    C(vtpm), C(accelerator), C(strict_affinity), C(left_by_policy), C(local_storage) and
    C(nova_refused).
  - Members of one anti-affinity group are evacuated one after another. Running instances go before
    those in ERROR, and stopped ones go last, unless O(policy) has priorities or restart groups.
  - Amphorae of Octavia, which are named C(amphora-UUID), are left where they are, since Octavia
    replaces them itself. A rule of O(policy) can say otherwise.
  - While it runs, an action plugin of the same name shows a line of progress at least every 15
    seconds.
options:
  host:
    description:
      - Host to evacuate, exactly as Nova names it. Its nova-compute must be down for Nova.
      - Without O(instances) all its instances are evacuated.
    type: str
  instances:
    description:
      - Names or ids of the instances to evacuate. A name must match exactly one instance.
      - Without O(host) they are evacuated from wherever they are.
    type: list
    elements: str
  shared_storage:
    description:
      - Whether the instances' local disks are on storage that every host shares. Nova cannot tell
        in advance, so state it.
    type: bool
    default: false
  on_local_storage:
    description:
      - What to do with instances whose data would be lost, because Nova builds their local disk
        anew from the image. Volume-backed instances without an ephemeral disk lose nothing.
      - V(fail) refuses the whole run before anything is changed, V(skip) leaves these instances
        where they are, V(rebuild) evacuates them and loses that data.
      - Does not matter when O(shared_storage=true).
    type: str
    choices: [fail, skip, rebuild]
    default: fail
  concurrency:
    description:
      - How many evacuations may be in progress at once.
    type: int
    default: 16
  concurrency_per_destination:
    description:
      - How many may be in progress on one destination. No limit of its own when omitted.
      - The scheduler picks the destination after the call, so whatever has none yet is counted as
        if it went to the busiest host. The limit is never exceeded, at the price of some speed.
    type: int
  retries:
    description:
      - How often a failed instance is tried again.
    type: int
    default: 2
  retry_delay:
    description:
      - Seconds before the first repetition of an instance. It doubles with each further one.
    type: int
    default: 10
  instance_timeout:
    description:
      - Seconds for one instance, from its first call to its verification, retries included.
      - An instance on which Nova is still working then is reported as C(in_progress) and left
        alone.
    type: int
    default: 1800
  verify_timeout:
    description:
      - Seconds for the checks to pass, from when Nova says that the instance has arrived.
    type: int
    default: 300
  timeout:
    description:
      - Seconds for the whole run.
    type: int
    default: 3600
  poll_interval:
    description:
      - Seconds between two looks at Nova's records, from 1 to 10.
    type: int
    default: 2
  wait:
    description:
      - Must be true. What was not waited for was not verified.
    type: bool
    default: true
  disabled_reason:
    description:
      - Before anything is evacuated, set forced_down on the compute service of each host that is left,
        and disable it for this reason. A service that is disabled already keeps its reason.
      - This is done under the run's lock, so that of two runs at once only one does it.
      - A host that is up is refused then, also when it has no instances.
      - The services are left as they are when omitted.
    type: str
  policy:
    description:
      - Which instances are evacuated, in which order, and which are left off afterwards. See the
        page C(docs/policy.md) of the collection for all that it can say.
      - A policy with an unknown key or with rules that contradict each other is refused before
        anything is changed.
      - Everything is evacuated in the usual order when omitted.
    type: dict
    version_added: 0.4.0
  rehearsal:
    description:
      - Plan for a host that is up, to see what would happen if it failed. Only in check mode.
    type: bool
    default: false
  run_id:
    description:
      - Name of this run, shown to a second run that finds the host locked. It has at most 64
        letters, digits, dots, dashes and underscores.
      - Made from the time when omitted.
    type: str
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
    description: Returns the plan, with order, skips and reasons, and sends nothing but reads.
  diff_mode:
    support: full
    description: Shows the host of each instance before and after.
seealso:
  - module: openstack_recovery.nova.compute_service
  - module: openstack_recovery.nova.evacuation_record_info
"""

EXAMPLES = r"""
- name: What would be evacuated?
  openstack_recovery.nova.instance_evacuation:
    cloud: mycloud
    host: compute-1
    shared_storage: true
  check_mode: true

- name: Evacuate all instances of compute-1
  openstack_recovery.nova.instance_evacuation:
    cloud: mycloud
    host: compute-1
    shared_storage: true
    concurrency: 16
    concurrency_per_destination: 4

- name: Evacuate what opts in, databases first, and leave what is for tests off
  openstack_recovery.nova.instance_evacuation:
    cloud: mycloud
    host: compute-1
    shared_storage: true
    policy:
      version: 1
      selection: opt_in
      rules:
        - name: databases
          match:
            metadata: {tier: database}
          evacuate: true
          restart_group: databases
        - name: tests
          match:
            projects: [testing]
          evacuate: true
          leave_off: true
      restart_groups:
        - name: databases
          wait: 30

- name: Evacuate two instances, giving up what is on their local disks
  openstack_recovery.nova.instance_evacuation:
    cloud: mycloud
    instances: [web-1, 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    on_local_storage: rebuild
"""

RETURN = r"""
plan:
  description:
    - What was planned, in order. C(action) is C(evacuate), C(adopt) (in progress from an earlier
      run), C(verify) (moved by an earlier run) or C(skip) (with a C(code) and a C(reason)).
    - C(rules) has the name of the rule of O(policy) that has stated each setting.
    - C(prediction) says whether it C(fits) somewhere (null when that cannot be known from outside), on
      which C(hosts), and the C(reason) when not (since 0.4.0). It is null for what is not to be
      submitted, and when nothing could be predicted, which RV(notes) says then.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  sample:
    - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      name: web-1
      project_id: 0d1c0f4a7b0e4b0c9a3c1c9a1c7a6f10
      from: compute-1
      action: evacuate
      power_state: 'on'
      record_id: null
      one_at_a_time_with: []
      data_lost: null
      prediction: {fits: true, hosts: [compute-2, compute-4], reason: null}
      priority: 900
      restart_group: databases
      leave_off: false
      reshape: null
      rules: {priority: databases, restart_group: databases}
notes:
  description: What O(policy) leaves undone, ignores, or names though it does not exist, as sentences.
  returned: success, and failure after the plan was made
  type: list
  elements: str
  version_added: 0.4.0
msg:
  description: Why nothing was evacuated, when O(policy) opts in none of the instances.
  returned: when that is so, and failure
  type: str
  version_added: 0.4.0
service_changes:
  description: What was changed on compute services; in check mode what would be.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  sample:
    - {host: compute-1, forced_down: true}
    - {host: compute-1, status: disabled, disabled_reason: host failed}
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
      description: Host that Nova's record names as its destination.
      type: str
    status:
      description:
        - C(verified), C(failed), C(in_progress) (Nova still works on it), C(not_started),
          C(skipped) or C(gone) (deleted meanwhile).
      type: str
    action:
      description: As in RV(plan).
      type: str
    code:
      description:
        - Why it is not verified, as a word. A skip code as listed above, C(evacuation_failed) (Nova's
          record says so), C(no_record), C(not_verified), C(timeout), C(deleted), C(host_is_up),
          C(host_has_returned), C(forbidden), C(lock_lost) or C(abandoned).
      type: str
    reason:
      description: Why it is not verified, as a sentence.
      type: str
    attempts:
      description: How often this run has submitted it.
      type: int
    seconds:
      description: Time from the first call to the end.
      type: float
    power_state:
      description:
        - What it is meant to be, C(on), C(off), or C(any) for an instance that somebody has paused,
          suspended or rescued since.
      type: str
    record_id:
      description: Id of Nova's migration record.
      type: int
    verifications:
      description:
        - By C(record), C(host), C(power_state), C(ports), C(allocation) and C(volumes) whether it
          has C(passed), what was C(expected) and what C(observed).
      type: dict
    prediction:
      description: As in RV(plan), and whether it was C(right); null while that has not shown.
      type: dict
      version_added: 0.4.0
    request_ids:
      description: OpenStack request ids of this run's calls for it.
      type: list
      elements: str
    timeline:
      description:
        - What happened to it, in order. C(at) is a time (ISO 8601, UTC, with milliseconds), C(event) a word such
          as C(submitted), C(moving), C(verifying) or the status at its end, C(note) a sentence or null.
      type: list
      elements: dict
      version_added: 0.4.0
totals:
  description:
    - Number of instances by status, and those that were C(planned).
    - C(predicted) are those of which the plan has told whether they find room, and it has shown;
      C(predicted_right) those of which that was right (since 0.4.0).
  returned: success, and failure after the plan was made
  type: dict
  sample:
    planned: 12
    verified: 12
    failed: 0
    in_progress: 0
    not_started: 0
    skipped: 0
    gone: 0
    predicted: 12
    predicted_right: 12
seconds:
  description: Time of the whole run.
  returned: when not in check mode
  type: float
run_id:
  description: Name of this run.
  returned: success
  type: str
requests:
  description: Number of API requests by HTTP method and kind.
  returned: success, and failure after the plan was made
  type: dict
  sample: {GET os-migrations: 21, GET servers/detail: 12, POST servers/action: 12}
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - Nothing was changed with the codes C(invalid_options), C(invalid_policy) (its details have all
      C(problems), each with a C(path) and a C(message)), C(host_not_found), C(host_ambiguous),
      C(host_is_up), C(instance_not_found), C(instance_ambiguous), C(instance_not_on_host),
      C(instance_without_host), C(local_storage), C(insufficient_capacity) (its details name the
      C(instances) that would find no room, each with a C(reason)), C(capacity_unknown), C(cell_down),
      C(no_endpoint), C(tls_error), C(run_in_progress) (its details name the other run's C(run_id) and C(holder)),
      C(auth_failed) and C(invalid_cloud_config).
    - C(evacuation_incomplete), C(evacuation_timeout), C(host_has_returned), C(lock_lost), C(abandoned)
      and C(forbidden) can come after a part was done; RV(instances) has each instance.
    - C(host_has_returned) has the C(host) and its C(heartbeats) in its details. Fence the host and run
      again, or take it back with the playbook C(openstack_recovery.nova.host_return).
    - C(api_unavailable), C(api_refused), C(api_error) and C(unexpected_answer) say that the plan could
      not be made.
  returned: failure
  type: dict
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.aggregate_lock import (
    AggregateLockStore,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.evacuation_cloud import (
    OpenStackEvacuationCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.run_identity import (
    holder_name,
    settled_run_id,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.recovery import (
    plan_patiently,
    recover,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    StoragePolicy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.settings import (
    Settings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.throttle import (
    Throttle,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
    failure_of,
)

OPTIONS = {
    "host": {"type": "str"},
    "instances": {"type": "list", "elements": "str"},
    "shared_storage": {"type": "bool", "default": False},
    "on_local_storage": {"type": "str", "choices": ["fail", "skip", "rebuild"], "default": "fail"},
    "concurrency": {"type": "int", "default": 16},
    "concurrency_per_destination": {"type": "int"},
    "retries": {"type": "int", "default": 2},
    "retry_delay": {"type": "int", "default": 10},
    "instance_timeout": {"type": "int", "default": 1800},
    "verify_timeout": {"type": "int", "default": 300},
    "timeout": {"type": "int", "default": 3600},
    "poll_interval": {"type": "int", "default": 2},
    "disabled_reason": {"type": "str"},
    "policy": {"type": "dict"},
    "rehearsal": {"type": "bool", "default": False},
    "run_id": {"type": "str"},
    "progress_path": {"type": "path"},
}


def evacuate(
    connection: CloudConnection, module: RecoveryModule, watcher: Watcher
) -> dict[str, Any]:
    params, clock = module.params, SystemClock()
    cloud = OpenStackEvacuationCloud(connection)
    request = Request(
        host=params["host"],
        instances=None if params["instances"] is None else tuple(params["instances"]),
        storage=StoragePolicy(
            shared=params["shared_storage"], on_local_storage=params["on_local_storage"]
        ),
        rehearsal=params["rehearsal"],
        disabled_reason=params["disabled_reason"],
        policy=parse_policy(params["policy"]),
    )
    if request.rehearsal and not module.check_mode:
        raise RecoveryError(
            "invalid_options", "rehearsal is for check mode only: run the task with --check"
        )
    settings = Settings(
        throttle=Throttle(
            concurrency=params["concurrency"],
            per_destination=params["concurrency_per_destination"],
        ),
        retries=params["retries"],
        retry_delay=params["retry_delay"],
        verify_timeout=params["verify_timeout"],
        instance_timeout=params["instance_timeout"],
        timeout=params["timeout"],
        poll_interval=params["poll_interval"],
    )
    settings.validate(wait=params["wait"])
    run_id = settled_run_id(params["run_id"])
    if module.check_mode:
        plan = plan_patiently(cloud, request, clock, watcher)
        return {
            "changed": plan.changes_something,
            **_planned(plan),
            "instances": [],
            "totals": plan.totals(),
            "run_id": run_id,
            "requests": connection.session.requests,
            "diff": _diff(plan, {}),
        }
    result = recover(
        cloud,
        AggregateLockStore(connection),
        request,
        settings,
        clock,
        run_id=run_id,
        holder=holder_name(),
        watcher=watcher,
    )
    return {
        "changed": result.changed,
        **_planned(result.plan),
        "instances": result.instances,
        "totals": result.totals(),
        "seconds": result.seconds,
        "run_id": run_id,
        "requests": connection.session.requests,
        "diff": _diff(result.plan, {entry["id"]: entry.get("to") for entry in result.instances}),
        **failure_of(result.error() if result.failed else None),
    }


def _planned(plan: Plan) -> dict[str, Any]:
    """What is returned of a plan, whether it was carried out or not."""
    nothing = plan.nothing_opted_in
    return {
        "plan": plan.as_list(),
        "service_changes": [change.as_dict() for change in plan.service_changes],
        "notes": [*([nothing] if nothing else []), *plan.notes],
        **({"msg": nothing} if nothing else {}),
    }


def _diff(plan: Plan, destinations: dict[str, str | None]) -> dict[str, Any]:
    """The host of each instance that is to be moved, before and after."""
    moving = [move for move in plan.moves if move.action == "evacuate"]
    return {
        "before": {f"{m.instance.name} ({m.instance.id})": m.baseline.source for m in moving},
        "after": {
            f"{m.instance.name} ({m.instance.id})": destinations.get(m.instance.id)
            or "a host that the scheduler picks"
            for m in moving
        },
    }


def main() -> None:
    module = RecoveryModule(OPTIONS, required_one_of=[["host", "instances"]])
    module.run_watched(lambda connection, watcher: evacuate(connection, module, watcher))


if __name__ == "__main__":
    main()
