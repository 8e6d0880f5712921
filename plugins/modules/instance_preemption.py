#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_preemption
short_description: Remove preemptible instances, so that instances that wait get room
version_added: 0.4.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Works out from Placement which preemptible instances have to go so that instances that Nova could
    not place fit, then shelves or deletes them, and waits until Placement counts them no more. To
    have the waiting ones built is left to M(openstack_recovery.nova.instance_build).
  - Which instances are preemptible, what each is worth and how it is removed is said by O(policy).
  - Of all sets that suffice the one with the fewest instances goes; of these the one with the smallest
    sum of values; then the one whose most valuable instance is worth the least, and so on; then
    the one with the smallest UUIDs.
  - Nothing is removed for an instance that would not fit even then, or about which Placement cannot
    tell, as with NUMA cells and PCI devices. More than O(limit) instances are never removed.
  - An instance that is locked, or that Nova is at work on, stays. Each is looked at again right before
    it is removed. What can be undone (shelving) is done before what cannot be (deleting).
  - A run that was killed is finished by the next, as everything follows from what Nova shows.
  - While it runs, an action plugin of the same name shows a line of progress at least every 15
    seconds. When it is killed, or ansible-playbook is, the module begins nothing more and ends.
options:
  instances:
    description:
      - UUIDs of the instances that wait. The most urgent comes first, by the priorities of O(policy), then
        in the order of this list. One that has booted, or that Nova has given room, needs none.
    type: list
    elements: str
    required: true
  policy:
    description:
      - The policy, as C(docs/policy.md) describes it. Of it count C(preemptible) and C(priority) of the
        rules, C(make_room.limit), and C(capacity.on_shortage).
      - With C(on_shortage=fail) nothing is removed unless all get room. Otherwise the most urgent get
        what can be had, and the others are named.
      - Without a policy nothing is removed.
    type: dict
  limit:
    description:
      - The most instances that may be removed. A C(make_room.limit) of the policy that is lower holds.
        Where neither is given, one.
    type: int
  flavor:
    description:
      - Name or id of the flavor that the waiting instances are to be built with, instead of theirs.
    type: str
  concurrency:
    description:
      - How many instances are removed at once.
    type: int
    default: 8
  instance_timeout:
    description:
      - Seconds that Nova may take to remove one. To shelve one may upload its disk. For so long one is
        waited for, too, that leaves its host without this run's doing, where its room is needed.
    type: int
    default: 1800
  timeout:
    description:
      - Seconds for the whole run.
    type: int
    default: 3600
  run_id:
    description:
      - Name of this run, which the lock shows. Made from the time when omitted.
    type: str
  progress_path:
    description:
      - File to which lines of progress are appended, set by the action plugin. The run ends when
        nobody touches the file any more.
    type: path
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Returns the plan and sends nothing but reads.
  diff_mode:
    support: full
    description: Shows the host of each instance that is to be removed, before and after.
"""

EXAMPLES = r"""
- name: Make room for an instance that Nova could not place
  openstack_recovery.nova.instance_preemption:
    cloud: mycloud
    instances: [7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    policy: "{{ lookup('ansible.builtin.file', 'policy.yml') | from_yaml }}"
    limit: 2
"""

RETURN = r"""
waiting:
  description: The instances that wait, the most urgent first, as they are after the run.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  contains:
    id:
      description: UUID of the instance.
      type: str
    name:
      description: Its name.
      type: str
    project_id:
      description: Its project.
      type: str
    zone:
      description: The availability zone that was asked for.
      type: str
    needs:
      description: What it asks of its host, by resource class.
      type: dict
    fits:
      description:
        - C(has_room) when there is room for it now, C(gets_room) when there will be once the plan
          is carried out, C(no_room) otherwise.
      type: str
    host:
      description: Where there is room, or will be. Nova's scheduler may take another host.
      type: str
    code:
      description:
        - Why there is no room. C(no_host) (no host could take it even if it were empty),
          C(too_few_preemptible), C(over_limit), C(others_first) or C(placement_cannot_tell).
      type: str
    reason:
      description: The same as a sentence.
      type: str
room_for:
  description: UUIDs of those that have room, or get it. Those that something was removed for come first.
  returned: success, and failure after the plan was made
  type: list
  elements: str
plan:
  description:
    - The instances that are removed, in that order, then those that a rule calls preemptible and that
      stay.
    - It is the first plan of the run. Where one could not be removed, or room was taken meanwhile, another
      is made; RV(instances) has what became of each.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  contains:
    id:
      description: UUID of the instance.
      type: str
    name:
      description: Its name.
      type: str
    project_id:
      description: Its project.
      type: str
    from:
      description: The host that it leaves.
      type: str
    action:
      description: C(shelve) or C(delete); C(skip) for one that stays.
      type: str
    stop_first:
      description: Whether its guest is shut down before it is deleted.
      type: bool
    value:
      description: What it is worth.
      type: int
    rule:
      description: Name of the policy's rule that says so.
      type: str
    frees:
      description: What it holds, by resource class.
      type: dict
    for:
      description: UUIDs of the instances that get its room.
      type: list
      elements: str
    code:
      description:
        - Why it stays. C(locked), C(task_in_progress), C(vm_state), C(ephemeral_disk) (shelving would lose it),
          or C(excluded) (removing it has failed, a waiting instance must be where it is, or it would be
          deleted after another could not be shelved).
      type: str
    reason:
      description: The same as a sentence.
      type: str
fewest:
  description: False where there were too many sets to try them all, so that a smaller one may suffice.
  returned: success, and failure after the plan was made
  type: bool
instances:
  description: What became of each instance that was to be removed, by whichever plan. Empty in check mode.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  contains:
    id:
      description: UUID of the instance.
      type: str
    name:
      description: Its name.
      type: str
    project_id:
      description: Its project.
      type: str
    from:
      description: The host that it has left.
      type: str
    to:
      description: The host that it is on now, if any.
      type: str
    action:
      description: As in RV(plan).
      type: str
    status:
      description:
        - C(verified) when it is removed and Placement counts nothing of it any more. C(failed), C(in_progress)
          (Nova still works on it), C(not_started), or C(gone) (its user has deleted it meanwhile).
      type: str
    state:
      description: Nova's vm_state of it, or C(deleted).
      type: str
    code:
      description:
        - Why it is not verified. C(locked), C(moved), C(not_preemptible), C(vm_state), C(ephemeral_disk),
          C(shelve_failed), C(offload_failed), C(stop_failed), C(delete_failed), C(force_delete_failed),
          C(nova_refused), C(plan_outdated) (another run had the lock since the plan), C(not_verified) or
          C(timeout).
      type: str
    reason:
      description: The same as a sentence.
      type: str
    seconds:
      description: Time from its first call to its end.
      type: float
    verifications:
      description: By C(state) and C(allocation) whether it has C(passed), what was C(expected) and C(observed).
      type: dict
    request_ids:
      description: OpenStack request ids of this run's calls for it.
      type: list
      elements: str
    timeline:
      description: What happened when, as C(at), C(event) and C(note).
      type: list
      elements: dict
totals:
  description: Number of instances that were to be removed, by status.
  returned: success, and failure after the plan was made
  type: dict
  sample: {planned: 2, verified: 2, failed: 0, in_progress: 0, not_started: 0, skipped: 0, gone: 0}
notes:
  description: What of the policy was ignored, or names nothing.
  returned: success, and failure after the plan was made
  type: list
  elements: str
seconds:
  description: Time of the whole run.
  returned: when not in check mode
  type: float
run_id:
  description: Name of this run.
  returned: success, and failure after the plan was made
  type: str
requests:
  description: Number of API requests by HTTP method and kind.
  returned: success, and failure after the plan was made
  type: dict
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - Nothing was changed with the codes C(invalid_options), C(invalid_policy), C(instance_not_found),
      C(flavor_not_found), C(flavor_disabled), C(insufficient_room) (its details name what each waiting
      instance lacks), C(run_in_progress), C(cell_down), C(no_endpoint), C(tls_error) and
      C(invalid_cloud_config).
    - C(removal_incomplete), C(room_incomplete) (something was removed, and there still is no room),
      C(still_leaving), C(failure_limit), C(lock_lost), C(abandoned), C(auth_failed) and C(forbidden) can
      come after a part was done; RV(instances) has each instance.
    - C(api_unavailable), C(api_refused), C(api_error) and C(unexpected_answer) say that the plan could
      not be made. Where C(changed) is true that was the plan after a part was done, and RV(instances) has
      each instance; C(instance_not_found) then says that those that waited were deleted meanwhile.
  returned: failure
  type: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.aggregate_lock import (
    AggregateLockStore,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.preemption_cloud import (
    OpenStackPreemptionCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.run_identity import (
    holder_name,
    settled_run_id,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.plan import (
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.run import (
    make_room,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.result import (
    totals,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.work import (
    VERIFIED,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.patience import (
    ask_patiently,
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

_PLANNED = "planned"
OPTIONS = {
    "instances": {"type": "list", "elements": "str", "required": True},
    "policy": {"type": "dict"},
    "limit": {"type": "int"},
    "flavor": {"type": "str"},
    "concurrency": {"type": "int", "default": 8},
    "instance_timeout": {"type": "int", "default": 1800},
    "timeout": {"type": "int", "default": 3600},
    "run_id": {"type": "str"},
    "progress_path": {"type": "path"},
}


def preempt(
    connection: CloudConnection, module: RecoveryModule, watcher: Watcher
) -> dict[str, Any]:
    params = module.params
    cloud = OpenStackPreemptionCloud(connection)
    request = Request(
        instances=tuple(params["instances"]),
        policy=parse_policy(params["policy"]),
        limit=params["limit"],
        flavor=params["flavor"],
    )
    settings = OperationSettings(
        concurrency=params["concurrency"],
        instance_timeout=params["instance_timeout"],
        timeout=params["timeout"],
    )
    settings.validate(wait=params["wait"])
    run_id = settled_run_id(params["run_id"])
    if module.check_mode:
        plan = ask_patiently(lambda: build_plan(cloud, request), SystemClock(), watcher)
        plan.require_room(request.policy)
        planned = [removal.as_dict() | {"status": _PLANNED} for removal in plan.removals]
        return {
            "changed": bool(plan.removals),
            **_told(plan, plan),
            "instances": [],
            "totals": totals(planned),
            "run_id": run_id,
            "requests": connection.session.requests,
            "diff": _diff(planned),
        }
    result = make_room(
        cloud,
        AggregateLockStore(connection),
        request,
        settings,
        SystemClock(),
        run_id=run_id,
        holder=holder_name(),
        watcher=watcher,
    )
    return {
        "changed": result.changed,
        **_told(result.first, result.last),
        "instances": result.instances,
        "totals": totals(result.instances),
        "seconds": result.seconds,
        "run_id": run_id,
        "requests": connection.session.requests,
        "diff": _diff(result.instances),
        **failure_of(result.error),
    }


def _told(first: Plan, last: Plan) -> dict[str, Any]:
    """:param last: what was seen at the end; the plan itself in check mode."""
    return {
        "waiting": [one.as_dict() for one in last.waiting],
        "room_for": [one for one in first.room_for() if one in last.room_for()],
        "plan": first.as_list(),
        "fewest": first.fewest,
        "notes": list(first.notes),
    }


def _diff(instances: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The host of each instance that is to be removed, before and after."""

    def hosts(*, after: bool) -> dict[str, str | None]:
        return {
            f"{one['name']} ({one['id']})": None
            if after and one["status"] in (_PLANNED, VERIFIED)
            else one["from"]
            for one in instances
        }

    return {"before": hosts(after=False), "after": hosts(after=True)}


def main() -> None:
    module = RecoveryModule(OPTIONS)
    module.run_watched(lambda connection, watcher: preempt(connection, module, watcher))


if __name__ == "__main__":
    main()
