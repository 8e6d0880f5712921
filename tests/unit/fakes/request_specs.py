# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Nova's databases in which requested networks are read and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    InstanceMapping,
    InstanceRows,
    RequestSpecRow,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.versioned_object import (
    primitive,
)

from .neutron import PROJECT

CELL0, CELL1 = 1, 2


def spec_row(uuid: str, **fields: Any) -> RequestSpecRow:
    data = {"instance_uuid": uuid, "num_instances": 1, **fields}
    stored = primitive("RequestSpec", data, sorted(data), version="1.14")
    return RequestSpecRow(instance_uuid=uuid, spec=json.dumps(stored))


@dataclass
class FakeSpecDatabases:
    """Every instance is added in one of the ways in which Nova has it."""

    mappings: dict[str, InstanceMapping] = field(default_factory=dict)
    requests: dict[str, BuildRequestRow] = field(default_factory=dict)
    specs: dict[str, RequestSpecRow] = field(default_factory=dict)
    rows: dict[int, dict[str, InstanceRows]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    locks: int = 0
    transactions: int = 0
    in_step: bool = False
    before_lock: Callable[[], None] = lambda: None

    @property
    def api(self) -> FakeSpecDatabases:
        return self

    def buried(
        self,
        uuid: str,
        *,
        cell_id: int = CELL0,
        launched_at: datetime | None = None,
        pci_requests: list[dict[str, Any]] | None = None,
        **spec: Any,
    ) -> None:
        self.mappings[uuid] = InstanceMapping(instance_uuid=uuid, cell_id=cell_id)
        self.specs[uuid] = spec_row(uuid, **spec)
        instance = {
            "uuid": uuid,
            "project_id": PROJECT,
            "hostname": "web-1",
            "launched_at": launched_at,
        }
        extra = {"pci_requests": None if pci_requests is None else json.dumps(pci_requests)}
        self.rows.setdefault(cell_id, {})[uuid] = InstanceRows(
            instance_uuid=uuid, tables={"instances": (instance,), "instance_extra": (extra,)}
        )

    def left_behind(self, uuid: str, **spec: Any) -> None:
        self.mappings[uuid] = InstanceMapping(instance_uuid=uuid, cell_id=None)
        self.specs[uuid] = spec_row(uuid, **spec)
        instance = primitive("Instance", {"uuid": uuid, "hostname": "web-1"})
        self.requests[uuid] = BuildRequestRow(
            instance_uuid=uuid,
            project_id=PROJECT,
            instance=json.dumps(instance),
            block_device_mappings="",
            tags="",
        )

    def instance_mappings(self, uuids: Iterable[str]) -> dict[str, InstanceMapping]:
        return {u: self.mappings[u] for u in uuids if u in self.mappings}

    def build_requests(self, uuids: Iterable[str]) -> dict[str, BuildRequestRow]:
        return {u: self.requests[u] for u in uuids if u in self.requests}

    def request_specs(
        self, uuids: Iterable[str], *, lock: bool = False
    ) -> dict[str, RequestSpecRow]:
        if lock:
            if not self.in_step:
                raise RuntimeError("a lock outside of a transaction does not last")
            self.before_lock()
            self.locks += 1
        return {u: self.specs[u] for u in uuids if u in self.specs}

    def cell(self, cell_id: int) -> _Cell:
        return _Cell(self.rows.get(cell_id, {}))

    def replace_request_spec(self, row: RequestSpecRow, spec: str) -> bool:
        if not self.in_step:
            raise RuntimeError("a write outside of a transaction")
        if self.specs[row.instance_uuid].spec != row.spec:
            return False
        self.writes.append(row.instance_uuid)
        self.specs[row.instance_uuid] = RequestSpecRow(instance_uuid=row.instance_uuid, spec=spec)
        return True

    @contextmanager
    def transaction(self, cell_id: int | None) -> Iterator[FakeSpecDatabases]:
        self.transactions += 1
        before = dict(self.specs)
        try:
            yield self
        except BaseException:
            self.specs = before
            raise

    @contextmanager
    def step(self) -> Iterator[None]:
        self.in_step = True
        try:
            yield
        finally:
            self.in_step = False

    def close(self) -> None:
        """There is nothing to end."""


@dataclass
class _Cell:
    rows: dict[str, InstanceRows]

    def instance_rows(self, uuids: Iterable[str]) -> dict[str, InstanceRows]:
        return {u: self.rows[u] for u in uuids if u in self.rows}
