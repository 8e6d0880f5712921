# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances like the one that was captured, and what is to hold for each of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    Author,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    InstanceRows,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
)

from .buried_rows import INSTANCE_UUID, ROWS
from .nova_databases import CELL0, CELLS, FakeDatabases, Tables
from .original_request import REQUEST_SPEC, REQUESTED_NETWORKS

AUTHOR = Author(run_id="run-1", operator="operator")
OTHER = Author(run_id="run-2", operator="somebody else")
UUIDS = [f"{INSTANCE_UUID[:-3]}{number:03d}" for number in range(1, 10)]


def tables_of(uuid: str = INSTANCE_UUID, **columns: Any) -> Tables:
    """Every row of it; ``columns`` are those of ``instances`` that differ."""
    text = copy.deepcopy(ROWS)
    for rows in text.values():
        for row in rows:
            for name, value in row.items():
                if value == INSTANCE_UUID:
                    row[name] = uuid
    text["instances"][0].update(columns)
    return text


@lru_cache
def rows_of(uuid: str = INSTANCE_UUID, **columns: Any) -> InstanceRows:
    tables = tables_of(uuid, **columns)
    return InstanceRows(
        instance_uuid=uuid, tables={name: tuple(rows) for name, rows in tables.items()}
    )


def spec_text(uuid: str = INSTANCE_UUID, *, networks: bool = True, **fields: Any) -> str:
    """What request_specs holds, with the networks that network_request has put there."""
    stored = copy.deepcopy(REQUEST_SPEC)
    stored["nova_object.data"].update({"instance_uuid": uuid, **fields})
    if networks:
        stored["nova_object.data"]["requested_networks"] = REQUESTED_NETWORKS
    return json.dumps(stored)


def buried(databases: FakeDatabases, uuid: str = INSTANCE_UUID, *, cell_id: int = CELL0) -> str:
    """Have one in a cell, dead; its uuid."""
    databases.add(uuid, tables_of(uuid), spec_text(uuid), cell_id=cell_id)
    return uuid


def half_done(databases: FakeDatabases, uuid: str = INSTANCE_UUID, *, cell_id: int = CELL0) -> str:
    """One whose rows were written while the mapping still is NULL."""
    buried(databases, uuid, cell_id=cell_id)
    databases.map(uuid, cell_id=None)
    databases.add_request(uuid)
    return uuid


def to_image(image: str) -> Any:
    """A rewrite that can be told in rows, and in the spec."""

    def rewrite(rows: InstanceRows, spec: RequestSpec) -> tuple[InstanceRows, RequestSpec]:
        row = {**rows.instance, "image_ref": image}
        tables = {**rows.tables, "instances": (row,)}
        made = InstanceRows(instance_uuid=rows.instance_uuid, tables=tables)
        # Not to be done twice to one spec.
        before = spec.get("scheduler_hints") or {}
        return made, spec.with_fields({"scheduler_hints": {**before, image: [str(len(before))]}})

    return rewrite


def state_of(databases: FakeDatabases, uuid: str) -> Mapping[str, Any]:
    """Everything Nova has of it, to be compared."""
    return {
        "mapping": databases.mapping(uuid),
        "request": databases.request(uuid),
        "spec": databases.spec(uuid),
        "rows": {cell_id: databases.rows_of(uuid, cell_id) for cell_id in CELLS},
    }
