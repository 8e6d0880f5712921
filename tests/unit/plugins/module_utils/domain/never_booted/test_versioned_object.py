# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Primitives, as Nova reads and writes them."""

from __future__ import annotations

from datetime import datetime

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.versioned_object import (
    data_of,
    object_list,
    primitive,
    timestamp,
)


def test_a_primitive_has_what_nova_looks_for() -> None:
    assert primitive("Tag", {"tag": "a"}) == {
        "nova_object.name": "Tag",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.1",
        "nova_object.data": {"tag": "a"},
    }


def test_changes_and_a_version_can_be_given() -> None:
    made = primitive("Instance", {}, ["host"], version="2.8")
    assert made["nova_object.version"] == "2.8"
    assert made["nova_object.changes"] == ["host"]


def test_a_list_holds_its_objects() -> None:
    made = object_list("TagList", [primitive("Tag", {})], ["objects"])
    assert made["nova_object.data"] == {"objects": [primitive("Tag", {})]}
    assert made["nova_object.changes"] == ["objects"]


def test_data_are_a_copy_of_what_is_given() -> None:
    fields = {"tag": "a"}
    made = primitive("Tag", fields)
    fields["tag"] = "b"
    assert data_of(made, "Tag") == {"tag": "a"}


@pytest.mark.parametrize(
    "value", [primitive("Tag", {}), None, [], "Flavor", {}, {"nova_object.name": "Flavor"}]
)
def test_something_else_is_refused(value: object) -> None:
    with pytest.raises(RecoveryError) as caught:
        data_of(value, "Flavor")
    assert caught.value.code == "unexpected_object"
    assert caught.value.details["expected"] == "Flavor"


def test_a_time_is_in_utc_to_the_second() -> None:
    assert timestamp(datetime.fromisoformat("2026-03-01T02:15:00.9")) == "2026-03-01T02:15:00Z"
    assert timestamp(None) is None
