# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an image fits an instance; the codes are tested with the plan."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.fit import (
    agreement_refusal,
    does_not_fit,
    required_traits,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    ImageWanted,
)
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.integers(0, 40)


@given(size=SIZES, virtual=SIZES, disk=SIZES, ram=SIZES, root=SIZES, memory=SIZES)
def test_an_image_fits_when_nothing_of_it_is_larger(
    *, size: int, virtual: int, disk: int, ram: int, root: int, memory: int
) -> None:
    image = ImageWanted(
        id="i", name="i", size=size << 30, virtual_size=virtual << 30, min_disk=disk, min_ram=ram
    )
    largest = max(size, virtual, disk)
    refusal = does_not_fit(image, memory_mb=memory, root_gb=root, volume_gb=None)
    assert (refusal is None) == (ram <= memory and (root == 0 or largest <= root))
    # A volume counts whatever the flavor's disk is.
    on_volume = does_not_fit(image, memory_mb=memory, root_gb=0, volume_gb=root + 1)
    assert (on_volume is None) == (ram <= memory and largest <= root + 1)


def test_the_message_has_the_sizes() -> None:
    image = ImageWanted(id="i", name="new", virtual_size=(3 << 30) // 2)
    refusal = does_not_fit(image, memory_mb=64, root_gb=1, volume_gb=None)
    assert refusal is not None
    assert "image new is of 1.5 GiB, and the root disk has 1" in refusal.message


def test_only_required_traits_are_required() -> None:
    properties = {"trait:A": "required", "trait:B": "forbidden", "os_distro": "debian"}
    assert required_traits(ImageWanted(id="i", name="i", properties=properties)) == {"A"}


def test_a_flavor_and_an_image_that_agree() -> None:
    assert agreement_refusal({"hw:pmu": "true"}, {"hw_pmu": "yes"}) is None
