#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_cell_mapping
short_description: Repair the cell in which Nova looks for instances
version_added: 0.2.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - For each instance Nova's API database says which cell holds its rows. This module changes that and
    nothing else.
  - It is a repair tool, for a mapping that is wrong because somebody or something was cut off. To
    rebuild instances it is never needed, since M(openstack_recovery.nova.cell0_rebuild_prep) and
    M(openstack_recovery.nova.instance_build) keep the mapping right themselves.
  - All instances are checked before the first is changed, and all are changed in one transaction, if
    each still is mapped as it was seen.
notes:
  - An instance that is mapped to a cell without its rows has vanished from the API, while its guest,
    volumes, ports and allocations remain.
  - An instance that is mapped to no cell and has no BuildRequest counts as deleted. Its user can no
    longer delete it, and nothing frees what it holds.
  - An instance that is mapped to no cell is built when a message of it is still under way. When it
    exists in a cell at the same time, there are two of it then.
  - An instance that the conductor is building must keep its mapping. Where Nova finds another one it
    gives the instance up, and it is lost.
options:
  instances:
    description: UUIDs of the instances.
    type: list
    elements: str
    required: true
  cell:
    description:
      - Where Nova is to look for them. V(none) for their BuildRequests, V(cell0), or a cell by its name
        or UUID.
    type: str
    required: true
  expected_cell:
    description:
      - Where they must be mapped to now, in the same words. An instance that is mapped to neither this
        nor O(cell) is refused, and nothing is changed.
      - By default where they are seen to be at the beginning of the run.
    type: str
  verify:
    description:
      - Refuse a cell that does not hold the instance's rows, V(none) for an instance without a
        BuildRequest, and an instance that the conductor was asked to build.
      - Set it to V(false) only when you know why Nova's databases say otherwise, and have a backup.
    type: bool
    default: true
extends_documentation_fragment:
  - openstack_recovery.nova.nova_databases
attributes:
  check_mode:
    support: full
    description: Checks everything, reports what would be changed and writes nothing.
  diff_mode:
    support: full
    description: Shows the cell of each instance before and after.
seealso:
  - module: openstack_recovery.nova.cell0_instance_info
  - module: openstack_recovery.nova.cell0_rebuild_prep
"""

EXAMPLES = r"""
- name: A conductor was killed after it had written the instance into its cell
  openstack_recovery.nova.instance_cell_mapping:
    instances: [7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    cell: cell1
    expected_cell: none
"""

RETURN = r"""
instances:
  description: Each instance, in the order of O(instances); in check mode as it would be.
  returned: success
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the instance.
      type: str
    before:
      description: Name of the cell it was mapped to, or C(none).
      type: str
    after:
      description: Name of the cell it is mapped to, or C(none).
      type: str
    changed:
      description: Whether that was changed.
      type: bool
    rows_in:
      description:
        - Names of the cells that hold rows of it. Those other than C(after) are rows that nobody
          finds, which the module warns of.
      type: list
      elements: str
    build_request:
      description: Whether it has a BuildRequest.
      type: bool
  sample:
    - uuid: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      before: none
      after: cell1
      changed: true
      rows_in: [cell1]
      build_request: false
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), and C(details). Nothing was changed.
    - The code is C(refused) when an instance cannot be mapped so. Its details have for each such
      instance a C(code) and a C(message). The codes are C(instance_not_found), C(deleted),
      C(unexpected_cell), C(rows_not_in_cell), C(no_build_request) and C(being_built).
    - Others are C(cell_not_found) and C(cell_ambiguous), which list the cells, C(changed_meanwhile),
      C(database_unavailable), C(database_no_grant) (the message has the GRANT statement),
      C(untested_release) and those of reading O(nova_conf).
  returned: failure
  type: dict
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.cell_mapping import (
    Remapper,
    find_cell,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.nova_databases_module import (
    NovaConnections,
    NovaDatabasesModule,
)

OPTIONS = {
    "instances": {"type": "list", "elements": "str", "required": True},
    "cell": {"type": "str", "required": True},
    "expected_cell": {"type": "str"},
    "verify": {"type": "bool", "default": True},
}


def map_instances(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    params, databases = module.params, connections.databases
    cells = databases.cells()
    expected = params["expected_cell"]
    remapper = Remapper(
        databases,
        find_cell(params["cell"], cells),
        expected=None if expected is None else (find_cell(expected, cells),),
        verify=params["verify"],
    )
    plans = remapper.plan(params["instances"])
    if not module.check_mode:
        remapper.apply(plans)
    for plan in plans:
        if plan.elsewhere():
            where = ", ".join(cells[cell_id].label for cell_id in plan.elsewhere())
            module.ansible.warn(
                f"{plan.instance_uuid} is mapped to {plan.shown(cells)['after']}, and {where} holds"
                " rows of it, which nobody finds there"
            )
    return {
        "changed": any(plan.changes for plan in plans),
        "instances": [plan.shown(cells) for plan in plans],
        "diff": [plan.diff(cells) for plan in plans if plan.changes],
    }


def main() -> None:
    module = NovaDatabasesModule(OPTIONS)
    module.run(lambda connections: map_instances(connections, module), reads_only=False)


if __name__ == "__main__":
    main()
