# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How properties of images are read: the table, as Nova 33.0 reads them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.image_fields import (
    FIELDS,
    NEWEST,
    OLD_NAMES,
    SINCE,
    is_true,
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hw_architecture", "amd64", "x86_64"),
        ("hw_architecture", "I586", "i686"),
        ("hw_disk_bus", "virtio", "virtio"),
        ("hw_vif_model", "VirtualVmxnet3", "vmxnet3"),
        ("hw_scsi_model", "lsiLogicsas", "lsisas1068"),
        ("hw_vm_mode", "PV", "xen"),
        ("img_hv_type", "XAPI", "xen"),
        ("os_type", "Windows", "windows"),
        ("hw_video_ram", " 16 ", 16),
        ("hw_boot_menu", "Yes", True),
        ("hw_boot_menu", "maybe", False),
        ("img_hv_requested_version", ">=2.6, <9", ">=2.6, <9"),
        ("img_mappings", [], []),
    ],
)
def test_a_text_that_nova_accepts(name: str, text: Any, expected: Any) -> None:
    assert FIELDS[name](text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hw_architecture", "pdp11"),
        ("hw_disk_bus", "VIRTIO"),
        ("hw_video_ram", "much"),
        ("hw_video_ram", "1.5"),
        ("img_hv_requested_version", "2.6"),
        ("img_mappings", [{"virtual": "root"}]),
        ("img_mappings", ""),
        ("hw_cpu_policy", "dedicated"),
    ],
)
def test_a_text_that_it_does_not(name: str, text: Any) -> None:
    with pytest.raises(ValueError):
        FIELDS[name](text)


@pytest.mark.parametrize("text", ["1", "t", "TRUE", " on ", "y", "yes", True])
def test_words_for_true(text: Any) -> None:
    assert is_true(text)


@pytest.mark.parametrize("text", ["0", "", "disabled", "none", None, False])
def test_everything_else_is_false(text: Any) -> None:
    assert not is_true(text)


def test_old_names_and_versions_are_of_fields_that_there_are() -> None:
    assert set(OLD_NAMES.values()) <= set(FIELDS)
    assert set(SINCE) <= set(FIELDS)
    assert max(SINCE.values()) <= NEWEST
