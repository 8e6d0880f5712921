# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module compute_service."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    compute_service as module,
)
from fakes.ansible_module import result_of
from fakes.scene import Scene


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene.make(1, failed=())
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: None)
    monkeypatch.setattr(module, "NovaApi", lambda connection: scene.nova)
    return scene


def updates(scene: Scene) -> int:
    return [name for name, _what in scene.nova.calls].count("update_service")


WANTED: dict[str, Any] = {
    "host": "compute-1",
    "forced_down": True,
    "status": "disabled",
    "disabled_reason": "burnt",
}


def test_check_mode_and_then_for_real_and_then_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True, **WANTED)
    assert planned["changed"]
    assert updates(scene) == 0
    done = result_of(module.main, monkeypatch, **WANTED)
    assert done["changed"]
    assert updates(scene) == 2
    assert (
        done["changes"]
        == planned["changes"]
        == [
            {"forced_down": True},
            {"status": "disabled", "disabled_reason": "burnt"},
        ]
    )
    assert done["diff"]["before"]["forced_down"] is False
    assert done["diff"]["after"]["status"] == "disabled"
    assert "updated_at" not in done["service"]
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, **WANTED)
        assert not again["changed"]
        assert again["changes"] == []
    assert updates(scene) == 2


@pytest.mark.parametrize("host", ["compute", "compute-10"])
def test_a_host_that_matches_nothing_fails(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    result = result_of(module.main, monkeypatch, **{**WANTED, "host": host})
    assert result["error"]["code"] == "host_not_found"
    assert updates(scene) == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [("done", "evacuation_records_done"), ("accepted", "evacuations_in_progress")],
)
def test_forced_down_is_not_lifted_too_early(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, status: str, code: str
) -> None:
    result_of(module.main, monkeypatch, **WANTED)
    scene.nova.write_record(status)
    result = result_of(module.main, monkeypatch, host="compute-1", forced_down=False)
    assert result["error"]["code"] == code
    assert scene.nova.services["compute-1"].forced_down


def test_a_reason_alone_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, host="compute-1", disabled_reason="x")
    assert result["failed"]
    assert updates(scene) == 0
