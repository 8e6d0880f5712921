# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Nova derives from a flavor and an image with code and settings that only it has.

NUMA topology, CPU pinning, PCI aliases, encryption, accelerators: none of it is guessed. An extra
spec that begins with ``hw:`` and is not known to be harmless counts as one of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import RecoveryError
from .image_fields import is_true

# Nova only stores these; the host reads them when it builds.
_HARMLESS = frozenset(
    {
        "hw:boot_menu",
        "hw:cpu_cores",
        "hw:cpu_max_cores",
        "hw:cpu_max_sockets",
        "hw:cpu_max_threads",
        "hw:cpu_sockets",
        "hw:cpu_threads",
        "hw:firmware_stateless",
        "hw:hide_hypervisor_id",
        "hw:input_bus",
        "hw:maxphysaddr_bits",
        "hw:maxphysaddr_mode",
        "hw:pmu",
        "hw:redirected_usb_ports",
        "hw:serial_port_count",
        "hw:sound_model",
        "hw:usb_model",
        "hw:vif_multiqueue_enabled",
        "hw:viommu_model",
        "hw:virtio_packed_ring",
        "hw:watchdog_action",
    }
)
_CPU_RESOURCE = re.compile(r"resources[\w-]*:(VCPU|PCPU)|trait[\w-]*:HW_CPU_HYPERTHREADING")
_OF_IMAGES = re.compile(
    r"hw_numa_.*|hw_cpu_policy|hw_cpu_thread_policy|hw_cpu_realtime_mask|hw_mem_page_size"
    r"|hw_locked_memory|hw_pci_numa_affinity_policy|hw_mem_encryption.*|hw_tpm_.*"
    r"|hw_ephemeral_encryption.*|trait:HW_CPU_HYPERTHREADING"
    r"|(img_)?(block_device_mapping|mappings)"
)
PCI_POLICIES = frozenset({"hw:pci_numa_affinity_policy", "hw_pci_numa_affinity_policy"})
# Nova refuses an instance whose flavor and image do not say the same.
_MUST_AGREE = (
    "pmu",
    "redirected_usb_ports",
    "sound_model",
    "usb_model",
    "vif_multiqueue_enabled",
    "viommu_model",
    "virtio_packed_ring",
)
_TOPOLOGY = re.compile(r"hw[:_]cpu_(max_)?(sockets|cores|threads)")


def of_flavor(extra_specs: Mapping[str, Any]) -> list[str]:
    """Extra specs that only Nova can make sense of."""
    return sorted(
        name
        for name, value in extra_specs.items()
        if not (name == "hw:cpu_policy" and value == "shared")
        and (
            (name.startswith("hw:") and name not in _HARMLESS)
            or name.startswith(("accel:", "pci_passthrough:"))
            or _CPU_RESOURCE.fullmatch(name)
        )
    )


def of_image(properties: Mapping[str, Any]) -> list[str]:
    """Properties that only Nova can make sense of.

    :param properties: of an image, or fields of the ImageMetaProps in a RequestSpec.
    """
    found = [
        name
        for name, value in properties.items()
        if _OF_IMAGES.fullmatch(name) and value and (name, value) != ("hw_cpu_policy", "shared")
    ]
    if "HW_CPU_HYPERTHREADING" in (properties.get("traits_required") or ()):
        found.append("trait:HW_CPU_HYPERTHREADING")
    return sorted(found)


def require_agreement(extra_specs: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Refuse a flavor and an image that Nova does not take together.

    :param properties: fields of an ImageMetaProps.
    :raises RecoveryError: ``flavor_image_conflict``.
    """
    for name in _MUST_AGREE:
        of_flavor_, of_image_ = extra_specs.get(f"hw:{name}"), properties.get(f"hw_{name}")
        if None not in (of_flavor_, of_image_) and not _same(of_flavor_, of_image_):
            raise _conflict([f"hw:{name}"], [f"hw_{name}"])
    ports, image_ports = (
        extra_specs.get("hw:serial_port_count"),
        properties.get("hw_serial_port_count"),
    )
    if ports and image_ports and (not str(ports).isdigit() or image_ports > int(ports)):
        raise _conflict(["hw:serial_port_count"], ["hw_serial_port_count"])
    of_both = [
        sorted(name for name in names if _TOPOLOGY.fullmatch(name))
        for names in (extra_specs, properties)
    ]
    if all(of_both):
        raise _conflict(*of_both)


def _same(text: object, value: object) -> bool:
    if isinstance(value, bool):
        return is_true(text) == value
    return str(text) == str(value)


def _conflict(specs: Iterable[str], properties: Iterable[str]) -> RecoveryError:
    return RecoveryError(
        "flavor_image_conflict",
        f"the flavor states {', '.join(specs)} and the image {', '.join(properties)}, and Nova may"
        " not take them together: give another flavor or image",
    )
