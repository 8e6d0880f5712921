# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Nova writes of a flavor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_flavor import (
    same_flavor,
    with_local_disks,
)
from fakes.another_build import Twin

FLAVOR = Twin.load().flavor
ROOT: dict[str, Any] = {
    **dict.fromkeys(("guest_format", "volume_size", "device_name", "disk_bus", "tag"), None),
    "id": 7,
    "instance_uuid": "u",
    "boot_index": 0,
    "device_type": "disk",
    "deleted": 0,
    "source_type": "image",
    "destination_type": "local",
    "delete_on_termination": 1,
    "no_device": 0,
    "encrypted": 0,
    "volume_type": None,
    "image_id": "i",
}
BLANK = {**ROOT, "id": 8, "source_type": "blank", "boot_index": -1, "image_id": None}


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(RecoveryError) as caught:
        call()
    return caught.value.code


def test_who_may_use_it() -> None:
    FLAVOR.require_usable_by("a")
    private = replace(FLAVOR, is_public=False, project_ids=frozenset({"a"}))
    private.require_usable_by("a")
    assert refusal(lambda: private.require_usable_by("b")) == "flavor_not_accessible"
    disabled = replace(FLAVOR, disabled=True)
    assert refusal(lambda: disabled.require_usable_by("a")) == "flavor_disabled"


def test_the_primitive_is_novas() -> None:
    twin = Twin.load()
    ours, novas = twin.flavor.primitive(), twin.novas["spec"]["nova_object.data"]["flavor"]
    # Nova counts extra specs as changed; nothing saves a flavor from there.
    assert novas.pop("nova_object.changes") == ["extra_specs"]
    assert ours == novas


def test_a_name_makes_no_other_flavor() -> None:
    one = FLAVOR.primitive()["nova_object.data"]
    assert same_flavor(one, {**one, "name": "renamed", "description": None, "updated_at": "now"})
    assert not same_flavor(one, {**one, "memory_mb": 1})
    assert not same_flavor(one, {**one, "extra_specs": {}})


def test_disks_stay_where_sizes_are_the_same() -> None:
    # Whoever asked for them.
    rows = [ROOT, {**BLANK, "device_name": "/dev/vdb", "volume_size": 1}]
    assert with_local_disks(rows, {"ephemeral_gb": 2}, {"ephemeral_gb": 2, "swap": 0}) == rows


def test_disks_of_the_flavor_follow_it() -> None:
    rows = [
        ROOT,
        {**BLANK, "volume_size": 2},
        {**BLANK, "id": 9, "volume_size": 64} | {"guest_format": "swap"},
    ]
    found = with_local_disks(rows, {"ephemeral_gb": 2, "swap": 64}, {"ephemeral_gb": 5, "swap": 0})
    assert found == [ROOT, {**BLANK, "id": 10, "volume_size": 5}]
    both = with_local_disks(found, {"ephemeral_gb": 5}, {"ephemeral_gb": 1, "swap": 32})
    assert [(row["guest_format"], row["volume_size"]) for row in both[1:]] == [
        (None, 1),
        ("swap", 32),
    ]
    assert len({row["id"] for row in both}) == len(both)
    assert with_local_disks(both, {"ephemeral_gb": 1, "swap": 32}, {}) == [ROOT]


def test_columns_that_a_release_does_not_have_are_not_made_up() -> None:
    old = {name: value for name, value in ROOT.items() if name != "encrypted"}
    assert set(with_local_disks([old], {}, {"swap": 1})[1]) == set(old)


@pytest.mark.parametrize(
    "columns",
    [
        {"volume_size": 1},
        {"guest_format": "ext4"},
        {"device_name": "/dev/vdb"},
        {"disk_bus": "scsi"},
        {"tag": "mine"},
        {"device_type": None},
        {"delete_on_termination": 0},
        {"encrypted": 1},
    ],
)
def test_disks_that_its_user_asked_for(columns: dict[str, Any]) -> None:
    rows = [ROOT, {**BLANK, "volume_size": 2, **columns}]
    assert (
        refusal(lambda: with_local_disks(rows, {"ephemeral_gb": 2}, {"ephemeral_gb": 3}))
        == "local_disks"
    )


def test_a_disk_less_than_the_flavor_has() -> None:
    assert refusal(lambda: with_local_disks([ROOT], {"swap": 2}, {"swap": 3})) == "local_disks"
