#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: network_request
short_description: Keep which networks a never-booted instance requested
version_added: 0.2.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Nova drops the requested networks of an instance whose build fails, so that nothing can build it
    again as it was meant. This module writes them into the instance's RequestSpec in Nova's API
    database, where preparing the instance for another build looks for them.
  - What cannot be met is refused before anything is written, for all instances at once. A network
    must exist, be usable by the instance's project and have a subnet; an address must lie in one of
    its subnets and be free; a port must belong to the project and be used by nothing else.
  - Only for instances that have never booted. All of a call are written in one transaction, or none.
options:
  instances:
    description:
      - UUIDs of the instances. All get the same networks; an interface with a port or an address is
        therefore only for a single one.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) stores the requested networks, V(absent) removes what is stored.
    type: str
    choices: [present, absent]
    default: present
  networks:
    description:
      - V(auto) for a network that Nova chooses or makes, V(none) for no interface, or a list of
        interfaces. The three are different requests, and so is an empty list, which takes the one
        network that the project can use.
      - Each interface is a dictionary of C(network) or C(port) (name or ID), C(fixed_ip) for a
        network, and C(tag).
      - The words of C(nics) in C(openstack.cloud.server) can be used, too. These are C(net-id),
        C(net-name), C(port-id), C(port-name), C(v4-fixed-ip), C(v6-fixed-ip) and C(tag). So can
        C(uuid), as in the compute API.
      - Names are looked up among what the instance's project can use. A name that matches several
        is an error that lists their IDs.
    type: raw
  source:
    description:
      - How the networks may be found, in order; the first that tells any is taken. By default
        nothing is guessed.
      - V(given) takes O(networks).
      - V(ports) takes the ports that Neutron has for the instance, the oldest first. It knows
        nothing of interfaces whose ports were deleted when the build failed.
      - V(pci_requests) takes the SR-IOV ports that the instance was created with. It knows nothing
        of other interfaces.
      - V(single_network) takes the only network that the instance's project can use, its own and
        shared ones counted together.
      - Networks that are stored already are kept unless O(networks) are given.
    type: list
    elements: str
    choices: [given, ports, pci_requests, single_network]
    default: [given]
extends_documentation_fragment:
  - openstack_recovery.nova.nova_databases
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description: Checks everything, reports what would be stored and writes nothing.
  diff_mode:
    support: full
    description: Shows the requested networks of each instance before and after.
notes:
  - The credentials should be an administrator's. Others do not see which networks are shared with
    the instance's project, nor whether a port needs resources of its own.
"""

EXAMPLES = r"""
- name: The instance was created with two interfaces
  openstack_recovery.nova.network_request:
    cloud: mycloud
    instances: [7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11]
    networks:
      - network: internal
        fixed_ip: 10.0.0.17
        tag: storage
      - port: web-1-public

- name: Take the only network that the project has, and fail where it has several
  openstack_recovery.nova.network_request:
    cloud: mycloud
    instances: "{{ buried }}"
    source: [ports, single_network]

- name: Forget it
  openstack_recovery.nova.network_request:
    cloud: mycloud
    instances: "{{ buried }}"
    state: absent
"""

RETURN = r"""
instances:
  description:
    - What is stored for each instance, in the order of O(instances); in check mode what would be.
  returned: success
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the instance.
      type: str
    requested_networks:
      description: C(auto), C(none), or a list of interfaces with IDs; null where nothing is stored.
      type: raw
    source:
      description:
        - Where they are from, one of the choices of O(source), or C(stored) where they were kept.
      type: str
    changed:
      description: Whether it was written.
      type: bool
  sample:
    - uuid: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      requested_networks:
        - network: 6ea53a43-aa43-48da-b4b7-f079d8b916ca
          fixed_ip: 10.0.0.17
          tag: storage
        - port: d54d254e-e38a-4e76-885f-d1f243d8c1ff
      source: given
      changed: true
error:
  description: What went wrong. Nothing was written.
  returned: failure
  type: dict
  contains:
    code:
      description:
        - C(invalid_options), C(invalid_networks) (O(networks) cannot be read), C(instance_not_found),
          C(has_booted), C(deleted), C(rows_missing), C(request_spec_missing),
          C(network_request_refused), C(request_spec_changed) (retriable), or one of the databases
          or the cloud, for example C(forbidden) and C(api_unavailable).
      type: str
    retriable:
      description: Whether running the same task later can succeed.
      type: bool
    details:
      description:
        - C(problems) has those of each instance by UUID, each with a C(code) and a C(message).
        - Codes of networks are C(network_gone), C(network_not_visible), C(network_ambiguous),
          C(network_external), C(network_without_subnet) and C(auto_allocation_unavailable).
        - Codes of addresses are C(address_outside_subnets), C(address_taken) and
          C(address_duplicate).
        - Codes of ports are C(port_gone), C(port_not_visible), C(port_ambiguous), C(port_taken),
          C(port_duplicate), C(port_qos), C(port_accelerator), C(port_sriov),
          C(port_binding_failed), C(port_without_address) and C(port_dns_name).
        - Where a source does not tell them, C(networks_unknown) and C(networks_incomplete).
      type: dict
    request_id:
      description: OpenStack request id of the call that failed.
      type: str
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.neutron_networks import (
    NeutronNetworks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_change import (
    NetworkChange,
    plan_absent,
    plan_present,
    write_changes,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_source import (
    SOURCES,
    check_sources,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_vocabulary import (
    parse_networks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.nova_databases_module import (
    NovaConnections,
    NovaDatabasesModule,
)

OPTIONS = {
    "instances": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "networks": {"type": "raw"},
    "source": {"type": "list", "elements": "str", "choices": list(SOURCES), "default": ["given"]},
}


def request_networks(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    changes = _plan(connections, module.params)
    if not module.check_mode:
        write_changes(connections.databases, changes)
    return {
        "changed": any(change.changes for change in changes),
        "instances": [change.shown() for change in changes],
        "diff": [change.diff() for change in changes if change.changes],
    }


def _plan(connections: NovaConnections, params: dict[str, Any]) -> list[NetworkChange]:
    given, sources = params["networks"], params["source"]
    if params["state"] == "absent":
        if given is not None:
            raise RecoveryError(
                "invalid_options",
                "state 'absent' removes whatever is stored: leave networks out",
            )
        return plan_absent(connections.databases, params["instances"])
    wanted = None if given is None else parse_networks(given)
    # What is wrong with the options is told before anything is connected to.
    check_sources(wanted, sources)
    return plan_present(
        connections.databases,
        NeutronNetworks(connections.cloud),
        params["instances"],
        wanted,
        sources,
    )


def main() -> None:
    module = NovaDatabasesModule(OPTIONS, cloud=True)
    module.run(lambda connections: request_networks(connections, module), reads_only=False)


if __name__ == "__main__":
    main()
