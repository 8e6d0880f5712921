#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cell0_instance_info
short_description: List instances that never booted, and whether they can be rebuilt
version_added: 0.2.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Finds instances that never booted, the oldest first. They are of three classes. Class V(a) was
    buried in cell0, because no host had room for it. Class V(b) died in a real cell, because its build
    failed there. Class V(c) is a build request that was left behind, because a conductor or its
    message was lost.
  - For each it tells what is known of it, and a verdict on whether it can be rebuilt now, with all
    reasons why not. Nothing is changed.
  - All filters must match. What matches none is an empty list and no error.
options:
  instances:
    description: UUIDs. An instance that has booted, was deleted or is unknown is not listed.
    type: list
    elements: str
  project:
    description: ID of the project, or its name where a cloud is given.
    type: str
  classes:
    description: Only these classes.
    type: list
    elements: str
    choices: [a, b, c]
    default: [a, b, c]
  older_than:
    description: Only what was created at least this many seconds ago, by the clock of the database.
    type: int
  newer_than:
    description: Only what was created at most this many seconds ago.
    type: int
  fault:
    description: Part of the fault's message, in upper or lower case.
    type: str
  tags:
    description: Tags that it must have, all of them.
    type: list
    elements: str
    default: []
  metadata:
    description: Metadata that it must have, all of them.
    type: dict
    default: {}
  flavor:
    description: Name or ID of the flavor.
    type: str
  image:
    description: ID of the image, or its name where a cloud is given.
    type: str
  limit:
    description: List at most so many. C(truncated) then tells whether there are more.
    type: int
  checks:
    description:
      - What to look up beyond Nova's databases. The first three need a cloud, and V(queue) needs the
        message bus. What an instance needs and what was not looked up is in its C(unchecked).
    type: list
    elements: str
    choices: [images, volumes, networks, queue]
    default: [images, volumes, networks, queue]
  settle_time:
    description:
      - Seconds for which Nova may be at work on what it has begun. By default Nova's
        C(long_rpc_timeout) and C(rpc_response_timeout) together, as O(nova_conf) has them.
    type: int
extends_documentation_fragment:
  - openstack_recovery.nova.nova_databases
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: full
    description: Changes nothing, so there is no diff.
requirements:
  - oslo.messaging, for the check V(queue)
notes:
  - Nova does not keep personality files, nor whether any were given. No verdict tells of them. Give
    them to M(openstack_recovery.nova.instance_build) again if there were.
  - A cloud is optional. It is used where O(cloud) or O(auth), or E(OS_CLOUD) or E(OS_AUTH_URL) name
    one. The credentials should be an administrator's, since others do not see all projects.
seealso:
  - module: openstack_recovery.nova.network_request
  - module: openstack_recovery.nova.cell0_rebuild_prep
"""

EXAMPLES = r"""
- name: What could be rebuilt of what failed today for want of room
  openstack_recovery.nova.cell0_instance_info:
    cloud: mycloud
    fault: No valid host
    newer_than: 86400
  register: never_booted

- name: Show it
  ansible.builtin.debug:
    msg: "{{ never_booted.instances | openstack_recovery.nova.never_booted_table }}"

- name: Those that only need to be told their networks
  ansible.builtin.debug:
    msg: "{{ never_booted.instances | selectattr('networks_source', 'none') | map(attribute='uuid') }}"
"""

RETURN = r"""
instances:
  description: The instances, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the instance.
      type: str
    name:
      description: Its name.
      type: str
    project_id:
      description: ID of its project.
      type: str
    user_id:
      description: ID of the user who created it.
      type: str
    class:
      description: C(a), C(b) or C(c).
      type: str
    situation:
      description:
        - C(buried) (class a); C(died) or C(died_on_host) (class b); C(left_behind), C(half_buried) or
          C(half_built) (class c, the last two with rows in cell0 or a real cell).
      type: str
    cell:
      description: Name of the cell that holds its rows; null without any.
      type: str
    created_at:
      description: When its rows were written, or its build request where it is only that; UTC.
      type: str
    fault:
      description: C(message), C(code) and C(created_at) of its newest fault; null without one.
      type: dict
    flavor:
      description: Name of its flavor.
      type: str
    image:
      description: ID of its image; null where it boots from a volume that was there before.
      type: str
    volumes:
      description: IDs of the volumes that it was created with.
      type: list
      elements: str
    availability_zone:
      description: The availability zone that was asked for.
      type: str
    tags:
      description: Its tags.
      type: list
      elements: str
    metadata:
      description: Its metadata.
      type: dict
    requested_networks:
      description:
        - C(auto), C(none) or a list of interfaces, as M(openstack_recovery.nova.network_request) takes
          them. Null where they are not known.
      type: raw
    request_spec:
      description:
        - C(stored) where Nova has its RequestSpec; C(journal) where Nova has removed it and the journal
          has a copy, which M(openstack_recovery.nova.cell0_rebuild_prep) puts back; else null.
      type: str
    networks_source:
      description: C(stored) where they are in the RequestSpec, null where they are not known.
      type: str
    networks_hint:
      description:
        - Where they are not known, the C(source) of M(openstack_recovery.nova.network_request) that
          would tell any, and the C(requested_networks) that it would store. Null without one.
      type: dict
    journal:
      description: C(state), C(run_id) and C(updated_at) of its newest rebuild; null without one.
      type: dict
    verdict:
      description:
        - C(rebuildable) is true when there are no C(reasons) against it, each with a C(code) and a
          C(message). C(unchecked) lists the O(checks) that it needs and that were not made.
        - Codes of reasons that Nova's databases tell are C(networks_unknown), C(half_built) and
          C(still_building) (Nova may be at work on it, try again later), C(being_built), C(on_host),
          C(deleted), C(request_spec_missing), C(rows_in_several_cells) and C(unexpected_object).
        - Others are C(image_gone), C(image_not_active), C(volume_gone), C(volume_not_available),
          C(queue_not_drained), and those of networks, addresses and ports that
          M(openstack_recovery.nova.network_request) lists, for example C(port_gone), C(port_taken)
          and C(port_qos).
      type: dict
  sample:
    - uuid: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      name: web-1
      project_id: 31b1d8c40e9c4c3c9a2c7b8c7a9d7b55
      user_id: 9b2f6ef2a8a34d2e8a1f6f0c3a7c4d11
      class: a
      situation: buried
      cell: cell0
      created_at: "2026-03-01T02:15:00Z"
      fault:
        message: No valid host was found.
        code: 500
        created_at: "2026-03-01T02:15:00Z"
      flavor: m1.small
      image: 5d2b1a0e-8b0a-4a4c-9f0e-2f6a8a0d3c77
      volumes: []
      availability_zone: null
      tags: [production]
      metadata: {}
      request_spec: stored
      requested_networks: null
      networks_source: null
      networks_hint:
        source: single_network
        requested_networks:
          - network: 6ea53a43-aa43-48da-b4b7-f079d8b916ca
      journal: null
      verdict:
        rebuildable: false
        reasons:
          - code: networks_unknown
            message: >-
              Nova has not kept which networks were requested: state them with network_request
        unchecked: []
totals:
  description: Number of C(instances), of those C(rebuildable) and C(blocked), and of each of C(classes).
  returned: success
  type: dict
truncated:
  description: Whether there are more than O(limit).
  returned: success
  type: bool
deleted:
  description:
    - Instances that their users have deleted while a rebuild of them was open, of all that match
      O(instances) and O(project). M(openstack_recovery.nova.cell0_rebuild_prep) or
      M(openstack_recovery.nova.instance_build) with their UUIDs closes it.
  returned: success
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the instance.
      type: str
    journal:
      description: C(state), C(run_id) and C(updated_at) of the rebuild.
      type: dict
    cells:
      description: Names of the cells that still hold rows of it, which lists of instances show.
      type: list
      elements: str
  sample: []
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), and C(details).
    - The codes are C(invalid_options), C(project_not_found), C(project_ambiguous),
      C(database_unavailable), C(database_auth_failed), C(database_no_grant) (the message has the GRANT
      statement), C(untested_release), C(journal_too_new), and those of reading O(nova_conf) and of
      logging in to the cloud. A service that does not answer is a warning, and its check is C(unchecked).
  returned: failure
  type: dict
"""

import gc
from datetime import timedelta
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.image_volume_status import (
    ImageVolumeStatus,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.neutron_networks import (
    NeutronNetworks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.bounds import (
    require_at_least,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.circumstances import (
    Services,
    look_around,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.deleted import (
    find_left,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Scope,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.survey import (
    Selection,
    show_entry,
    survey,
    totals,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.verdict import (
    CHECKS,
    give_verdict,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.nova_databases_module import (
    NovaConnections,
    NovaDatabasesModule,
)

OPTIONS = {
    "instances": {"type": "list", "elements": "str"},
    "project": {"type": "str"},
    "classes": {
        "type": "list",
        "elements": "str",
        "choices": ["a", "b", "c"],
        "default": ["a", "b", "c"],
    },
    "older_than": {"type": "int"},
    "newer_than": {"type": "int"},
    "fault": {"type": "str"},
    "tags": {"type": "list", "elements": "str", "default": []},
    "metadata": {"type": "dict", "default": {}},
    "flavor": {"type": "str"},
    "image": {"type": "str"},
    "limit": {"type": "int"},
    "checks": {
        "type": "list",
        "elements": "str",
        "choices": list(CHECKS),
        "default": list(CHECKS),
    },
    "settle_time": {"type": "int"},
}


def list_instances(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    params = module.params
    _check(params)
    scope = _scope(connections, params)
    left = find_left(connections.databases, scope)
    found, truncated = survey(
        connections.databases,
        scope,
        _selection(connections, params),
        limit=params["limit"],
        settles=connections.settle_time(params["settle_time"]),
    )
    known = [one.known for one in found]
    around, hints = look_around(
        known, _services(connections), params["checks"], module.ansible.warn
    )
    instances = [one.as_dict(give_verdict(one.known, around), hints.get(one.uuid)) for one in found]
    return {
        "changed": False,
        "instances": instances,
        "totals": totals(instances),
        "truncated": truncated,
        "deleted": [
            {
                "uuid": one.entry.instance_uuid,
                "journal": show_entry(one.entry),
                "cells": list(one.cells),
            }
            for one in left
        ],
    }


def _check(params: dict[str, Any]) -> None:
    least = {"older_than": 0, "newer_than": 0, "limit": 1, "settle_time": 0}
    require_at_least({name: (params[name], minimum) for name, minimum in least.items()})


def _scope(connections: NovaConnections, params: dict[str, Any]) -> Scope:
    project = params["project"]
    if project is not None and connections.has_cloud:
        project = ImageVolumeStatus(connections.cloud).project_id(project)
    now = connections.databases.api.now()
    older, newer = params["older_than"], params["newer_than"]
    return Scope(
        instance_uuids=params["instances"],
        project_id=project,
        created_before=None if older is None else now - timedelta(seconds=older),
        created_after=None if newer is None else now - timedelta(seconds=newer),
    )


def _selection(connections: NovaConnections, params: dict[str, Any]) -> Selection:
    image = params["image"]
    image_ids = None if image is None else [image]
    if image is not None and connections.has_cloud:
        image_ids = ImageVolumeStatus(connections.cloud).image_ids(image)
    return Selection(
        classes=params["classes"],
        fault=params["fault"],
        tags=params["tags"],
        metadata={str(key): str(value) for key, value in params["metadata"].items()},
        flavor=params["flavor"],
        image_ids=image_ids,
    )


def _services(connections: NovaConnections) -> Services:
    def queue_depth() -> int:
        return connections.conductor.queue_depth()

    if not connections.has_cloud:
        return Services(queue_depth=queue_depth)
    status = ImageVolumeStatus(connections.cloud)
    networks = NeutronNetworks(connections.cloud)
    return Services(
        images_and_volumes=lambda: status, networks=lambda: networks, queue_depth=queue_depth
    )


def main() -> None:
    module = NovaDatabasesModule(OPTIONS, cloud=True)
    # Hardly anything is garbage before the end: to look for it takes a tenth of the time.
    gc.disable()
    try:
        module.run(lambda connections: list_instances(connections, module), reads_only=True)
    finally:
        gc.enable()


if __name__ == "__main__":
    main()
