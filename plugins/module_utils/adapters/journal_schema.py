# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the journal: made on first use, upgraded by a newer collection."""

from __future__ import annotations

from ..domain.errors import RecoveryError
from .mysql import Database
from .sql import quoted

SCHEMA_VERSION = 2

# What brings the schema from version n to n + 1. Every statement can be repeated, since a change of
# a schema ends a transaction: a run that was killed between two begins again with the first.
_UPGRADES = (
    (
        """
        CREATE TABLE IF NOT EXISTS {schema}.rebuilds (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            instance_uuid VARCHAR(36) NOT NULL,
            is_open TINYINT NULL DEFAULT 1,
            state VARCHAR(32) NOT NULL,
            cell_uuid VARCHAR(36) NULL,
            project_id VARCHAR(255) NULL,
            run_id VARCHAR(255) NOT NULL,
            operator VARCHAR(255) NOT NULL,
            request_id VARCHAR(255) NULL,
            instance_rows LONGTEXT NULL,
            request_spec LONGTEXT NULL,
            created_at DATETIME(6) NOT NULL,
            updated_at DATETIME(6) NOT NULL,
            UNIQUE KEY one_open_rebuild (instance_uuid, is_open),
            KEY newest_first (instance_uuid, id),
            KEY by_age (is_open, updated_at)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4
        """,
        """
        CREATE TABLE IF NOT EXISTS {schema}.steps (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            rebuild_id BIGINT NOT NULL,
            state VARCHAR(32) NOT NULL,
            run_id VARCHAR(255) NOT NULL,
            operator VARCHAR(255) NOT NULL,
            detail TEXT NOT NULL,
            reached_at DATETIME(6) NOT NULL,
            FOREIGN KEY (rebuild_id) REFERENCES {schema}.rebuilds (id) ON DELETE CASCADE
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4
        """,
    ),
    (
        # NULL: of an entry of version 1, which had a spec only where it was rewritten.
        """
        ALTER TABLE {schema}.rebuilds
            ADD COLUMN spec_rewritten TINYINT NULL,
            ADD COLUMN build_spec LONGTEXT NULL
        """,
    ),
)
_COLUMN_EXISTS = 1060
_VERSION_TABLE = """
    CREATE TABLE IF NOT EXISTS {schema}.schema_version (
        only_row TINYINT NOT NULL PRIMARY KEY,
        version INT NOT NULL
    ) ENGINE=InnoDB
"""


class JournalSchema:
    """Looks after the schema that holds the journal.

    :param name: of the schema; it holds nothing else.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._schema = quoted(name)

    def version(self) -> int:
        """The version that is there; 0 without any.

        :raises RecoveryError: ``journal_too_new``.
        """
        there = self._database.rows(
            "SELECT 1 FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = 'schema_version'",
            (self._name,),
        )
        if not there:
            return 0
        rows = self._database.rows(f"SELECT version FROM {self._schema}.schema_version")
        version = int(rows[0]["version"]) if rows else 0
        if version > SCHEMA_VERSION:
            raise RecoveryError(
                "journal_too_new",
                f"the journal {self._name} has version {version}, this collection knows"
                f" {SCHEMA_VERSION}: use the collection that wrote it, or a newer one",
                details={"found": version, "known": SCHEMA_VERSION},
            )
        return version

    def make(self) -> bool:
        """Create the schema or bring it to this version; whether anything was to be done.

        :raises RecoveryError: ``database_no_grant`` where this account may not.
        """
        version = self.version()
        if version == SCHEMA_VERSION:
            return False
        try:
            self._make(version)
        except RecoveryError as error:
            if error.code != "database_no_grant":
                raise
            raise RecoveryError(
                error.code,
                f"the journal cannot be made: {error.message} Or let the module recovery_journal"
                " make it, with login_url for an account that may",
                details=error.details,
            ) from error
        return True

    def _make(self, version: int) -> None:
        if not self._exists():
            self._database.execute(
                f"CREATE DATABASE IF NOT EXISTS {self._schema} CHARACTER SET utf8mb4"
            )
        self._database.execute(_VERSION_TABLE.format(schema=self._schema))
        for number in range(version, SCHEMA_VERSION):
            for statement in _UPGRADES[number]:
                self._repeatably(statement.format(schema=self._schema))
            self._database.execute(
                f"REPLACE INTO {self._schema}.schema_version (only_row, version) VALUES (1, %s)",
                (number + 1,),
            )

    def _repeatably(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except RecoveryError as error:
            # MySQL has no ADD COLUMN IF NOT EXISTS.
            if error.details.get("errno") != _COLUMN_EXISTS:
                raise

    def _exists(self) -> bool:
        return bool(
            self._database.rows(
                "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", (self._name,)
            )
        )
