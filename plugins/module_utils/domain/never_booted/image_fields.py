# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of Nova's ImageMetaProps 1.42 and how each is read from a text.

Left out are those of which only Nova can derive what to store (left_to_nova.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

# Raises ValueError, TypeError or AttributeError for what Nova does not accept.
Convert = Callable[[Any], Any]
# The minor version of the table; a later one can know properties that are not in it.
NEWEST = 42
# What every release from Zed knows.
OLDEST = 33
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_PREDICATE = re.compile(r"\s*(<=|>=|<|>|!=|==)\s*[\w.]+\s*")


def is_true(text: object) -> bool:
    """As oslo's bool_from_string: anything that is not a word for it is false."""
    return str(text).strip().lower() in _TRUE


def _number(text: Any) -> int:
    return int(text)


def _text(text: Any) -> str:
    return str(text)


def _empty_list(value: Any) -> list[Any]:
    if value != []:
        raise ValueError(value)
    return []


def _predicate(text: Any) -> str:
    if not all(_PREDICATE.fullmatch(part) for part in text.split(",")):
        raise ValueError(text)
    return str(text)


def _word(known: str, *, lower: bool = False, other: Mapping[str, str] | None = None) -> Convert:
    """:param other: words that stand for one that is known."""
    words = frozenset(known.split())

    def convert(text: Any) -> str:
        word = text.lower() if lower else text
        word = (other or {}).get(word, word)
        if word not in words:
            raise ValueError(text)
        return str(word)

    return convert


def _all(names: str, convert: Convert) -> dict[str, Convert]:
    return dict.fromkeys(names.split(), convert)


_ARCHITECTURE = _word(
    "aarch64 alpha armv6 armv7b armv7l cris i686 ia64 lm32 m68k microblaze microblazeel mips mips64"
    " mips64el mipsel openrisc parisc parisc64 ppc ppc64 ppc64le ppcemb ppcle s390 s390x sh4 sh4eb"
    " sparc sparc64 unicore32 x86_64 xtensa xtensaeb",
    lower=True,
    other={
        "amd64": "x86_64",
        **dict.fromkeys(("i386", "i486", "i586", "x86_32", "x86_32p"), "i686"),
    },
)
FIELDS: Mapping[str, Convert] = {
    **_all("hw_architecture hw_emulation_architecture", _ARCHITECTURE),
    **_all(
        "hw_cdrom_bus hw_disk_bus hw_floppy_bus hw_rescue_bus",
        _word("fdc ide lxc sata scsi uml usb virtio xen"),
    ),
    **_all(
        "hw_auto_disk_config hw_disk_type hw_machine_type img_owner_id img_root_device_name"
        " img_signature img_signature_certificate_uuid os_admin_user os_command_line os_distro",
        _text,
    ),
    **_all(
        "hw_boot_menu hw_firmware_stateless hw_ipxe_boot hw_pmu hw_qemu_guest_agent hw_time_hpet"
        " hw_vif_multiqueue_enabled hw_virtio_packed_ring img_bdm_v2 img_bittorrent"
        " img_cache_in_nova img_hide_hypervisor_id img_linked_clone img_use_agent"
        " os_require_quiesce os_skip_agent_inject_files_at_boot os_skip_agent_inject_ssh",
        is_true,
    ),
    **_all(
        "hw_cpu_cores hw_cpu_max_cores hw_cpu_max_sockets hw_cpu_max_threads hw_cpu_sockets"
        " hw_cpu_threads hw_device_id hw_maxphysaddr_bits hw_redirected_usb_ports"
        " hw_serial_port_count hw_video_ram img_compression_level img_version",
        _number,
    ),
    **_all("img_block_device_mapping img_mappings", _empty_list),
    "hw_cpu_policy": _word("shared"),
    "hw_firmware_type": _word("bios uefi"),
    "hw_input_bus": _word("usb virtio"),
    "hw_maxphysaddr_mode": _word("emulate passthrough"),
    "hw_pointer_model": _word("usbtablet"),
    "hw_rescue_device": _word("cdrom disk floppy fs lun"),
    "hw_rng_model": _word("virtio"),
    "hw_scsi_model": _word(
        "buslogic ibmvscsi lsilogic lsisas1068 lsisas1078 virtio-scsi vmpvscsi",
        lower=True,
        other={"lsilogicsas": "lsisas1068", "paravirtual": "vmpvscsi"},
    ),
    "hw_sound_model": _word("ac97 es1370 ich6 ich9 pcspk sb16 usb virtio"),
    "hw_usb_model": _word("nec-xhci none qemu-xhci"),
    "hw_video_model": _word("bochs cirrus gop none qxl vga virtio vmvga xen"),
    "hw_vif_model": _word(
        "e1000 e1000e igb lan9118 ne2k_pci netfront pcnet rtl8139 spapr-vlan sriov virtio vmxnet"
        " vmxnet3",
        lower=True,
        other={
            "virtuale1000": "e1000",
            "virtuale1000e": "e1000e",
            "virtualpcnet32": "pcnet",
            "virtualsriovethernetcard": "sriov",
            "virtualvmxnet": "vmxnet",
            "virtualvmxnet3": "vmxnet3",
        },
    ),
    "hw_viommu_model": _word("auto intel smmuv3 virtio"),
    "hw_vm_mode": _word(
        "exe hvm uml xen", lower=True, other={"pv": "xen", "hv": "hvm", "baremetal": "hvm"}
    ),
    "hw_watchdog_action": _word("disabled none pause poweroff reset"),
    "img_config_drive": _word("mandatory optional"),
    "img_hv_requested_version": _predicate,
    "img_hv_type": _word(
        "baremetal bhyve docker fake hyperv ironic kqemu kvm lxc lxd openvz parallels phyp prsm"
        " qemu test uml vbox vmware vz xen zvm",
        lower=True,
        other={"xapi": "xen"},
    ),
    "img_signature_hash_method": _word("SHA-224 SHA-256 SHA-384 SHA-512"),
    "img_signature_key_type": _word(
        "DSA ECC_SECP384R1 ECC_SECP521R1 ECC_SECT409K1 ECC_SECT409R1 ECC_SECT571K1 ECC_SECT571R1"
        " RSA-PSS"
    ),
    "os_secure_boot": _word("disabled optional required"),
    "os_type": _word("linux windows", lower=True),
}
# Names from before the prefixes.
OLD_NAMES: Mapping[str, str] = {
    "architecture": "hw_architecture",
    "owner_id": "img_owner_id",
    "vmware_disktype": "hw_disk_type",
    "vmware_image_version": "img_version",
    "vmware_ostype": "os_distro",
    "auto_disk_config": "hw_auto_disk_config",
    "ipxe_boot": "hw_ipxe_boot",
    "xenapi_device_id": "hw_device_id",
    "xenapi_image_compression_level": "img_compression_level",
    "vmware_linked_clone": "img_linked_clone",
    "xenapi_use_agent": "img_use_agent",
    "xenapi_skip_agent_inject_ssh": "os_skip_agent_inject_ssh",
    "xenapi_skip_agent_inject_files_at_boot": "os_skip_agent_inject_files_at_boot",
    "cache_in_nova": "img_cache_in_nova",
    "vm_mode": "hw_vm_mode",
    "bittorrent": "img_bittorrent",
    "mappings": "img_mappings",
    "block_device_mapping": "img_block_device_mapping",
    "bdm_v2": "img_bdm_v2",
    "root_device_name": "img_root_device_name",
    "hypervisor_version_requires": "img_hv_requested_version",
    "hypervisor_type": "img_hv_type",
}
# The minor version that first knows a field, or a value of it, for what is newer than Zed.
SINCE: Mapping[str, int] = {
    "hw_viommu_model": 34,
    "hw_virtio_packed_ring": 35,
    "hw_maxphysaddr_mode": 36,
    "hw_maxphysaddr_bits": 36,
    "hw_firmware_stateless": 38,
    "hw_sound_model": 40,
    "hw_usb_model": 41,
    "hw_redirected_usb_ports": 41,
}
VALUES_SINCE: Mapping[tuple[str, str], int] = {("hw_vif_model", "igb"): 39}
