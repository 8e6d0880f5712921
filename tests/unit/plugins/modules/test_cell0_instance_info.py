# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cell0_instance_info."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import nova_databases_module
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    cell0_instance_info as module,
)
from fakes.ansible_module import result_of
from fakes.buried_instance import UUIDS
from fakes.listing_databases import PROJECT, ListingDatabases
from fakes.neutron import FakeNeutron

A, B = UUIDS[:2]
IMAGE = "1a9e0000-0000-4000-8000-000000000001"


class Status:
    """In place of ImageVolumeStatus."""

    def __init__(self, connection: Any) -> None:
        assert connection == "cloud"

    def images(self, image_ids: Any) -> dict[str, str]:
        return {IMAGE: "deactivated"}

    def project_id(self, name: str) -> str:
        return PROJECT if name == "demo" else name

    def image_ids(self, name: str) -> list[str]:
        return [IMAGE] if name == "cirros" else [name]


class Scene(SimpleNamespace):
    databases: ListingDatabases
    has_cloud: bool


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    databases = ListingDatabases()
    databases.bury(A, age=30, networks=False)
    databases.leave_behind(B, age=9000)
    scene = Scene(
        databases=databases,
        has_cloud=False,
        cloud="cloud",
        conductor=SimpleNamespace(queue_depth=lambda: 2),
        settle_time=lambda given: timedelta(seconds=1860 if given is None else given),
        close=databases.close,
    )

    def connections(params: Any, **options: Any) -> Scene:
        assert options["read_only"]
        assert options["cloud"]
        return scene

    monkeypatch.setattr(nova_databases_module, "NovaConnections", connections)
    monkeypatch.setattr(module, "ImageVolumeStatus", Status)
    monkeypatch.setattr(module, "NeutronNetworks", lambda cloud: FakeNeutron())
    return scene


def codes(instance: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in instance["verdict"]["reasons"]]


def test_without_a_cloud_what_needs_it_is_unchecked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_of(module.main, monkeypatch)
    assert not result["changed"]
    assert not result["truncated"]
    assert [one["uuid"] for one in result["instances"]] == [B, A]
    left, buried = result["instances"]
    assert codes(left) == ["queue_not_drained"]
    assert left["verdict"]["unchecked"] == ["images", "networks"]
    assert codes(buried) == ["networks_unknown"]
    assert buried["verdict"]["unchecked"] == ["images"]
    assert result["totals"]["classes"] == {"a": 1, "b": 0, "c": 1}


def test_with_a_cloud_names_are_looked_up_and_all_is_checked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.has_cloud = True
    result = result_of(module.main, monkeypatch, project="demo", image="cirros")
    [buried] = result["instances"]
    assert codes(buried) == ["networks_unknown", "image_not_active"]
    assert buried["verdict"]["unchecked"] == []
    assert result_of(module.main, monkeypatch, project="other")["instances"] == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"older_than": 60}, [B]),
        ({"newer_than": 60}, [A]),
        ({"instances": [A]}, [A]),
        ({"classes": ["c"]}, [B]),
        ({"fault": "no valid host"}, [A]),
        ({"metadata": {"k": "v"}, "tags": ["t1"], "classes": ["a"]}, [A]),
        ({"metadata": {"k": "w"}}, []),
        ({"image": IMAGE}, [A]),
        ({"flavor": "nothing"}, []),
        ({"limit": 1}, [B]),
    ],
)
def test_filters(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], expected: list[str]
) -> None:
    result = result_of(module.main, monkeypatch, check_mode=True, **options)
    assert [one["uuid"] for one in result["instances"]] == expected
    assert result["truncated"] is ("limit" in options)


def test_nothing_is_looked_up_that_is_not_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.has_cloud = True
    result = result_of(module.main, monkeypatch, checks=[])
    assert result["instances"][0]["verdict"]["unchecked"] == ["images", "networks", "queue"]
    settled = result_of(module.main, monkeypatch, checks=[], settle_time=100000)
    assert codes(settled["instances"][0]) == ["still_building"]


@pytest.mark.parametrize("name", ["older_than", "newer_than", "limit", "settle_time"])
def test_bad_numbers_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    result = result_of(module.main, monkeypatch, **{name: -1})
    assert result["error"]["code"] == "invalid_options"
    assert name in result["msg"]


def test_what_was_deleted_is_told_beside_the_instances(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert result_of(module.main, monkeypatch)["deleted"] == []
    scene.databases.note(A, "taken", project_id="p")
    scene.databases.map(A, cell_id=None)
    result = result_of(module.main, monkeypatch)
    assert [one["uuid"] for one in result["instances"]] == [B]
    (one,) = result["deleted"]
    assert (one["uuid"], one["journal"]["state"], one["cells"]) == (A, "taken", ["cell0"])


@pytest.mark.parametrize(
    ("copy", "source", "reason"),
    [("kept", "journal", []), (None, None, ["request_spec_missing"])],
)
def test_a_spec_that_nova_has_removed_is_looked_for_in_the_journal(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    copy: str | None,
    source: str | None,
    reason: list[str],
) -> None:
    (before,) = result_of(module.main, monkeypatch, instances=[A])["instances"]
    assert before["request_spec"] == "stored"
    spec = scene.databases.state["api"]["specs"].pop(A).spec
    scene.databases.note(A, "died", build_spec=spec if copy else None)
    (one,) = result_of(module.main, monkeypatch, instances=[A])["instances"]
    assert one["request_spec"] == source
    assert [code for code in codes(one) if code != "networks_unknown"] == reason
    assert one["flavor"] == (before["flavor"] if copy else None)
