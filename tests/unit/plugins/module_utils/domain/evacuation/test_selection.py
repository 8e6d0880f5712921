# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances can be evacuated, which not, and why."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    Skip,
    data_lost,
    groups_by_member,
    pick_named,
    require_no_data_loss,
    why_skip,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import Instance
from fakes import values


def skip_of(instance: Instance, **others: Any) -> Skip | None:
    return why_skip(
        instance,
        **{"records": [], "groups": [], "ports": [], "storage": values.SHARED, **others},
    )


@pytest.mark.parametrize("vm_state", ["active", "stopped", "error"])
def test_what_nova_evacuates_is_not_skipped(vm_state: str) -> None:
    assert skip_of(values.instance(vm_state=vm_state)) is None


@pytest.mark.parametrize(
    "instance",
    [
        # Nova does not protect locked instances from evacuation, and neither do we.
        values.instance(locked=True),
        # A task that the dead host will never end.
        values.instance(task_state="rebooting"),
    ],
)
def test_what_looks_odd_but_can_be_evacuated(instance: Instance) -> None:
    assert skip_of(instance) is None


@pytest.mark.parametrize(
    ("code", "instance"),
    [
        ("being_deleted", values.instance(vm_state="deleted")),
        ("being_deleted", values.instance(vm_state="soft-delete")),
        ("being_deleted", values.instance(task_state="deleting")),
        ("being_deleted", values.instance(task_state="soft-deleting")),
        ("never_booted", values.instance(vm_state="error", launched=False)),
        ("vm_state_not_evacuable", values.instance(vm_state="paused")),
        ("vm_state_not_evacuable", values.instance(vm_state="suspended")),
        ("vm_state_not_evacuable", values.instance(vm_state="rescued")),
        ("vm_state_not_evacuable", values.instance(vm_state="resized")),
        ("vm_state_not_evacuable", values.instance(vm_state="building")),
        ("vm_state_not_evacuable", values.instance(vm_state="shelved_offloaded")),
        ("vtpm", values.instance(extra_specs={"hw:tpm_version": "2.0"})),
        ("accelerator", values.instance(extra_specs={"accel:device_profile": "gpu"})),
    ],
)
def test_skipped_for_what_it_is(code: str, instance: Instance) -> None:
    skip = skip_of(instance)
    assert skip is not None
    assert skip.code == code
    assert skip.reason


@pytest.mark.parametrize(
    ("code", "others"),
    [
        (
            "migration_in_progress",
            {"records": [values.record(1, "running", migration_type="live-migration")]},
        ),
        (
            "migration_in_progress",
            {"records": [values.record(1, "finished", migration_type="resize")]},
        ),
        ("accelerator", {"ports": [values.port(device_profile="smartnic")]}),
        ("strict_affinity", {"groups": [values.group("affinity", "id-web-1")]}),
    ],
)
def test_skipped_for_what_belongs_to_it(code: str, others: dict[str, Any]) -> None:
    skip = skip_of(values.instance(), **others)
    assert skip is not None
    assert skip.code == code


@pytest.mark.parametrize(
    "others",
    [
        {"records": [values.record(1, "failed"), values.record(2, "error")]},
        {"records": [values.record(1, "completed", migration_type="live-migration")]},
        {"groups": [values.group("anti-affinity", "id-web-1")]},
        {"groups": [values.group("soft-affinity", "id-web-1")]},
        {"ports": [values.port()]},
    ],
)
def test_not_skipped_for_what_does_not_matter(others: dict[str, Any]) -> None:
    assert skip_of(values.instance(), **others) is None


IMAGE = values.instance(image_id="image")
EPHEMERAL = values.instance(ephemeral_gb=5)
VOLUME = values.instance()


@pytest.mark.parametrize(
    ("instance", "lost"),
    [(IMAGE, "root disk"), (EPHEMERAL, "ephemeral disk"), (VOLUME, None)],
)
def test_what_an_evacuation_destroys(instance: Instance, lost: str | None) -> None:
    assert data_lost(instance, values.LOCAL_FAIL) == lost
    assert data_lost(instance, values.SHARED) is None


def test_the_policy_fail_refuses_everything() -> None:
    with pytest.raises(RecoveryError) as raised:
        require_no_data_loss([VOLUME, IMAGE], values.LOCAL_FAIL)
    assert raised.value.code == "local_storage"
    assert raised.value.details == {"instances": {IMAGE.id: "root disk"}}
    require_no_data_loss([VOLUME], values.LOCAL_FAIL)


def test_the_policy_skip_leaves_only_those_that_would_lose_something() -> None:
    skip = skip_of(IMAGE, storage=values.LOCAL_SKIP)
    assert skip is not None
    assert skip.code == "local_storage"
    assert skip_of(VOLUME, storage=values.LOCAL_SKIP) is None
    require_no_data_loss([IMAGE], values.LOCAL_SKIP)


def test_the_policy_rebuild_gives_the_data_up() -> None:
    assert skip_of(IMAGE, storage=values.LOCAL_REBUILD) is None
    require_no_data_loss([IMAGE, EPHEMERAL], values.LOCAL_REBUILD)


A, B = values.instance("a"), values.instance("b")
NAMESAKE = values.instance("a", id="another id")


def test_instances_are_picked_by_id_or_exact_name() -> None:
    assert pick_named(["a", "id-b"], [A, B]) == {"a": A, "id-b": B}


def test_an_id_wins_over_a_name_that_looks_like_it() -> None:
    impostor = values.instance("id-a", id="x")
    assert pick_named(["id-a"], [impostor, A]) == {"id-a": A}


def test_a_name_that_two_instances_have_is_refused() -> None:
    with pytest.raises(RecoveryError) as raised:
        pick_named(["a"], [A, NAMESAKE])
    assert raised.value.code == "instance_ambiguous"
    assert raised.value.details["ids"] == ["another id", "id-a"]


@pytest.mark.parametrize("name", ["", "A", "aa", "id-"])
def test_a_name_that_nobody_has_is_refused(name: str) -> None:
    with pytest.raises(RecoveryError) as raised:
        pick_named(["a", name], [A, B])
    assert raised.value.code == "instance_not_found"
    assert raised.value.details == {"unknown": [name]}


def test_groups_by_member() -> None:
    one, two = values.group("affinity", "a", "b", name="1"), values.group("", "b", name="2")
    assert groups_by_member([one, two]) == {"a": [one], "b": [one, two]}
