# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose token a build runs with."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.build_identity import (
    BuildIdentities,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from fakes import http

TOKENS = "/identity/v3/auth/tokens"


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        named = {"name": "zoe", "domain_id": "d1"}
        cloud.answers["/identity/v3/users/u"] = (200, {"user": named})
        cloud.answers["/identity/v3/projects/p"] = (200, {"project": {**named, "name": "web"}})
        token(cloud)
        yield cloud


def token(cloud: http.FakeHttp, *, seconds: int = 3600, project: str = "p") -> None:
    made = copy.deepcopy(http._TOKEN)
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    made["token"].update(
        expires_at=ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), roles=[{"id": "r", "name": "admin"}]
    )
    made["token"]["project"]["id"] = project
    made["token"]["catalog"].append(
        {
            "type": "identity",
            "name": "keystone",
            "endpoints": [
                {"interface": "public", "region_id": "one", "url": f"{http.BASE}/identity/v3"}
            ],
        }
    )
    cloud.answers[TOKENS] = (201, made)


def identities(**options: Any) -> BuildIdentities:
    connection = openstack_connection.connect({**http.OPTIONS, "auth": http.AUTH}, read_only=True)
    return BuildIdentities(connection, **options)


def logins(cloud: http.FakeHttp) -> list[Any]:
    return [
        json.loads(body)["auth"]["scope"]["project"]
        for (_method, path), body in zip(cloud.seen, cloud.bodies, strict=True)
        if path == TOKENS
    ]


def test_the_operators_token(cloud: http.FakeHttp) -> None:
    found = identities()
    identity = found.identity("u", "p")
    assert identity.auth_token == "token"
    assert identity.is_admin is True
    assert identity.roles == ("admin",)
    assert {entry["type"] for entry in identity.catalog} >= {"image", "network"}
    assert (identity.user_name, identity.project_name) == ("zoe", "web")
    assert (identity.user_domain_id, identity.project_domain_id) == ("d1", "d1")
    found.identity("u", "p")
    assert len(logins(cloud)) == 1
    assert cloud.seen.count(("GET", "/identity/v3/users/u")) == 1


def test_a_token_of_the_instances_project(cloud: http.FakeHttp) -> None:
    found = identities(project_token=True)
    assert found.identity("u", "p").is_admin is False
    found.identity("u", "p")
    operators, instances = logins(cloud)
    assert operators["name"] == "admin"
    assert instances == {"id": "p"}


def test_no_role_in_the_project(cloud: http.FakeHttp) -> None:
    found = identities(project_token=True)
    cloud.answers[TOKENS] = (401, {"error": {"message": "no access"}})
    with pytest.raises(RecoveryError) as caught:
        found.identity("u", "p")
    assert caught.value.code == "no_role_in_project"
    assert "member" in caught.value.message


def test_credentials_that_stay_in_their_project(cloud: http.FakeHttp) -> None:
    found = identities(project_token=True)
    token(cloud, project="another")
    with pytest.raises(RecoveryError) as caught:
        found.identity("u", "p")
    assert caught.value.code == "no_role_in_project"
    assert caught.value.details["token_project"] == "another"


def test_a_token_that_ends_soon_is_renewed(cloud: http.FakeHttp) -> None:
    token(cloud, seconds=300)
    found = identities()
    token(cloud, seconds=3600)
    found.identity("u", "p")
    assert len(logins(cloud)) == 2


def test_a_token_that_cannot_last_as_long_as_a_build(cloud: http.FakeHttp) -> None:
    token(cloud, seconds=300)
    with pytest.raises(RecoveryError) as caught:
        identities().identity("u", "p")
    assert caught.value.code == "token_too_short"
    assert 290 <= caught.value.details["seconds_left"] <= 300
    assert identities(lifetime=120).identity("u", "p").auth_token == "token"


@pytest.mark.parametrize("status", [403, 404])
def test_names_that_may_not_be_read(cloud: http.FakeHttp, status: int) -> None:
    cloud.answers["/identity/v3/users/u"] = (status, {})
    identity = identities().identity("u", "p")
    assert (identity.user_name, identity.project_name) == (None, "web")


def test_keystone_breaks_down(cloud: http.FakeHttp) -> None:
    cloud.answers["/identity/v3/projects/p"] = (503, {})
    with pytest.raises(ApiUnavailable):
        identities().identity("u", "p")
