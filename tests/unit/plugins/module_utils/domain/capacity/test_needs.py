# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Nova's scheduler asks Placement for, as its source has it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.needs import (
    Flavor,
    needs_of,
)
from fakes import values


def flavor(**specs: str) -> Flavor:
    return Flavor(
        vcpus=2,
        memory_mb=512,
        root_gb=10,
        ephemeral_gb=3,
        swap_mb=1025,
        extra_specs={name.replace("__", ":"): value for name, value in specs.items()},
    )


def resources(volume_backed: bool = False, image: Any = (), **specs: str) -> dict[str, int]:
    needs = needs_of(
        flavor(**specs), volume_backed=volume_backed, image_properties=dict(image or {})
    )
    return dict(needs.request.resources)


def test_the_flavor_of_an_instance() -> None:
    found = Flavor.of(values.instance(vcpus=1, memory_mb=2, root_gb=3, ephemeral_gb=4, swap_mb=5))
    assert (found.vcpus, found.memory_mb, found.root_gb) == (1, 2, 3)
    assert (found.ephemeral_gb, found.swap_mb) == (4, 5)


def test_swap_is_rounded_up_and_a_volume_takes_no_local_root_disk() -> None:
    assert resources() == {"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 15}
    assert resources(volume_backed=True) == {"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 5}


def test_what_is_nothing_is_not_asked_for() -> None:
    needs = needs_of(Flavor(vcpus=1, memory_mb=64, root_gb=9), volume_backed=True)
    assert needs.request.resources == {"VCPU": 1, "MEMORY_MB": 64}


def test_extra_specs_win_over_sizes() -> None:
    assert resources(resources__VCPU="0", resources__CUSTOM_BAREMETAL="1") == {
        "CUSTOM_BAREMETAL": 1,
        "MEMORY_MB": 512,
        "DISK_GB": 15,
    }
    assert resources(resources__PCPU="2")["PCPU"] == 2
    assert "VCPU" not in resources(resources__PCPU="2")


def test_dedicated_cpus_of_flavor_or_image() -> None:
    assert resources(hw__cpu_policy="dedicated")["PCPU"] == 2
    assert resources(image={"hw_cpu_policy": "dedicated"})["PCPU"] == 2
    assert "PCPU" not in resources(hw__cpu_policy="shared")


def test_traits_of_flavor_and_image() -> None:
    needs = needs_of(
        flavor(trait__FAST="required", trait__SLOW="forbidden"),
        volume_backed=False,
        image_properties={"trait:HW_CPU_X86_AVX2": "required", "os_distro": "debian"},
    )
    assert needs.request.required_traits == {"FAST", "HW_CPU_X86_AVX2"}
    assert needs.request.forbidden_traits == {"SLOW"}
    assert needs.unknown == ()


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ({"hw__numa_nodes": "2"}, "NUMA cells"),
        ({"hw__cpu_policy": "dedicated"}, "pinned CPUs"),
        ({"hw__tpm_version": "2.0", "hw__tpm_model": "tpm-crb"}, "an emulated TPM"),
        ({"accel__device_profile": "fpga"}, "accelerators"),
        ({"pci_passthrough__alias": "gpu:1"}, "PCI devices"),
        ({"capabilities__cpu_info": "x"}, "the extra spec capabilities:cpu_info"),
        ({"resources1__VGPU": "1"}, "resources of providers of their own"),
    ],
)
def test_what_placement_does_not_count_is_said(specs: dict[str, str], words: str) -> None:
    needs = needs_of(flavor(**specs), volume_backed=False, image_properties={})
    assert needs.unknown == (words,)


@pytest.mark.parametrize("specs", [{"hw__cpu_policy": "shared"}, {"hw__mem_page_size": "any"}])
def test_what_asks_for_nothing_is_not_said(specs: dict[str, str]) -> None:
    assert needs_of(flavor(**specs), volume_backed=False, image_properties={}).unknown == ()


def test_an_image_that_cannot_be_read_is_said() -> None:
    needs = needs_of(flavor(), volume_backed=False, image_properties=None)
    assert needs.unknown == ("what its image asks for, which cannot be read",)
