# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which volume an instance boots from, and that nothing is read twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.instance_images import (
    InstanceImages,
)
from fakes import values
from openstack import exceptions as sdk


def images(**volumes: dict[str, Any]) -> tuple[InstanceImages, list[str]]:
    asked: list[str] = []

    def read(_proxy: Any, path: str, _microversion: str | None = None) -> Any:
        asked.append(path)
        name = path.rpartition("/")[2]
        if name not in volumes:
            raise sdk.NotFoundException(path)
        return {"volume": volumes[name]}

    connection: Any = SimpleNamespace(
        sdk=SimpleNamespace(image=None, block_storage=None),
        read=read,
        has_service=lambda _type: True,
    )
    return InstanceImages(connection), asked


def volume(name: str, *, device: str | None = None, bootable: str = "true") -> dict[str, Any]:
    attachments = [{"server_id": "id-web-1", "device": device}] if device else []
    metadata = {"made_from": name}
    return {"attachments": attachments, "bootable": bootable, "volume_image_metadata": metadata}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"device": "/dev/vdb"}, {"device": "/dev/vda"}, "b"),
        # A second one that could be booted does not count where the attachment tells.
        ({"device": "/dev/vda"}, {"device": "/dev/vdb"}, "a"),
        # One that never booted: no attachment is shown.
        ({"bootable": "false"}, {}, "b"),
        ({}, {}, None),
    ],
)
def test_the_boot_volume_counts(a: dict[str, Any], b: dict[str, Any], expected: str | None) -> None:
    found, _asked = images(a=volume("a", **a), b=volume("b", **b))
    instance = values.instance(volume_ids=frozenset("ab"), root_device_name="/dev/vda")
    properties = found.properties_of([instance])["id-web-1"]
    assert (properties or {}).get("made_from") == expected
    assert (properties is None) is (expected is None)


def test_nothing_is_read_twice() -> None:
    found, asked = images(a=volume("a"))
    for _each in range(2):
        found.properties_of([values.instance(volume_ids=frozenset("a"))])
    assert asked == ["/volumes/a"]


def test_a_volume_that_is_gone_may_have_been_the_one() -> None:
    found, _asked = images(a=volume("a"))
    instance = values.instance(volume_ids=frozenset({"a", "gone"}))
    assert found.properties_of([instance]) == {"id-web-1": None}
