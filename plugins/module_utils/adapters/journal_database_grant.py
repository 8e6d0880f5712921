# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the journal's schema with an administrator's account, for the one that will use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..domain.errors import RecoveryError
from .database_url import parse_database_url
from .journal_schema import SCHEMA_VERSION, JournalSchema
from .mysql import Database
from .sql import quoted

# To use the journal. To upgrade it takes the administrator again.
_GRANTED = "SELECT, INSERT, UPDATE, DELETE"


class JournalUser(Protocol):
    """NovaDatabases, as far as it is needed here."""

    @property
    def journal_schema(self) -> JournalSchema: ...

    @property
    def journal_connection(self) -> Database: ...

    def may_use_journal(self) -> bool: ...


def needs_administrator(user: JournalUser) -> bool:
    """Whether there is anything to make, to upgrade or to grant."""
    return user.journal_schema.version() < SCHEMA_VERSION or not user.may_use_journal()


def make_as_administrator(
    url: str,
    user: JournalUser,
    *,
    name: str,
    hide: Callable[[str], None],
    connect: Callable[..., Database] = Database,
) -> bool:
    """Make or upgrade the schema and grant its use; whether anything was to be done.

    :param url: of the administrator's account, on the server of cell0's database.
    :param name: of the journal's schema.
    :param hide: told the URL's password.
    :raises RecoveryError: ``journal_not_visible``, ``database_no_grant`` and those of connecting.
    """
    address = parse_database_url(url, where="login_url")
    if address.password:
        hide(address.password)
    if not needs_administrator(user):
        return False
    administrator = connect(address, read_only=False)
    try:
        JournalSchema(administrator, name).make()
        if not user.may_use_journal():
            account = user.journal_connection.rows("SELECT CURRENT_USER() AS account")[0]["account"]
            account_name, _at, host = account.rpartition("@")
            administrator.execute(
                f"GRANT {_GRANTED} ON {quoted(name).replace('%', '%%')}.* TO %s@%s",
                (account_name, host),
            )
    finally:
        administrator.close()
    # Grants of a schema count for a connection that is open from its next look at them.
    user.journal_connection.close()
    if needs_administrator(user):
        raise RecoveryError(
            "journal_not_visible",
            f"the schema {name} was made, but the account of cell0's database does not see it:"
            f" {address.server} of login_url must be the server of cell0's database",
            details={"server": address.server, "database": name},
        )
    return True
