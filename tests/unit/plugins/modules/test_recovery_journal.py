# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module recovery_journal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import nova_databases_module
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.journal_schema import (
    SCHEMA_VERSION,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    recovery_journal as module,
)
from fakes.ansible_module import result_of

URL = "mysql+pymysql://root:s3cret@db/mysql"
DAY = 86400


class Databases:
    """What the module uses of NovaDatabases."""

    def __init__(self) -> None:
        self.there = 0
        self.granted = False
        self.old = 7
        self.asked: list[tuple[str, int]] = []
        self.journal_schema = SimpleNamespace(version=lambda: self.there)
        self.journal = self

    def may_use_journal(self) -> bool:
        return self.granted

    def make_journal(self) -> bool:
        made, self.there = self.there < SCHEMA_VERSION, SCHEMA_VERSION
        return made

    def closed(self, seconds: int) -> int:
        self.asked.append(("closed", seconds))
        return self.old

    def purge(self, seconds: int) -> int:
        self.asked.append(("purge", seconds))
        removed, self.old = self.old, 0
        return removed


@pytest.fixture(name="databases")
def _databases(monkeypatch: pytest.MonkeyPatch) -> Databases:
    databases = Databases()
    connections = SimpleNamespace(databases=databases, hide=None, close=lambda: None)
    monkeypatch.setattr(
        nova_databases_module, "NovaConnections", lambda params, **options: connections
    )

    def as_administrator(url: str, user: Databases, **options: Any) -> bool:
        assert url == URL
        assert options["name"] == "nova_recovery"
        user.granted = True
        return user.make_journal()

    monkeypatch.setattr(module, "make_as_administrator", as_administrator)
    return databases


def test_it_is_made_once(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True)
    assert planned["changed"]
    assert databases.there == 0
    done = result_of(module.main, monkeypatch)
    assert done["changed"]
    assert done["schema"] == planned["schema"]
    assert done["schema"] == {
        "name": "nova_recovery",
        "version": SCHEMA_VERSION,
        "known": SCHEMA_VERSION,
    }
    assert done["diff"][0]["before"] == {"version": 0}
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode)
        assert not again["changed"]
        assert again["diff"] == []


def test_an_administrator_makes_and_grants_it(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    planned = result_of(module.main, monkeypatch, check_mode=True, login_url=URL, logged=logged)
    assert planned["changed"]
    assert not databases.granted
    done = result_of(module.main, monkeypatch, login_url=URL, logged=logged)
    assert done["changed"]
    assert databases.granted
    assert not result_of(module.main, monkeypatch, check_mode=True, login_url=URL)["changed"]
    assert "s3cret" not in str(planned) + str(done) + str(logged)


def test_only_what_is_old_is_purged(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"state": "purged", "older_than": 30}
    planned = result_of(module.main, monkeypatch, check_mode=True, **options)
    assert planned["purged"] == 7
    assert databases.old == 7
    done = result_of(module.main, monkeypatch, **options)
    assert done["changed"]
    assert done["purged"] == 7
    assert databases.asked == [("closed", 30 * DAY), ("purge", 30 * DAY)]
    assert not result_of(module.main, monkeypatch, **options)["changed"]


def test_a_negative_age_would_purge_what_was_closed_just_now(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_of(module.main, monkeypatch, state="purged", older_than=-1)
    assert result["error"]["code"] == "invalid_options"
    assert databases.asked == []
