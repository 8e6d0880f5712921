# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Nova, Glance, Cinder and Placement answer, as shapes of instances."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import reshape_cloud
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.reshape_cloud import (
    OpenStackReshapeCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_image import (
    ChosenImage,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    ReshapeCloud,
)
from fakes.nova_lists import page
from openstack import exceptions as sdk
from openstack.compute.v2.migration import Migration
from openstack.compute.v2.server import Server
from openstack.compute.v2.server_action import ServerAction

UUID = "7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11"
HYPERVISORS = [
    {"id": "1", "service": {"host": "compute-1"}, "cpu_info": {"arch": "x86_64"}},
    {"id": "2", "service": {"host": "compute-2"}, "cpu_info": '{"arch": "aarch64"}'},
    {"id": "3", "service": {"host": "compute-3"}, "cpu_info": "?"},
    {"id": "4", "service": {"host": "compute-4"}},
    {"id": "5", "service": {"host": "compute-5"}, "cpu_info": {"arch": "ppc64"}},
]


def server(**fields: Any) -> Server:
    return Server.existing(
        **{
            "id": UUID,
            "name": "web-1",
            "status": "ACTIVE",
            "tenant_id": "project",
            "image": "",
            "flavor": {"original_name": "small", "vcpus": 1, "ram": 64, "disk": 1},
            "metadata": {"tier": "web"},
            "tags": ["gold", "b"],
            "key_name": "key",
            "config_drive": "True",
            "OS-EXT-SRV-ATTR:user_data": "c2VjcmV0",
            "OS-EXT-SRV-ATTR:host": "compute-1",
            "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
            "OS-EXT-STS:vm_state": "active",
            "OS-SRV-USG:launched_at": "2026-03-01T01:00:00.000000",
            **fields,
        }
    )


class Cloud:
    """openstacksdk's proxies with canned answers."""

    def __init__(self, *servers: Any, **answers: Any) -> None:
        self.servers = list(servers)
        self.answers = answers
        self.asked: list[tuple[Any, ...]] = []
        self.sent: list[tuple[Any, ...]] = []
        self.compute = self.block_storage = self.network = self.image = self
        self.placement = self
        self.sdk = self
        self.newest_move = "resize"
        self.no_volume = False

    def has_service(self, _kind: str) -> bool:
        return True

    def get_server(self, _instance_id: str) -> Any:
        found = self.servers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def volume_attachments(self, _server_id: str) -> list[Any]:
        return [
            SimpleNamespace(device="/dev/vdb", volume_id="data"),
            SimpleNamespace(device="/dev/vda", volume_id="root"),
        ]

    def get_volume(self, volume_id: str) -> Any:
        self.asked.append(("volume", volume_id))
        if self.no_volume:
            raise sdk.NotFoundException("gone")
        noted = {"image_id": "i", "hw_numa_nodes": "2", "min_disk": "0", "checksum": "c"}
        return SimpleNamespace(id=volume_id, status="in-use", size=3, volume_image_metadata=noted)

    def migrations(self, **query: Any) -> list[Any]:
        self.asked.append(("migrations", query))
        rows = [(1, "confirmed", "resize"), (2, "confirming", self.newest_move)]
        return [
            Migration.existing(
                id=number,
                instance_uuid=UUID,
                status=status,
                source_compute="compute-1",
                migration_type=kind,
                created_at="2026-03-01T01:00:00Z",
            )
            for number, status, kind in rows
        ]

    def server_actions(self, _server_id: str) -> list[Any]:
        return [
            ServerAction.existing(action="rebuild", start_time="2026-03-01T02:00:00"),
            ServerAction.existing(action="create", start_time="2026-03-01T01:00:00"),
        ]

    def read(self, _proxy: Any, path: str, microversion: str | None = None) -> Any:
        self.asked.append((path, microversion))
        if path.startswith("/os-hypervisors/detail"):
            return page("hypervisors", HYPERVISORS, path, max_limit=3)
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def send_once(
        self, _proxy: Any, method: str, path: str, body: dict[str, Any], **_options: Any
    ) -> str:
        self.sent.append((method, path, body))
        return "req-1"


def cloud_of(connection: Any) -> OpenStackReshapeCloud:
    return OpenStackReshapeCloud(connection)


def test_it_is_what_the_domain_asks_for() -> None:
    cloud: ReshapeCloud = cloud_of(Cloud())
    assert cloud.shapes([]) == {}


def test_an_image_backed_instance() -> None:
    connection = Cloud(server(image={"id": "i"}))
    shape = cloud_of(connection).shapes([UUID])[UUID]
    assert shape.image_id == "i"
    assert (shape.flavor_name, shape.instance.memory_mb) == ("small", 64)
    assert shape.root_volume is None
    assert shape.kept["metadata"] == '{"tier": "web"}'
    assert shape.kept["tags"] == "b, gold"
    assert shape.kept["config_drive"] == "True"
    # It can hold secrets.
    assert "c2VjcmV0" not in str(shape.kept)
    assert connection.asked == []


def test_another_user_data_is_seen() -> None:
    other = server(**{"OS-EXT-SRV-ATTR:user_data": "b3RoZXI="})
    connection = Cloud(server(), other)
    cloud = cloud_of(connection)
    first, second = (cloud.shapes([UUID])[UUID].kept["user_data"] for _each in range(2))
    assert first != second


def test_a_volume_backed_instance_is_read_again_only_when_nova_is_done() -> None:
    busy = server(**{"OS-EXT-STS:task_state": "rebuilding"})
    connection = Cloud(server(), busy, server())
    cloud = cloud_of(connection)
    for _each in range(3):
        root = cloud.shapes([UUID])[UUID].root_volume
        assert root is not None
        assert (root.id, root.status, root.size_gb, root.image_id) == ("root", "in-use", 3, "i")
        assert root.image_properties == {"hw_numa_nodes": "2"}
    assert connection.asked == [("volume", "root")] * 2


def test_a_root_volume_that_cinder_does_not_know() -> None:
    connection = Cloud(server())
    connection.no_volume = True
    root = cloud_of(connection).shapes([UUID])[UUID].root_volume
    assert root is not None
    assert (root.id, root.status, root.image_id) == ("root", "missing", None)


def test_one_that_is_gone_is_missing() -> None:
    assert cloud_of(Cloud(sdk.NotFoundException("gone"))).shapes([UUID]) == {}


def test_a_resize_that_waits_and_an_instance_in_error() -> None:
    resized = server(image={"id": "i"}, **{"OS-EXT-STS:vm_state": "resized"})
    error = server(image={"id": "i"}, **{"OS-EXT-STS:vm_state": "error"})
    cloud = cloud_of(Cloud(resized, error))
    assert cloud.shapes([UUID])[UUID].resize_status == "confirming"
    assert cloud.shapes([UUID])[UUID].newest_action == "rebuild"


def test_a_cold_migration_that_waits_is_no_resize() -> None:
    connection = Cloud(server(image={"id": "i"}, **{"OS-EXT-STS:vm_state": "resized"}))
    connection.newest_move = "migration"
    assert cloud_of(connection).shapes([UUID])[UUID].resize_status is None


def test_calls() -> None:
    connection = Cloud()
    cloud = cloud_of(connection)
    assert cloud.rebuild("u", "i") == "req-1"
    cloud.resize("u", "f")
    cloud.confirm_resize("u")
    cloud.hard_reboot("u")
    assert [call for _post, _path, call in connection.sent] == [
        # Nothing but the image: all else is kept.
        {"rebuild": {"imageRef": "i"}},
        {"resize": {"flavorRef": "f"}},
        {"confirmResize": None},
        {"reboot": {"type": "HARD"}},
    ]


def test_traits_are_those_of_all_providers() -> None:
    connection = Cloud(
        **{
            "/allocations/u": {"allocations": {"a": {}, "b": {}}},
            "/resource_providers/a/traits": {"traits": ["A"]},
            "/resource_providers/b/traits": {"traits": ["B"]},
            "/allocations/v": {"allocations": {"b": {}}},
        }
    )
    cloud = cloud_of(connection)
    assert cloud.traits("u") == {"A", "B"}
    assert cloud.traits("v") == {"B"}
    # Those of a provider are read once.
    assert len(connection.asked) == 4


def test_the_id_of_a_flavor() -> None:
    connection = Cloud(**{"/servers/u": {"server": {"flavor": {"id": "f1", "links": []}}}})
    assert cloud_of(connection).flavor_id("u") == "f1"
    # Newer ones show what is in it instead.
    assert connection.asked == [("/servers/u", "2.46")]


def test_the_architecture_of_a_host() -> None:
    connection = Cloud()
    cloud = cloud_of(connection)
    hosts = [f"compute-{number}" for number in range(1, 7)]
    found = [cloud.architecture(host) for host in hosts]
    assert found == ["x86_64", "aarch64", None, None, "ppc64", None]
    # It is read once.
    markers = ("", "?marker=3", "?marker=5")
    assert connection.asked == [(f"/os-hypervisors/detail{m}", "2.87") for m in markers]


def test_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    nova = {"id": "i", "name": "new", "size": 5, "min_ram": 64, "min_disk": 1, "properties": {}}
    chosen = ChosenImage(nova=nova, project_ids=None)
    monkeypatch.setattr(reshape_cloud, "choose_image", lambda _connection, _name: chosen)
    cloud = cloud_of(Cloud(**{"/images/i": {"virtual_size": 7}}))
    image = cloud.image("new")
    assert (image.id, image.size, image.virtual_size) == ("i", 5, 7)
    assert (image.min_ram, image.min_disk) == (64, 1)
    nova["properties"] = {"cinder_encryption_key_id": "k"}
    with pytest.raises(RecoveryError) as error:
        cloud.image("new")
    assert error.value.code == "image_not_bootable"


def test_the_image_before_may_be_gone() -> None:
    cloud = cloud_of(Cloud(**{"/images/i": sdk.NotFoundException("gone")}))
    assert cloud.image_properties("i") is None
    with pytest.raises(RecoveryError) as error:
        cloud_of(Cloud(**{"/images/i": sdk.HttpException("broken")})).image_properties("i")
    assert error.value.code == "api_unavailable"
