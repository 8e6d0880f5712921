# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module instance_evacuation."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    instance_evacuation as module,
)
from fakes.ansible_module import result_of
from fakes.nova import FAILED, Attempt
from fakes.scene import Scene

OPTIONS: dict[str, Any] = {"host": "compute-1", "shared_storage": True}


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene.make(2)
    connection = SimpleNamespace(session=SimpleNamespace(requests={"GET servers": 1}))
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: connection)
    monkeypatch.setattr(module, "OpenStackEvacuationCloud", lambda connection: scene.nova)
    monkeypatch.setattr(module, "AggregateLockStore", lambda connection: scene.locks)
    monkeypatch.setattr(module, "SystemClock", lambda: scene.world)
    return scene


def test_check_mode_and_then_for_real_and_then_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True, **OPTIONS)
    assert planned["changed"]
    assert [entry["action"] for entry in planned["plan"]] == ["evacuate", "evacuate"]
    assert planned["instances"] == []
    assert scene.nova.records == []
    assert scene.locks.calls == []
    assert planned["diff"]["before"] == {
        "web-1 (id-web-1)": "compute-1",
        "web-2 (id-web-2)": "compute-1",
    }
    done = result_of(module.main, monkeypatch, run_id="mine", **OPTIONS)
    assert done["changed"]
    assert done["run_id"] == "mine"
    assert done["totals"]["verified"] == 2
    assert done["plan"] == planned["plan"]
    assert set(done["diff"]["after"].values()) <= {"compute-2", "compute-3", "compute-4"}
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, **OPTIONS)
        assert not again["changed"]
        assert [entry["action"] for entry in again["plan"]] == ["verify", "verify"]
    assert len(scene.nova.records) == 2


def test_a_failure_has_the_result_of_each_instance(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.nova.script["id-web-1"] = [Attempt(outcome=FAILED)]
    result = result_of(module.main, monkeypatch, retries=0, **OPTIONS)
    assert result["failed"]
    assert result["changed"]
    assert result["error"]["code"] == "evacuation_incomplete"
    assert {entry["name"]: entry["status"] for entry in result["instances"]} == {
        "web-1": "failed",
        "web-2": "verified",
    }


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("others", [{"host": "compute-1"}, {}])
def test_an_empty_list_of_instances_is_not_everything(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, others: dict[str, Any], check_mode: bool
) -> None:
    result = result_of(
        module.main,
        monkeypatch,
        check_mode=check_mode,
        shared_storage=True,
        instances=[],
        **others,
    )
    assert result["failed"]
    assert result["error"]["code"] == "invalid_options"
    assert scene.nova.records == []


@pytest.mark.parametrize(
    "wrong", [{"wait": False}, {"concurrency": 0}, {"concurrency_per_destination": 0}]
)
def test_options_that_make_no_sense(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    result = result_of(module.main, monkeypatch, **OPTIONS, **wrong)
    assert result["error"]["code"] == "invalid_options"
    assert scene.nova.calls == []


def test_neither_host_nor_instances(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert result_of(module.main, monkeypatch, shared_storage=True)["failed"]


def test_local_storage_needs_a_decision(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.nova._change("id-web-1", image_id="image")
    result = result_of(module.main, monkeypatch, host="compute-1")
    assert result["error"]["code"] == "local_storage"
    assert scene.nova.records == []


BAD = {"version": 1, "rules": [{"name": "a", "match": {"tag": "x"}, "evacuate": True}]}
OPT_IN = {
    "version": 1,
    "selection": "opt_in",
    "rules": [{"name": "a", "match": {"tags": ["ha"]}, "evacuate": True}],
}


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_bad_policy_is_refused_before_anything_is_looked_at(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    result = result_of(module.main, monkeypatch, check_mode=check_mode, policy=BAD, **OPTIONS)
    assert result["error"]["code"] == "invalid_policy"
    assert result["error"]["details"]["problems"] == [
        {"path": "rules[0].match.tag", "message": "unknown key (did you mean tags?)"}
    ]
    assert "did you mean tags?" in result["msg"]
    assert scene.nova.calls == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_policy_that_opts_nothing_in_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    scene.nova.policy_notes = ("there is no such project",)
    result = result_of(module.main, monkeypatch, check_mode=check_mode, policy=OPT_IN, **OPTIONS)
    assert not result["changed"]
    assert result["msg"].startswith("nothing is evacuated")
    assert result["notes"] == [result["msg"], "there is no such project"]
    assert {entry["code"] for entry in result["plan"]} == {"left_by_policy"}
    assert scene.nova.records == []


def test_without_a_policy_there_is_nothing_to_say(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_of(module.main, monkeypatch, check_mode=True, **OPTIONS)
    assert "msg" not in result
    assert result["plan"][0]["rules"] == {}


def test_progress_ends_with_an_empty_line_whatever_happens(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for host in ("compute-1", "nowhere"):
        path = tmp_path / host
        path.touch()
        result_of(
            module.main,
            monkeypatch,
            host=host,
            shared_storage=True,
            progress_path=str(path),
        )
        assert path.read_text().endswith("\n")
        assert path.read_text().splitlines()[-1] == ""
    assert "of 2 verified" in (tmp_path / "compute-1").read_text()
