# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The build's calls to Placement and Neutron, and the message that is put together."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.build_cloud import (
    OpenStackBuildCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_cloud import (
    BuildCloud,
)
from fakes.build import Original


class Cloud:
    """An adapter, and what it was asked and told."""

    def __init__(
        self, *, allocations: Any = (), ports: Any = (), read_only: bool = False, files: Any = None
    ) -> None:
        self.deleted: list[str] = []
        self.updated: list[tuple[str, dict[str, Any]]] = []
        self.identities: list[tuple[str, str]] = []
        self.original = Original.load()
        connection: Any = SimpleNamespace(
            sdk=SimpleNamespace(
                compute=None,
                image=None,
                network=SimpleNamespace(
                    ports=lambda **_query: list(ports),
                    update_port=lambda port_id, **values: self.updated.append((port_id, values)),
                ),
            ),
            placement="placement",
            session=SimpleNamespace(read_only=read_only),
            read=lambda _proxy, _path, *_more: {"allocations": {one: {} for one in allocations}},
            delete=lambda _proxy, path: self.deleted.append(path),
            send_once=lambda *_arguments: "req-1",
            has_service=lambda _name: False,
        )

        def identity(user_id: str, project_id: str) -> Any:
            self.identities.append((user_id, project_id))
            return self.original.identity()

        identities: Any = SimpleNamespace(identity=identity)
        self.api = OpenStackBuildCloud(connection, identities, files or {})
        images: Any = SimpleNamespace(image=lambda _id: self.original.arguments["image"])
        self.api._images = images


def port(name: str) -> Any:
    return SimpleNamespace(
        id=name,
        device_id="i",
        status="DOWN",
        binding_host_id="",
        binding_vif_type="",
        is_admin_state_up=True,
        device_profile=None,
        network_id="n",
        fixed_ips=[],
        resource_request=None,
    )


def test_it_is_what_the_domain_asks_for() -> None:
    same: BuildCloud = Cloud().api
    assert same is not None


@pytest.mark.parametrize(("held", "deleted"), [(["rp"], ["/allocations/i"]), ([], [])])
def test_allocations_are_deleted_where_there_are_any(held: Any, deleted: list[str]) -> None:
    cloud = Cloud(allocations=held)
    cloud.api.delete_allocations("i")
    assert cloud.deleted == deleted


def test_only_ports_that_belong_to_the_instance_are_freed() -> None:
    cloud = Cloud(ports=[port("p1"), port("p2")])
    cloud.api.free_ports("i", ["p1", "p9"])
    assert cloud.updated == [("p1", {"device_id": "", "device_owner": "", "binding_host_id": ""})]


def test_in_check_mode_nothing_is_freed() -> None:
    cloud = Cloud(allocations=["rp"], ports=[port("p1")], read_only=True)
    with pytest.raises(MutationRefused):
        cloud.api.delete_allocations("i")
    with pytest.raises(MutationRefused):
        cloud.api.free_ports("i", ["p1"])
    # With nothing to free there is nothing to refuse.
    cloud.api.free_ports("i", ["p2"])
    assert (cloud.deleted, cloud.updated) == ([], [])


def with_networks(cloud: Cloud, networks: Any) -> Any:
    given = cloud.original.given()
    spec = json.loads(given.request_spec.spec)
    spec["nova_object.data"].pop("requested_networks", None)
    if networks is not None:
        spec["nova_object.data"]["requested_networks"] = networks
    row = type(given.request_spec)(
        instance_uuid=given.request_spec.instance_uuid, spec=json.dumps(spec)
    )
    return given.build_request, row


def test_the_message_is_of_what_is_stored_and_of_the_instances_user() -> None:
    cloud = Cloud()
    request, spec = with_networks(cloud, cloud.original.arguments["requested_networks"])
    made = cloud.api.compose(request, spec)
    assert made.instance_uuid == request.instance_uuid
    instance = cloud.original.instance
    assert cloud.identities == [(instance["user_id"], instance["project_id"])]
    assert made.context["auth_token"] == "an-operators-token"
    assert made.arguments["image"] == cloud.original.arguments["image"]
    assert made.arguments["injected_files"] == []
    assert "an-operators-token" not in repr(made)


def test_files_are_those_of_this_instance() -> None:
    uuid = Original.load().build_request["instance_uuid"]
    cloud = Cloud(files={uuid: [("/etc/motd", "aGk=")], "another": [("/x", "eA==")]})
    request, spec = with_networks(cloud, cloud.original.arguments["requested_networks"])
    files = cloud.api.compose(request, spec).arguments["injected_files"]
    assert [list(one) for one in files] == [["/etc/motd", "aGk="]]


def test_without_networks_there_is_no_message() -> None:
    cloud = Cloud()
    request, spec = with_networks(cloud, None)
    with pytest.raises(RecoveryError) as caught:
        cloud.api.compose(request, spec)
    assert caught.value.code == "networks_unknown"
    assert cloud.identities == []
