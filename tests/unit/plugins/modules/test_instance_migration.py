# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module instance_migration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    instance_migration as module,
)
from fakes import values
from fakes.ansible_module import result_of
from fakes.migrating import NO_HOST, FakeMigratingNova, Trip

MOVES = [
    {"id": "id-web-1", "host": "compute-1", "from": "compute-2"},
    {"id": "id-web-2", "host": "compute-1"},
]


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch) -> FakeMigratingNova:
    cloud = FakeMigratingNova()
    for name in ("web-1", "web-2"):
        cloud.add(values.instance(name, host="compute-2"))
    connection = SimpleNamespace(session=SimpleNamespace(requests={"GET servers": 1}))
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: connection)
    monkeypatch.setattr(module, "OpenStackEvacuationCloud", lambda connection: cloud)
    monkeypatch.setattr(module, "SystemClock", lambda: cloud.world)
    return cloud


def test_check_mode_and_then_for_real_and_then_again(
    cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True, moves=MOVES)
    assert planned["changed"]
    assert [e["action"] for e in planned["plan"]] == ["live_migrate", "live_migrate"]
    assert planned["instances"] == []
    assert planned["totals"]["live_migrate"] == 2
    assert planned["diff"]["before"] == {
        "web-1 (id-web-1)": "compute-2",
        "web-2 (id-web-2)": "compute-2",
    }
    assert cloud.sent == []
    done = result_of(module.main, monkeypatch, moves=MOVES)
    assert done["changed"]
    assert done["plan"] == planned["plan"]
    assert done["totals"]["verified"] == 2
    assert done["diff"] == planned["diff"]
    assert cloud.most_from_one == 1
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, moves=MOVES)
        assert not again["changed"]
        assert [e["action"] for e in again["plan"]] == ["verify", "verify"]
    assert len(cloud.sent) == 2


def test_a_failure_has_the_result_of_each_instance(
    cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.trips["id-web-1"] = [Trip(outcome=NO_HOST)]
    result = result_of(module.main, monkeypatch, moves=MOVES)
    assert result["failed"]
    assert result["changed"]
    assert result["error"]["code"] == "migration_incomplete"
    assert {e["name"]: e["status"] for e in result["instances"]} == {
        "web-1": "failed",
        "web-2": "verified",
    }


@pytest.mark.parametrize(("allowed", "begun"), [(0, 1), (-1, 2)])
def test_how_many_may_fail(
    cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch, allowed: int, begun: int
) -> None:
    cloud.usual = Trip(outcome=NO_HOST)
    result_of(module.main, monkeypatch, moves=MOVES, max_failures=allowed)
    assert len(cloud.sent) == begun


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_home_that_is_not_ready(
    cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    cloud.services["compute-1"] = replace(cloud.services["compute-1"], status="disabled")
    result = result_of(module.main, monkeypatch, check_mode=check_mode, moves=MOVES)
    assert result["error"]["code"] == "host_is_disabled"
    assert not result.get("changed")
    assert cloud.sent == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"wait": False},
        {"concurrency": 0},
        {"concurrency_per_source": 0},
        {"max_failures": -2},
        {"moves": [*MOVES, {"id": "id-web-1", "host": "compute-3"}]},
    ],
)
def test_options_that_make_no_sense(
    cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    result = result_of(module.main, monkeypatch, **{"moves": MOVES, **wrong})
    assert result["error"]["code"] == "invalid_options"
    assert cloud.calls == []


def test_a_move_without_a_host(cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch) -> None:
    assert result_of(module.main, monkeypatch, moves=[{"id": "id-web-1"}])["failed"]
    assert cloud.calls == []


def test_progress_ends_with_an_empty_line(
    cloud: FakeMigratingNova, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "progress"
    path.touch()
    result_of(module.main, monkeypatch, moves=MOVES, progress_path=str(path))
    lines = path.read_text().splitlines()
    assert lines[-1] == ""
    assert "of 2 verified" in lines[0]
    assert cloud.violations == []
