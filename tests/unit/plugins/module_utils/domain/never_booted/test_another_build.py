# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rewritten instance, against what Nova itself wrote for its twin."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_build import (
    Build,
    Replacement,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_request import (
    build_request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
)
from fakes.another_build import Twin

# Of the one instance, or of the moment.
OWN = {"uuid", "instance_uuid", "display_name", "hostname", "reservation_id", "created_at"}
# A BuildRequest written from rows states these, and Nova leaves them open; all are null or false.
STATED = {"updated_at", "terminated_at", "launched_at", "launched_on", "deleted"}


def data(found: Any) -> Any:
    """Without class names, versions and changes."""
    if isinstance(found, dict):
        if "nova_object.data" in found:
            return data(found["nova_object.data"])
        return {name: data(value) for name, value in found.items()}
    return [data(each) for each in found] if isinstance(found, list) else found


def without(found: Any, names: set[str]) -> Any:
    return {name: value for name, value in found.items() if name not in names}


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(RecoveryError) as caught:
        call()
    return caught.value.code


def both(twin: Twin) -> Replacement:
    return Replacement(image=twin.image, flavor=twin.flavor)


def with_extra_specs(twin: Twin, **specs: str) -> Twin:
    """With extra specs in the flavor that the instance has."""
    flavor = json.loads(json.dumps(twin.spec.get("flavor")))
    flavor["nova_object.data"]["extra_specs"] = specs
    return replace(twin, spec=twin.spec.with_fields({"flavor": flavor}))


def with_properties(twin: Twin, **properties: Any) -> Twin:
    """With properties of the image that the instance has."""
    image = json.loads(json.dumps(twin.spec.get("image")))
    image["nova_object.data"]["properties"]["nova_object.data"] = properties
    return replace(twin, spec=twin.spec.with_fields({"image": image}))


@pytest.mark.parametrize("name", ["hardware", "snapshot"])
def test_it_is_what_nova_wrote_for_a_twin(name: str) -> None:
    twin = Twin.load(name)
    rows, spec = both(twin).rewrite(twin.rows, twin.spec)
    request = build_request(rows, None)
    ours, novas = data(json.loads(request.instance)), data(twin.novas["instance"])
    assert ours["info_cache"].pop("instance_uuid") == rows.instance_uuid
    novas["info_cache"].pop("instance_uuid")
    stated = STATED - set(novas)
    assert {name: ours.pop(name) for name in stated} == {
        name: False if name == "deleted" else None for name in stated
    }
    assert without(ours, OWN) == without(novas, OWN)
    devices = data(json.loads(request.block_device_mappings))["objects"]
    of_nova = data(twin.novas["block_device_mappings"])["objects"]
    assert [without(one, OWN) for one in devices] == [without(one, OWN) for one in of_nova]
    assert without(data(spec.primitive), {*OWN, "requested_networks"}) == without(
        data(twin.novas["spec"]), OWN
    )


@pytest.mark.parametrize("name", ["hardware", "snapshot"])
def test_versions_of_the_spec_are_those_that_this_nova_writes(name: str) -> None:
    twin = Twin.load(name)
    _rows, spec = both(twin).rewrite(twin.rows, twin.spec)
    novas = RequestSpec(twin.novas["spec"])
    for field in ("image", "flavor"):
        assert without(spec.get(field), {"nova_object.data", "nova_object.changes"}) == without(
            novas.get(field), {"nova_object.data", "nova_object.changes"}
        )
    changes = [set(one.get("image")["nova_object.changes"]) for one in (spec, novas)]
    assert changes[0] == changes[1]


def test_what_is_given_is_not_changed() -> None:
    twin, untouched = Twin.load(), Twin.load()
    both(twin).rewrite(twin.rows, twin.spec)
    assert twin.rows == untouched.rows
    assert twin.spec.primitive == untouched.spec.primitive


def test_networks_stay() -> None:
    twin = Twin.load()
    _rows, spec = both(twin).rewrite(twin.rows, twin.spec)
    assert spec.requested_networks == twin.spec.requested_networks != []


def test_done_once_it_does_not_differ() -> None:
    twin = Twin.load()
    wanted = both(twin)
    assert wanted.differs(twin.spec)
    rows, spec = wanted.rewrite(twin.rows, twin.spec)
    assert not wanted.differs(spec)
    assert not Replacement(image=twin.image).differs(spec)
    assert Replacement(image=twin.with_image(os_type="windows")).differs(spec)
    assert Replacement(flavor=replace(twin.flavor, extra_specs={})).differs(spec)
    again = wanted.rewrite(rows, spec)
    assert build_request(again[0], None) == build_request(rows, None)
    assert again[1].primitive == spec.primitive


def test_names_for_people() -> None:
    twin = Twin.load()
    assert Build.of(twin.spec).names == {"flavor": "lab.tiny", "image": "lab-image"}
    assert both(twin).target(twin.spec)[1].names == {
        "flavor": "twin-hardware",
        "image": "twin-hardware",
    }


def test_only_a_flavor_changes_the_least_disk() -> None:
    twin = Twin.load()
    rows, _spec = Replacement(flavor=twin.flavor).rewrite(twin.rows, twin.spec)
    kept = {row["key"]: row["value"] for row in rows.live("instance_system_metadata")}
    assert kept["image_min_disk"] == "3"
    assert rows.instance["image_ref"] == twin.rows.instance["image_ref"] != twin.image.id


def test_notes_that_are_not_of_the_image_stay() -> None:
    twin = Twin.load("snapshot")
    rows, _spec = Replacement(image=twin.image).rewrite(twin.rows, twin.spec)
    kept = {row["key"]: row["value"] for row in rows.live("instance_system_metadata")}
    assert kept["owner_user_name"] == "demo"
    assert kept["image_owner_user_name"] == "somebody"
    assert "image_owner_specified.openstack.object" not in kept


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"disabled": True}, "flavor_disabled"),
        ({"is_public": False}, "flavor_not_accessible"),
        ({"memory_mb": 31}, "flavor_memory_too_small"),
        ({"root_gb": 1}, "flavor_disk_too_small"),
        ({"root_gb": 0}, "flavor_without_disk"),
        ({"extra_specs": {"hw:numa_nodes": "1"}}, "flavor_needs_nova"),
        ({"extra_specs": {"pci_passthrough:alias": "a:1"}}, "flavor_needs_nova"),
    ],
)
def test_a_flavor_that_is_refused(fields: dict[str, Any], code: str) -> None:
    twin = Twin.load()
    wanted = Replacement(image=twin.image, flavor=replace(twin.flavor, **fields))
    assert refusal(lambda: wanted.rewrite(twin.rows, twin.spec)) == code


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"hw_numa_nodes": "1"}, "image_needs_nova"),
        ({"block_device_mapping": [{"boot_index": 0}]}, "image_needs_nova"),
        ({"hw_video_ram": "much"}, "image_property_invalid"),
        ({"cinder_encryption_key_id": "k"}, "image_not_bootable"),
    ],
)
def test_an_image_that_is_refused(properties: dict[str, Any], code: str) -> None:
    twin = Twin.load()
    wanted = Replacement(image=twin.with_image(**properties), flavor=twin.flavor)
    assert refusal(lambda: wanted.rewrite(twin.rows, twin.spec)) == code


def test_an_image_that_is_larger_than_the_disk() -> None:
    twin = Twin.load()
    large = replace(twin.image, nova={**twin.image.nova, "size": 3 * 1024**3 + 1})
    wanted = Replacement(image=large, flavor=twin.flavor)
    assert refusal(lambda: wanted.rewrite(twin.rows, twin.spec)) == "flavor_disk_too_small"


def test_its_present_image_must_fit_another_flavor() -> None:
    twin = Twin.load()
    image = json.loads(json.dumps(twin.spec.get("image")))
    image["nova_object.data"]["min_ram"] = 4096
    spec = twin.spec.with_fields({"image": image})
    wanted = Replacement(flavor=twin.flavor)
    assert refusal(lambda: wanted.rewrite(twin.rows, spec)) == "flavor_memory_too_small"


def test_one_that_boots_from_a_volume() -> None:
    twin = Twin.load()
    columns = {"source_type": "volume", "destination_type": "volume", "image_id": None}
    rows = twin.with_rows("block_device_mapping", **columns)
    spec = twin.spec.with_fields({"is_bfv": True})
    assert refusal(lambda: both(twin).rewrite(rows, spec)) == "volume_backed"
    # The size of its root disk is the volume's.
    flavor = replace(twin.flavor, root_gb=0)
    rewritten, _spec = Replacement(flavor=flavor).rewrite(rows, spec)
    assert rewritten.instance["root_gb"] == 0


def test_what_only_nova_could_derive_stays_while_the_flavor_stays() -> None:
    twin = with_extra_specs(Twin.load("snapshot"), **{"hw:numa_nodes": "1"})
    twin = replace(
        twin,
        spec=twin.spec.with_fields({"numa_topology": {"kept": True}}),
        rows=twin.with_rows("instance_extra", numa_topology='{"kept": true}'),
    )
    rows, spec = Replacement(image=twin.image).rewrite(twin.rows, twin.spec)
    assert spec.get("numa_topology") == {"kept": True}
    assert rows.all("instance_extra")[0]["numa_topology"] == '{"kept": true}'
    # A flavor that asks for none of it.
    rows, spec = Replacement(flavor=twin.flavor).rewrite(twin.rows, twin.spec)
    assert spec.get("numa_topology") is None
    assert rows.all("instance_extra")[0]["numa_topology"] is None


def test_what_the_image_before_had_to_do_with_it_is_not_known() -> None:
    twin = with_extra_specs(Twin.load("snapshot"), **{"hw:numa_nodes": "1"})
    twin = with_properties(twin, hw_cpu_thread_policy="isolate")
    wanted = Replacement(image=twin.image)
    assert refusal(lambda: wanted.rewrite(twin.rows, twin.spec)) == "flavor_needs_nova"


def request(**fields: Any) -> dict[str, Any]:
    return {"count": 1, "spec": [{}], "request_id": "r", "numa_policy": None, **fields}


def with_pci_requests(twin: Twin) -> Twin:
    of_flavor = request(alias_name="gpu")
    of_port = request(alias_name=None, requester_id="port")
    stored = json.loads(json.dumps(twin.spec.get("pci_requests")))
    stored["nova_object.data"]["requests"] = [
        {"nova_object.name": "InstancePCIRequest", "nova_object.data": one}
        for one in (of_flavor, of_port)
    ]
    return replace(
        twin,
        spec=twin.spec.with_fields({"pci_requests": stored}),
        rows=twin.with_rows("instance_extra", pci_requests=json.dumps([of_flavor, of_port])),
    )


def test_pci_devices_of_ports_stay_and_those_of_the_flavor_go() -> None:
    twin = with_pci_requests(with_extra_specs(Twin.load(), **{"pci_passthrough:alias": "gpu:1"}))
    rows, spec = both(twin).rewrite(twin.rows, twin.spec)
    [kept] = json.loads(rows.all("instance_extra")[0]["pci_requests"])
    assert kept["requester_id"] == "port"
    [kept] = spec.get("pci_requests")["nova_object.data"]["requests"]
    assert kept["nova_object.data"]["requester_id"] == "port"


def test_pci_devices_of_ports_that_follow_a_policy() -> None:
    specs = {"hw:pci_numa_affinity_policy": "socket"}
    twin = with_pci_requests(with_extra_specs(Twin.load(), **specs))
    assert refusal(lambda: both(twin).rewrite(twin.rows, twin.spec)) == "ports_need_nova"


def test_disks_that_follow_from_the_image_or_are_encrypted() -> None:
    twin = Twin.load()
    mapped = with_properties(twin, img_mappings=[{"virtual": "ephemeral0"}])
    assert refusal(lambda: both(twin).rewrite(mapped.rows, mapped.spec)) == "disks_need_nova"
    encrypted = twin.with_rows("block_device_mapping", encrypted=1)
    assert refusal(lambda: both(twin).rewrite(encrypted, twin.spec)) == "disks_need_nova"


def test_an_instance_without_its_extra_row() -> None:
    twin = Twin.load()
    tables = {name: rows for name, rows in twin.rows.tables.items() if name != "instance_extra"}
    rows = replace(twin.rows, tables=tables)
    assert refusal(lambda: both(twin).rewrite(rows, twin.spec)) == "rows_missing"
