# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The little SQL that the database adapters share."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.never_booted.listing import Scope


def quoted(name: str) -> str:
    """A name of a schema, table or column in MySQL's quotes."""
    return "`" + name.replace("`", "``") + "`"


def in_list(column: str, values: Iterable[object]) -> tuple[str, tuple[object, ...]]:
    """A condition and its parameters; no value at all matches nothing."""
    parameters = tuple(values)
    if not parameters:
        return "1 = 0", ()
    return f"{column} IN ({', '.join(['%s'] * len(parameters))})", parameters


def scope_conditions(
    scope: Scope, uuid: str, project_id: str, created_at: str
) -> tuple[str, tuple[object, ...]]:
    """What follows a WHERE with a condition to keep to the scope, and its parameters.

    :param uuid: the column that has it; the others likewise.
    """
    conditions: list[str] = []
    parameters: list[object] = []
    if scope.instance_uuids is not None:
        condition, uuids = in_list(uuid, scope.instance_uuids)
        conditions.append(condition)
        parameters += uuids
    for text, value in (
        (f"{project_id} = %s", scope.project_id),
        (f"{created_at} <= %s", scope.created_before),
        (f"{created_at} >= %s", scope.created_after),
    ):
        if value is not None:
            conditions.append(text)
            parameters.append(value)
    return "".join(f" AND {condition}" for condition in conditions), tuple(parameters)
