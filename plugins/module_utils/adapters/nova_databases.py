# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of Nova's databases and the journal together: connections, cells, transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..domain.errors import RecoveryError
from ..domain.never_booted.nova_rows import Cell
from ..domain.never_booted.release import SeenRelease
from .cell_database import CellDatabase
from .database_url import DatabaseAddress, fill_cell_template, parse_database_url
from .journal_database import JournalDatabase
from .journal_schema import JournalSchema
from .mysql import Database
from .nova_api_database import NovaApiDatabase
from .nova_schema import read_seen_release
from .sql import in_list

_NEEDED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})


class NovaDatabases:
    """Implements domain.never_booted.databases.Databases.

    Schemas share a connection, and so a transaction, where they are on one server and the account
    may change both. Otherwise each has its own.

    :param api_url: URL of the API database.
    :param local_url: the local ``[database]connection``, for cells whose URL is a template.
    :param hide: told every password that is found, before it could be shown.
    """

    def __init__(
        self,
        api_url: str,
        local_url: str | None,
        *,
        journal_schema: str,
        read_only: bool,
        hide: Callable[[str], None],
        connect: Callable[..., Database] = Database,
    ) -> None:
        self._read_only = read_only
        self._hide = hide
        self._connect = connect
        self._connections: list[Database] = []
        address = self._address(api_url, "[api_database]connection")
        self._api_connection = self._connection(address)
        self.api = NovaApiDatabase(self._api_connection, address.name)
        self._cells: dict[int, Cell] = {}
        self._cell_connections: dict[int, Database] = {}
        self._cell_databases: dict[int, CellDatabase] = {}
        self._api_schema = address.name
        self._cell_schemas: dict[int, str] = {}
        for cell, stored in self.api.cells():
            where = f"database_connection of cell {cell.label}"
            cell_address = self._address(fill_cell_template(stored, local_url), where)
            connection = self._connection(cell_address)
            self._cells[cell.id] = cell
            self._cell_connections[cell.id] = connection
            self._cell_databases[cell.id] = CellDatabase(connection, cell_address.name)
            self._cell_schemas[cell.id] = cell_address.name
        self._journal_connection = self._cell_connections[self._cell0_id()]
        self.journal_schema = JournalSchema(self._journal_connection, journal_schema)
        self.journal = JournalDatabase(
            self._journal_connection, journal_schema, version=self.journal_schema.version()
        )
        self._journal_name = journal_schema

    def seen_release(self) -> SeenRelease:
        """Which release of Nova the databases are of."""
        cells: dict[str, tuple[Database, str]] = {}
        for id_, cell in self._cells.items():
            # A name is not unique in Nova.
            label = cell.label if cell.label not in cells else cell.uuid
            cells[label] = (self._cell_connections[id_], self._cell_schemas[id_])
        return read_seen_release((self._api_connection, self._api_schema), cells)

    def make_journal(self) -> bool:
        """Create or upgrade the journal's schema; whether anything was to be done."""
        made = self.journal_schema.make()
        self.journal = JournalDatabase(self._journal_connection, self._journal_name)
        return made

    @property
    def journal_connection(self) -> Database:
        """That of cell0, on whose server the journal is."""
        return self._journal_connection

    def may_use_journal(self) -> bool:
        """Whether the account of cell0's database may read and change the journal's schema."""
        return self._may_change(self._journal_connection, self._journal_name)

    def cells(self) -> Mapping[int, Cell]:
        return self._cells

    def cell(self, cell_id: int) -> CellDatabase:
        return self._cell_databases[cell_id]

    @contextmanager
    def transaction(self, cell_id: int | None) -> Iterator[OneTransaction | SeveralTransactions]:
        # In the order in which steps become true: a journal's entry is closed last.
        involved = [self._api_connection]
        if cell_id is not None:
            involved.append(self._cell_connections[cell_id])
        involved.append(self._journal_connection)
        distinct = list(dict.fromkeys(involved))
        if len(distinct) > 1:
            yield SeveralTransactions(distinct)
            return
        with distinct[0].transaction():
            yield OneTransaction()

    def close(self) -> None:
        """End every connection; the next use connects anew."""
        for connection in self._connections:
            connection.close()

    def _cell0_id(self) -> int:
        for cell in self._cells.values():
            if cell.is_cell0:
                return cell.id
        raise RecoveryError(
            "no_cell0",
            "Nova's API database maps no cell0: check that [api_database]connection is the one of"
            " this cloud",
        )

    def _address(self, url: str, where: str) -> DatabaseAddress:
        address = parse_database_url(url, where=where)
        if address.password:
            self._hide(address.password)
        return address

    def _connection(self, address: DatabaseAddress) -> Database:
        for connection in self._connections:
            if connection.address.same_server(address) and (
                connection.address.user == address.user
                or self._may_change(connection, address.name)
            ):
                return connection
        made = self._connect(address, read_only=self._read_only)
        self._connections.append(made)
        return made

    def _may_change(self, connection: Database, schema: str) -> bool:
        """Whether this connection's account may read and change another schema of its server."""
        account = connection.rows("SELECT CURRENT_USER() AS account")[0]["account"]
        user, _at, host = account.rpartition("@")
        condition, privileges = in_list("PRIVILEGE_TYPE", sorted(_NEEDED))
        found = connection.rows(
            "SELECT PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES"
            f" WHERE GRANTEE = %s AND {condition} UNION"
            " SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES"
            f" WHERE GRANTEE = %s AND %s LIKE TABLE_SCHEMA AND {condition}",
            (f"'{user}'@'{host}'", *privileges, f"'{user}'@'{host}'", schema, *privileges),
        )
        return {row["privilege"] for row in found} >= _NEEDED


class OneTransaction:
    """Every step belongs to the transaction that is open."""

    atomic = True

    @contextmanager
    def step(self) -> Iterator[None]:
        yield


class SeveralTransactions:
    """Every step is a transaction on each server, committed in the order of the connections."""

    atomic = False

    def __init__(self, connections: Sequence[Database]) -> None:
        self._connections = connections
        self._committed = False

    @contextmanager
    def step(self) -> Iterator[None]:
        try:
            for connection in self._connections:
                connection.begin()
            yield
            for connection in self._connections:
                connection.commit()
                self._committed = True
        except BaseException as error:
            for connection in self._connections:
                connection.rollback()
            if isinstance(error, RecoveryError):
                error.changed = error.changed or self._committed
            raise
