# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release of Nova the databases are of: their alembic heads, and the services' versions."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.errors import RecoveryError
from ..domain.never_booted.release import SeenRelease
from .mysql import Database
from .sql import quoted


def read_seen_release(
    api: tuple[Database, str], cells: Mapping[str, tuple[Database, str]]
) -> SeenRelease:
    """What the schemas are of, each given as a connection and its name.

    :param cells: every cell's, by its label.
    """
    versions: set[int] = set()
    for database, schema in cells.values():
        (row,) = database.rows(
            # As Nova itself looks for its oldest service.
            f"SELECT MIN(version) AS lowest, MAX(version) AS highest FROM {quoted(schema)}.services"
            " WHERE deleted = 0 AND forced_down = 0"
        )
        versions |= {int(value) for value in row.values() if value is not None}
    return SeenRelease(
        api_head=_head(*api),
        cell_heads={label: _head(*cell) for label, cell in cells.items()},
        service_versions=(min(versions), max(versions)) if versions else None,
    )


def _head(database: Database, schema: str) -> str | None:
    try:
        rows = database.rows(f"SELECT version_num FROM {quoted(schema)}.alembic_version")
    except RecoveryError as error:
        if error.code == "database_schema_unknown":
            return None
        raise
    # More than one is a migration that branched: known to nobody, and so no head at all.
    return str(rows[0]["version_num"]) if len(rows) == 1 else None
