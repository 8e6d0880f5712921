# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances may be removed."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.candidates import (
    Excluded,
    find_candidates,
    why_spared,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.decision import (
    Decision,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    DELETE,
    SHELVE,
    Preemptible,
)
from fakes import values


@pytest.mark.parametrize("state", ["active", "stopped", "paused", "suspended", "shelved"])
def test_what_nova_shelves_may_be_shelved(state: str) -> None:
    assert why_spared(values.instance(vm_state=state), SHELVE) is None


@pytest.mark.parametrize("state", ["error", "rescued", "resized", "building", "soft-delete"])
def test_what_nova_does_not_shelve_stays(state: str) -> None:
    found = why_spared(values.instance(vm_state=state), SHELVE)
    assert found == ("vm_state", f"it is {state}, of which Nova would not shelve it")


@pytest.mark.parametrize("state", ["active", "error", "stopped", "shelved", "soft-delete"])
def test_nearly_everything_may_be_deleted(state: str) -> None:
    assert why_spared(values.instance(vm_state=state), DELETE) is None


@pytest.mark.parametrize("state", ["resized", "building", "shelved_offloaded"])
def test_what_is_in_the_middle_of_something_or_holds_nothing_stays(state: str) -> None:
    assert why_spared(values.instance(vm_state=state), DELETE) is not None


@pytest.mark.parametrize("state", ["active", "shelved"])
def test_what_would_lose_its_ephemeral_disk_is_not_shelved(state: str) -> None:
    instance = values.instance(vm_state=state, ephemeral_gb=1)
    found = why_spared(instance, SHELVE)
    assert found is not None and found[0] == "ephemeral_disk"
    assert why_spared(instance, DELETE) is None


@pytest.mark.parametrize("task", ["shelving_image_uploading", "powering-off", "deleting"])
def test_what_an_earlier_run_has_begun_goes_on(task: str) -> None:
    assert why_spared(values.instance(task_state=task), SHELVE) is None


def test_only_those_that_a_rule_calls_preemptible_are_told_of() -> None:
    names = ("may-go", "locked", "kept", "failed")
    excluded = Excluded(instances={"id-failed": "it would not"})
    instances = [values.instance(name, locked=name == "locked") for name in names]
    goes = Decision(preemptible=Preemptible(value=7), rules={"preemptible": "rule"})
    decisions = {one.id: goes for one in instances} | {"id-kept": Decision()}
    found, spared = find_candidates(instances, decisions, excluded)
    assert [(one.instance.name, one.preemptible.value, one.rule) for one in found] == [
        ("may-go", 7, "rule")
    ]
    assert [(one.instance.name, one.code, one.reason) for one in spared] == [
        ("locked", "locked", "it is locked"),
        ("failed", "excluded", "it would not"),
    ]


def test_what_would_be_deleted_stays_where_nothing_may_be_deleted() -> None:
    instances = [values.instance("shelved"), values.instance("deleted")]
    decisions = {
        f"id-{action}d": Decision(
            preemptible=Preemptible(value=7, action=action), rules={"preemptible": "rule"}
        )
        for action in (SHELVE, DELETE)
    }
    excluded = Excluded(actions={DELETE: "nothing is deleted"})
    found, spared = find_candidates(instances, decisions, excluded)
    assert [one.instance.name for one in found] == ["shelved"]
    assert [(one.instance.name, one.code, one.reason) for one in spared] == [
        ("deleted", "excluded", "nothing is deleted")
    ]
