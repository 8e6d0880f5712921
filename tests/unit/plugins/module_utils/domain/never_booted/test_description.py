# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an instance is, by its rows or its BuildRequest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.description import (
    Description,
    NeededVolume,
    describe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Listed,
    Scope,
    never_booted,
)
from fakes.buried_instance import UUIDS
from fakes.listing_databases import PROJECT, ListingDatabases

A = UUIDS[0]


def one(databases: ListingDatabases) -> Listed:
    [[found]] = never_booted(databases, Scope())
    return found


def described(databases: ListingDatabases) -> Description:
    return describe(one(databases))


def test_rows_tell() -> None:
    databases = ListingDatabases()
    databases.bury(A, age=60)
    databases.state["cell0"]["rows"][A]["instance_faults"].append(
        {"id": 99, "code": 500, "message": "Newer \n", "created_at": databases.moment, "deleted": 0}
    )
    what = described(databases)
    assert what.name == "Zoë-名前"
    assert what.project_id == PROJECT
    assert what.tags == ("t1", "t2")
    assert what.metadata == {"k": "v"}
    assert what.flavor_name == "lab.tiny"
    assert what.image_id == "1a9e0000-0000-4000-8000-000000000001"
    assert what.volumes == ()
    assert what.fault is not None
    assert what.fault.message == "Newer"
    assert what.created_at == one(databases).seen.rows[1].instance["created_at"]
    assert what.subject.stored
    assert what.subject.hostname == "zoë"


def test_a_build_request_tells_the_same() -> None:
    databases = ListingDatabases()
    databases.leave_behind(A, age=60)
    what = described(databases)
    assert what.name
    assert what.image_id
    assert what.flavor_name
    assert what.fault is None
    assert what.unreadable is None
    request = one(databases).seen.build_request
    assert request is not None
    assert what.created_at == request.created_at


def test_volumes_are_those_that_exist_already() -> None:
    databases = ListingDatabases()
    databases.bury(A, image_ref="")
    [device] = databases.state["cell0"]["rows"][A]["block_device_mapping"]
    device.update(
        image_id=None, destination_type="volume", volume_id="v", attachment_id="a", boot_index=0
    )
    to_make = {**device, "volume_id": None, "boot_index": 1, "image_id": "i"}
    databases.state["cell0"]["rows"][A]["block_device_mapping"].append(to_make)
    what = described(databases)
    assert what.volumes == (NeededVolume(volume_id="v", attachment_id="a"),)
    assert what.image_id is None


def test_a_spec_that_is_missing_or_broken_does_not_hide_the_rest() -> None:
    databases = ListingDatabases()
    databases.bury(A)
    specs: dict[str, Any] = databases.state["api"]["specs"]
    specs[A] = replace(specs[A], spec="{")
    what = described(databases)
    assert what.unreadable is not None
    assert what.name == "Zoë-名前"
    del specs[A]
    assert described(databases).unreadable is None
    assert described(databases).flavor_name is None


def test_a_broken_build_request_is_told_as_unreadable() -> None:
    databases = ListingDatabases()
    databases.leave_behind(A)
    requests = databases.state["api"]["requests"]
    for text in ("no json", '{"nova_object.name": "Other"}'):
        requests[A] = replace(requests[A], instance=text)
        what = described(databases)
        assert what.unreadable
        assert what.project_id == PROJECT
