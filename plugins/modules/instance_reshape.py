#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_reshape
short_description: Give instances another image or flavor, and verify each one
version_added: 0.4.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Rebuilds instances with another O(image), resizes them to another O(flavor) and confirms that, or
    does both. An instance keeps its id, name, ports, addresses, metadata, tags, key pair, user data,
    config drive and other volumes.
  - A rebuild replaces the root disk, and what is on it is lost; the local ephemeral disks, too. That
    must be accepted with O(replace_root_disk=true). The root volume of a volume-backed instance is made
    anew in its place, by Cinder.
  - The image comes first, as long as it fits the flavor that the instance has, else the flavor.
  - An instance counts as done only when every check has passed. It has the image and the flavor, its
    power state is as it was, its ports are bound to its host and ACTIVE, its addresses and volumes
    are the same, its allocations are on its host, and nothing else of it has changed.
  - What Nova would refuse, and what it would find only after the root disk is gone, is refused before
    anything is changed. The codes are C(being_deleted), C(never_booted), C(vm_state_not_allowed),
    C(in_error), C(task_in_progress), C(resize_pending), C(locked), C(host_down), C(root_volume),
    C(root_disk_replaced), C(image_not_accessible), C(image_does_not_fit) (memory, disk, or the size of
    the disk in it), C(image_not_bootable), C(numa_change), C(machine_change), C(architecture),
    C(traits_missing), C(vtpm), C(accelerator), C(smaller_disk), C(flavor_not_accessible),
    C(flavor_edited) (it has the flavor, whose extra specs were changed since),
    C(flavor_image_conflict) and C(image_property_invalid).
  - What is done follows from what Nova shows. A run that was killed is finished by the next, which
    waits for what is in progress and confirms a resize that waits. No state is ever reset.
  - A step that has failed in Nova is not tried again by the same run. An instance that a resize left
    in ERROR is rebooted hard, so that it is usable. C(state) says how far each one has come.
  - Members of one anti-affinity group are resized one after another.
options:
  host:
    description:
      - Host whose instances are meant, exactly as Nova names it.
    type: str
  instances:
    description:
      - Names or ids of the instances. A name must match exactly one instance.
      - With O(host) those of them that are on it.
    type: list
    elements: str
  image:
    description:
      - Name or id of the image to rebuild with. The instances keep theirs when omitted.
    type: str
  flavor:
    description:
      - Name or id of the flavor to resize to. The instances keep theirs when omitted.
    type: str
  replace_root_disk:
    description:
      - Accept that what is on the root disks, root volumes and local ephemeral disks of the instances
        that are rebuilt is lost.
    type: bool
    default: false
  on_refused:
    description:
      - What to do when instances are refused. V(fail) refuses the whole run before anything is changed,
        V(skip) leaves these out.
    type: str
    choices: [fail, skip]
    default: fail
  on_missing:
    description:
      - What to do when Nova has no instance of a name or id in O(instances). V(fail) refuses the whole
        run before anything is changed, V(skip) reports these as C(gone). That is for ids which Nova had
        a while ago, such as those of an earlier plan.
    type: str
    choices: [fail, skip]
    default: fail
  concurrency:
    description:
      - How many instances may be in progress at once.
    type: int
    default: 4
  max_failures:
    description:
      - How many instances may fail. With one more no further one is begun; what is in progress is
        brought to its end.
    type: int
    default: 0
  instance_timeout:
    description:
      - Seconds for one instance, from its first call to its verification.
      - An instance on which Nova is still working then is reported as C(in_progress) and left alone. It
        counts as one in progress until Nova has ended that.
    type: int
    default: 1800
  verify_timeout:
    description:
      - Seconds for the checks to pass, from when Nova has ended its work.
    type: int
    default: 300
  timeout:
    description:
      - Seconds for the whole run.
    type: int
    default: 3600
  poll_interval:
    description:
      - Seconds between two looks at the instances.
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
    description: Returns the plan, with what would be lost and what is refused, and sends only reads.
  diff_mode:
    support: full
    description: Shows image and flavor of each instance before and after.
seealso:
  - module: openstack_recovery.nova.instance_evacuation
"""

EXAMPLES = r"""
- name: What would another image and flavor mean?
  openstack_recovery.nova.instance_reshape:
    cloud: mycloud
    host: compute-1
    image: debian-13
    flavor: m2.small
    replace_root_disk: true
    on_refused: skip
  check_mode: true

- name: Give two instances another flavor
  openstack_recovery.nova.instance_reshape:
    cloud: mycloud
    instances: [web-1, 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    flavor: m2.small
"""

RETURN = r"""
plan:
  description:
    - What was planned, in order. C(action) is C(rebuild), C(resize), both with a comma in their order,
      C(adopt) (in progress from an earlier run), C(verify) (nothing is left to do) or C(skip) (with a
      C(code) and a C(reason)). C(data_lost) says what a rebuild replaces.
  returned: success, and failure after the plan was made
  type: list
  elements: dict
  sample:
    - id: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      name: web-1
      project_id: 0d1c0f4a7b0e4b0c9a3c1c9a1c7a6f10
      from: compute-1
      action: rebuild, resize
      image: {from: 66d53fc9-25ed-4dc3-b539-2d2315955878, to: e99fbf71-e403-4cb1-b624-d7cf9a0acfa0}
      flavor: {from: m1.small, to: m2.small}
      power_state: 'on'
      one_at_a_time_with: []
      data_lost: root disk
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
      description: Host that it was on.
      type: str
    to:
      description: Host that it is on.
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
      description:
        - How far it has come, for people, for example C(new image, old flavor, running) or
          C(new flavor, resize not confirmed).
      type: str
    code:
      description:
        - Why it is not verified, as a word. A code of a refusal as listed above, C(rebuild_failed),
          C(resize_failed), C(confirm_failed), C(stop_failed) (Nova has ended the step without success),
          C(nova_refused), C(not_verified), C(timeout), C(deleted), C(failure_limit), C(auth_failed)
          or C(abandoned).
      type: str
    reason:
      description: Why it is not verified, as a sentence.
      type: str
    seconds:
      description: Time from when it was begun to its end.
      type: float
    verifications:
      description:
        - By C(image), C(flavor), C(power_state), C(ports), C(addresses), C(volumes), C(allocation) and
          C(kept) (name, metadata, tags, key pair, user data and more) whether it has C(passed), what
          was C(expected) and what C(observed).
      type: dict
    request_ids:
      description: OpenStack request ids of this run's calls for it.
      type: list
      elements: str
    timeline:
      description: What happened to it, each as C(at) (UTC), C(event) and C(note).
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
  sample: {GET servers: 34, POST servers/action: 6}
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), C(details) and a C(request_id).
    - Nothing was changed with the codes C(refused) (its details have for each such instance a C(code)
      and a C(message)), C(invalid_options), C(host_not_found), C(instance_not_found),
      C(instance_ambiguous), C(image_not_found), C(image_not_active), C(image_ambiguous),
      C(image_not_bootable), C(flavor_not_found), C(flavor_disabled), C(cell_down), C(no_endpoint),
      C(tls_error), C(forbidden) and C(invalid_cloud_config).
    - C(reshape_incomplete), C(failure_limit), C(abandoned) and C(auth_failed) can come after a part was
      done; RV(instances) has each instance.
    - C(api_unavailable), C(api_refused), C(api_error) and C(unexpected_answer) say that the plan could
      not be made.
  returned: failure
  type: dict
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.openstack_connection import (
    CloudConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.reshape_cloud import (
    OpenStackReshapeCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.plan import (
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.reshape import (
    reshape,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
    failure_of,
)

OPTIONS = {
    "host": {"type": "str"},
    "instances": {"type": "list", "elements": "str"},
    "image": {"type": "str"},
    "flavor": {"type": "str"},
    "replace_root_disk": {"type": "bool", "default": False},
    "on_refused": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "on_missing": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "concurrency": {"type": "int", "default": 4},
    "max_failures": {"type": "int", "default": 0},
    "instance_timeout": {"type": "int", "default": 1800},
    "verify_timeout": {"type": "int", "default": 300},
    "timeout": {"type": "int", "default": 3600},
    "poll_interval": {"type": "int", "default": 2},
    "progress_path": {"type": "path"},
}


def run(connection: CloudConnection, module: RecoveryModule, watcher: Watcher) -> dict[str, Any]:
    params = module.params
    settings = OperationSettings(
        concurrency=params["concurrency"],
        max_failures=params["max_failures"],
        instance_timeout=params["instance_timeout"],
        verify_timeout=params["verify_timeout"],
        timeout=params["timeout"],
        poll_interval=params["poll_interval"],
    )
    settings.validate(wait=params["wait"])
    request = Request(
        host=params["host"],
        instances=None if params["instances"] is None else tuple(params["instances"]),
        image=params["image"],
        flavor=params["flavor"],
        replace_root_disk=params["replace_root_disk"],
        skip_refused=params["on_refused"] == "skip",
        skip_missing=params["on_missing"] == "skip",
    )
    cloud = OpenStackReshapeCloud(connection)
    plan = build_plan(cloud, request)
    result: dict[str, Any] = {
        "changed": plan.changes_something,
        "plan": plan.as_list(),
        "instances": [],
        "totals": plan.totals(),
        "requests": connection.session.requests,
        "diff": _diff(plan),
    }
    if module.check_mode:
        return result
    done = reshape(cloud, plan, settings, SystemClock(), watcher=watcher)
    result |= {
        "changed": done.changed,
        "instances": done.instances,
        "totals": done.totals(),
        "seconds": done.seconds,
        **failure_of(done.error),
    }
    return result


def _diff(plan: Plan) -> dict[str, Any]:
    """Image and flavor of each instance that is to be changed, before and after."""
    before, after = {}, {}
    for planned in plan.reshapes:
        if planned.changes_something:
            shown = planned.as_dict()
            key = f"{shown['name']} ({shown['id']})"
            changes = {name: shown[name] for name in ("image", "flavor") if shown[name]}
            before[key] = {name: change["from"] for name, change in changes.items()}
            after[key] = {name: change["to"] for name, change in changes.items()}
    return {"before": before, "after": after}


def main() -> None:
    module = RecoveryModule(OPTIONS, required_one_of=[["host", "instances"], ["image", "flavor"]])
    module.run_watched(lambda connection, watcher: run(connection, module, watcher))


if __name__ == "__main__":
    main()
