# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an instance asks of a host, as Nova's scheduler works it out from flavor and image."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..nova import Instance
from .room import ResourceRequest

# A group of its own provider has a suffix between the word and the colon.
_EXTRA_SPEC = re.compile(r"(resources|trait)([a-zA-Z0-9_-]{1,64})?:(.+)")
_IMAGE_TRAIT = "trait:"
# Extra specs and image properties that make Nova look at more than Placement knows.
_BEYOND_PLACEMENT = {
    "numa_nodes": "NUMA cells",
    "mem_page_size": "memory pages",
    "cpu_policy": "pinned CPUs",
    "cpu_realtime": "pinned CPUs",
    "pci_numa_affinity_policy": "PCI devices",
    "mem_encryption": "memory encryption",
    "pmem": "persistent memory",
    "secure_boot": "secure boot",
    "maxphysaddr_mode": "physical address bits",
    "tpm_version": "an emulated TPM",
    "tpm_model": "an emulated TPM",
}
_OFF = frozenset({"", "false", "no", "0", "shared", "any", "small", "disabled", "optional"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """The sizes of a flavor, named and measured as Nova's database has them."""

    vcpus: int
    memory_mb: int
    root_gb: int = 0
    ephemeral_gb: int = 0
    swap_mb: int = 0
    extra_specs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, instance: Instance) -> Flavor:
        """The flavor that the instance has now."""
        return cls(
            vcpus=instance.vcpus,
            memory_mb=instance.memory_mb,
            root_gb=instance.root_gb,
            ephemeral_gb=instance.ephemeral_gb,
            swap_mb=instance.swap_mb,
            extra_specs=instance.extra_specs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """``unknown``: what Nova asks for beside it and Placement does not count, in words."""

    request: ResourceRequest
    unknown: tuple[str, ...] = ()


def needs_of(
    flavor: Flavor, *, volume_backed: bool, image_properties: Mapping[str, str] | None = None
) -> Needs:
    """What the scheduler asks Placement for.

    :param image_properties: as the image service names them; None when they cannot be read.
    """
    resources: dict[str, int] = {}
    required, forbidden = set[str](), set[str]()
    unknown = set(_beyond_placement(flavor.extra_specs, image_properties or {}))
    for key, value in flavor.extra_specs.items():
        found = _EXTRA_SPEC.fullmatch(key)
        if found is None:
            continue
        kind, suffix, name = found.groups()
        if suffix:
            unknown.add("resources of providers of their own")
        if kind == "resources" and value.isdigit():
            resources[name] = resources.get(name, 0) + int(value)
        elif kind == "trait" and not suffix:
            {"required": required, "forbidden": forbidden}.get(value, set[str]()).add(name)
    for key, value in (image_properties or {}).items():
        if key.startswith(_IMAGE_TRAIT) and value == "required":
            required.add(key.removeprefix(_IMAGE_TRAIT))
    _add_sizes(resources, flavor, volume_backed, image_properties or {})
    if image_properties is None:
        unknown.add("what its image asks for, which cannot be read")
    return Needs(
        request=ResourceRequest(
            resources={name: amount for name, amount in resources.items() if amount},
            required_traits=frozenset(required),
            forbidden_traits=frozenset(forbidden),
        ),
        unknown=tuple(sorted(unknown)),
    )


def _add_sizes(
    resources: dict[str, int],
    flavor: Flavor,
    volume_backed: bool,
    image_properties: Mapping[str, str],
) -> None:
    """What the flavor's own fields ask for, unless an extra spec says otherwise."""
    if "VCPU" not in resources and "PCPU" not in resources:
        policies = (flavor.extra_specs.get("hw:cpu_policy"), image_properties.get("hw_cpu_policy"))
        resources["PCPU" if "dedicated" in policies else "VCPU"] = flavor.vcpus
    resources.setdefault("MEMORY_MB", flavor.memory_mb)
    if "DISK_GB" not in resources:
        disk = flavor.ephemeral_gb + -(-flavor.swap_mb // 1024)
        resources["DISK_GB"] = disk if volume_backed else disk + flavor.root_gb


def _beyond_placement(
    extra_specs: Mapping[str, str], image_properties: Mapping[str, str]
) -> Iterator[str]:
    for key, words in _BEYOND_PLACEMENT.items():
        stated = (extra_specs.get(f"hw:{key}"), image_properties.get(f"hw_{key}"))
        if any((value or "").lower() not in _OFF for value in stated):
            yield words
    for key in extra_specs:
        if key.startswith("pci_passthrough:"):
            yield "PCI devices"
        elif key == "accel:device_profile":
            yield "accelerators"
        elif key.startswith("capabilities:"):
            yield f"the extra spec {key}"
