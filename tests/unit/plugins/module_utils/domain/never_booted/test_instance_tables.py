# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of an instance, in an order in which rows can go."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.instance_tables import (
    INSTANCE_TABLES,
)
from fakes.buried_rows import ROWS

NAMES = [table.name for table in INSTANCE_TABLES]


def test_they_are_what_nova_deletes() -> None:
    """nova.db.main.api._instance_hard_delete and its caller, in 2026.1."""
    assert set(NAMES) == {
        "block_device_mapping",
        "console_auth_tokens",
        "instance_actions",
        "instance_actions_events",
        "instance_extra",
        "instance_faults",
        "instance_id_mappings",
        "instance_info_caches",
        "instance_metadata",
        "instance_system_metadata",
        "instances",
        "migrations",
        "security_group_instance_association",
        "share_mapping",
        "tags",
        "virtual_interfaces",
    }
    assert len(NAMES) == len(set(NAMES))


def test_what_points_to_a_row_goes_before_it() -> None:
    assert NAMES[-1] == "instances"
    for table in INSTANCE_TABLES:
        if table.parent:
            assert NAMES.index(table.name) < NAMES.index(table.parent)


def test_keys_and_order_are_columns() -> None:
    for table in INSTANCE_TABLES:
        for row in ROWS.get(table.name, ()):
            assert table.key in row
            assert table.order in row


def test_only_what_an_old_release_lacks_is_optional() -> None:
    assert [table.name for table in INSTANCE_TABLES if table.optional] == ["share_mapping"]
