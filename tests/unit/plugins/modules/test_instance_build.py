# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module instance_build."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    nova_databases_module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    instance_build as module,
)
from fakes import conductor as fates
from fakes.ansible_module import result_of
from fakes.build_cloud import TOKEN
from fakes.build_scene import ONE, SETTLE, BuildScene
from fakes.buried_instance import UUIDS, buried

TWO = UUIDS[:2]


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> BuildScene:
    scene = BuildScene()
    made: list[int] = []
    scene.databases.make_journal = lambda: made.append(1)  # type: ignore[attr-defined]
    scene.databases.journals_made = made  # type: ignore[attr-defined]
    connections = SimpleNamespace(
        databases=scene.databases,
        conductor=scene.conductor,
        cloud=None,
        close=lambda: None,
        settle_time=lambda given: timedelta(seconds=SETTLE if given is None else given),
    )
    monkeypatch.setattr(
        nova_databases_module, "NovaConnections", lambda params, **options: connections
    )
    monkeypatch.setattr(
        module, "OpenStackBuildCloud", lambda connection, identities, files: scene.cloud
    )
    monkeypatch.setattr(module, "SystemClock", lambda: scene.world)
    return scene


def run(monkeypatch: pytest.MonkeyPatch, *uuids: str, **options: Any) -> dict[str, Any]:
    return result_of(module.main, monkeypatch, instances=list(uuids or [ONE]), **options)


def test_check_mode_and_then_for_real_and_then_again(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for uuid in TWO:
        scene.prepared(uuid)
    before = json.dumps(scene.databases.committed, default=str)
    planned = run(monkeypatch, *TWO, check_mode=True)
    assert planned["changed"]
    assert [(one["result"], one["changed"]) for one in planned["instances"]] == [
        ("would_build", True)
    ] * 2
    assert json.dumps(scene.databases.committed, default=str) == before
    assert scene.databases.journals_made == []  # type: ignore[attr-defined]
    done = run(monkeypatch, *TWO, run_id="run-7", operator="zoe")
    assert done["changed"]
    assert done["run_id"] == "run-7"
    assert [one["result"] for one in done["instances"]] == ["active"] * 2
    assert done["diff"] == planned["diff"]
    assert [one["before_header"] for one in done["diff"]] == TWO
    entry = scene.databases.newest(ONE)
    assert entry is not None
    assert (entry.run_id, entry.operator) == ("run-7", "zoe")
    again = run(monkeypatch, *TWO)
    assert (again["changed"], again["diff"]) == (False, [])
    assert [one["result"] for one in again["instances"]] == ["active"] * 2
    assert len(scene.conductor.messages) == 2


def test_check_mode_says_what_would_be_waited_for(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.prepared()
    scene.entry(journal.SUBMITTED)
    planned = run(monkeypatch, check_mode=True)
    assert (planned["changed"], planned["diff"]) == (False, [])
    assert planned["instances"][0]["result"] == "would_wait"


@pytest.mark.parametrize("check_mode", [True, False])
def test_one_that_is_refused_keeps_all_from_being_changed(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    scene.prepared(TWO[0])
    buried(scene.databases, TWO[1])
    result = run(monkeypatch, *TWO, check_mode=check_mode)
    assert result["failed"]
    assert not result["changed"]
    assert result["error"]["code"] == "refused"
    assert result["error"]["details"]["instances"][TWO[1]]["code"] == "not_prepared"
    assert scene.conductor.messages == []
    assert scene.state(TWO[0]) == journal.PREPARED


def test_not_all_are_built(scene: BuildScene, monkeypatch: pytest.MonkeyPatch) -> None:
    for uuid in TWO:
        scene.prepared(uuid)
    scene.conductor.fates[TWO[1]] = [fates.BURY]
    result = run(monkeypatch, *TWO)
    assert result["failed"]
    assert result["changed"]
    error = result["error"]
    assert (error["code"], error["retriable"], error["request_id"]) == (
        "not_all_built",
        True,
        "req-2",
    )
    assert error["details"]["instances"] == {
        TWO[1]: {"result": "buried_again", "code": "buried_again"}
    }
    assert "1 of 2" in result["msg"]
    assert [one["result"] for one in result["instances"]] == ["active", "buried_again"]
    assert [one["before_header"] for one in result["diff"]] == [TWO[0]]


def test_what_is_only_deleted_is_not_worth_another_try(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.prepared()
    scene.databases.user_deletes(ONE)
    result = run(monkeypatch)
    assert (result["error"]["code"], result["error"]["retriable"]) == ("not_all_built", False)
    assert not result["changed"]


FILES = {"path": "/etc/motd", "content": "aGVsbG8gc2VjcmV0"}


def test_files_are_handed_on(scene: BuildScene, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(
        module, "OpenStackBuildCloud", lambda _c, _i, files: given.append(files) or scene.cloud
    )
    scene.prepared()
    result = run(monkeypatch, injected_files={ONE: [FILES]})
    assert given == [{ONE: [("/etc/motd", FILES["content"])]}]
    assert FILES["content"] not in json.dumps(result)


@pytest.mark.parametrize(
    "files",
    [
        "text",
        None,
        5,
        ["text"],
        [{"path": "/x"}],
        [{"content": "eA=="}],
        [{**FILES, "content": "not base64!"}],
        [{**FILES, "content": "naïve"}],
        [{**FILES, "content": "abc"}],
        {"path": "/x", "content": "eA=="},
    ],
)
def test_files_that_are_none_are_refused_without_being_shown(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch, files: Any
) -> None:
    scene.prepared()
    result = run(monkeypatch, injected_files={ONE: files})
    assert result["error"]["code"] == "invalid_options"
    assert "injected_files" in result["msg"]
    assert "not base64!" not in json.dumps(result)
    assert scene.state() == journal.PREPARED


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"settle_time": -1}, {"poll_interval": 0}, {"run_id": "x" * 65}]
)
def test_bad_options_change_nothing(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    scene.prepared()
    result = run(monkeypatch, **options)
    assert result["failed"]
    assert result["error"]["code"]
    assert scene.state() == journal.PREPARED
    assert scene.conductor.messages == []


def test_no_secret_is_in_a_result(scene: BuildScene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.prepared()
    scene.conductor.fates[ONE] = [fates.IN_DOUBT_LOST]
    logged: list[str] = []
    result = run(monkeypatch, injected_files={ONE: [FILES]}, logged=logged)
    assert result["error"]["details"]["instances"][ONE]["code"] == "message_in_doubt"
    text = json.dumps(result) + "".join(logged)
    assert TOKEN not in text
    assert FILES["content"] not in text
