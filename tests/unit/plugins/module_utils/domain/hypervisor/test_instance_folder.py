# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder goes only when nothing speaks for shared storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.hypervisor import (
    FolderFile,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.instance_folder import (
    WATCH_SECONDS,
    Folder,
    plan_folders,
    remove_folders,
    require_elsewhere,
    require_storage_of_its_own,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.termination import (
    plan_termination,
    survey,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Instance,
    MigrationRecord,
)
from fakes import values
from fakes.hypervisor import PATH, FakeConnection, FakeHypervisor, domain, unreachable, uuid_of
from fakes.world import World

BEGUN = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
BEFORE = BEGUN.timestamp() - 60
AFTER = BEGUN.timestamp() + 60


def file(name: str, modified_at: float = BEFORE, **fields: Any) -> FolderFile:
    return FolderFile(
        **{"name": name, "type": "file", "modified_at": modified_at, "mark": "1", **fields}
    )


def path(number: int) -> str:
    return f"{PATH}/{uuid_of(number)}"


def folder(number: int, *written_here: str) -> Folder:
    return Folder(uuid_of(number), path(number), frozenset(written_here))


def remove(
    hypervisor: FakeHypervisor, *folders: Folder, world: World | None = None
) -> dict[str, str]:
    """By UUID what became of it: of one that was kept the code."""
    begun = {each.uuid: BEGUN for each in folders}
    results = remove_folders(FakeConnection(hypervisor), folders, begun, world or World())
    assert all((each.result == "kept") == bool(each.error) for each in results)
    return {each.uuid: each.error["code"] if each.error else each.result for each in results}


def reasons(hypervisor: FakeHypervisor, *folders: Folder) -> dict[str, str]:
    begun = {each.uuid: BEGUN for each in folders}
    results = remove_folders(FakeConnection(hypervisor), folders, begun, World())
    return {each.uuid: each.error["message"] for each in results if each.error}


def test_a_folder_in_which_nothing_happens_is_removed() -> None:
    hypervisor, world = FakeHypervisor(), World()
    hypervisor.folders = {path(1): (file("disk"), file("disk.info"))}
    results = remove(hypervisor, folder(1), folder(2), world=world)
    assert results == {uuid_of(1): "removed", uuid_of(2): "absent"}
    assert hypervisor.folders == {}
    assert world.slept == [WATCH_SECONDS]


def test_without_a_folder_nobody_waits() -> None:
    world = World()
    connection = FakeConnection(FakeHypervisor())
    assert remove_folders(connection, [], {}, world) == []
    assert connection.read_only == []
    remove_folders(connection, [folder(1)], {uuid_of(1): BEGUN}, world)
    assert world.slept == []


@pytest.mark.parametrize(
    "later",
    [
        (file("disk", mark="2"), file("disk.info")),
        (file("disk"),),
        (file("disk"), file("disk.info"), file("console.log")),
    ],
)
def test_a_change_while_it_is_watched_keeps_it(later: tuple[FolderFile, ...]) -> None:
    hypervisor = FakeHypervisor()
    hypervisor.folders = {path(1): (file("disk"), file("disk.info"))}
    looks = iter([hypervisor.folders, {path(1): later}])

    def look() -> None:
        hypervisor.folders = next(looks)

    hypervisor.before_looking = look
    assert remove(hypervisor, folder(1, "disk")) == {uuid_of(1): "folder_is_shared"}
    assert hypervisor.calls == []


@pytest.mark.parametrize(
    ("found", "written_here", "removed"),
    [
        # The guest did not run any more when it was looked for: nothing wrote here since.
        (file("disk", AFTER), (), False),
        (file("console.log", AFTER), (), False),
        # It ran until it was ended, and wrote what is its own.
        (file("disk", AFTER), ("disk",), True),
        (file("disk", AFTER), ("console.log",), False),
        (file("disk.config", AFTER), ("disk",), False),
        (file("disk.config", BEFORE), ("disk",), True),
        # A storage that tells no times.
        (file("disk", float("inf")), (), False),
    ],
)
def test_what_is_newer_than_the_evacuation_was_written_elsewhere(
    found: FolderFile, written_here: tuple[str, ...], removed: bool
) -> None:
    hypervisor = FakeHypervisor()
    hypervisor.folders = {path(1): (found,)}
    expected = "removed" if removed else "folder_is_shared"
    assert remove(hypervisor, folder(1, *written_here)) == {uuid_of(1): expected}
    assert list(hypervisor.folders) == ([] if removed else [path(1)])


def test_folders_in_it_and_errors_keep_it_and_none_of_the_others() -> None:
    hypervisor = FakeHypervisor(domain(3))
    hypervisor.folders = {
        path(1): (file("disk"), file("snapshots", type="dir")),
        path(2): (file("disk"),),
        path(3): (file("disk"),),
        path(4): (file("disk"),),
    }
    hypervisor.refuses[("remove_folder", path(2))] = RecoveryError("libvirt_error", "read-only")
    folders = [folder(number) for number in (1, 2, 3, 4)]
    assert remove(hypervisor, *folders) == {
        **{uuid_of(number): "folder_not_removed" for number in (1, 2, 3)},
        uuid_of(4): "removed",
    }
    assert sorted(hypervisor.folders) == [path(1), path(2), path(3)]
    assert reasons(hypervisor, *folders) == {
        uuid_of(1): f"{path(1)}: it holds snapshots",
        uuid_of(2): f"{path(2)}: read-only",
        uuid_of(3): f"{path(3)}: its domain is there again",
    }


@pytest.mark.parametrize("look", [0, 1])
def test_one_that_cannot_be_looked_into_is_kept(look: int) -> None:
    hypervisor = FakeHypervisor()
    hypervisor.folders = {path(1): (file("disk"),), path(2): (file("disk"),)}
    looks: list[str] = []
    real = hypervisor.folder

    def refused(where: str) -> tuple[FolderFile, ...] | None:
        looks.append(where)
        if where == path(1) and looks.count(where) == look + 1:
            raise RecoveryError("libvirt_error", "no pools")
        return real(where)

    hypervisor.folder = refused  # type: ignore[method-assign]
    expected = {uuid_of(1): "folder_not_removed", uuid_of(2): "removed"}
    assert remove(hypervisor, folder(1), folder(2)) == expected
    assert list(hypervisor.folders) == [path(1)]


def test_a_hang_at_the_first_look() -> None:
    hypervisor = FakeHypervisor()

    def hang() -> None:
        raise unreachable()

    hypervisor.before_looking = hang
    with pytest.raises(RecoveryError) as caught:
        remove(hypervisor, folder(1))
    assert (caught.value.code, caught.value.changed) == ("hypervisor_unreachable", False)


def test_a_hang_tells_what_was_removed() -> None:
    hypervisor = FakeHypervisor()
    hypervisor.folders = {path(1): (file("disk"),), path(2): (file("disk"),)}
    hypervisor.refuses[("remove_folder", path(2))] = unreachable()
    with pytest.raises(RecoveryError) as caught:
        remove(hypervisor, folder(1), folder(2))
    assert (caught.value.code, caught.value.changed) == ("hypervisor_unreachable", True)
    assert caught.value.details["folders"] == {
        uuid_of(1): {"folder": "removed", "folder_error": None}
    }


def test_a_folder_that_is_still_there_was_not_removed() -> None:
    hypervisor = FakeHypervisor()
    hypervisor.folders = {path(1): (file("disk"),)}
    hypervisor.remove_folder = lambda _path: None  # type: ignore[method-assign]
    assert remove(hypervisor, folder(1)) == {uuid_of(1): "folder_not_removed"}
    assert reasons(hypervisor, folder(1)) == {uuid_of(1): f"{path(1)}: it is still there"}


def test_whose_folders_go_and_what_a_guest_wrote() -> None:
    hypervisor = FakeHypervisor(domain(1), domain(2, "shutoff"), domain(3))
    seen = survey(FakeConnection(hypervisor), None)
    planned = plan_termination(seen, [uuid_of(number) for number in (1, 2, 4)])
    ran, off, gone = plan_folders(planned, f"{PATH}/")
    assert [each.path for each in (ran, off, gone)] == [path(1), path(2), path(4)]
    assert {"disk", "console.log", "console.log.0"} <= ran.written_here
    assert "disk.config" not in ran.written_here
    assert off.written_here == gone.written_here == frozenset()


@pytest.mark.parametrize("shared", [True, None])
def test_storage_must_be_declared_not_shared(shared: bool | None) -> None:
    require_storage_of_its_own(False, PATH)
    with pytest.raises(RecoveryError) as caught:
        require_storage_of_its_own(shared, PATH)
    assert caught.value.code == "invalid_options"


@pytest.mark.parametrize("where", ["", "instances", "/", "//"])
def test_a_path_must_be_one(where: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        require_storage_of_its_own(False, where)
    assert caught.value.code == "invalid_options"


class Cloud:
    """Nova, after one evacuation from compute-1."""

    def __init__(self) -> None:
        self.instances = [values.instance(id=uuid_of(1), host="compute-2")]
        self.records = [record(1, "done")]

    def instances_named(self, names: Any) -> list[Instance]:
        return [each for each in self.instances if each.id in names]

    def hypervisor_hostnames(self, host: str) -> frozenset[str]:
        return frozenset({"hyper-1"}) if host == "compute-1" else frozenset()

    def migrations(self, **query: str) -> list[MigrationRecord]:
        assert query == {"source_compute": "compute-1", "migration_type": "evacuation"}
        return self.records


def record(number: int, status: str) -> MigrationRecord:
    return values.record(number, status, instance_id=uuid_of(1), created_at=BEGUN)


def require(cloud: Cloud, host: str = "compute-1", hostname: str = "hyper-1") -> Any:
    return require_elsewhere(cloud, host, hostname, [folder(1)])


def change(**fields: Any) -> Callable[[Cloud], None]:
    def apply(cloud: Cloud) -> None:
        cloud.instances = [replace(each, **fields) for each in cloud.instances]

    return apply


@pytest.mark.parametrize("status", ["done", "completed"])
def test_an_instance_that_is_verified_elsewhere(status: str) -> None:
    cloud = Cloud()
    newer = replace(record(2, status), created_at=BEGUN + timedelta(hours=1))
    cloud.records = [newer, record(1, "failed")]
    assert require(cloud) == {uuid_of(1): newer.created_at}


@pytest.mark.parametrize(
    ("apply", "why"),
    [
        (change(host="compute-1"), "its host is compute-1"),
        (change(host=None), "its host is none"),
        (change(vm_state="error"), "it is error"),
        (change(task_state="rebuilding"), "it is active, rebuilding"),
        (lambda cloud: cloud.instances.clear(), "Nova does not know it"),
        (lambda cloud: cloud.records.clear(), "there is no evacuation record from compute-1"),
        (lambda cloud: cloud.records.append(record(2, "failed")), "evacuation record 2 is failed"),
        (
            lambda cloud: cloud.records.append(record(2, "pre-migrating")),
            "evacuation record 2 is pre-migrating",
        ),
    ],
)
def test_any_doubt_stops_everything(apply: Callable[[Cloud], None], why: str) -> None:
    cloud = Cloud()
    apply(cloud)
    with pytest.raises(RecoveryError) as caught:
        require(cloud)
    assert (caught.value.code, caught.value.details) == (
        "instance_not_elsewhere",
        {"instances": {uuid_of(1): why}},
    )


@pytest.mark.parametrize(
    ("host", "hostname", "code"),
    [("compute", "hyper-1", "host_not_found"), ("compute-1", "hyper-2", "wrong_hypervisor")],
)
def test_it_must_be_the_host_that_was_left(host: str, hostname: str, code: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        require(Cloud(), host, hostname)
    assert caught.value.code == code
