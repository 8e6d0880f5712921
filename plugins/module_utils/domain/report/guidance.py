# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about each error code, in one place.

A message says what is wrong with this run; what stands here is true of every run. It is read at
night: first what to do, and whether to run again helps.
"""

from __future__ import annotations

from .guidance_rebuild import REBUILD

_CLOUD = {
    "api_unavailable": "The cloud did not answer. See to its API first, then run again: what was done"
    " meanwhile is found and not repeated.",
    "api_refused": "The cloud refused a request, for the reason in the message. Look it up by its request"
    " id in the service's log.",
    "api_error": "The cloud answered in a way that is no known error. Look it up by the request id in the"
    " service's log, then run again.",
    "unexpected_answer": "A service answered something that does not fit its API: look for a proxy in"
    " between, and at the service's version.",
    "auth_failed": "The login was refused. Check the user, the password or the application credential"
    " in clouds.yaml, then run again.",
    "forbidden": "The user may not do this. Give it the role that the service's policy asks for (admin by"
    " default), then run again.",
    "invalid_cloud_config": "Correct clouds.yaml or the option 'cloud', then run again. Nothing was done.",
    "no_endpoint": "The service catalog has no such service in this region: check region_name, interface"
    " and the catalog.",
    "tls_error": "The certificate is not trusted: state ca_cert, or renew it. Do not switch the check off"
    " for a host that is to be fenced.",
    "cell_down": "Nova cannot reach the database of a cell, so some instances are not seen. Bring it back"
    " first, then run again.",
    "read_only": "A defect of this collection: something was to be changed in check mode, and was"
    " stopped. Please report it.",
    "invalid_options": "Correct what was stated, as the message says, then run again. Nothing was done.",
    "invalid_policy": "Correct the policy file: the details name each place in it. Nothing was done.",
    "report_not_written": "Only the report is missing, nothing else. See to the folder that is named, then"
    " run again or look at the job's output.",
}
_HOSTS = {
    "host_not_found": "No compute service has exactly this name. Compare with 'openstack compute service"
    " list'.",
    "host_ambiguous": "Several compute services have this name. Delete the one that is left over, or see to"
    " the cells.",
    "host_is_up": "Nova still hears from the host, and evacuates from none that is up. If it is really to be"
    " given up, fence it, wait until it is down, and run again.",
    "host_has_returned": "The host reports again and may run its instances. Fence it and run again, or take"
    " it back with the playbook host_return. What was not started is still on it.",
    "run_in_progress": "Another run works on this host; its details name it. Wait for it. If it has died, its"
    " lock is taken over after 45 seconds: run again.",
    "lock_lost": "Another run has taken over. Look at its report, and run again when it has ended.",
    "abandoned": "Whoever started this run has gone. Run again: it goes on from what Nova says.",
    "evacuations_in_progress": "Wait until the evacuations that are named have ended, or run host_down"
    " again to finish them.",
    "evacuation_records_done": "Start nova-compute on the host, which completes these records, and run"
    " again. Without that its leftover guests and allocations stay.",
    "wait_timeout": "Nova's records have not come to the wanted state in time. Run again to go on waiting.",
    "allocation_changed": "Somebody else has changed the allocation meanwhile. Run again.",
    "insufficient_capacity": "There is not enough room. Add hosts, enable spares, or state"
    " on_shortage: by_priority to move what fits. Nothing was changed.",
}
_EVACUATION = {
    "evacuation_incomplete": "See to what is named below, then run again: what is verified is left alone,"
    " the rest is tried once more.",
    "evacuation_timeout": "The time was over. Run again to go on waiting; nothing was reset or repeated.",
    "evacuation_failed": "Nova's scheduler or a destination refused it. Mostly room is missing: add a host"
    " or free one, then run again. The instance is still where it was.",
    "no_record": "Nova took the call and wrote no record: look at nova-conductor and its message bus, then"
    " run again.",
    "not_verified": "It has arrived, and something of it is not as it was: see which check failed. Mostly it"
    " is a port: look at the destination's network agent, then run again to verify.",
    "timeout": "Nova still works on it, or its turn never came. Run again: nothing was reset or repeated.",
    "nova_refused": "Nova refused it for the reason that is given. Put that right, then run again.",
    "deleted": "Its user has deleted it: there is nothing to do.",
    "being_deleted": "Its user is deleting it: there is nothing to do.",
    "left_by_policy": "The policy says so, by the rule that is named. Change the rule and run again if that"
    " is wrong.",
    "never_booted": "It was never on a host. Rebuild it with the playbook rebuild_never_booted.",
    "vm_state_not_evacuable": "Nova evacuates only what is active, stopped or in ERROR. It comes back with"
    " its host; ask its owner before anything else is done.",
    "migration_in_progress": "Wait until the migration that is named has ended or was aborted, then run"
    " again.",
    "vtpm": "Its virtual TPM cannot be moved. It comes back with its host; else restore it from a backup.",
    "accelerator": "Its accelerator cannot be moved. It comes back with its host; else build it anew.",
    "strict_affinity": "The other members of its group are elsewhere or stay. Ask its owner to change the"
    " server group, or bring its host back.",
    "local_storage": "Its local disk would be built anew and its data lost. If the disks are shared, state"
    " shared_storage; if the data may go, on_local_storage=rebuild.",
    "instance_not_found": "There is no such instance: compare with 'openstack server list --all-projects'.",
    "instance_ambiguous": "Several instances have this name: state the id.",
    "instance_not_on_host": "It is not on this host any more. Leave it out, or leave out the host.",
    "instance_without_host": "It was never on a host: there is nothing to evacuate. Rebuild it with the"
    " playbook rebuild_never_booted.",
}
_FENCING = {
    "host_not_in_map": "Add the host to fence_host_machines. Nothing was switched.",
    "duplicate_machine": "Two hosts have the same BMC or system: correct fence_host_machines. Nothing was"
    " switched.",
    "bmc_unreachable": "The BMC does not answer, so it is not known whether the host is off. Go and look, or"
    " state another method; do not evacuate on a guess.",
    "bmc_auth_failed": "The BMC refused the login: correct its account, then run again.",
    "bmc_refused": "The BMC refused the request: look at its log, or switch the machine off by hand.",
    "system_not_found": "The BMC has no such system: correct the map of machines.",
    "wrong_machine": "The BMC belongs to another machine than was stated. Nothing was switched: correct the"
    " map of machines.",
    "power_state_not_reached": "The machine did not switch in time. Look at it by its console, then run"
    " again.",
    "ipmitool_missing": "Install ipmitool where the module runs, or use Redfish.",
    "invalid_uri": "Correct the URI of libvirt. Nothing was done.",
    "libvirt_error": "libvirt refused the call, for the reason in the message. Look at its log on the host.",
    "hypervisor_unreachable": "The host cannot be reached, so it is not known whether its guests run. Use"
    " another method of fencing.",
    "hypervisor_not_listening": "The host answers, and its libvirt does not. Its guests may run: start"
    " libvirt, or switch the host off.",
    "hypervisor_refused": "libvirt refused the login: correct the account or its rights.",
    "wrong_hypervisor": "The URI leads to another host than was stated. Nothing was done: correct the URI.",
    "domain_not_nova": "A guest is not Nova's and was left alone. Name the instances, or see to it by hand.",
    "domain_still_defined": "libvirt keeps the guest's definition. Look at its log, then run again.",
    "domain_still_running": "The guest still runs and may write to its volumes. End it by hand, or switch"
    " the host off, before anything is evacuated.",
    "folder_is_shared": "The instance's folder lies on shared storage and belongs to where it runs now. It"
    " was rightly kept.",
    "folder_not_removed": "The instance's folder could not be removed. Remove it by hand when the instance"
    " runs elsewhere.",
    "instance_not_elsewhere": "The instance runs nowhere else, so what is here may be all of it. Nothing was"
    " removed.",
}
_RESHAPE = {
    "reshape_incomplete": "See to what is named below, then run again: what is done is left alone. Each"
    " instance says which image and flavor it has now.",
    "rebuild_failed": "Nova could not rebuild it: look at its fault and at the log of its host's"
    " nova-compute. It still has its old flavor; run again when the cause is gone.",
    "resize_failed": "Nova could not resize it, mostly for want of room. It has its old flavor; run again when"
    " there is room.",
    "confirm_failed": "The resize was not confirmed. Both hosts still hold its resources: run again to"
    " confirm it.",
    "batch_not_begun": "An earlier batch has stopped the run. See to what failed in it, then run again.",
    "no_result": "The module has ended without saying what became of it, for example because it was killed."
    " See to the cause, then run again: what is done is found and not repeated.",
    "resize_pending": "Somebody has to confirm or revert an earlier resize first. Then run again.",
    "in_error": "It is in ERROR for another reason: look at its fault, and reboot it hard, before anything"
    " else is done.",
    "task_in_progress": "Nova works on it. Wait, then run again.",
    "busy": "Nova works on it. Wait, then run again.",
    "locked": "Somebody has locked it. Ask its owner, unlock it, and run again.",
    "host_down": "Its host is down. Evacuate it first with the playbook host_down.",
    "vm_state_not_allowed": "Nova does this only to instances that are active or stopped. Bring it there,"
    " then run again.",
    "numa_change": "Nova would not notice that its NUMA placement changes, and would break it. State another"
    " image or flavor. Nothing was changed.",
    "machine_change": "The image asks for another machine than its host was chosen for. State another image."
    " Nothing was changed.",
    "architecture": "The image is for another architecture. State one that fits. Nothing was changed.",
    "traits_missing": "Its host has not what the image asks for. State another image, or move the instance"
    " first.",
    "image_does_not_fit": "The image needs more memory or disk than there is. State another image, or a"
    " larger flavor.",
    "smaller_disk": "Nova makes no disk smaller. State a flavor with a disk that is as large, at least.",
    "flavor_edited": "Nova resizes none to the flavor that it has, whatever extra specs that has now. Make a"
    " new flavor with them under another name, and state that. Nothing was changed.",
    "root_disk_replaced": "Another image replaces the root disk and what is on it. If that may be lost, state"
    " replace_root_disk=true.",
    "root_volume": "Its root volume cannot be rebuilt as it is now. See to it in Cinder, then run again.",
}
_FAIL_BACK = {
    "migration_incomplete": "See to what is named below, then run again: what is home is left alone.",
    "live_migrate_failed": "Nova could not move it, and it runs where it was. Look at the reason, or move it"
    " cold.",
    "cold_migrate_failed": "Nova could not move it. It is where it was: look at the reason, then run again.",
    "moved_elsewhere": "Somebody has moved it since, so it is left there. There is nothing to do.",
    "vm_state_not_migratable": "Nova moves only what is active, paused or stopped. Bring it there, then run"
    " again.",
    "not_running": "It does not run, so it cannot be moved live. State method: auto or cold.",
    "source_is_down": "The host that it is on is down. Evacuate it with the playbook host_down.",
    "host_is_down": "Its home is down. Bring that back first (playbook host_return), then run again.",
    "host_is_disabled": "Its home is disabled. Enable it when it may take instances, then run again.",
    "failure_limit": "Too many have failed, so no more were begun. Find the common cause, then run again.",
}
_ROOM = {
    "capacity_unknown": "Placement did not answer, so it is not known what fits. Run again, or state"
    " on_shortage: by_priority.",
    "insufficient_room": "The policy offers too little that may be removed. Mark more as preemptible, raise"
    " the limit, or add hosts. Nothing was removed.",
    "room_incomplete": "Something was removed and the room is still too small, since others took it or a"
    " removal failed. Run again for a new plan.",
    "removal_incomplete": "Not all that was chosen was removed. See to what is named below, then run again.",
    "still_leaving": "Instances are still being deleted or offloaded. Run again to go on waiting.",
    "too_few_preemptible": "Even without all that may be removed there is no room. Add hosts, or mark more"
    " as preemptible.",
    "over_limit": "More would have to be removed than the limit allows. Raise make_room: limit if that is"
    " right.",
    "others_first": "Others that wait take the room that can be made. Raise the limit, or run again later.",
    "placement_cannot_tell": "Placement does not count what it needs, so a removal could be in vain. Make"
    " room by hand.",
    "no_host": "No host could take it, even if it were empty. State another flavor, or add a host.",
    "excluded": "Removing it has failed, a waiting instance must be where it is, or nothing may be deleted any"
    " more: its reason says which.",
    "plan_outdated": "Another run may have made the room since the plan. Run again for a new one.",
    "moved": "It has left its host meanwhile. Run again for a new plan.",
    "not_preemptible": "It may not be removed any more: its metadata or the policy has changed. Run again for"
    " a new plan.",
    "vm_state": "It cannot be removed in this state. Look at it, or run again for a new plan.",
    "stop_failed": "Nova could not stop it: look at its fault and at the log of its host's nova-compute.",
    "shelve_failed": "Nova could not shelve it: look at its fault. It is where it was; Nova powers it off first, so"
    " start it if it is off.",
    "ephemeral_disk": "Nova would shelve it without its local ephemeral disk. Let the policy delete it, if that may be,"
    " or something else go.",
    "offload_failed": "It is shelved and still holds its room: look at its fault, then run again.",
    "delete_failed": "Nova could not delete it: look at its fault, then run again.",
    "force_delete_failed": "Nova could not delete it at once: look at its fault, then run again.",
}
GUIDANCE = {
    **_CLOUD,
    **_HOSTS,
    **_EVACUATION,
    **_FENCING,
    **_RESHAPE,
    **_FAIL_BACK,
    **_ROOM,
    **REBUILD,
}


def guidance_for(code: str, *, retriable: bool = False) -> str:
    """What to do; for a code that is not known, what can be said of any.

    :param retriable: as the module has said of its error.
    """
    if code in GUIDANCE:
        return GUIDANCE[code]
    if retriable:
        return "Look at the message, and run again: that can help."
    return "Put right what the message says, then run again."
