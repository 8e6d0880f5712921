#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cell0_rebuild_prep
short_description: Prepare never-booted instances for another build, or put them back
version_added: 0.2.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - An instance that Nova could not place is buried in cell0. This module makes it a build request
    again, under its UUID. It copies every row that the cell holds of it into the journal, writes a
    BuildRequest, maps the instance to no cell, and removes the rows from the cell. From then on the
    compute API shows it with status BUILD. M(openstack_recovery.nova.instance_build) has it built.
  - With O(state=buried) it is put back exactly as it was, from the copy.
  - The same holds for an instance whose build failed in a real cell.
  - A RequestSpec that Nova has removed, because its conductor found the project over quota, is put
    back from the journal's copy.
  - An instance that its user has deleted after an earlier run had begun with it is closed in the
    journal. Rows that this run had left in a cell are removed, if they are those of the copy.
  - Where Nova's API database and the cell's share a server and an account, all of it is one
    transaction. Where not, it is done in an order that can be cut off anywhere. The next run
    finishes it.
options:
  instances:
    description: UUIDs of the instances. All are checked before the first is changed.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(prepared) makes them build requests. Their requested networks must be known, see
        M(openstack_recovery.nova.network_request).
      - V(buried) puts them back into their cell. An instance that the conductor was asked to build
        is refused.
    type: str
    choices: [prepared, buried]
    default: prepared
  image:
    description:
      - Name or ID of an image that the instances are built from instead of the one they were
        created with. What Nova has stored of them is rewritten as Nova writes it for a new instance
        with that image. Only with O(state=prepared).
      - An instance whose root disk is a volume is refused, and an image of whose properties only Nova
        can derive what to store, for example C(hw_numa_nodes).
      - An instance that has that image already stays as it is.
      - Needs the connection to the cloud, which nothing else here does.
    type: str
  flavor:
    description:
      - Name or ID of a flavor that the instances are built with instead of the one they were created
        with. Only with O(state=prepared).
      - Refused is a flavor of whose extra specs only Nova can derive what to store. These are PCI
        aliases, NUMA topology, CPU pinning, huge pages, persistent memory, vTPM, encryption and
        accelerators.
      - An instance that has that flavor already stays as it is.
    type: str
  allow_on_host:
    description:
      - Also prepare an instance whose build was cut off on a host. State it only when you have
        looked that no part of the instance is left on that host.
    type: bool
    default: false
  settle_time:
    description:
      - Seconds for which Nova may be at work on what it has begun. What is younger than that and was
        cut off by Nova itself is refused. By default Nova's C(long_rpc_timeout) and
        C(rpc_response_timeout) together, as O(nova_conf) has them.
    type: int
  run_id:
    description: Name of this run in the journal, of at most 64 characters. Made from the time by default.
    type: str
  operator:
    description: Who runs this, for the journal. By default the user and the machine.
    type: str
extends_documentation_fragment:
  - openstack_recovery.nova.nova_databases
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Checks everything, reports what would be done and writes nothing.
  diff_mode:
    support: full
    description:
      - Shows for each instance where Nova has it, its image and flavor, before and after, and whether
        its RequestSpec is put back.
seealso:
  - module: openstack_recovery.nova.network_request
  - module: openstack_recovery.nova.instance_build
"""

EXAMPLES = r"""
- name: Prepare two instances that failed with No valid host
  openstack_recovery.nova.cell0_rebuild_prep:
    instances:
      - 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      - 0e7a7af0-a810-4961-9751-487b5588cd17

- name: Put one back, since there is no room yet
  openstack_recovery.nova.cell0_rebuild_prep:
    instances: [7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    state: buried

- name: Prepare one for a smaller flavor and a newer image, as its user agreed to
  openstack_recovery.nova.cell0_rebuild_prep:
    instances: [7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    flavor: m1.small
    image: debian-13
    cloud: operator
"""

RETURN = r"""
run_id:
  description: Name of this run in the journal.
  returned: success
  type: str
instances:
  description: What became of each instance.
  returned: success
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the instance.
      type: str
    state:
      description:
        - C(prepared) or C(buried), as O(state) asks for; C(deleted) where its user has deleted it and
          an earlier run had left something; null where it was refused.
      type: str
    changed:
      description: Whether anything was changed, in check mode whether it would be.
      type: bool
    code:
      description: Why it was refused, one of the codes of RV(error); also C(deleted). Else null.
      type: str
    message:
      description: What to do about the code; null without one.
      type: str
  sample:
    - uuid: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      state: prepared
      changed: true
      code: null
      message: null
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), and C(details).
    - The code is C(refused) when an instance cannot be prepared or put back, which has changed
      nothing. Its details have for each such instance a C(code) and a C(message). The codes are
      C(instance_not_found), C(deleted), C(has_booted), C(still_building), C(being_built),
      C(networks_unknown), C(request_spec_missing), C(rows_missing), C(rows_in_several_cells),
      C(on_host), C(no_copy) and C(unexpected_object).
    - C(rows_left) is of a deleted instance whose rows in a cell are not those of the journal's copy.
    - With O(image) or O(flavor) also C(already_prepared), C(burial_unfinished), C(volume_backed),
      C(devices_named), C(local_disks), C(disks_need_nova), C(ports_need_nova), C(image_needs_nova),
      C(image_property_invalid), C(image_not_accessible), C(image_not_bootable),
      C(auto_disk_config_disabled), C(flavor_needs_nova), C(flavor_disabled),
      C(flavor_not_accessible), C(flavor_without_disk), C(flavor_memory_too_small),
      C(flavor_disk_too_small) and C(flavor_image_conflict).
    - C(image_not_found), C(image_ambiguous), C(image_not_active) and C(flavor_not_found) are of the
      option, and concern no single instance.
    - Others are C(changed_meanwhile), C(database_unavailable), C(database_auth_failed),
      C(database_no_grant) (the message has the GRANT statement), C(database_conflict),
      C(untested_release), C(journal_too_new), C(invalid_options) and those of reading O(nova_conf).
  returned: failure
  type: dict
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.image_choice import (
    choose_image,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.run_identity import (
    author_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_build import (
    Replacement,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.batch_run import (
    ToDo,
    apply_to_all,
    look_at_all,
    refuse_bad_ones,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    Author,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.preparer import (
    Outcome,
    Preparer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.restoration import (
    Restorer,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.rewriting import (
    Rewriting,
    plan_rewrites,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.nova_databases_module import (
    NovaConnections,
    NovaDatabasesModule,
)

OPTIONS = {
    "instances": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["prepared", "buried"], "default": "prepared"},
    "image": {"type": "str"},
    "flavor": {"type": "str"},
    "allow_on_host": {"type": "bool", "default": False},
    "settle_time": {"type": "int"},
    "run_id": {"type": "str"},
    "operator": {"type": "str"},
}


def prepare(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    params, databases = module.params, connections.databases
    author = author_of(params)
    rewriting = _rewriting(connections, params)
    if params["state"] == "prepared":
        worker: Preparer | Restorer = Preparer(
            databases,
            author,
            rewrites=rewriting.rewrites,
            allow_on_host=params["allow_on_host"],
            settles=connections.settle_time(params["settle_time"]),
        )
    else:
        worker = Restorer(databases, author)
    found = look_at_all(worker, params["instances"])
    # Why it cannot be prepared at all comes first.
    found |= {
        uuid: why for uuid, why in rewriting.refusals.items() if isinstance(found[uuid], ToDo)
    }
    refuse_bad_ones(found)
    if module.check_mode:
        done = [
            Outcome(
                instance_uuid=uuid,
                changed=one is not None,
                closing=one.closing if isinstance(one, ToDo) else None,
            )
            for uuid, one in found.items()
        ]
    else:
        databases.make_journal()
        done = list(apply_to_all(worker, found, SystemClock()))
    lost = {uuid for uuid, one in found.items() if isinstance(one, ToDo) and one.puts_spec_back}
    return _result(done, author, params["state"], _Shown(rewriting, lost))


def _rewriting(connections: NovaConnections, params: Mapping[str, Any]) -> Rewriting:
    """What another image or flavor makes of each instance.

    :raises RecoveryError: where there is no such image or flavor.
    """
    if params["image"] is None and params["flavor"] is None:
        return Rewriting()
    if params["state"] != "prepared":
        raise RecoveryError(
            "invalid_options", "image and flavor are given for state=prepared: leave them out"
        )
    databases, flavor = connections.databases, None
    if params["flavor"] is not None:
        flavor = databases.api.flavor(params["flavor"])
        if flavor is None:
            raise RecoveryError(
                "flavor_not_found",
                f"Nova's API database has no flavor {params['flavor']}: check the option flavor",
                details={"flavor": params["flavor"]},
            )
    image = choose_image(connections.cloud, params["image"]) if params["image"] else None
    return plan_rewrites(databases, params["instances"], Replacement(image=image, flavor=flavor))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a diff tells beside where Nova has an instance."""

    rewriting: Rewriting
    lost_specs: Collection[str]


def _result(done: list[Outcome], author: Author, state: str, shown: _Shown) -> dict[str, Any]:
    refused = [one for one in done if one.refusal is not None]
    result: dict[str, Any] = {
        "changed": any(one.changed for one in done),
        "run_id": author.run_id,
        "instances": [
            {
                "uuid": one.instance_uuid,
                "changed": one.changed,
                **_became(one, state),
            }
            for one in done
        ],
        "diff": [_diff(one, state, shown) for one in done if one.changed],
    }
    if refused:
        codes = {one.refusal.code for one in refused if one.refusal}
        first, only_left = refused[0], codes == {"rows_left"}
        what = "were deleted" if only_left else "changed meanwhile"
        result["failed"] = True
        result["msg"] = (
            f"{len(refused)} of {len(done)} {what} and were left as they are; the first is"
            f" {first.instance_uuid}: {first.refusal.message if first.refusal else ''}"
        )
        result["error"] = {
            "code": "rows_left" if only_left else "changed_meanwhile",
            "retriable": not only_left,
            "details": {"instances": [one.instance_uuid for one in refused]},
            "request_id": None,
        }
    return result


def _became(one: Outcome, state: str) -> Mapping[str, str | None]:
    if one.closing is not None:
        return {"state": "deleted", "code": "deleted", "message": one.closing.message}
    if one.refusal is not None:
        return {"state": None, "code": one.refusal.code, "message": one.refusal.message}
    return {"state": state, "code": None, "message": None}


def _diff(one: Outcome, state: str, shown: _Shown) -> Mapping[str, Any]:
    uuid = one.instance_uuid
    header = {"before_header": uuid, "after_header": uuid}
    if one.closing is not None:
        return {**header, "before": {"journal": "open"}, "after": {"journal": "deleted"}}
    in_cell = {"served_from": "its cell", "vm_state": "error", "build_request": False}
    request = {"served_from": "its build request", "vm_state": "building", "build_request": True}
    before, after = (in_cell, request) if state == "prepared" else (request, in_cell)
    if uuid in shown.lost_specs:
        before, after = {**before, "request_spec": None}, {**after, "request_spec": "the journal's"}
    return {
        **header,
        "before": {**before, **shown.rewriting.before.get(uuid, {})},
        "after": {**after, **shown.rewriting.after.get(uuid, {})},
    }


def main() -> None:
    module = NovaDatabasesModule(OPTIONS, cloud=True)
    module.run(lambda connections: prepare(connections, module), reads_only=False)


if __name__ == "__main__":
    main()
