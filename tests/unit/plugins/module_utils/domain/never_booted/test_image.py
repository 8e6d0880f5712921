# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images in the form in which Nova sends them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.image import (
    image_from_glance,
    image_from_system_metadata,
    image_id_of,
)
from fakes.build import Original

BASE = frozenset(
    {"name", "disk_format", "container_format", "visibility", "size", "status", "checksum"}
    | {"min_ram", "min_disk", "owner", "os_hidden", "os_hash_algo", "os_hash_value", "id"}
    | {"created_at", "updated_at", "stores", "tags", "self", "file", "schema", "protected"}
)


def test_an_image_of_glance_is_what_nova_sent() -> None:
    original = Original.load()
    assert image_from_glance(original.glance, BASE) == original.arguments["image"]


def test_an_image_that_has_little() -> None:
    image = image_from_glance({"size": None, "visibility": "private"}, BASE)
    assert image["size"] == 0
    assert image["is_public"] is False
    assert image["name"] is None


def test_properties_that_are_json() -> None:
    body = {"block_device_mapping": '[{"boot_index": 0}]', "mappings": [], "direct_url": "x"}
    assert image_from_glance(body, BASE)["properties"] == {
        "block_device_mapping": [{"boot_index": 0}],
        "mappings": [],
    }


def test_times_are_utc() -> None:
    body = {"created_at": "2026-03-01T02:00:00.5+02:00", "updated_at": "2026-03-01T02:00:00"}
    image = image_from_glance(body, BASE)
    assert image["created_at"] == "2026-03-01T00:00:00.500000"
    assert image["updated_at"] == "2026-03-01T02:00:00.000000"


def test_a_volumes_image_from_system_metadata() -> None:
    stored = {
        "image_hw_disk_bus": "virtio",
        "image_min_ram": "64",
        "image_min_disk": "20",
        "image_disk_format": "raw",
        "image_container_format": "bare",
        "image_base_image_ref": "",
        "image_mappings": "[]",
        "image_os_type": None,
        "owner_user_name": "demo",
        "boot_roles": "member",
    }
    assert image_from_system_metadata(stored, 3) == {
        "properties": {"hw_disk_bus": "virtio"},
        "size": 3 * 1024**3,
        "min_ram": 64,
        "min_disk": 0,
        "status": "active",
    }


@pytest.mark.parametrize(
    ("instance", "devices", "expected"),
    [
        ({"image_ref": "i"}, [{"boot_index": 0, "image_id": "other"}], "i"),
        ({"image_ref": ""}, [{"boot_index": 0, "image_id": "r"}], "r"),
        ({"image_ref": ""}, [{"boot_index": 1, "image_id": "x"}, {"boot_index": 0}], None),
        ({}, [], None),
    ],
)
def test_which_image_is_read(instance: Any, devices: Any, expected: str | None) -> None:
    assert image_id_of(instance, devices) == expected
