# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module libvirt_instance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.hypervisor import (
    FolderFile,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    libvirt_instance as module,
)
from fakes import values
from fakes.ansible_module import result_of
from fakes.hypervisor import PATH, FakeConnection, FakeHypervisor, domain, unreachable, uuid_of
from fakes.world import World

BEGUN = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
URI = "qemu+tls://compute-1/system"
ALL: dict[str, Any] = {"uri": URI, "state": "absent", "all_instances": True}
FOLDER: dict[str, Any] = {
    "uri": URI,
    "state": "absent",
    "instances": [uuid_of(1)],
    "host": "compute-1",
    "remove_folder": True,
    "shared_storage": False,
}


class Scene:
    """A hypervisor, Nova, and how the module has reached them."""

    def __init__(self) -> None:
        self.hypervisor = FakeHypervisor(
            domain(1), domain(2, "shutoff"), domain(3, "paused"), domain(9, foreign=True)
        )
        self.connection = FakeConnection(self.hypervisor)
        self.bounds: list[tuple[str, float, float]] = []
        self.logins: list[bool] = []
        self.host = "compute-2"

    def connect_libvirt(self, uri: str, *, connect_timeout: int, timeout: int) -> FakeConnection:
        self.bounds.append((uri, connect_timeout, timeout))
        return self.connection

    def connect_cloud(self, _params: Any, *, read_only: bool) -> None:
        self.logins.append(read_only)

    # Nova

    def hypervisor_hostnames(self, _host: str) -> frozenset[str]:
        return frozenset({"hyper-1"})

    def instances_named(self, names: Any) -> Any:
        return [values.instance(id=name, host=self.host) for name in names]

    def migrations(self, **_query: str) -> Any:
        return [values.record(1, "done", instance_id=uuid_of(1), created_at=BEGUN)]


@pytest.fixture(name="scene")
def _scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene()
    monkeypatch.setattr(module, "LIBVIRT_IMPORT_ERROR", None)
    monkeypatch.setattr(module, "LibvirtConnection", scene.connect_libvirt)
    monkeypatch.setattr(module, "SystemClock", World)
    monkeypatch.setattr(module, "NovaApi", lambda connection: scene)
    monkeypatch.setattr(recovery_module, "connect", scene.connect_cloud)
    return scene


def results(result: dict[str, Any]) -> dict[str, str]:
    return {each["uuid"]: each["result"] for each in result["domains"]}


def test_what_is_there(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, uri=URI, connect_timeout=3, timeout=4)
    assert not result["changed"]
    assert results(result) == dict.fromkeys((uuid_of(1), uuid_of(2), uuid_of(3)), "kept")
    assert result["foreign"] == 1
    assert result["hypervisor"] == {"uri": URI, "hostname": "hyper-1"}
    assert scene.bounds == [(URI, 3, 4)]
    assert scene.connection.read_only == [True]
    assert scene.logins == []
    some = result_of(module.main, monkeypatch, uri=URI, instances=[uuid_of(3), uuid_of(7)])
    assert results(some) == {uuid_of(3): "kept", uuid_of(7): "absent"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            {"all_instances": True},
            {
                uuid_of(1): "terminated",
                uuid_of(2): "not_running",
                uuid_of(3): "terminated",
            },
        ),
        (
            {"instances": [uuid_of(3).upper(), uuid_of(7)]},
            {
                uuid_of(3): "terminated",
                uuid_of(7): "absent",
                uuid_of(1): "kept",
                uuid_of(2): "kept",
            },
        ),
    ],
)
def test_check_mode_and_then_for_real_and_then_again(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, Any],
    expected: dict[str, str],
) -> None:
    options = {"uri": URI, "state": "absent", "hypervisor_hostname": "hyper-1", **wanted}
    planned = result_of(module.main, monkeypatch, check_mode=True, **options)
    assert scene.connection.read_only == [True]
    assert scene.hypervisor.calls == []
    done = result_of(module.main, monkeypatch, **options)
    for name in ("changed", "domains", "foreign", "diff"):
        assert done[name] == planned[name]
    assert done["changed"]
    assert results(done) == expected
    ended = [uuid for uuid, what in expected.items() if what in ("terminated", "not_running")]
    assert done["diff"]["after"] == dict.fromkeys(ended, "absent")
    assert uuid_of(9) in scene.hypervisor.held
    for check_mode in (True, False):
        again = result_of(module.main, monkeypatch, check_mode=check_mode, **options)
        assert not again["changed"]
        assert not {"terminated", "not_running"} & set(results(again).values())


def test_an_empty_list_means_none(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(module.main, monkeypatch, uri=URI, state="absent", instances=[])
    assert not result["changed"]
    assert set(results(result).values()) == {"kept"}
    assert scene.hypervisor.calls == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"state": "absent"}, "invalid_options"),
        ({**ALL, "instances": [uuid_of(1)]}, "invalid_options"),
        ({"state": "absent", "instances": ["web-1"]}, "invalid_options"),
        ({**ALL, "connect_timeout": 0}, "invalid_options"),
        ({**ALL, "timeout": 0}, "invalid_options"),
        ({**ALL, "hypervisor_hostname": "hyper"}, "wrong_hypervisor"),
        ({"state": "absent", "instances": [uuid_of(1), uuid_of(9)]}, "domain_not_nova"),
        ({**FOLDER, "shared_storage": True}, "invalid_options"),
        ({**FOLDER, "shared_storage": None}, "invalid_options"),
        ({**FOLDER, "host": None}, "invalid_options"),
        ({**FOLDER, "instances_path": "instances"}, "invalid_options"),
        ({**FOLDER, "state": "gathered"}, "invalid_options"),
        # Nova knows of no evacuation of the others.
        ({**FOLDER, "instances": [uuid_of(1), uuid_of(2)]}, "instance_not_elsewhere"),
    ],
)
def test_what_is_refused_changes_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], code: str
) -> None:
    result = result_of(module.main, monkeypatch, **{"uri": URI, **options})
    assert result["failed"]
    assert (result["error"]["code"], result["changed"]) == (code, False)
    assert scene.hypervisor.calls == []


def test_a_hang_in_the_middle(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.connection.hangs_after = 2
    result = result_of(module.main, monkeypatch, **ALL)
    assert result["failed"]
    assert result["changed"]
    assert (result["error"]["code"], result["error"]["retriable"]) == (
        "hypervisor_unreachable",
        True,
    )
    assert [each["result"] for each in result["error"]["details"]["domains"]] == [
        "terminated",
        "unreachable",
        "unreachable",
    ]


def test_the_folder_of_one_that_has_moved(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{PATH}/{uuid_of(1)}"
    before = FolderFile(name="disk", type="file", modified_at=0.0, mark="1")
    scene.hypervisor.folders = {path: (before,)}
    planned = result_of(module.main, monkeypatch, check_mode=True, **FOLDER)
    assert planned["domains"][0]["folder"] == "unchecked"
    assert scene.hypervisor.calls == []
    done = result_of(module.main, monkeypatch, **FOLDER)
    assert [(each["result"], each["folder"]) for each in done["domains"]] == [
        ("terminated", "removed"),
        ("kept", None),
        ("kept", None),
    ]
    assert scene.hypervisor.folders == {}
    # A folder alone is a change, too, and no folder is none.
    scene.hypervisor.folders = {path: (before,)}
    for folder, changed in (("removed", True), ("absent", False)):
        again = result_of(module.main, monkeypatch, **FOLDER)
        assert (again["domains"][0]["folder"], again["changed"]) == (folder, changed)
    # Nova is only ever read.
    assert set(scene.logins) == {True}


def newer(name: str) -> tuple[FolderFile, ...]:
    """A file that was changed after the evacuation was begun."""
    return (FolderFile(name=name, type="file", modified_at=BEGUN.timestamp() + 1, mark="1"),)


def test_a_folder_that_is_kept_is_no_failure(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{PATH}/{uuid_of(1)}"
    scene.hypervisor.folders = {path: newer("disk.config")}
    for result, changed in (("terminated", True), ("absent", False)):
        done = result_of(module.main, monkeypatch, **FOLDER)
        assert done["changed"] is changed
        ended, *others = done["domains"]
        assert (ended["result"], ended["folder"]) == (result, "kept")
        assert ended["folder_error"]["code"] == "folder_is_shared"
        assert f"{path}: disk.config changed after" in ended["folder_error"]["message"]
        assert {(each["folder"], each["folder_error"]) for each in others} == {(None, None)}
    assert list(scene.hypervisor.folders) == [path]


def test_a_run_that_was_killed_between_guests_and_folders(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The guest's own disk; nothing tells any more that it was the guest.
    scene.hypervisor.folders = {f"{PATH}/{uuid_of(1)}": newer("disk")}
    result_of(module.main, monkeypatch, uri=URI, state="absent", instances=[uuid_of(1)])
    done = result_of(module.main, monkeypatch, **FOLDER)
    assert "failed" not in done
    assert (done["domains"][0]["result"], done["domains"][0]["folder"]) == ("absent", "kept")


def test_a_hang_at_the_folders_tells_of_the_domain_that_was_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{PATH}/{uuid_of(1)}"
    scene.hypervisor.folders = {path: newer("disk")}
    scene.hypervisor.refuses[("remove_folder", path)] = unreachable()
    result = result_of(module.main, monkeypatch, **FOLDER)
    assert (result["error"]["code"], result["changed"]) == ("hypervisor_unreachable", True)
    assert result["error"]["details"]["domains"][0]["result"] == "terminated"


def test_without_libvirt_python(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIBVIRT_IMPORT_ERROR", "Traceback: no libvirt")
    result = result_of(module.main, monkeypatch, **ALL)
    assert result["failed"]
    assert "libvirt-python" in result["msg"]
    assert scene.connection.read_only == []


def test_errors_of_the_hypervisor(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise RecoveryError("hypervisor_refused", "no")

    monkeypatch.setattr(scene.connection, "run", refuse)
    result = result_of(module.main, monkeypatch, **ALL)
    assert (result["error"]["code"], result["changed"]) == ("hypervisor_refused", False)
