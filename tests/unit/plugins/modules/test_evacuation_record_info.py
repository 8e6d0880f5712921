# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module evacuation_record_info."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    evacuation_record_info as module,
)
from fakes.ansible_module import result_of
from fakes.scene import Scene


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene.make(1)
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: None)
    monkeypatch.setattr(module, "NovaApi", lambda connection: scene.nova)
    monkeypatch.setattr(module, "SystemClock", lambda: scene.world)
    scene.nova.write_record("accepted")
    scene.nova.write_record("done")
    scene.nova.write_record("done", source_compute="compute-2")
    scene.nova.write_record("running", migration_type="live-migration")
    return scene


def test_evacuations_of_one_host(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, source="compute-1")
    assert [record["id"] for record in result["records"]] == [1, 2]
    assert result["changed"] is False


def test_evacuations_of_all_hosts_by_status(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, status=["done"])
    assert [record["id"] for record in result["records"]] == [2, 3]


def test_an_unknown_source_is_an_error(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, source="compute")
    assert result["error"]["code"] == "host_not_found"


def test_waiting_times_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"source": "compute-1", "wait_for": "finished", "timeout": 30}
    result = result_of(module.main, monkeypatch, **options)
    assert result["error"]["code"] == "wait_timeout"
    assert [record["id"] for record in result["error"]["details"]["records"]] == [1]
    # A status filter does not narrow what is waited for.
    result = result_of(module.main, monkeypatch, status=["done"], **options)
    assert result["error"]["code"] == "wait_timeout"


def test_check_mode_and_wait_false_do_not_wait(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices: list[dict[str, Any]] = [{"check_mode": True}, {"wait": False}]
    for options in choices:
        result = result_of(
            module.main, monkeypatch, source="compute-1", wait_for="completed", **options
        )
        assert len(result["records"]) == 2
    assert scene.world.slept == []


def test_waiting_for_every_host_at_once_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert result_of(module.main, monkeypatch, wait_for="finished")["failed"]
