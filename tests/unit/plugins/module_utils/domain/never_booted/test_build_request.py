# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The BuildRequest, against the one that Nova itself sent when the instance was created."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_request import (
    build_request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    InstanceRows,
)
from fakes.buried_instance import INSTANCE_UUID, rows_of, tables_of
from fakes.original_request import BUILD_REQUEST

ORIGINAL: dict[str, Any] = BUILD_REQUEST["nova_object.data"]


def without(value: Any) -> Any:
    """Primitives without their lists of changes, which say nothing of what is."""
    if isinstance(value, dict):
        return {name: without(of) for name, of in value.items() if name != "nova_object.changes"}
    return [without(of) for of in value] if isinstance(value, list) else value


def of(tables: dict[str, list[dict[str, Any]]]) -> InstanceRows:
    return InstanceRows(
        instance_uuid=INSTANCE_UUID, tables={name: tuple(rows) for name, rows in tables.items()}
    )


def instance(tables: dict[str, list[dict[str, Any]]], zone: str | None = None) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(build_request(of(tables), zone).instance)["nova_object.data"]
    return data


def devices(tables: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    made = json.loads(build_request(of(tables), None).block_device_mappings)
    return [one["nova_object.data"] for one in made["nova_object.data"]["objects"]]


def test_the_instance_is_what_nova_had_sent() -> None:
    assert json.loads(build_request(rows_of(), None).instance) == without(ORIGINAL["instance"])


def test_the_block_devices_are_what_nova_had_sent() -> None:
    made = json.loads(build_request(rows_of(), None).block_device_mappings)
    expected = without(ORIGINAL["block_device_mappings"])
    # 1.18 only moved a method: every release reads 1.17.
    assert (made["nova_object.version"], expected["nova_object.version"]) == ("1.17", "1.18")
    assert made["nova_object.data"] == expected["nova_object.data"]


def test_the_tags_are_what_nova_had_sent() -> None:
    assert json.loads(build_request(rows_of(), None).tags) == without(ORIGINAL["tags"])


def test_the_row_names_the_instance_and_its_project() -> None:
    row = build_request(rows_of(), None)
    assert row.instance_uuid == INSTANCE_UUID
    assert row.project_id == ORIGINAL["project_id"]
    assert row.id is None


def test_the_attempt_that_failed_leaves_no_trace() -> None:
    made = instance(
        tables_of(
            INSTANCE_UUID,
            vm_state="error",
            task_state="spawning",
            power_state=4,
            host="compute-1",
            node="compute-1",
            compute_id=7,
            launched_on="compute-1",
            progress=40,
            cleaned=1,
            availability_zone="zone-of-the-host",
        ),
        "asked-for",
    )
    assert made == {
        **instance(tables_of()),
        "availability_zone": "asked-for",
    }


def test_before_2024_1_instances_have_no_compute_id() -> None:
    tables = tables_of()
    del tables["instances"][0]["compute_id"]
    made = json.loads(build_request(of(tables), None).instance)
    assert made["nova_object.version"] == "2.7"
    assert "compute_id" not in made["nova_object.data"]
    assert "node" not in made["nova_object.data"]


def test_soft_deleted_rows_are_left_out() -> None:
    tables = tables_of()
    for name in ("instance_metadata", "instance_system_metadata", "block_device_mapping"):
        sibling = {**tables[name][0], "id": 900, "deleted": 900, "key": "gone", "value": "gone"}
        tables[name].append(sibling)
    assert build_request(of(tables), None) == build_request(rows_of(), None)


def test_flags_are_booleans_and_times_are_texts() -> None:
    made = instance(tables_of(INSTANCE_UUID, locked=1, auto_disk_config=1, hidden=1))
    assert [made[name] for name in ("locked", "auto_disk_config", "hidden", "deleted")] == [
        True,
        True,
        True,
        False,
    ]
    assert made["created_at"] == "2026-11-22T07:42:31Z"


def test_user_data_and_names_come_through_whole() -> None:
    made = instance(tables_of(INSTANCE_UUID, user_data="x" * 65535, display_name="名" * 255))
    assert made["user_data"] == "x" * 65535
    assert made["display_name"] == "名" * 255


def test_block_devices_are_in_the_order_of_their_ids() -> None:
    tables = tables_of()
    first = tables["block_device_mapping"][0]
    volume = {
        **first,
        "id": 1,
        "source_type": "volume",
        "volume_id": "v",
        "boot_index": 1,
        "attachment_id": "attachment",
        "connection_info": '{"of": "a failed attempt"}',
    }
    tables["block_device_mapping"].append(volume)
    made = devices(tables)
    assert [one["volume_id"] for one in made] == ["v", None]
    assert made[0]["attachment_id"] == "attachment"
    assert made[0]["connection_info"] is None
    # Unset, not null: Nova asks whether it is set.
    assert "attachment_id" not in made[1]
    assert not {"id", "uuid", "deleted"} & set(made[0])


def test_an_older_block_device_has_an_older_version() -> None:
    tables = tables_of()
    for name in ("encrypted", "encryption_secret_uuid", "encryption_format", "encryption_options"):
        del tables["block_device_mapping"][0][name]
    made = json.loads(build_request(of(tables), None).block_device_mappings)
    assert made["nova_object.data"]["objects"][0]["nova_object.version"] == "1.20"


@pytest.mark.parametrize(
    ("policy", "version"), [("socket", "1.4"), ("legacy", "1.3"), (None, "1.3")]
)
def test_pci_requests_become_objects(policy: str | None, version: str) -> None:
    tables = tables_of()
    stored = {
        "count": 1,
        "spec": [{"vendor_id": "8086"}],
        "alias_name": "nic",
        "is_new": True,
        "request_id": "r",
        "requester_id": "port",
        "numa_policy": policy,
    }
    tables["instance_extra"][0]["pci_requests"] = json.dumps([stored])
    made = instance(tables)["pci_requests"]["nova_object.data"]["requests"]
    assert [one["nova_object.version"] for one in made] == [version]
    assert made[0]["nova_object.data"] == {**stored, "is_new": False}


def test_what_instance_extra_holds_is_passed_on() -> None:
    tables = tables_of()
    extra = tables["instance_extra"][0]
    for name in ("numa_topology", "trusted_certs", "vcpu_model"):
        extra[name] = json.dumps({"nova_object.name": name})
    made = instance(tables)
    for name in ("numa_topology", "trusted_certs", "vcpu_model"):
        assert made[name] == {"nova_object.name": name}


def test_an_instance_without_extra_has_no_key_pair() -> None:
    tables = tables_of()
    del tables["instance_extra"]
    made = instance(tables)
    assert made["keypairs"]["nova_object.data"] == {"objects": []}
    assert made["flavor"] is None
    assert "vcpu_model" not in made


def test_tags_are_sorted() -> None:
    tables = tables_of()
    tables["tags"] = [{"resource_id": INSTANCE_UUID, "tag": tag} for tag in ("b", "ä", "a")]
    found = json.loads(build_request(of(tables), None).tags)["nova_object.data"]["objects"]
    assert [one["nova_object.data"]["tag"] for one in found] == ["a", "b", "ä"]
    assert all(one["nova_object.data"]["resource_id"] == INSTANCE_UUID for one in found)
