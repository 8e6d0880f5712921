#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: libvirt_instance
short_description: List or end Nova's domains on a hypervisor, by libvirt
version_added: 0.3.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - Reaches a hypervisor without Nova, and shows or ends the domains that Nova has made there. Use it
    for a compute host that was cut off, or that has returned, where guests of instances that have
    moved still run and can write to their volumes.
  - Only domains that carry Nova's metadata are shown and touched. Others are counted.
  - A domain counts as ended when it was looked up again and is gone.
  - Whatever the hypervisor does, the module answers within its bounds, as it works in a process that
    is killed when they are over. What was done until then is in the error.
options:
  uri:
    description:
      - The libvirt URI of the hypervisor, for example V(qemu+tls://compute-1.example.org/system).
      - Credentials for SASL come from libvirt's own C(auth.conf), certificates and SSH keys from where
        libvirt looks for them. Nothing is asked.
    type: str
    required: true
  state:
    description:
      - V(gathered) lists the domains over a connection that can only read.
      - V(absent) ends their processes and removes their definitions, with NVRAM, managed save,
        metadata of snapshots and of checkpoints. Disks stay, and so does the state of a virtual TPM.
    type: str
    choices: [gathered, absent]
    default: gathered
  instances:
    description:
      - UUIDs of the instances. An empty list means none.
      - A domain with one of these UUIDs that does not carry Nova's metadata is an error (code
        C(domain_not_nova)).
    type: list
    elements: str
  all_instances:
    description:
      - End every domain of Nova on this hypervisor.
      - O(state=absent) needs this or O(instances).
    type: bool
    default: false
  hypervisor_hostname:
    description:
      - What the hypervisor must call itself, exactly as C(openstack hypervisor list) shows it. With
        another name nothing is done (code C(wrong_hypervisor)).
      - Give it whenever domains are to end. A wrong O(uri) leads to guests that are fine.
    type: str
  connect_timeout:
    description:
      - Within how many seconds the hypervisor must have answered. It holds for a libvirtd that
        accepts connections and hangs, too.
    type: int
    default: 10
  timeout:
    description:
      - How many seconds each step with a domain or a folder may take.
    type: int
    default: 60
  remove_folder:
    description:
      - Whether to remove the folders of the instances as well, after their domains.
      - Needs the cloud's connection options, O(host), and O(shared_storage=false). Of every instance
        Nova must say that it is on another host, settled, and that its newest evacuation from
        O(host) is C(done) or C(completed); otherwise nothing at all is done.
      - A folder is kept when anything in it changes within 10 seconds, or when a file is newer than
        the evacuation that the guest, if it still ran, has not written itself (code
        C(folder_is_shared)), or when it holds other folders (code C(folder_not_removed)). That is no
        failure; C(folder_error) in RV(domains) says why.
      - What a guest has written itself is known only to the run that ends it. When that run is
        killed before it removes the folders, the next one keeps them.
    type: bool
    default: false
  shared_storage:
    description:
      - Whether the instances' disks are on storage that the hosts share. Folders are never removed
        from it.
    type: bool
  instances_path:
    description:
      - Nova's C(instances_path) on the hypervisor.
    type: str
    default: /var/lib/nova/instances
  host:
    description:
      - Host name of the hypervisor's C(nova-compute) service, exactly as Nova shows it. Used for
        O(remove_folder). Nova must know the hypervisor at O(uri) as that of this host.
    type: str
extends_documentation_fragment:
  - openstack_recovery.nova.openstack
attributes:
  check_mode:
    support: full
    description:
      - Reports what would end, over a connection that libvirt itself keeps from changing anything.
        Such a connection cannot look into folders.
  diff_mode:
    support: full
    description: Shows the states of the domains that are ended, before and after.
requirements:
  - libvirt-python
notes:
  - The cloud is connected to for O(remove_folder) only, and openstacksdk is needed only then.
  - A nova-compute that works on the hypervisor brings domains back. Stop it first.
"""

EXAMPLES = r"""
- name: What runs on a host that Nova does not reach
  openstack_recovery.nova.libvirt_instance:
    uri: qemu+tls://compute-1.example.org/system
  register: there

- name: End every guest of Nova on it
  openstack_recovery.nova.libvirt_instance:
    uri: qemu+tls://compute-1.example.org/system
    hypervisor_hostname: compute-1.example.org
    state: absent
    all_instances: true

- name: Clean up after instances that were evacuated, with their disks on the host's own storage
  openstack_recovery.nova.libvirt_instance:
    cloud: mycloud
    uri: qemu+ssh://root@compute-1.example.org/system
    host: compute-1
    hypervisor_hostname: compute-1.example.org
    state: absent
    instances: "{{ moved }}"
    remove_folder: true
    shared_storage: false
"""

RETURN = r"""
hypervisor:
  description: Who answered.
  returned: success
  type: dict
  sample:
    uri: qemu+tls://compute-1.example.org/system
    hostname: compute-1.example.org
domains:
  description:
    - Nova's domains. With O(state=gathered) and O(instances) only those; else all, also those that
      were not to end.
  returned: success
  type: list
  elements: dict
  contains:
    uuid:
      description: UUID of the domain, which is that of the instance.
      type: str
    name:
      description: libvirt's name of the domain; null when it was never there.
      type: str
    state:
      description:
        - libvirt's word for its state now, in check mode as it would be. One of V(nostate),
          V(running), V(blocked), V(paused), V(shutdown), V(shutoff), V(crashed) and
          V(pmsuspended); null when the domain is not there.
      type: str
    active:
      description:
        - Whether it has a process now, and so may write. This counts, and not the state. A domain
          that is V(paused) or V(crashed) has one.
      type: bool
    persistent:
      description: Whether it is defined, and not only running.
      type: bool
    state_before:
      description: The state in which it was found; null when it was not there.
      type: str
    disks:
      description: Its disks, with C(target), libvirt's C(type) and C(source).
      type: list
      elements: dict
    nova:
      description: What Nova wrote into the domain about the instance.
      type: dict
    result:
      description:
        - V(terminated) (it ran and is gone), V(not_running) (it was defined only and is gone),
          V(absent) (it was not there) or V(kept) (nothing was done to it).
        - In the details of an error also V(still_running), V(still_defined), and V(unreachable) for
          one of which nothing is known any more.
      type: str
    folder:
      description:
        - V(removed), V(absent), V(kept), or V(unchecked) in check mode; null when O(remove_folder)
          was not asked for.
      type: str
    folder_error:
      description:
        - Why the folder was kept, with a C(message), and the C(code) C(folder_is_shared) (something
          changed in it, as on storage that hosts share) or C(folder_not_removed).
      type: dict
    error:
      description: C(code) and C(message) of what kept it from ending.
      type: dict
  sample:
    - uuid: 7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11
      name: instance-0000001f
      state: null
      active: false
      persistent: false
      state_before: running
      disks:
        - target: vda
          type: network
          source: rbd:volumes/volume-0a7e1f2d-6b1c-4b0e-9d2b-6f2f6e1f9a55
      nova:
        name: web-1
        project_id: 6f0c2b7a1d3e4f5a8b9c0d1e2f3a4b5c
        project_name: shop
        flavor: m1.small
        created_at: "2026-03-01 02:15:00"
        version: 33.0.2
      result: terminated
      folder: null
      folder_error: null
      error: null
foreign:
  description: How many domains do not carry Nova's metadata. They are neither shown nor touched.
  returned: success
  type: int
  sample: 0
error:
  description: What went wrong. What has been changed until then, C(changed) and the details tell.
  returned: failure
  type: dict
  contains:
    code:
      description:
        - C(invalid_options), C(invalid_uri), C(wrong_hypervisor), C(domain_not_nova),
          C(instance_not_elsewhere), C(host_not_found), or one of the cloud. Nothing was changed.
        - C(hypervisor_unreachable), C(hypervisor_not_listening) (the machine answers, and its
          libvirtd does not, also when it hangs in the middle), C(hypervisor_refused) (the login, or
          the right to change), C(tls_error), C(libvirt_error), C(unexpected_answer).
        - C(domain_still_running), C(domain_still_defined) (the domains that could be ended were).
      type: str
    retriable:
      description: Whether running the same task later can succeed.
      type: bool
    details:
      description:
        - C(domains) has what became of each domain, as above, once any was to be ended. C(folders)
          has C(folder) and C(folder_error) by UUID, of those that were done with before the
          hypervisor did not answer any more.
      type: dict
    request_id:
      description: OpenStack request id of the call that failed.
      type: str
"""

import uuid as uuids
from collections.abc import Sequence
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.libvirt_connection import (
    LIBVIRT_IMPORT_ERROR,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.libvirt_hypervisor import (
    LibvirtConnection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api import (
    NovaApi,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.instance_folder import (
    REMOVED,
    UNCHECKED,
    FolderResult,
    plan_folders,
    remove_folders,
    require_elsewhere,
    require_storage_of_its_own,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.termination import (
    DomainResult,
    diff_of,
    end_domains,
    is_changed,
    listed,
    plan_termination,
    survey,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.recovery_module import (
    RecoveryModule,
)

OPTIONS = {
    "uri": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["gathered", "absent"], "default": "gathered"},
    "instances": {"type": "list", "elements": "str"},
    "all_instances": {"type": "bool", "default": False},
    "hypervisor_hostname": {"type": "str"},
    "connect_timeout": {"type": "int", "default": 10},
    "timeout": {"type": "int", "default": 60},
    "remove_folder": {"type": "bool", "default": False},
    "shared_storage": {"type": "bool"},
    "instances_path": {"type": "str", "default": "/var/lib/nova/instances"},
    "host": {"type": "str"},
}


def look_or_end(module: RecoveryModule) -> dict[str, Any]:
    params = module.params
    wanted = _wanted(params)
    connection = LibvirtConnection(
        params["uri"], connect_timeout=params["connect_timeout"], timeout=params["timeout"]
    )
    module.need(("libvirt-python", LIBVIRT_IMPORT_ERROR))
    seen = survey(connection, params["hypervisor_hostname"])
    shown = {
        "hypervisor": {"uri": params["uri"], "hostname": seen.hostname},
        "foreign": len(seen.foreign),
    }
    if params["state"] == "gathered":
        return {"changed": False, **shown, "domains": _shown(listed(seen, wanted), [])}
    planned = plan_termination(seen, wanted)
    folders, begun = [], {}
    if params["remove_folder"]:
        folders = plan_folders(planned, params["instances_path"])
        nova = NovaApi(module.connect(reads_only=True))
        begun = require_elsewhere(nova, params["host"], seen.hostname, folders)
    results, removed = planned, [FolderResult(folder.uuid, UNCHECKED) for folder in folders]
    if not module.check_mode:
        results = end_domains(connection, planned, all_of_nova=params["all_instances"])
        try:
            removed = remove_folders(connection, folders, begun, SystemClock())
        except RecoveryError as error:
            error.changed = error.changed or is_changed(results)
            error.details["domains"] = [each.as_dict() for each in results]
            raise
    return {
        "changed": is_changed(results) or any(each.result == REMOVED for each in removed),
        **shown,
        "domains": _shown(results, removed),
        "diff": diff_of(results),
    }


def _shown(
    results: Sequence[DomainResult], folders: Sequence[FolderResult]
) -> list[dict[str, Any]]:
    by_uuid = {folder.uuid: folder.as_dict() for folder in folders}
    none = {"folder": None, "folder_error": None}
    return [{**each.as_dict(), **by_uuid.get(each.uuid, none)} for each in results]


def _wanted(params: dict[str, Any]) -> list[str] | None:
    """UUIDs as libvirt writes them; None for all.

    :raises RecoveryError: ``invalid_options``.
    """
    given: Sequence[str] | None = params["instances"]
    if given is not None and params["all_instances"]:
        raise RecoveryError("invalid_options", "instances and all_instances exclude each other")
    if params["state"] == "absent" and given is None and not params["all_instances"]:
        raise RecoveryError(
            "invalid_options", "state 'absent' needs instances, or all_instances; nothing was done"
        )
    for name in ("connect_timeout", "timeout"):
        if params[name] < 1:
            raise RecoveryError("invalid_options", f"{name} must be at least 1")
    if params["remove_folder"]:
        if params["state"] != "absent" or not params["host"]:
            raise RecoveryError("invalid_options", "remove_folder needs state 'absent', and host")
        require_storage_of_its_own(params["shared_storage"], params["instances_path"])
    try:
        return None if given is None else [str(uuids.UUID(each)) for each in given]
    except ValueError:
        raise RecoveryError(
            "invalid_options", f"instances must be UUIDs, and not names: {', '.join(given or ())}"
        ) from None


def main() -> None:
    module = RecoveryModule(OPTIONS)
    module.finish(lambda: look_or_end(module))


if __name__ == "__main__":
    main()
