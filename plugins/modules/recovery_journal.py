#!/usr/bin/python
# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_journal
short_description: Make, upgrade and purge the journal of rebuilds
version_added: 0.2.0
author:
  - openstack_recovery.nova contributors (@openstack-recovery)
description:
  - The journal is a schema beside cell0's database. It holds a copy of every row that was taken out of
    a cell, and how far each rebuild has come. Without it no rebuild begins, and nothing can be put
    back.
  - The other modules make it on first use where the account of cell0's database may. Use this module
    where it may not, with O(login_url), to upgrade the schema for a newer version of this collection,
    and to remove old entries.
options:
  state:
    description:
      - V(present) makes the schema, or upgrades it, and grants its use to the account of cell0's
        database where O(login_url) is given.
      - V(purged) removes entries that were closed more than O(older_than) days ago, with the copies of
        rows in them. What is open is never removed.
    type: str
    choices: [present, purged]
    default: present
  login_url:
    description:
      - URL of an account that may create schemas and grant rights on the server of cell0's database,
        for example C(mysql+pymysql://root:password@host/mysql). The schema in it is any that exists.
      - The account of cell0's database gets SELECT, INSERT, UPDATE and DELETE on the journal's schema.
      - Without it the account of cell0's database makes the schema itself.
    type: str
  older_than:
    description: Days for which closed entries are kept, for O(state=purged).
    type: int
    default: 90
extends_documentation_fragment:
  - openstack_recovery.nova.nova_databases
attributes:
  check_mode:
    support: full
    description: Reports what would be made or removed and writes nothing.
  diff_mode:
    support: full
    description: Shows the version of the schema before and after, or the number of old entries.
"""

EXAMPLES = r"""
- name: Make the journal, with the rights of an administrator of the database
  openstack_recovery.nova.recovery_journal:
    login_url: "mysql+pymysql://root:{{ database_root_password | urlencode }}@192.0.2.10/mysql"

- name: Forget rebuilds that ended a quarter of a year ago
  openstack_recovery.nova.recovery_journal:
    state: purged
    older_than: 90
"""

RETURN = r"""
schema:
  description:
    - The journal's schema, as its C(name), the C(version) that it has (0 where it was never made), and
      the C(known) version that this collection works with. In check mode as it would be.
  returned: success
  type: dict
  sample: {"name": "nova_recovery", "version": 2, "known": 2}
purged:
  description: Number of entries that were removed; in check mode that would be.
  returned: success
  type: int
error:
  description:
    - What went wrong, as a C(code), whether it is C(retriable), and C(details).
    - C(database_no_grant) has the GRANT statement in its message. C(journal_too_new) means that a
      newer version of this collection made the schema. C(journal_not_visible) means that O(login_url)
      is of another server than cell0's database.
    - Others are C(invalid_options), C(database_unavailable), C(database_auth_failed),
      C(untested_release) and those of reading O(nova_conf).
  returned: failure
  type: dict
"""

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_database_grant import (
    make_as_administrator,
    needs_administrator,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_schema import (
    SCHEMA_VERSION,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.nova_databases_module import (
    NovaConnections,
    NovaDatabasesModule,
)

OPTIONS = {
    "state": {"type": "str", "choices": ["present", "purged"], "default": "present"},
    "login_url": {"type": "str", "no_log": True},
    "older_than": {"type": "int", "default": 90},
}
_SECONDS_OF_A_DAY = 86400


def look_after_journal(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    if module.params["older_than"] < 0:
        raise RecoveryError(
            "invalid_options",
            f"older_than must not be negative, but is {module.params['older_than']}",
        )
    work = _purge if module.params["state"] == "purged" else _make
    return work(connections, module)


def _make(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    databases, params = connections.databases, module.params
    before = databases.journal_schema.version()
    url = params["login_url"]
    if module.check_mode:
        changed = before < SCHEMA_VERSION if url is None else needs_administrator(databases)
    elif url is None:
        changed = databases.make_journal()
    else:
        changed = make_as_administrator(
            url, databases, name=params["journal_schema"], hide=connections.hide
        )
    return {
        "changed": changed,
        "schema": _schema(params, SCHEMA_VERSION),
        "purged": 0,
        "diff": _diff(params, {"version": before}, {"version": SCHEMA_VERSION}) if changed else [],
    }


def _purge(connections: NovaConnections, module: NovaDatabasesModule) -> dict[str, Any]:
    databases, params = connections.databases, module.params
    seconds = params["older_than"] * _SECONDS_OF_A_DAY
    journal = databases.journal
    removed = journal.closed(seconds) if module.check_mode else journal.purge(seconds)
    return {
        "changed": removed > 0,
        "schema": _schema(params, databases.journal_schema.version()),
        "purged": removed,
        "diff": _diff(params, {"old_entries": removed}, {"old_entries": 0}) if removed else [],
    }


def _schema(params: dict[str, Any], version: int) -> dict[str, Any]:
    return {"name": params["journal_schema"], "version": version, "known": SCHEMA_VERSION}


def _diff(
    params: dict[str, Any], before: dict[str, int], after: dict[str, int]
) -> list[dict[str, Any]]:
    header = params["journal_schema"]
    return [{"before_header": header, "after_header": header, "before": before, "after": after}]


def main() -> None:
    module = NovaDatabasesModule(OPTIONS)
    module.run(lambda connections: look_after_journal(connections, module), reads_only=False)


if __name__ == "__main__":
    main()
