# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as JSON texts, and back, without a difference."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from .nova_rows import InstanceRows

_TIME = "$datetime"


def dump_rows(rows: InstanceRows) -> str:
    """The rows as a JSON text.

    :raises TypeError: for a value that it could not give back as it was.
    """
    return json.dumps(
        {table: [dict(row) for row in stored] for table, stored in rows.tables.items()},
        default=_dump_value,
        ensure_ascii=False,
        separators=(",", ":"),
    )


def load_rows(instance_uuid: str, text: str) -> InstanceRows:
    """What :func:`dump_rows` was given."""
    tables = json.loads(text, object_hook=_load_value)
    return InstanceRows(
        instance_uuid=instance_uuid, tables={name: tuple(rows) for name, rows in tables.items()}
    )


def _dump_value(value: Any) -> dict[str, str]:
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    raise TypeError(f"a row holds a {type(value).__name__}, which has no exact text")


def _load_value(found: dict[str, Any]) -> Any:
    if set(found) == {_TIME}:
        return datetime.fromisoformat(found[_TIME])
    return found
