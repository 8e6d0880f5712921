# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which step comes next, and how an image fits, for anything that Nova can show."""

from __future__ import annotations

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.power import (
    OFF,
    ON,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Act,
    Arrived,
    Gone,
    Wait,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    Shape,
    Wanted,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.steps import (
    CONFIRM,
    REBUILD,
    RESIZE,
    STOP,
    next_step,
    pending,
    remedy,
    standing,
)
from fakes.reshape_nova import IMAGE, LARGE, NEW_IMAGE, OLD_IMAGE, SMALL, shape, volume
from hypothesis import given
from hypothesis import strategies as st

_TASKS = [None, "rebuilding", "resize_prep", "powering-off", "deleting", "image_snapshot"]
_STATES = ["active", "stopped", "error", "resized", "paused", "deleted", "shelved_offloaded"]
SHAPES = st.builds(
    shape,
    flavor=st.sampled_from([SMALL, LARGE]),
    image_id=st.sampled_from([OLD_IMAGE, NEW_IMAGE]),
    vm_state=st.sampled_from(_STATES),
    task_state=st.sampled_from(_TASKS),
    resize_status=st.sampled_from([None, "finished", "confirming"]),
    newest_action=st.sampled_from([None, "rebuild", "resize", "stop"]),
)
WANTED = st.builds(
    Wanted, image=st.sampled_from([None, IMAGE]), flavor=st.sampled_from([None, LARGE])
)


@given(SHAPES, WANTED, st.sampled_from([ON, OFF]))
def test_nothing_is_done_while_nova_works_and_nothing_that_is_done_already(
    now: Shape, wanted: Wanted, power: str
) -> None:
    verdict = next_step(now, wanted, power)
    if isinstance(verdict, Act):
        assert now.instance.task_state is None
        assert now.instance.vm_state in ("active", "stopped", "error", "resized")
        if verdict.step == REBUILD:
            failed = now.instance.vm_state == "error" and now.newest_action == "rebuild"
            assert wanted.image
            assert failed or not now.has_image(wanted.image)
        if verdict.step == RESIZE:
            assert wanted.flavor
            assert not now.has_flavor(wanted.flavor)
            assert now.instance.vm_state in ("active", "stopped")
        if verdict.step == CONFIRM:
            assert wanted.flavor
            assert now.has_flavor(wanted.flavor)
            assert now.resize_status == "finished"
        if verdict.step == STOP:
            assert power == OFF
    if isinstance(verdict, Arrived):
        assert pending(now, wanted) == []
        assert now.instance.vm_state in ("active", "stopped")
    going = now.instance.vm_state == "deleted" or now.instance.task_state == "deleting"
    assert isinstance(verdict, Gone) == going
    if now.instance.task_state and not going:
        assert verdict == Wait(now.instance.task_state)
    elif isinstance(verdict, Wait):
        assert now.instance.vm_state == "resized"
        assert now.resize_status == "confirming"


@given(SHAPES, WANTED, st.sampled_from([ON, OFF]))
def test_a_remedy_never_touches_a_disk(now: Shape, wanted: Wanted, power: str) -> None:
    assert remedy(now, wanted, power) in (None, "hard_reboot", "stop")
    assert standing(now, wanted).host == now.instance.host


def test_one_that_is_gone() -> None:
    wanted = Wanted(image=IMAGE)
    assert next_step(None, wanted, ON) == Gone()
    assert standing(None, wanted).state == "deleted"
    assert remedy(None, wanted, ON) is None


def test_no_reboot_on_a_volume_that_was_not_made_anew() -> None:
    broken: dict[str, Any] = {"vm_state": "error", "newest_action": "rebuild"}
    now = shape(root_volume=volume(status="error"), **broken)
    assert remedy(now, Wanted(image=IMAGE), ON) is None
