# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused before anything is changed, and what the plan says of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import Port
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.plan import (
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.planner import (
    build_plan,
)
from fakes import values
from fakes.reshape_nova import IMAGE, LARGE, NEW_IMAGE, OLD_IMAGE, SMALL, ReshapeNova, shape, volume
from fakes.world import World

GIB = 1024**3


def plan(nova: ReshapeNova, **fields: Any) -> Plan:
    wanted = {"image": NEW_IMAGE, "flavor": "large", "replace_root_disk": True}
    names = {"host": None, "instances": tuple(nova.now)}
    return build_plan(nova, Request(**{**names, **wanted, **fields}))


def code_of(nova: ReshapeNova, **fields: Any) -> str | None:
    """Of the refusal, where there is one. The plan without it has the same."""
    try:
        plan(nova, **fields)
    except RecoveryError as error:
        assert error.code == "refused"
        (details,) = error.details["instances"].values()
        assert error.retriable == (details["code"] == "task_in_progress")
        skipped = plan(nova, skip_refused=True, **fields).as_list()
        assert [entry["code"] for entry in skipped] == [details["code"]]
        return str(details["code"])
    return None


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (None, {}),
        ("locked", {"locked": True}),
        ("never_booted", {"launched": False}),
        ("being_deleted", {"task_state": "deleting"}),
        ("being_deleted", {"vm_state": "soft-delete"}),
        ("task_in_progress", {"task_state": "image_snapshot"}),
        ("task_in_progress", {"task_state": "rebuilding"}),
        # To the image and the flavor that are wanted: an earlier run has asked for it.
        (None, {"task_state": "rebuilding", "image_id": NEW_IMAGE}),
        (None, {"task_state": "resize_migrating"}),
        ("vm_state_not_allowed", {"vm_state": "paused"}),
        ("vm_state_not_allowed", {"vm_state": "shelved_offloaded"}),
        ("resize_pending", {"vm_state": "resized", "resize_status": "finished"}),
        (None, {"flavor": LARGE, "vm_state": "resized", "resize_status": "finished"}),
        (None, {"flavor": LARGE, "vm_state": "resized", "resize_status": "confirming"}),
        (None, {"flavor": LARGE, "vm_state": "resized", "resize_status": "confirmed"}),
        # Nobody would ever confirm these.
        ("resize_pending", {"flavor": LARGE, "vm_state": "resized", "resize_status": "error"}),
        ("resize_pending", {"flavor": LARGE, "vm_state": "resized", "resize_status": None}),
        ("in_error", {"vm_state": "error", "newest_action": "resize"}),
        ("in_error", {"vm_state": "error", "newest_action": "reboot"}),
        (None, {"vm_state": "error", "newest_action": "rebuild"}),
        ("root_volume", {"root_volume": volume(status="error"), "vm_state": "error"}),
        ("root_volume", {"root_volume": volume(status="reserved")}),
        # So it is while a rebuild is made, which an earlier run may have begun.
        (None, {"root_volume": volume(status="downloading"), "task_state": "rebuilding"}),
        ("host_down", {"host": "compute-9"}),
        ("vtpm", {"extra_specs": {"hw:tpm_version": "2.0"}}),
        ("accelerator", {"extra_specs": {"accel:device_profile": "gpu"}}),
        ("smaller_disk", {"root_gb": 5}),
        (None, {"root_gb": 5, "root_volume": volume()}),
        ("smaller_disk", {"ephemeral_gb": 1}),
    ],
)
def test_the_instance(code: str | None, fields: dict[str, Any]) -> None:
    assert code_of(ReshapeNova(World(), [shape(**fields)])) == code


@pytest.mark.parametrize(
    ("code", "image"),
    [
        ("image_does_not_fit", {"min_ram": 129}),
        (None, {"min_ram": 128}),
        ("image_does_not_fit", {"min_disk": 3}),
        (None, {"min_disk": 2}),
        ("image_does_not_fit", {"size": 2 * GIB + 1}),
        # The file is small, and the disk in it is not: Nova finds that out on the host.
        ("image_does_not_fit", {"virtual_size": 2 * GIB + 1}),
        (None, {"virtual_size": 2 * GIB}),
        ("image_not_accessible", {"project_ids": frozenset({"another"})}),
        (None, {"project_ids": frozenset({"project"})}),
        ("image_not_bootable", {"properties": {"block_device_mapping": [{}]}}),
        ("numa_change", {"properties": {"hw_numa_nodes": "2"}}),
        ("numa_change", {"properties": {"hw_cpu_policy": "dedicated"}}),
        ("numa_change", {"properties": {"hw_mem_page_size": "large"}}),
        ("vtpm", {"properties": {"hw_tpm_version": "2.0"}}),
        ("traits_missing", {"properties": {"trait:HW_CPU_X86_AVX2": "required"}}),
        (None, {"properties": {"trait:HW_CPU_X86_AVX2": "forbidden"}}),
        ("architecture", {"properties": {"hw_architecture": "aarch64"}}),
        (None, {"properties": {"hw_architecture": "amd64"}}),
        (None, {"properties": {"hw_architecture": "i686"}}),
        (None, {"properties": {"hw_disk_bus": "virtio"}}),
        ("image_property_invalid", {"properties": {"hw_video_ram": "much"}}),
    ],
)
def test_the_image(code: str | None, image: dict[str, Any]) -> None:
    nova = ReshapeNova(World(), [shape()])
    nova.images[NEW_IMAGE] = replace(IMAGE, **image)
    assert code_of(nova) == code


def test_the_image_before_counts() -> None:
    nova = ReshapeNova(World(), [shape()])
    numa = {"hw_numa_nodes": "2", "hw_vm_mode": "hvm"}
    nova.images[NEW_IMAGE] = replace(IMAGE, properties=numa)
    nova.properties[OLD_IMAGE] = {"hw_numa_nodes": 2, "hw_vm_mode": "hvm"}
    assert code_of(nova) is None
    nova.properties[OLD_IMAGE] = {"hw_numa_nodes": "2", "hw_vm_mode": "xen"}
    assert code_of(nova) == "machine_change"
    nova.images[NEW_IMAGE] = IMAGE
    assert code_of(nova) == "numa_change"
    # It is gone, and Nova compares with what it has kept of it.
    nova.properties[OLD_IMAGE] = None
    assert code_of(nova) is None


def test_that_of_a_root_volume_counts_too() -> None:
    root = volume(image_properties={"hw_numa_nodes": "2"})
    assert code_of(ReshapeNova(World(), [shape(root_volume=root)])) == "numa_change"


def test_a_volume_has_a_size_of_its_own() -> None:
    nova = ReshapeNova(World(), [shape(root_volume=volume(size_gb=5))])
    nova.images[NEW_IMAGE] = replace(IMAGE, min_disk=5, virtual_size=5 * GIB)
    assert code_of(nova) is None
    nova.images[NEW_IMAGE] = replace(IMAGE, min_disk=6)
    assert code_of(nova) == "image_does_not_fit"


@pytest.mark.parametrize("wanted", [{"image": None}, {"flavor": None}, {}])
def test_a_root_volume_that_cinder_does_not_know(wanted: dict[str, Any]) -> None:
    nova = ReshapeNova(
        World(), [shape(root_volume=volume(status="missing", size_gb=0, image_id=None))]
    )
    assert code_of(nova, **wanted) == "root_volume"
    # It stands for none of the others.
    nova.now["id-web-2"] = shape("web-2")
    found = plan(nova, skip_refused=True, **wanted).as_list()
    assert [(entry["name"], entry["action"] == "skip") for entry in found] == [
        ("web-2", False),
        ("web-1", True),
    ]


def test_a_root_volume_in_another_state_can_be_resized() -> None:
    nova = ReshapeNova(World(), [shape(root_volume=volume(status="uploading"))])
    assert code_of(nova, image=None) is None


def test_traits_that_the_host_has() -> None:
    nova = ReshapeNova(World(), [shape()])
    nova.images[NEW_IMAGE] = replace(IMAGE, properties={"trait:CUSTOM_FAST": "required"})
    nova.host_traits = frozenset({"CUSTOM_FAST"})
    assert code_of(nova) is None


@pytest.mark.parametrize(
    ("code", "flavor"),
    [
        ("flavor_not_accessible", {"project_ids": frozenset({"another"})}),
        ("accelerator", {"extra_specs": {"accel:device_profile": "gpu"}}),
        ("flavor_image_conflict", {"extra_specs": {"hw:pmu": "false"}}),
    ],
)
def test_the_flavor(code: str, flavor: dict[str, Any]) -> None:
    nova = ReshapeNova(World(), [shape()])
    nova.flavors["large"] = replace(LARGE, **flavor)
    nova.properties[OLD_IMAGE] = {"hw_pmu": "true"}
    assert code_of(nova, image=None) == code


@pytest.mark.parametrize(
    ("code", "flavor"),
    [
        ("flavor_edited", {"extra_specs": {"hw:cpu_policy": "shared"}}),
        # With other sizes, or another id, it was made anew, and is another one for Nova, too.
        (None, {"extra_specs": {"hw:cpu_policy": "shared"}, "memory_mb": 128}),
        (None, {"extra_specs": {"hw:cpu_policy": "shared"}, "id": "f3"}),
        (None, {}),
    ],
)
def test_a_flavor_that_was_edited_is_the_same_for_nova(
    code: str | None, flavor: dict[str, Any]
) -> None:
    nova = ReshapeNova(World(), [shape()])
    nova.flavors["small"] = replace(SMALL, **flavor)
    assert code_of(nova, flavor="small") == code


@pytest.mark.parametrize(
    ("code", "old", "new", "size"),
    [
        # The image fits the old flavor, so it comes first: the old one does not matter any more.
        ("flavor_image_conflict", {}, {"hw_pmu": "true"}, 1),
        (None, {"hw_pmu": "true"}, {}, 1),
        (None, {"hw_pmu": "true"}, {"hw_pmu": "false"}, 1),
        # It fits only the new flavor, which has to agree with both, one after the other.
        ("flavor_image_conflict", {}, {"hw_pmu": "true"}, 2),
        ("flavor_image_conflict", {"hw_pmu": "true"}, {}, 2),
        (None, {}, {}, 2),
    ],
)
def test_the_flavor_and_the_image_that_it_meets(
    code: str | None, old: dict[str, str], new: dict[str, str], size: int
) -> None:
    nova = ReshapeNova(World(), [shape()])
    nova.flavors["large"] = replace(LARGE, extra_specs={"hw:pmu": "false"})
    nova.properties[OLD_IMAGE] = old
    nova.images[NEW_IMAGE] = replace(IMAGE, min_disk=size, properties=new)
    assert code_of(nova) == code


def test_flavor_and_image_that_contradict_each_other() -> None:
    nova = ReshapeNova(World(), [shape(extra_specs={"hw:pmu": "false"})])
    nova.images[NEW_IMAGE] = replace(IMAGE, properties={"hw_pmu": "true"})
    assert code_of(nova, flavor=None) == "flavor_image_conflict"


def test_the_loss_of_the_root_disk_must_be_accepted() -> None:
    nova = ReshapeNova(World(), [shape()])
    assert code_of(nova, replace_root_disk=False) == "root_disk_replaced"
    # Nothing is lost where nothing is rebuilt.
    assert code_of(nova, replace_root_disk=False, image=None) is None
    nova = ReshapeNova(World(), [shape(image_id=NEW_IMAGE)])
    assert code_of(nova, replace_root_disk=False) is None
    # But where a rebuild has failed.
    nova = ReshapeNova(
        World(), [shape(image_id=NEW_IMAGE, vm_state="error", newest_action="rebuild")]
    )
    assert code_of(nova, replace_root_disk=False) == "root_disk_replaced"


@pytest.mark.parametrize(
    ("fields", "action", "lost"),
    [
        ({}, "rebuild, resize", "root disk"),
        ({"image_id": NEW_IMAGE}, "resize", None),
        ({"flavor": LARGE}, "rebuild", "root disk"),
        ({"flavor": LARGE, "ephemeral_gb": 0, "root_volume": volume()}, "rebuild", "root volume"),
        ({"flavor": LARGE, "image_id": NEW_IMAGE}, "verify", None),
        ({"flavor": LARGE, "image_id": NEW_IMAGE, "locked": True}, "verify", None),
        ({"flavor": LARGE, "image_id": NEW_IMAGE, "task_state": "rebuilding"}, "adopt", None),
        (
            {"image_id": NEW_IMAGE, "vm_state": "error", "newest_action": "rebuild"},
            "rebuild, resize",
            "root disk",
        ),
    ],
)
def test_what_is_planned(fields: dict[str, Any], action: str, lost: str | None) -> None:
    found = plan(ReshapeNova(World(), [shape(**fields)]))
    (entry,) = found.as_list()
    assert (entry["action"], entry["data_lost"]) == (action, lost)
    assert found.changes_something == (action not in ("adopt", "verify"))


@pytest.mark.parametrize(
    ("fields", "lost", "sends"),
    [
        # The flavor is still to come.
        ({"image_id": NEW_IMAGE, "task_state": "rebuilding"}, None, True),
        ({"task_state": "resize_migrating"}, "root disk", True),
        ({"image_id": NEW_IMAGE, "task_state": "resize_migrating"}, None, True),
        # Nova shows the new flavor before it has ended, and nobody else confirms it.
        ({"flavor": LARGE, "image_id": NEW_IMAGE, "task_state": "resize_finish"}, None, True),
        ({"flavor": LARGE, "vm_state": "resized", "resize_status": "finished"}, "root disk", True),
        (
            {
                "flavor": LARGE,
                "image_id": NEW_IMAGE,
                "vm_state": "resized",
                "resize_status": "finished",
            },
            None,
            True,
        ),
        (
            {
                "flavor": LARGE,
                "image_id": NEW_IMAGE,
                "vm_state": "resized",
                "resize_status": "confirming",
            },
            None,
            False,
        ),
        # Whether it is this image that is being put on it shows at its end only.
        (
            {"flavor": LARGE, "task_state": "rebuilding", "root_volume": volume()},
            "root volume",
            True,
        ),
    ],
)
def test_what_is_still_to_be_done_with_what_is_adopted(
    fields: dict[str, Any], lost: str | None, *, sends: bool
) -> None:
    found = plan(ReshapeNova(World(), [shape(**fields)]))
    (entry,) = found.as_list()
    assert (entry["action"], entry["data_lost"]) == ("adopt", lost)
    assert found.changes_something == sends


def test_a_rebuild_of_a_root_volume_replaces_the_ephemeral_disk_too() -> None:
    flavor = replace(LARGE, ephemeral_gb=1)
    nova = ReshapeNova(World(), [shape(flavor=flavor, root_volume=volume())])
    (entry,) = plan(nova, flavor=None).as_list()
    assert entry["data_lost"] == "root volume and ephemeral disk"


def test_ports_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    nova = ReshapeNova(World(), [shape(), shape("web-2")])
    asked: list[list[str]] = []
    real = nova.ports_of

    def ports_of(instance_ids: Iterable[str]) -> list[Port]:
        asked.append(sorted(instance_ids))
        return real(asked[-1])

    monkeypatch.setattr(nova, "ports_of", ports_of)
    found = plan(nova)
    assert asked == [["id-web-1", "id-web-2"]]
    assert [set(planned.before.addresses) for planned in found.reshapes] == [
        {"port-id-web-1"},
        {"port-id-web-2"},
    ]


def test_what_is_in_progress_comes_first() -> None:
    busy = shape("web-2", image_id=NEW_IMAGE, task_state="rebuilding")
    found = plan(ReshapeNova(World(), [shape(), busy, shape("web-3")]))
    assert [entry["name"] for entry in found.as_list()] == ["web-2", "web-1", "web-3"]
    assert found.totals()["adopt"] == 1


def test_all_of_a_host_and_those_named_of_it() -> None:
    nova = ReshapeNova(World(), [shape(), shape("web-2"), shape("web-3", host="compute-2")])
    on_host = plan(nova, host="compute-1", instances=None).as_list()
    assert [entry["name"] for entry in on_host] == ["web-1", "web-2"]
    named = plan(nova, host="compute-1", instances=("web-2", "id-web-2", "web-3")).as_list()
    assert [entry["name"] for entry in named] == ["web-2"]


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("host_not_found", {"host": "compute", "instances": None}),
        ("instance_not_found", {"instances": ("web",)}),
        ("invalid_options", {"instances": ()}),
    ],
)
def test_what_stands_for_nothing_is_refused(code: str, fields: dict[str, Any]) -> None:
    with pytest.raises(RecoveryError) as error:
        plan(ReshapeNova(World(), [shape()]), **fields)
    assert error.value.code == code


def test_a_host_that_is_down_is_refused() -> None:
    nova = ReshapeNova(World(), [shape()])
    nova.services = [values.service("compute-1", state="down")]
    assert code_of(nova) == "host_down"


def test_what_nova_does_not_have_is_left_out_where_that_is_wanted() -> None:
    nova = ReshapeNova(World(), [shape()])
    found = plan(nova, instances=("id-web-9", "web-1"), skip_missing=True)
    assert [(entry["id"], entry["action"]) for entry in found.as_list()] == [
        ("id-web-1", "rebuild, resize"),
        ("id-web-9", "skip"),
    ]
    assert found.totals()["skip"] == 1
    (missing,) = found.missing
    assert (missing.result()["status"], missing.result()["code"]) == ("gone", "deleted")
