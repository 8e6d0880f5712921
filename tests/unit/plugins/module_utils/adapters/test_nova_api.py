# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's answers as values."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api import (
    NovaApi,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.cloud import (
    ComputeServices,
    EvacuationRecords,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    RecoveryError,
)
from fakes import values
from fakes.nova_lists import page
from openstack import exceptions as sdk
from openstack.compute.v2.hypervisor import Hypervisor
from openstack.compute.v2.migration import Migration
from openstack.compute.v2.server import Server
from openstack.compute.v2.server_action import ServerAction
from openstack.compute.v2.service import Service

UUID = "7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11"


def server(**fields: Any) -> Server:
    """As microversion 2.93 shows it."""
    return Server.existing(
        **{
            "id": UUID,
            "name": "web-1",
            "status": "ACTIVE",
            "tenant_id": "project",
            "image": "",
            "locked": False,
            "flavor": {
                "vcpus": 1,
                "ram": 512,
                "disk": 1,
                "ephemeral": 0,
                "swap": 0,
                "original_name": "small",
                "extra_specs": {},
            },
            "OS-EXT-SRV-ATTR:host": "compute-1",
            "OS-EXT-STS:vm_state": "active",
            "OS-EXT-STS:task_state": None,
            "OS-EXT-STS:power_state": 1,
            "OS-SRV-USG:launched_at": "2026-03-01T01:00:00.000000",
            "os-extended-volumes:volumes_attached": [{"id": "v", "delete_on_termination": False}],
            **fields,
        }
    )


class Compute:
    """openstacksdk's compute proxy, with canned answers."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any, **query: Any) -> Any:
            self.asked.append((name, query))
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask


def nova(**answers: Any) -> tuple[NovaApi, Compute, list[Any]]:
    refusals = list(answers.pop("refusals", ()))
    groups, max_limit = answers.pop("groups", ()), answers.pop("max_limit", 1000)
    compute, sent = Compute(**answers), []

    def send_once(_proxy: Any, *call: Any, microversion: str | None = None) -> str:
        sent.append((*call, microversion) if microversion else call)
        if microversion and refusals:
            raise refusals.pop(0)
        return "req-1"

    connection: Any = SimpleNamespace(
        read=lambda _proxy, path, _microversion: page(
            "server_groups", groups, path, max_limit=max_limit
        ),
        delete=lambda _proxy, *call: sent.append(("delete", *call)),
        sdk=SimpleNamespace(compute=compute),
        session=SimpleNamespace(api_time=lambda: values.at(0)),
        send_once=send_once,
    )
    return NovaApi(connection), compute, sent


def test_it_is_what_the_domain_asks_for() -> None:
    services: ComputeServices = nova(services=[])[0]
    records: EvacuationRecords = nova(migrations=[])[0]
    assert services.compute_services() == []
    assert records.migrations() == []
    assert nova()[0].api_time() == values.at(0)


def test_a_server() -> None:
    api, compute, _sent = nova(servers=[server()])
    (found,) = api.instances_on("compute-1")
    assert found == values.instance(
        id=UUID, volume_ids=frozenset("v"), vcpus=1, memory_mb=512, root_gb=1
    )
    assert compute.asked == [("servers", {"all_projects": True, "compute_host": "compute-1"})]


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"image": {"id": "i"}}, "image_id", "i"),
        ({"image": None}, "image_id", None),
        ({"OS-SRV-USG:launched_at": None}, "launched", False),
        ({"OS-EXT-STS:power_state": 4}, "power_state", 4),
        ({"OS-EXT-STS:power_state": None}, "power_state", 0),
        ({"OS-EXT-STS:task_state": "deleting"}, "task_state", "deleting"),
        ({"OS-EXT-SRV-ATTR:host": "compute-2"}, "host", "compute-2"),
        ({"locked": True}, "locked", True),
        ({"flavor": {"ephemeral": 7}}, "ephemeral_gb", 7),
        (
            {"flavor": {"extra_specs": {"hw:tpm_version": "2.0"}}},
            "extra_specs",
            {"hw:tpm_version": "2.0"},
        ),
        ({"os-extended-volumes:volumes_attached": []}, "volume_ids", frozenset()),
        ({"fault": {"message": "No valid host", "code": 500}}, "fault", "No valid host"),
        ({"metadata": {"tier": "db"}}, "metadata", {"tier": "db"}),
        ({"tags": ["gold"]}, "tags", frozenset({"gold"})),
        ({"OS-EXT-SRV-ATTR:root_device_name": "/dev/vda"}, "root_device_name", "/dev/vda"),
    ],
)
def test_each_part_of_a_server(fields: dict[str, Any], name: str, value: Any) -> None:
    (found,) = nova(servers=[server(**fields)])[0].instances_changed_since(values.at(0))
    assert getattr(found, name) == value


def test_a_filter_that_nova_does_not_keep_is_kept_here() -> None:
    others = [server(**{"OS-EXT-SRV-ATTR:host": host}) for host in ("compute-10", None)]
    assert nova(servers=others)[0].instances_on("compute-1") == []


def test_a_user_who_may_not_see_the_states_is_told_the_policy() -> None:
    with pytest.raises(ApiRefused, match="os-extended-status"):
        nova(servers=[server(**{"OS-EXT-STS:vm_state": None})])[0].instances_on("compute-1")


def test_a_cell_that_does_not_answer_is_no_empty_list() -> None:
    with pytest.raises(RecoveryError) as raised:
        nova(servers=[Server.existing(id=UUID, status="UNKNOWN")])[0].instances_on("compute-1")
    assert raised.value.code == "cell_down"
    with pytest.raises(RecoveryError) as raised:
        nova(services=[Service.existing(id="1", host="h", status="UNKNOWN")])[0].compute_services()
    assert raised.value.code == "cell_down"


def test_names_are_exact_although_nova_takes_them_for_regular_expressions() -> None:
    api, compute, _sent = nova(servers=[server(name="web.1"), server(name="web-1", id="x")])
    assert [found.name for found in api.instances_named(["web.1"])] == ["web.1"]
    assert compute.asked[0][1]["name"] == r"^web\.1$"


def test_ids_are_read_and_names_that_look_like_ids_are_found_too() -> None:
    api, compute, _sent = nova(get_server=server())
    assert [found.id for found in api.instances_named([UUID])] == [UUID]
    missing = sdk.NotFoundException("no")
    api, compute, _sent = nova(get_server=missing, servers=[server(name=UUID, id="x")])
    assert [found.id for found in api.instances_named([UUID])] == ["x"]
    assert [name for name, _query in compute.asked] == ["get_server", "servers"]


def test_a_service() -> None:
    found = Service.existing(
        id="s",
        host="compute-1",
        binary="nova-compute",
        status="disabled",
        state="down",
        forced_down=True,
        disabled_reason="x",
        updated_at="2026-03-01T02:00:00.000000",
        zone="nova",
    )
    assert nova(services=[found])[0].compute_services() == [
        values.service(
            id="s", status="disabled", state="down", forced_down=True, disabled_reason="x"
        )
    ]


def test_the_names_of_a_hosts_hypervisors() -> None:
    found = [
        Hypervisor.existing(
            id="1", hypervisor_hostname="compute-1.a", service={"host": "compute-1"}
        ),
        Hypervisor.existing(id="2", hypervisor_hostname="node-2", service={"host": "compute-1"}),
        Hypervisor.existing(
            id="3", hypervisor_hostname="compute-10", service={"host": "compute-10"}
        ),
        Hypervisor.existing(id="4", hypervisor_hostname="lost"),
    ]
    api, compute, _session = nova(hypervisors=found)
    assert api.hypervisor_hostnames("compute-1") == {"compute-1.a", "node-2"}
    assert api.hypervisor_hostnames("compute") == frozenset()
    assert compute.asked[0] == ("hypervisors", {"details": True})


def test_a_record() -> None:
    found = Migration.existing(
        id=7,
        uuid="u",
        instance_uuid="i",
        status="done",
        migration_type="evacuation",
        source_compute="compute-1",
        dest_compute="compute-2",
        created_at="2026-03-01T02:00:00.000000",
        updated_at=None,
    )
    api, compute, _sent = nova(migrations=[found])
    assert api.migrations(source_compute="compute-1", migration_type="evacuation") == [
        values.record(7, "done", uuid="u", instance_id="i")
    ]
    # What was not asked for is not sent: Nova would look for None.
    assert compute.asked == [
        ("migrations", {"source_compute": "compute-1", "migration_type": "evacuation"})
    ]


def test_records_of_one_instance() -> None:
    api, compute, _sent = nova(migrations=[])
    api.migrations(instance_id="i")
    assert compute.asked == [("migrations", {"server_id": "i"})]
    # openstacksdk leaves out of the query what it does not know.
    assert Migration._query_mapping._mapping["server_id"] == "instance_uuid"


def test_a_user_who_may_not_see_the_hosts_of_records_is_told_the_policy() -> None:
    # A host would seem to have no record at all, and nothing in progress.
    hidden = Migration.existing(
        id=7, instance_uuid="i", status="accepted", migration_type="evacuation"
    )
    with pytest.raises(ApiRefused, match="os-migrations:index:host") as raised:
        nova(migrations=[hidden])[0].migrations(host="compute-1")
    assert raised.value.code == "forbidden"


def test_groups_and_actions() -> None:
    group = {"id": "g", "name": "n", "policy": "anti-affinity", "members": ["a", "b"]}
    action = ServerAction.existing(action="stop", start_time="2026-03-01T02:00:00.000000")
    api = nova(groups=[group], server_actions=[action])[0]
    assert api.server_groups() == [
        values.group("anti-affinity", "a", "b", name="n").__class__(
            id="g", name="n", policy="anti-affinity", member_ids=frozenset("ab")
        )
    ]
    (found,) = api.power_actions("i")
    assert (found.action, found.start_time) == ("stop", datetime(2026, 3, 1, 2, tzinfo=UTC))


def test_groups_after_the_first_page() -> None:
    groups = [
        {"id": f"g{number}", "name": "n", "policy": "affinity", "members": [f"m{number}"]}
        for number in range(7)
    ]
    found = nova(groups=groups, max_limit=3)[0].server_groups()
    assert [group.id for group in found] == [f"g{number}" for number in range(7)]
    assert found[-1].member_ids == {"m6"}


def test_what_is_sent() -> None:
    api, _compute, sent = nova()
    assert api.evacuate("i", leave_off=False) == "req-1"
    api.stop("i")
    api.update_service("s", {"forced_down": True})
    api.delete_service("s")
    assert sent == [
        # No host: the scheduler picks it. No force, no password, no storage flag.
        ("post", "/servers/i/action", {"evacuate": {}}),
        ("post", "/servers/i/action", {"os-stop": None}),
        ("put", "/os-services/s", {"forced_down": True}),
        ("delete", "/os-services/s"),
    ]


def test_what_is_sent_for_a_migration() -> None:
    api, _compute, sent = nova()
    assert api.live_migrate("i", "compute-1") == "req-1"
    api.cold_migrate("i", "compute-1")
    api.confirm_resize("i")
    to_host = {"host": "compute-1"}
    assert sent == [
        # Without force: the scheduler checks the host.
        ("post", "/servers/i/action", {"os-migrateLive": {**to_host, "block_migration": "auto"}}),
        ("post", "/servers/i/action", {"migrate": to_host}),
        ("post", "/servers/i/action", {"confirmResize": None}),
    ]


def action(message: str | None = "Error", **fields: Any) -> ServerAction:
    return ServerAction.existing(
        action="live-migration", message=message, request_id="req-7", server_id="i", **fields
    )


def test_why_an_action_has_failed() -> None:
    events = [
        {"event": "a", "result": "Success", "details": None},
        {"event": "b", "result": "Error", "details": None},
        {"event": "c", "result": "Error", "details": "No valid host was found. "},
    ]
    told = action(events=events)
    assert (
        nova(server_actions=[action(), action(None)], get_server_action=told)[0].failure_of("i")
        == "No valid host was found"
    )
    assert nova(server_actions=[action(None), action()])[0].failure_of("i") is None
    assert nova(server_actions=[])[0].failure_of("i") is None
    untold = action(events=events[:2])
    assert nova(server_actions=[action()], get_server_action=untold)[0].failure_of("i") is None


EVACUATE = ("post", "/servers/i/action", {"evacuate": {}})


def test_what_is_to_stay_off_is_sent_with_the_version_that_leaves_it_off() -> None:
    api, _compute, sent = nova()
    assert api.evacuate("i", leave_off=True) == "req-1"
    assert sent == [(*EVACUATE, "2.95")]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (406, "Version 2.95 is not supported by the API. Minimum is 2.1 and maximum is 2.93."),
        (400, "Starting with microversion 2.95, evacuate API will stop instance on destination."),
    ],
)
def test_a_nova_that_cannot_leave_it_off_is_asked_as_ever_and_once(status: int, text: str) -> None:
    api, _compute, sent = nova(refusals=[ApiRefused("api_refused", text, status=status)])
    api.evacuate("i", leave_off=True)
    api.evacuate("i", leave_off=True)
    assert sent == [(*EVACUATE, "2.95"), EVACUATE, EVACUATE]


def test_another_refusal_is_not_taken_for_that() -> None:
    refused = ApiRefused("api_refused", "Compute service of compute-1 is in use", status=400)
    api, _compute, sent = nova(refusals=[refused])
    with pytest.raises(ApiRefused):
        api.evacuate("i", leave_off=True)
    assert sent == [(*EVACUATE, "2.95")]


def test_changes_are_asked_for_in_utc() -> None:
    api, compute, _sent = nova(servers=[])
    api.instances_changed_since(values.at(0))
    assert compute.asked[0][1]["changes_since"] == "2026-03-01T02:00:00Z"
