# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module host_return_info."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    host_return_info as module,
)
from fakes.ansible_module import result_of
from fakes.return_cloud import FakeReturnCloud, down


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch) -> FakeReturnCloud:
    cloud = down(FakeReturnCloud())
    asked: list[bool] = []

    def connect(_params: Any, *, read_only: bool) -> None:
        asked.append(read_only)
        assert all(asked), "it only reads, in a real run too"

    monkeypatch.setattr(recovery_module, "connect", connect)
    monkeypatch.setattr(module, "OpenStackReturnCloud", lambda connection: cloud)
    cloud.evacuated("a")
    return cloud


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_is_left_to_do(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    options = {"host": "compute-1", "guests": ["id-a", "x"]}
    result = result_of(module.main, monkeypatch, check_mode=check_mode, **options)
    assert result["changed"] is False
    assert result["guests"] == {"leftover": ["id-a"], "own": [], "unexplained": ["x"]}
    assert result["compute"] == "restarted"
    assert result["steps"][0]["name"] == "wait_for_evacuations"


def test_guests_that_nobody_listed_and_guests_that_are_not_there(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = result_of(module.main, monkeypatch, host="compute-1")
    none = result_of(module.main, monkeypatch, host="compute-1", guests=[])
    needed = [
        {step["name"]: step["needed"] for step in result["steps"]}["terminate_leftovers"]
        for result in (unknown, none)
    ]
    assert needed == [None, False]
    assert "guests" not in unknown


def test_a_host_that_matches_nothing_fails(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_of(module.main, monkeypatch, host="compute")
    assert result["error"]["code"] == "host_not_found"
