# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The properties of an image as Nova stores them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.image_fields import (
    NEWEST,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.image_properties import (
    as_text,
    known_properties,
)


def refused(properties: dict[str, Any], minor: int = NEWEST) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        known_properties(properties, minor)
    return caught.value


def test_the_newer_name_counts() -> None:
    both = {"hw_vm_mode": "hvm", "vm_mode": "xen", "architecture": "amd64"}
    assert known_properties(both, NEWEST) == {"hw_vm_mode": "hvm", "hw_architecture": "x86_64"}


@pytest.mark.parametrize(
    ("adapter", "expected"),
    [
        ("ide", {"hw_disk_bus": "ide"}),
        ("paraVirtual", {"hw_disk_bus": "scsi", "hw_scsi_model": "vmpvscsi"}),
        ("", {}),
    ],
)
def test_the_adapter_type_of_vmware(adapter: str, expected: dict[str, str]) -> None:
    assert known_properties({"vmware_adaptertype": adapter}, NEWEST) == expected


def test_only_required_traits_are_kept() -> None:
    traits = {"trait:CUSTOM_A": "required", "trait:CUSTOM_B": "forbidden"}
    assert known_properties(traits, NEWEST) == {"traits_required": ["CUSTOM_A"]}


def test_what_nova_does_not_know_is_left_out() -> None:
    assert known_properties({"mine": "1", "hw_mine": "1"}, NEWEST) == {}


def test_what_this_nova_does_not_know_yet_is_left_out() -> None:
    assert known_properties({"hw_sound_model": "usb"}, 39) == {}
    assert known_properties({"hw_sound_model": "usb"}, 40) == {"hw_sound_model": "usb"}


def test_a_value_that_this_nova_does_not_know_yet() -> None:
    assert known_properties({"hw_vif_model": "igb"}, 39) == {"hw_vif_model": "igb"}
    assert refused({"hw_vif_model": "igb"}, 38).code == "image_property_invalid"


def test_a_value_that_nova_would_fail_to_load() -> None:
    error = refused({"architecture": "pdp11"})
    assert error.code == "image_property_invalid"
    assert "property architecture is 'pdp11'" in error.message


def test_what_a_newer_nova_may_know_is_not_guessed() -> None:
    assert refused({"hw_mine": "1", "mine": "2"}, NEWEST + 1).code == "image_needs_nova"
    assert known_properties({"mine": "2", "hw_disk_bus": "ide"}, NEWEST + 1) == {
        "hw_disk_bus": "ide"
    }


def test_a_text_is_cut_between_characters() -> None:
    assert as_text(True) == "True"
    assert as_text("a" * 300) == "a" * 255
    # Three bytes each: the 86th does not fit.
    assert as_text("名" * 100) == "名" * 85
    assert as_text("ab" + "名" * 100) == "ab" + "名" * 84
