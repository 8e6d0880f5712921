# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cell0_rebuild_prep, without another image or flavor."""

from __future__ import annotations

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
    cell0_rebuild_prep as module,
)
from fakes.ansible_module import result_of
from fakes.build_scene import BuildScene
from fakes.buried_instance import UUIDS, buried, spec_text, state_of, tables_of

TWO = UUIDS[:2]


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> BuildScene:
    scene = BuildScene()
    scene.databases.make_journal = lambda: True  # type: ignore[attr-defined]
    connections = SimpleNamespace(
        databases=scene.databases,
        close=lambda: None,
        has_cloud=False,
        settle_time=lambda given: timedelta(seconds=1860 if given is None else given),
    )
    monkeypatch.setattr(
        nova_databases_module, "NovaConnections", lambda params, **options: connections
    )
    for uuid in TWO:
        buried(scene.databases, uuid)
    return scene


def run(monkeypatch: pytest.MonkeyPatch, *uuids: str, **options: Any) -> dict[str, Any]:
    return result_of(module.main, monkeypatch, instances=list(uuids or TWO), **options)


def test_there_and_back_again(scene: BuildScene, monkeypatch: pytest.MonkeyPatch) -> None:
    beginning = [state_of(scene.databases, uuid) for uuid in TWO]
    for state in ("prepared", "buried"):
        before = [state_of(scene.databases, uuid) for uuid in TWO]
        planned = run(monkeypatch, state=state, check_mode=True)
        assert [state_of(scene.databases, uuid) for uuid in TWO] == before
        done = run(monkeypatch, state=state, run_id="run-9")
        for name in ("changed", "instances", "diff"):
            assert done[name] == planned[name]
        assert done["run_id"] == "run-9"
        assert done["changed"]
        assert [(one["uuid"], one["state"], one["changed"]) for one in done["instances"]] == [
            (uuid, state, True) for uuid in TWO
        ]
        assert [one["before_header"] for one in done["diff"]] == TWO
        again = run(monkeypatch, state=state)
        assert (again["changed"], again["diff"]) == (False, [])
        assert {scene.state(uuid) for uuid in TWO} == {
            journal.PREPARED if state == "prepared" else journal.RESTORED
        }
    assert [state_of(scene.databases, uuid) for uuid in TWO] == beginning


@pytest.mark.parametrize("check_mode", [True, False])
def test_one_that_is_refused_keeps_all_from_being_changed(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    specs = scene.databases.state["api"]["specs"]
    specs[TWO[1]] = type(specs[TWO[1]])(
        instance_uuid=TWO[1], spec=spec_text(TWO[1], networks=False)
    )
    before = state_of(scene.databases, TWO[0])
    result = run(monkeypatch, check_mode=check_mode)
    assert result["failed"]
    assert not result["changed"]
    assert result["error"]["code"] == "refused"
    refused = result["error"]["details"]["instances"]
    assert {uuid: one["code"] for uuid, one in refused.items()} == {TWO[1]: "networks_unknown"}
    assert state_of(scene.databases, TWO[0]) == before


def test_one_that_the_conductor_was_asked_to_build_is_not_put_back(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch)
    scene.entry(journal.SUBMITTED, TWO[0])
    result = run(monkeypatch, state="buried")
    assert result["error"]["details"]["instances"][TWO[0]]["code"] == "being_built"
    assert scene.databases.request(TWO[0]) is not None


def test_one_that_nova_does_not_know(scene: BuildScene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, UUIDS[5])
    assert result["error"]["details"]["instances"][UUIDS[5]]["code"] == "instance_not_found"


def test_a_spec_that_nova_has_removed_is_put_back_and_shown(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch)
    run(monkeypatch, state="buried")
    spec = scene.databases.state["api"]["specs"].pop(TWO[0]).spec
    planned = run(monkeypatch, check_mode=True)
    assert TWO[0] not in scene.databases.state["api"]["specs"]
    done = run(monkeypatch)
    assert done["diff"] == planned["diff"]
    first, second = done["diff"]
    assert (first["before"]["request_spec"], first["after"]["request_spec"]) == (
        None,
        "the journal's",
    )
    assert "request_spec" not in {**second["before"], **second["after"]}
    assert scene.databases.spec(TWO[0]) == spec


@pytest.mark.parametrize("state", ["prepared", "buried"])
def test_one_that_was_deleted_is_closed_once_and_then_refused(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    run(monkeypatch)
    scene.databases.user_deletes(TWO[0])
    planned = run(monkeypatch, TWO[0], state=state, check_mode=True)
    assert scene.databases.entry(TWO[0]) is not None
    done = run(monkeypatch, TWO[0], state=state)
    for name in ("changed", "instances", "diff"):
        assert done[name] == planned[name]
    (one,) = done["instances"]
    assert (one["state"], one["changed"], one["code"]) == ("deleted", True, "deleted")
    assert scene.state(TWO[0]) == journal.DELETED
    again = run(monkeypatch, TWO[0], state=state)
    assert again["error"]["details"]["instances"][TWO[0]]["code"] == "deleted"


def test_rows_that_are_not_those_of_the_copy_fail(
    scene: BuildScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch)
    rows = tables_of(TWO[0], display_name="other")
    scene.databases.state["cell0"]["rows"][TWO[0]] = rows
    scene.databases.user_deletes(TWO[0])
    result = run(monkeypatch, TWO[0])
    assert result["failed"]
    assert (result["error"]["code"], result["error"]["retriable"]) == ("rows_left", False)
    assert scene.databases.rows_of(TWO[0]) == rows
