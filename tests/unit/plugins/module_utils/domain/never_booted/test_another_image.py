# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Nova writes of an image; the whole is compared with Nova's own in test_another_build.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_image import (
    ChosenImage,
    least_disk,
    with_root_image,
)
from fakes.another_build import Twin


def image(**properties: Any) -> ChosenImage:
    nova = {"id": "i", "name": None, "min_ram": 0, "size": None, "properties": properties}
    return ChosenImage(nova=nova, project_ids=None)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(RecoveryError) as caught:
        call()
    return caught.value.code


ROW = {"root_device_name": None, "auto_disk_config": 0}
ROOT = {"id": 1, "boot_index": 0, "source_type": "image", "destination_type": "local"}


def test_who_may_use_it() -> None:
    shared = replace(image(), project_ids=frozenset({"a", "b"}))
    shared.require_usable_by("b")
    image().require_usable_by("c")
    assert refusal(lambda: shared.require_usable_by("c")) == "image_not_accessible"


def test_one_of_an_encrypted_volume_boots_nowhere() -> None:
    encrypted = image(cinder_encryption_key_id="k")
    assert refusal(lambda: encrypted.require_usable_by("a")) == "image_not_bootable"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, ("", "")),
        ({"kernel_id": "k", "ramdisk_id": "r"}, ("k", "r")),
        ({"kernel_id": "nokernel", "ramdisk_id": "r"}, ("", "")),
    ],
)
def test_kernel_and_ramdisk(properties: dict[str, str], expected: tuple[str, str]) -> None:
    columns = image(**properties).columns(ROW, {})
    assert (columns["kernel_id"], columns["ramdisk_id"]) == expected


@pytest.mark.parametrize(("name", "expected"), [("vda", "/dev/vda"), ("/dev/sda", "/dev/sda")])
def test_the_name_of_the_root_disk(name: str, expected: str) -> None:
    assert image(root_device_name=name).columns(ROW, {})["root_device_name"] == expected


def test_a_host_has_named_the_disks() -> None:
    named = {**ROW, "root_device_name": "/dev/vda"}
    assert refusal(lambda: image().columns(named, {})) == "devices_named"
    assert image().columns(named, {"root_device_name": "vda"})["root_device_name"] is None


@pytest.mark.parametrize(
    ("present", "before", "after", "expected"),
    [
        (0, None, None, 0),
        (0, None, "true", 1),
        (1, "true", None, 0),
        # Other than the image has it: its user has stated it.
        (1, None, None, 1),
        (0, "true", "true", 0),
    ],
)
def test_automatic_disk_configuration(
    present: int, before: str | None, after: str | None, expected: int
) -> None:
    old = {} if before is None else {"auto_disk_config": before}
    new = image() if after is None else image(auto_disk_config=after)
    columns = new.columns({**ROW, "auto_disk_config": present}, old)
    assert columns["auto_disk_config"] == expected


def test_automatic_disk_configuration_that_the_image_has_disabled() -> None:
    row = {**ROW, "auto_disk_config": 1}
    disabled = image(auto_disk_config=" Disabled ")
    assert refusal(lambda: disabled.columns(row, {})) == "auto_disk_config_disabled"


def test_what_glance_leaves_open_is_empty_in_a_spec() -> None:
    stored = Twin.load().spec.get("image")
    data = image().meta(stored)["nova_object.data"]
    assert (data["name"], data["size"]) == ("", 0)
    assert data["properties"]["nova_object.version"] == "1.42"
    assert image().meta(None)["nova_object.data"]["properties"]["nova_object.version"] == "1.33"


def test_system_metadata() -> None:
    kept = image(a="x" * 300, mappings=[], base_image_ref="b").system_metadata()
    assert kept == {
        "image_a": "x" * 255,
        "image_base_image_ref": "b",
        "image_min_ram": "0",
    }
    assert image().system_metadata()["image_base_image_ref"] == "i"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({}, "5"),
        ({"min_disk": 9}, "9"),
        ({"min_disk": 9, "disk_format": "vhd"}, "5"),
        ({"min_disk": None}, "5"),
    ],
)
def test_the_least_disk(meta: dict[str, Any], expected: str) -> None:
    assert least_disk(meta, 5) == expected


def test_only_the_root_disk_gets_it() -> None:
    gone = {**ROOT, "id": 2, "deleted": 2, "image_id": "old"}
    other = {**ROOT, "id": 3, "boot_index": -1, "image_id": "old"}
    found = with_root_image([{**ROOT, "deleted": 0}, gone, other], "i")
    assert [row.get("image_id") for row in found] == ["i", "old", "old"]


@pytest.mark.parametrize(
    "rows",
    [
        [{**ROOT, "destination_type": "volume"}],
        [{**ROOT, "source_type": "volume", "destination_type": "volume"}],
        [{**ROOT, "boot_index": -1}],
    ],
)
def test_a_volume_holds_its_image(rows: list[dict[str, Any]]) -> None:
    assert refusal(lambda: with_root_image(rows, "i")) == "volume_backed"
