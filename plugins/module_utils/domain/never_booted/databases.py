# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the domain needs of Nova's databases, as Protocols that the MySQL adapters implement.

Every call can raise RecoveryError. Calls that change something take part in the transaction that
is open; :meth:`Databases.transaction` opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from .journal import Journal
from .nova_rows import BuildRequestRow, Cell, InstanceMapping, InstanceRows, RequestSpecRow


class ApiDatabase(Protocol):
    """The tables instance_mappings, build_requests and request_specs.

    The reads give what exists, by instance uuid. ``lock`` reads the newest committed rows and keeps
    them (and the gaps of what does not exist) from changing until the transaction ends.
    """

    def now(self) -> datetime:
        """The database's clock: UTC, naive, like the times in rows."""

    def instance_mappings(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> Mapping[str, InstanceMapping]: ...

    def build_requests(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> Mapping[str, BuildRequestRow]: ...

    def request_specs(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> Mapping[str, RequestSpecRow]: ...

    def insert_build_requests(self, rows: Sequence[BuildRequestRow]) -> None: ...

    def delete_build_requests(self, instance_uuids: Iterable[str]) -> int:
        """How many there were."""

    def map_instances(
        self, instance_uuids: Sequence[str], *, expected: int | None, cell_id: int | None
    ) -> int:
        """Point those that point to ``expected`` to ``cell_id``; how many did."""

    def replace_request_spec(self, row: RequestSpecRow, spec: str) -> bool:
        """Write ``spec`` if the stored one still is that of ``row``; whether it was."""

    def insert_request_spec(self, instance_uuid: str, spec: str) -> bool:
        """Write ``spec`` if the instance has none; whether it had none."""


class CellDatabase(Protocol):
    """What one cell holds of instances. Those without a live row in ``instances`` are left out."""

    def instances(self, instance_uuids: Iterable[str]) -> Mapping[str, InstanceRows]:
        """Only their rows of ``instances``."""

    def instance_rows(
        self, instance_uuids: Iterable[str], *, lock: bool = False
    ) -> Mapping[str, InstanceRows]:
        """Every row of these instances."""

    def delete_instance_rows(self, rows: Sequence[InstanceRows]) -> None:
        """Remove what Nova's own hard delete removes."""

    def insert_instance_rows(self, rows: Sequence[InstanceRows]) -> None:
        """Put them back exactly as they were, ids included."""


class Databases(Protocol):
    """All of them, and the transactions that span them."""

    @property
    def api(self) -> ApiDatabase: ...

    @property
    def journal(self) -> Journal: ...

    def cells(self) -> Mapping[int, Cell]:
        """Every cell by id; cell0 is one of them."""

    def cell(self, cell_id: int) -> CellDatabase: ...

    def transaction(self, cell_id: int | None) -> AbstractContextManager[Transaction]:
        """Of the API database, the journal, and one cell's database.

        Leaving it commits; an exception undoes what is not committed.
        """


class Transaction(Protocol):
    """One transaction where the databases share a server, several where they do not.

    Steps are made in the order in which they must become true. Within one transaction all become
    true together, at its end; otherwise each is committed by itself, and locks end with their step.
    """

    @property
    def atomic(self) -> bool:
        """Whether one transaction spans them all."""

    def step(self) -> AbstractContextManager[None]: ...
