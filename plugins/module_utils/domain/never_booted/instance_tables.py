# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows of a cell's database belong to an instance: those that Nova's hard delete removes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceTable:
    """One table of a cell's database.

    ``key`` is the column that holds the instance's uuid, ``order`` one by which the rows of an
    instance can be told apart. Rows of a ``parent`` table point with
    ``key`` to the parent's id instead. An ``optional`` table does not exist in every release.
    """

    name: str
    key: str = "instance_uuid"
    order: str = "id"
    parent: str | None = None
    optional: bool = False


# In the order of deletion: what points to a row goes before it. nova.db.main.api.instance_destroy
# with hard_delete=True is the source; share_mapping has a foreign key to instances since 2024.1.
INSTANCE_TABLES = (
    InstanceTable(name="security_group_instance_association"),
    InstanceTable(name="instance_info_caches"),
    InstanceTable(name="instance_metadata"),
    InstanceTable(name="instance_faults"),
    InstanceTable(name="instance_extra"),
    InstanceTable(name="instance_system_metadata"),
    InstanceTable(name="block_device_mapping"),
    InstanceTable(name="migrations"),
    InstanceTable(name="virtual_interfaces"),
    InstanceTable(name="instance_id_mappings", key="uuid"),
    InstanceTable(name="tags", key="resource_id", order="tag"),
    InstanceTable(name="console_auth_tokens"),
    InstanceTable(name="share_mapping", optional=True),
    InstanceTable(name="instance_actions_events", key="action_id", parent="instance_actions"),
    InstanceTable(name="instance_actions"),
    InstanceTable(name="instances", key="uuid"),
)
