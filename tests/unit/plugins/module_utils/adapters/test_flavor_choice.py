# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flavors by name or id, and who may use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.flavor_choice import (
    Flavors,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    FlavorWanted,
)
from fakes import http

CONNECTED = {**http.OPTIONS, "auth": http.AUTH}

# As GET /flavors/detail answers at 2.93.
SMALL = {
    "id": "1",
    "name": "small",
    "vcpus": 1,
    "ram": 512,
    "disk": 4,
    "OS-FLV-EXT-DATA:ephemeral": 2,
    "swap": 1024,
    "extra_specs": {"hw:numa_nodes": "1"},
    "os-flavor-access:is_public": True,
    "OS-FLV-DISABLED:disabled": False,
}
FLAVORS = [
    SMALL,
    {**SMALL, "id": "2", "name": "1"},
    {**SMALL, "id": "3", "name": "own", "os-flavor-access:is_public": False},
    {**SMALL, "id": "4", "name": "off", "OS-FLV-DISABLED:disabled": True},
]


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        cloud.answers["/compute/v2.1/flavors/detail"] = (200, {"flavors": FLAVORS})
        access = {"flavor_access": [{"flavor_id": "3", "tenant_id": "p"}]}
        cloud.answers["/compute/v2.1/flavors/3/os-flavor-access"] = (200, access)
        yield cloud


def choose(name_or_id: str) -> FlavorWanted:
    return Flavors(openstack_connection.connect(CONNECTED, read_only=True)).choose(name_or_id)


def test_by_name(cloud: http.FakeHttp) -> None:
    assert choose("small") == FlavorWanted(
        id="1",
        name="small",
        vcpus=1,
        memory_mb=512,
        root_gb=4,
        ephemeral_gb=2,
        swap_mb=1024,
        extra_specs={"hw:numa_nodes": "1"},
        project_ids=None,
    )


def test_an_id_comes_before_a_name(cloud: http.FakeHttp) -> None:
    assert choose("1").name == "small"


def test_of_one_that_is_not_public_who_may_use_it(cloud: http.FakeHttp) -> None:
    assert choose("own").project_ids == {"p"}


@pytest.mark.parametrize(
    ("name", "code"), [("gone", "flavor_not_found"), ("off", "flavor_disabled")]
)
def test_one_that_cannot_be_had_is_refused(cloud: http.FakeHttp, name: str, code: str) -> None:
    with pytest.raises(RecoveryError) as refused:
        choose(name)
    assert refused.value.code == code


def test_flavors_are_listed_once(cloud: http.FakeHttp) -> None:
    flavors = Flavors(openstack_connection.connect(CONNECTED, read_only=True))
    assert [flavors.choose(name).id for name in ("small", "2", "small")] == ["1", "2", "1"]
    lists = [path for _method, path in cloud.seen if path.endswith("/flavors/detail")]
    assert len(lists) == 1
