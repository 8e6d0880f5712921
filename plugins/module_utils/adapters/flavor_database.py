# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flavor as Nova's API database has it, with the integer id that instances point to."""

from __future__ import annotations

from typing import Any

from ..domain.never_booted.another_flavor import ChosenFlavor
from .mysql import Database

_COLUMNS = (
    "id, flavorid, name, memory_mb, vcpus, root_gb, ephemeral_gb, swap, rxtx_factor, vcpu_weight,"
    " disabled, is_public, description, created_at, updated_at"
)
# Nova takes NULL for 0 in these.
_NUMBERS = ("root_gb", "ephemeral_gb", "swap", "vcpu_weight")


def read_flavor(database: Database, schema: str, name_or_id: str) -> ChosenFlavor | None:
    """The flavor with this id of the API, or else this name.

    :param schema: of the API database, quoted.
    """
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM {schema}.flavors WHERE flavorid = %s OR name = %s",
        (name_or_id, name_or_id),
    )
    # The database may take upper and lower case for the same.
    found = [row for row in rows if row["flavorid"] == name_or_id]
    found += [row for row in rows if row["name"] == name_or_id]
    return _flavor(database, schema, found[0]) if found else None


def _flavor(database: Database, schema: str, row: dict[str, Any]) -> ChosenFlavor:
    specs = database.rows(
        f"SELECT `key`, value FROM {schema}.flavor_extra_specs WHERE flavor_id = %s ORDER BY id",
        (row["id"],),
    )
    projects = database.rows(
        f"SELECT project_id FROM {schema}.flavor_projects WHERE flavor_id = %s", (row["id"],)
    )
    values = {
        **row,
        **{name: row[name] or 0 for name in _NUMBERS},
        "disabled": bool(row["disabled"]),
        "is_public": bool(row["is_public"]),
        "extra_specs": {spec["key"]: spec["value"] for spec in specs},
        "project_ids": frozenset(project["project_id"] for project in projects),
    }
    return ChosenFlavor(**values)
