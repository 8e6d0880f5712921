# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only Nova can derive from a flavor and an image."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.left_to_nova import (
    of_flavor,
    of_image,
    require_agreement,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw:cpu_policy", "dedicated"),
        ("hw:cpu_policy", "mixed"),
        ("hw:numa_nodes", "1"),
        ("hw:numa_cpus.0", "0,1"),
        ("hw:mem_page_size", "large"),
        ("hw:pmem", "6GB"),
        ("hw:tpm_version", "2.0"),
        ("hw:mem_encryption", "true"),
        ("hw:ephemeral_encryption", "true"),
        ("hw:pci_numa_affinity_policy", "socket"),
        ("hw:invented_tomorrow", "1"),
        ("pci_passthrough:alias", "gpu:1"),
        ("accel:device_profile", "fpga"),
        ("resources:PCPU", "2"),
        ("resources1:VCPU", "2"),
        ("trait:HW_CPU_HYPERTHREADING", "forbidden"),
    ],
)
def test_extra_specs_that_are_left_to_nova(name: str, value: str) -> None:
    assert of_flavor({name: value, "quota:cpu_shares": "1"}) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw:cpu_policy", "shared"),
        ("hw:cpu_sockets", "2"),
        ("hw:watchdog_action", "reset"),
        ("hw_rng:allowed", "True"),
        ("trait:CUSTOM_SSD", "required"),
        ("resources:CUSTOM_GOLD", "1"),
        ("aggregate_instance_extra_specs:ssd", "true"),
        ("ssd", "true"),
    ],
)
def test_extra_specs_that_nova_only_stores(name: str, value: str) -> None:
    assert of_flavor({name: value}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw_numa_nodes", "2"),
        ("hw_numa_mem.0", "64"),
        ("hw_numa_cpus", [[0]]),
        ("hw_cpu_policy", "dedicated"),
        ("hw_cpu_thread_policy", "isolate"),
        ("hw_mem_page_size", "large"),
        ("hw_mem_encryption_model", "amd-sev"),
        ("hw_tpm_version", "2.0"),
        ("hw_ephemeral_encryption", "true"),
        ("hw_pci_numa_affinity_policy", "socket"),
        ("trait:HW_CPU_HYPERTHREADING", "required"),
        ("block_device_mapping", [{"boot_index": 0}]),
        ("img_mappings", [{"virtual": "root"}]),
    ],
)
def test_properties_that_are_left_to_nova(name: str, value: Any) -> None:
    assert of_image({name: value, "hw_disk_bus": "ide"}) == [name]


def test_a_trait_in_what_nova_stored() -> None:
    assert of_image({"traits_required": ["HW_CPU_HYPERTHREADING"]}) == [
        "trait:HW_CPU_HYPERTHREADING"
    ]


@pytest.mark.parametrize(
    "properties",
    [
        {"hw_cpu_policy": "shared"},
        {"block_device_mapping": [], "mappings": []},
        {"hw_cpu_sockets": "2", "os_type": "linux", "trait:CUSTOM_A": "required"},
    ],
)
def test_properties_that_nova_only_stores(properties: dict[str, Any]) -> None:
    assert of_image(properties) == []


@pytest.mark.parametrize(
    ("specs", "properties"),
    [
        ({"hw:pmu": "true"}, {"hw_pmu": True}),
        ({"hw:pmu": "true"}, {}),
        ({}, {"hw_pmu": False}),
        ({"hw:serial_port_count": "4"}, {"hw_serial_port_count": 2}),
        ({"hw:watchdog_action": "none"}, {"hw_watchdog_action": "reset"}),
        ({"hw:cpu_sockets": "2"}, {"hw_cpu_policy": "shared"}),
    ],
)
def test_what_goes_together(specs: dict[str, str], properties: dict[str, Any]) -> None:
    require_agreement(specs, properties)


@pytest.mark.parametrize(
    ("specs", "properties"),
    [
        ({"hw:pmu": "no"}, {"hw_pmu": True}),
        ({"hw:sound_model": "usb"}, {"hw_sound_model": "ac97"}),
        ({"hw:serial_port_count": "1"}, {"hw_serial_port_count": 2}),
        ({"hw:cpu_sockets": "2"}, {"hw_cpu_max_cores": 1}),
    ],
)
def test_what_nova_may_refuse(specs: dict[str, str], properties: dict[str, Any]) -> None:
    with pytest.raises(RecoveryError) as caught:
        require_agreement(specs, properties)
    assert caught.value.code == "flavor_image_conflict"
    assert all(name in caught.value.message for name in (*specs, *properties))
