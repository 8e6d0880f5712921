# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances of a failed host can be evacuated, which not, and why.

Every reason has a code; the codes are documented in the instance_evacuation module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import RecoveryError
from ..nova import Instance, MigrationRecord, Port, ServerGroup
from ..policy.decision import Decision
from ..records import in_progress, is_evacuation

# Nova's own precondition for evacuate (nova.compute.api.API.evacuate).
EVACUABLE_VM_STATES = frozenset({"active", "stopped", "error"})


@dataclass(frozen=True, slots=True)
class Skip:
    """Why an instance is left where it is."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePolicy:
    """``on_local_storage`` is fail, skip or rebuild; ``shared`` is what the operator declares."""

    shared: bool
    on_local_storage: str


def data_lost(instance: Instance, storage: StoragePolicy) -> str | None:
    """What an evacuation would destroy: Nova rebuilds local disks from the image."""
    if storage.shared:
        return None
    if instance.image_id is not None:
        return "root disk"
    if instance.ephemeral_gb > 0:
        return "ephemeral disk"
    return None


def why_skip(
    instance: Instance,
    *,
    records: Iterable[MigrationRecord],
    groups: Iterable[ServerGroup],
    ports: Iterable[Port],
    storage: StoragePolicy,
) -> Skip | None:
    """The reason not to evacuate this instance, or None. All arguments are of this instance."""
    if instance.is_being_deleted:
        return Skip("being_deleted", "it is deleted or being deleted")
    if not instance.launched:
        return Skip(
            "never_booted",
            "it never booted; evacuation is for instances that have, a rebuild of never-booted"
            " instances is for this one",
        )
    if instance.vm_state not in EVACUABLE_VM_STATES:
        return Skip(
            "vm_state_not_evacuable",
            f"Nova does not evacuate an instance whose vm_state is {instance.vm_state}, only"
            " active, stopped and error",
        )
    for record in records:
        # An evacuation from this host is adopted by the plan and comes here only with that record.
        adoptable = is_evacuation(record) and record.source_compute == instance.host
        if in_progress(record) and not adoptable:
            return Skip(
                "migration_in_progress",
                f"{record.migration_type} record {record.id} is {record.status}: end that move"
                " first (abort, confirm or revert)",
            )
    if tpm := instance.extra_specs.get("hw:tpm_version"):
        return Skip("vtpm", f"it has a virtual TPM {tpm}, whose secrets cannot be moved")
    if profile := instance.extra_specs.get("accel:device_profile"):
        return Skip("accelerator", f"it has the accelerator device profile {profile}")
    for port in ports:
        if port.device_profile:
            return Skip(
                "accelerator", f"port {port.id} has the device profile {port.device_profile}"
            )
    for group in groups:
        if group.policy == "affinity":
            return Skip(
                "strict_affinity",
                f"server group '{group.name}' ({group.id}) has the policy affinity, which ties its"
                " members to the failed host: Nova would answer 'No valid host'. Take it out of"
                " the group or evacuate the group's members by hand",
            )
    if storage.on_local_storage == "skip" and (lost := data_lost(instance, storage)):
        return Skip("local_storage", f"the data of its {lost} would be lost")
    return None


def left_by_policy(decision: Decision) -> Skip | None:
    """The reason when it could be evacuated, but is not to be."""
    return None if decision.why_left is None else Skip("left_by_policy", decision.why_left)


def would_lose_data(instance: Instance, storage: StoragePolicy) -> Skip | None:
    """For an evacuation that was begun by somebody else: why it must not be begun again."""
    if storage.on_local_storage != "rebuild" and (lost := data_lost(instance, storage)):
        return Skip("local_storage", f"the data of its {lost} would be lost")
    return None


def require_no_data_loss(instances: Iterable[Instance], storage: StoragePolicy) -> None:
    """Refuse as a whole, before anything is changed, when data would be lost unasked.

    :raises RecoveryError: ``local_storage``.
    """
    if storage.on_local_storage != "fail":
        return
    lost = {
        instance.id: what
        for instance in instances
        if (what := data_lost(instance, storage)) is not None
    }
    if lost:
        raise RecoveryError(
            "local_storage",
            f"{len(lost)} instances would lose the data of a local disk, because Nova rebuilds it"
            " from the image; nothing was done. State shared_storage=true if the instances' disks"
            " are on storage that every host shares, or choose on_local_storage=skip or rebuild.",
            details={"instances": lost},
        )


def pick_named(names: Iterable[str], candidates: Iterable[Instance]) -> dict[str, Instance]:
    """The instances that the given names or ids stand for, by name as given.

    :raises RecoveryError: ``instance_not_found`` or ``instance_ambiguous``.
    """
    by_id: dict[str, Instance] = {}
    by_name: dict[str, list[Instance]] = {}
    for instance in candidates:
        by_id[instance.id] = instance
        by_name.setdefault(instance.name, []).append(instance)
    picked: dict[str, Instance] = {}
    unknown: list[str] = []
    for name in names:
        if name in by_id:
            picked[name] = by_id[name]
            continue
        matches = by_name.get(name, [])
        if len(matches) > 1:
            raise RecoveryError(
                "instance_ambiguous",
                f"{len(matches)} instances have the name '{name}'; nothing was done. Give the id.",
                details={"name": name, "ids": sorted(match.id for match in matches)},
            )
        if matches:
            picked[name] = matches[0]
        else:
            unknown.append(name)
    if unknown:
        raise RecoveryError(
            "instance_not_found",
            f"no instance has the name or id {', '.join(repr(name) for name in unknown)}; nothing"
            " was done. Names must match exactly.",
            details={"unknown": unknown},
        )
    return picked


def groups_by_member(groups: Iterable[ServerGroup]) -> Mapping[str, list[ServerGroup]]:
    """Server groups by the id of each member."""
    found: dict[str, list[ServerGroup]] = {}
    for group in groups:
        for member in group.member_ids:
            found.setdefault(member, []).append(group)
    return found
