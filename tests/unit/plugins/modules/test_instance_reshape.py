# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module instance_reshape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import recovery_module
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import instance_reshape as module
from fakes.ansible_module import result_of
from fakes.reshape_nova import FAILS, NEW_IMAGE, OLD_IMAGE, ReshapeNova, shape
from fakes.world import World

OPTIONS: dict[str, Any] = {
    "instances": ["web-1", "web-2"],
    "image": NEW_IMAGE,
    "flavor": "large",
    "replace_root_disk": True,
}


@pytest.fixture(name="nova")
def _nova(monkeypatch: pytest.MonkeyPatch) -> ReshapeNova:
    nova = ReshapeNova(World(), [shape(), shape("web-2")])
    connection = SimpleNamespace(session=SimpleNamespace(requests={"GET servers": 1}))
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: connection)
    monkeypatch.setattr(module, "OpenStackReshapeCloud", lambda connection: nova)
    monkeypatch.setattr(module, "SystemClock", lambda: nova.world)
    return nova


def test_check_mode_and_then_for_real_and_then_again(
    nova: ReshapeNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = result_of(module.main, monkeypatch, check_mode=True, **OPTIONS)
    assert planned["changed"]
    assert [entry["action"] for entry in planned["plan"]] == ["rebuild, resize"] * 2
    assert planned["instances"] == []
    assert planned["diff"] == {
        "before": {
            f"{name} (id-{name})": {"image": OLD_IMAGE, "flavor": "small"}
            for name in ("web-1", "web-2")
        },
        "after": {
            f"{name} (id-{name})": {"image": NEW_IMAGE, "flavor": "large"}
            for name in ("web-1", "web-2")
        },
    }
    assert nova.calls == []
    done = result_of(module.main, monkeypatch, **OPTIONS)
    assert done["changed"]
    assert done["plan"] == planned["plan"]
    assert done["totals"]["verified"] == 2
    sent = len(nova.calls)
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, **OPTIONS)
        assert not again["changed"]
        assert again["diff"] == {"before": {}, "after": {}}
    assert len(nova.calls) == sent


def test_a_failure_has_the_result_of_each_instance(
    nova: ReshapeNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    nova.script = {("id-web-1", "rebuild"): [FAILS]}
    result = result_of(module.main, monkeypatch, concurrency=1, **OPTIONS)
    assert result["failed"]
    assert result["changed"]
    assert result["error"]["code"] == "failure_limit"
    assert [one["status"] for one in result["instances"]] == ["failed", "not_started"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"replace_root_disk": False}, "replace_root_disk=true"),
        ({"instances": []}, "does not mean all"),
        ({"wait": False}, "wait=false"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"image": None, "flavor": None}, "image, flavor"),
        ({"instances": None}, "host, instances"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_what_is_refused_changes_nothing(
    nova: ReshapeNova,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    words: str,
    *,
    check_mode: bool,
) -> None:
    given = {name: value for name, value in {**OPTIONS, **options}.items() if value is not None}
    result = result_of(module.main, monkeypatch, check_mode=check_mode, **given)
    assert result["failed"]
    assert words in result["msg"]
    assert not result.get("changed")
    assert nova.calls == []


def test_the_others_are_done_when_some_are_left_out(
    nova: ReshapeNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    nova.now["id-web-1"] = shape(locked=True)
    result = result_of(module.main, monkeypatch, on_refused="skip", **OPTIONS)
    assert not result.get("failed")
    assert {one["name"]: one["status"] for one in result["instances"]} == {
        "web-1": "skipped",
        "web-2": "verified",
    }


def test_what_nova_does_not_have_any_more_is_gone(
    nova: ReshapeNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    del nova.now["id-web-1"]
    given = {**OPTIONS, "instances": ["id-web-1", "id-web-2"]}
    refused = result_of(module.main, monkeypatch, **given)
    assert refused["error"]["code"] == "instance_not_found"
    done = result_of(module.main, monkeypatch, on_missing="skip", **given)
    assert not done.get("failed")
    assert {one["id"]: one["status"] for one in done["instances"]} == {
        "id-web-1": "gone",
        "id-web-2": "verified",
    }


def test_credentials_that_are_refused_half_way_are_told_to_come_after_a_part(
    nova: ReshapeNova, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resize(instance_id: str, flavor_id: str) -> str | None:
        raise ApiRefused("auth_failed", f"no {flavor_id} for {instance_id}", status=401)

    monkeypatch.setattr(nova, "resize", resize)
    result = result_of(module.main, monkeypatch, concurrency=1, **OPTIONS)
    assert (result["changed"], result["error"]["code"]) == (True, "auth_failed")
    # The first was rebuilt by then.
    assert [one["code"] for one in result["instances"]] == ["nova_refused", "auth_failed"]
