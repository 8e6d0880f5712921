# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module compute_service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    compute_service as module,
)
from fakes.ansible_module import result_of
from fakes.nova import refused
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


def test_what_a_person_has_disabled_can_be_left_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable = {"host": "compute-1", "status": "enabled", "only_disabled_by_recovery": True}
    result_of(module.main, monkeypatch, **WANTED)
    kept = result_of(module.main, monkeypatch, **enable)
    assert (kept["changed"], kept["service"]["status"]) == (False, "disabled")
    mark = "openstack_recovery run=run-1: host failed"
    result_of(module.main, monkeypatch, **{**WANTED, "disabled_reason": mark})
    enabled = result_of(module.main, monkeypatch, **enable)
    assert (enabled["changed"], enabled["service"]["status"]) == (True, "enabled")


def deletions(scene: Scene) -> int:
    return [name for name, _what in scene.nova.calls].count("delete_service")


GONE: dict[str, Any] = {"host": "compute-1", "state": "absent"}


def test_a_service_is_deleted_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result_of(module.main, monkeypatch, **WANTED)
    scene.nova.services["compute-1"] = replace(scene.nova.services["compute-1"], state="down")
    scene.world.sleep(80)
    # Of another host's, and of a move to this one, which Nova itself asks for.
    scene.nova.write_record("accepted", source_compute="compute-10")
    planned = result_of(module.main, monkeypatch, check_mode=True, **GONE)
    assert deletions(scene) == 0
    done = result_of(module.main, monkeypatch, **GONE)
    assert done == planned
    assert (done["changed"], done["changes"]) == (True, [{"state": "absent"}])
    assert (done["diff"]["before"]["host"], done["diff"]["after"]) == ("compute-1", {})
    assert "compute-1" not in scene.nova.services
    assert "compute-2" in scene.nova.services
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, **GONE)
        assert (again["changed"], again["changes"]) == (False, [])
    assert deletions(scene) == 1


@pytest.mark.parametrize("host", ["compute", "Compute-1", "compute-10"])
def test_only_the_exact_name_is_deleted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    result = result_of(module.main, monkeypatch, **{**GONE, "host": host})
    assert not result["changed"]
    assert deletions(scene) == 0


def test_a_service_that_is_up_is_not_deleted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for check_mode in (True, False):
        result = result_of(module.main, monkeypatch, check_mode=check_mode, **GONE)
        assert result["error"]["code"] == "host_is_up"
    assert deletions(scene) == 0


def test_a_service_that_is_forced_down_and_reports_is_not_deleted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    result_of(module.main, monkeypatch, **WANTED)
    scene.nova.services["compute-1"] = replace(scene.nova.services["compute-1"], state="down")
    scene.nova.host_returns()
    for _minute in range(3):
        scene.world.sleep(60)
        for check_mode in (True, False):
            result = result_of(module.main, monkeypatch, check_mode=check_mode, **GONE)
            error = result["error"]
            assert (error["code"], error["retriable"]) == ("host_is_up", True)
    assert deletions(scene) == 0


def test_no_service_is_deleted_while_its_instances_are_evacuated(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.nova.services["compute-1"] = replace(scene.nova.services["compute-1"], state="down")
    scene.nova.write_record("accepted")
    for check_mode in (True, False):
        result = result_of(module.main, monkeypatch, check_mode=check_mode, **GONE)
        assert result["error"]["code"] == "evacuations_in_progress"
    assert deletions(scene) == 0


def test_two_services_with_one_name_are_not_deleted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = replace(scene.nova.services["compute-1"], state="down")
    scene.nova.services |= {"compute-1": service, "stale": replace(service, id="stale")}
    assert result_of(module.main, monkeypatch, **GONE)["error"]["code"] == "host_ambiguous"
    assert deletions(scene) == 0


def test_what_nova_refuses_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # Instances are on the host.
    scene.nova.services["compute-1"] = replace(scene.nova.services["compute-1"], state="down")
    scene.nova.broken["delete_service"] = refused(409)
    result = result_of(module.main, monkeypatch, **GONE)
    assert (result["error"]["code"], result["changed"]) == ("api_refused", False)
