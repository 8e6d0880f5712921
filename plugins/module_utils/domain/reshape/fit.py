# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an image and a flavor go together, and with what an instance has.

Nova checks some of this when it is asked, and some only on the host, after the root disk is gone.
What it would find too late is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import RecoveryError
from ..never_booted.image_fields import OLDEST
from ..never_booted.image_properties import known_properties
from ..never_booted.left_to_nova import require_agreement
from ..never_booted.refusal import Refusal
from .shape import FlavorWanted, ImageWanted, Shape, Wanted

_GIBIBYTE = 1024**3
# What decides about NUMA topology and pinning. A rebuild claims nothing on the host, so Nova cannot
# let any of it change.
_NUMA = re.compile(
    r"hw_numa_.*|hw_cpu_policy|hw_cpu_thread_policy|hw_cpu_realtime_mask|hw_mem_page_size"
    r"|hw_locked_memory|hw_mem_encryption.*|hw_emulator_threads_policy|hw_pci_numa_affinity_policy"
)
_TPM = "hw_tpm_version"
# The host was chosen for these; the scheduler's filter turns a rebuild that changes them into ERROR.
_MACHINE = ("hw_vm_mode", "img_hv_type", "img_hv_requested_version", "hypervisor_version_requires")
# Words that Nova takes for the same architecture.
_SAME_ARCHITECTURE = {"x64": "x86_64", "amd64": "x86_64", "arm64": "aarch64", "x86_32": "i686"}
_RUNS_ALSO = {
    "x86_64": frozenset({"i686", "i386", "i486", "i586"}),
    "aarch64": frozenset({"armv7l"}),
}


def does_not_fit(
    image: ImageWanted, *, memory_mb: int, root_gb: int, volume_gb: int | None
) -> Refusal | None:
    """Why this image cannot be on such an instance.

    :param root_gb: of the flavor; 0 means that Nova does not limit it.
    :param volume_gb: size of the root volume, None for an instance with a local root disk.
    """
    if image.min_ram > memory_mb:
        return _unfit(image, f"needs {image.min_ram} MiB of memory, and there are {memory_mb}")
    disk = root_gb if volume_gb is None else volume_gb
    if disk == 0:
        return None
    kind = "root disk" if volume_gb is None else "root volume"
    if image.min_disk > disk:
        return _unfit(image, f"needs a disk of {image.min_disk} GiB, and the {kind} has {disk}")
    largest = max(image.size, image.virtual_size)
    if largest > disk * _GIBIBYTE:
        size = -(-largest * 10 // _GIBIBYTE) / 10
        return _unfit(image, f"is of {size} GiB, and the {kind} has {disk}")
    return None


def fits_now(shape: Shape, image: ImageWanted) -> bool:
    """Whether the image fits the flavor that the instance has."""
    return _on_its_flavor(shape, image) is None


def image_refusal(shape: Shape, wanted: Wanted, image: ImageWanted) -> Refusal | None:
    """Why its size keeps this image from being put on the instance, with its flavor or the wanted one."""
    if wanted.flavor is None:
        return _on_its_flavor(shape, image)
    return does_not_fit(
        image,
        memory_mb=wanted.flavor.memory_mb,
        root_gb=wanted.flavor.root_gb,
        volume_gb=_volume_gb(shape),
    )


def properties_refusal(
    shape: Shape, image: ImageWanted, before: Mapping[str, Any] | None
) -> Refusal | None:
    """Why the properties of this image keep the instance from being rebuilt with it.

    :param before: properties of the image that it has; None when they are not known any more. Nova
        itself compares NUMA and refuses then.
    """
    if any(image.properties.get(name) for name in ("block_device_mapping", "mappings")):
        return Refusal(
            code="image_not_bootable",
            message=f"image {image.name} is a list of volume snapshots: give an image with data",
        )
    if any(properties.get(_TPM) for properties in (image.properties, before or {})) or any(
        shape.instance.extra_specs.get(name) for name in ("hw:tpm_version", "hw:tpm_model")
    ):
        return Refusal(
            code="vtpm", message="it has, or would get, a virtual TPM, which no rebuild can bring"
        )
    if before is not None:
        changed = sorted(
            name
            for name in {*image.properties, *before}
            if _NUMA.fullmatch(name) and not _same(image.properties.get(name), before.get(name))
        )
        if changed:
            return Refusal(
                code="numa_change",
                message=f"image {image.name} changes {', '.join(changed)}: a rebuild cannot change"
                " the NUMA topology or the pinning of an instance. Build a new one, or put the"
                " properties on the image",
            )
        machine = sorted(
            name
            for name in _MACHINE
            if image.properties.get(name)
            and before.get(name)
            and not _same(image.properties[name], before[name])
        )
        if machine:
            return Refusal(
                code="machine_change",
                message=f"image {image.name} changes {', '.join(machine)}, for which its host was"
                " chosen: Nova would put the instance into ERROR",
            )
    return None


def host_refusal(
    image: ImageWanted, traits: frozenset[str] | None, architecture: str | None
) -> Refusal | None:
    """Why the host that it is on cannot run this image; a rebuild stays on its host.

    :param traits: of its resource providers, None when the image requires none.
    :param architecture: of the host, None where it is not known.
    """
    missing = sorted(required_traits(image) - (traits or frozenset()))
    if missing:
        return Refusal(
            code="traits_missing",
            message=f"image {image.name} requires {', '.join(missing)}, which its host does not"
            " have: Nova would put the instance into ERROR",
        )
    stated = image.properties.get("hw_architecture") or image.properties.get("architecture")
    if stated and architecture:
        host, guest = _canonical(architecture), _canonical(str(stated))
        if guest != host and guest not in _RUNS_ALSO.get(host, frozenset()):
            return Refusal(
                code="architecture",
                message=f"image {image.name} is for {guest}, and its host is {host}",
            )
    return None


def required_traits(image: ImageWanted) -> frozenset[str]:
    return frozenset(
        name.removeprefix("trait:")
        for name, value in image.properties.items()
        if name.startswith("trait:") and str(value) == "required"
    )


def flavor_refusal(shape: Shape, flavor: FlavorWanted) -> Refusal | None:
    """Why the instance cannot be resized to this flavor."""
    now = shape.instance
    if now.image_id is not None and flavor.root_gb < now.root_gb:
        return _smaller(flavor, "root disk", now.root_gb, flavor.root_gb)
    if flavor.ephemeral_gb < now.ephemeral_gb:
        return _smaller(flavor, "ephemeral disk", now.ephemeral_gb, flavor.ephemeral_gb)
    for specs in (now.extra_specs, flavor.extra_specs):
        if specs.get("accel:device_profile"):
            return Refusal(
                code="accelerator",
                message="Nova resizes no instance from or to a flavor with an accelerator",
            )
    return None


def agreement_refusal(
    extra_specs: Mapping[str, str], properties: Mapping[str, Any]
) -> Refusal | None:
    """Why a flavor and an image contradict each other."""
    try:
        require_agreement(extra_specs, known_properties(properties, OLDEST))
    except RecoveryError as error:
        return Refusal(code=error.code, message=error.message)
    return None


def _on_its_flavor(shape: Shape, image: ImageWanted) -> Refusal | None:
    now = shape.instance
    return does_not_fit(
        image, memory_mb=now.memory_mb, root_gb=now.root_gb, volume_gb=_volume_gb(shape)
    )


def _volume_gb(shape: Shape) -> int | None:
    return shape.root_volume.size_gb if shape.root_volume else None


def _unfit(image: ImageWanted, why: str) -> Refusal:
    return Refusal(
        code="image_does_not_fit",
        message=f"image {image.name} {why}: give another image, or a larger flavor",
    )


def _smaller(flavor: FlavorWanted, disk: str, now: int, then: int) -> Refusal:
    return Refusal(
        code="smaller_disk",
        message=f"the {disk} of flavor {flavor.name} has {then} GiB, and it has {now}: no disk can"
        " be made smaller without losing what is on it",
    )


def _same(one: object, other: object) -> bool:
    return str(one or "").lower() == str(other or "").lower()


def _canonical(architecture: str) -> str:
    name = architecture.lower()
    return _SAME_ARCHITECTURE.get(name, name)
