# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another image and flavor from the plan to the verified instance, on a simulated Nova."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
    SHUTDOWN,
    ServerGroup,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.plan import (
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.planner import (
    build_plan,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.reshape import (
    Result,
    reshape,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.shape import (
    ReshapeCloud,
    Shape,
)
from fakes import values
from fakes.reshape_nova import (
    FAILS,
    LARGE,
    LOST,
    NEW_IMAGE,
    NO_HOST,
    OLD_IMAGE,
    OUTCOMES,
    REFUSED,
    TAKEN,
    WORKS,
    ReshapeNova,
    shape,
    volume,
)
from fakes.world import Killed, World
from hypothesis import given
from hypothesis import strategies as st


def run(nova: ReshapeNova, *, max_failures: int | None = None, **fields: Any) -> Result:
    wanted = {"image": NEW_IMAGE, "flavor": "large", "replace_root_disk": True, **fields}
    settings = OperationSettings(
        **{
            "max_failures": max_failures,
            **{k: wanted.pop(k) for k in ("concurrency", "timeout") if k in wanted},
        }
    )
    names = {"host": None, "instances": tuple(nova.now)}
    plan = build_plan(nova, Request(**{**names, **wanted}))
    return reshape(nova, plan, settings, nova.world, watcher=Watcher())


def nova_with(*shapes: Shape) -> ReshapeNova:
    return ReshapeNova(World(), shapes or [shape()])


def test_image_and_flavor_and_then_again() -> None:
    nova = nova_with(shape(), shape("web-2", vm_state="stopped", power_state=SHUTDOWN))
    cloud: ReshapeCloud = nova
    assert cloud is nova
    done = run(nova)
    assert done.changed
    assert done.error is None
    assert done.totals()["verified"] == 2
    assert [one["state"] for one in done.instances] == [
        "new image, new flavor, running",
        "new image, new flavor, stopped",
    ]
    assert nova.calls[0] == ("rebuild", "id-web-1")
    assert all(now.instance.image_id == NEW_IMAGE for now in nova.now.values())
    assert all(now.has_flavor(LARGE) for now in nova.now.values())
    events = [entry["event"] for entry in done.instances[0]["timeline"]]
    assert events == [
        *("begun", "rebuild", "rebuilding", "resize", "resize_prep"),
        *("confirm", "confirming", "verifying", "verified"),
    ]
    assert done.instances[0]["to"] == "compute-2"
    assert done.instances[0]["request_ids"] == ["req-rebuild", "req-resize", "req-confirm"]
    sent = len(nova.calls)
    again = run(nova)
    assert not again.changed
    assert again.totals()["verified"] == 2
    assert len(nova.calls) == sent


def test_an_image_that_fits_only_the_new_flavor_comes_after_it() -> None:
    nova = nova_with()
    image = nova.images[NEW_IMAGE]
    nova.images[NEW_IMAGE] = type(image)(id=NEW_IMAGE, name="new", min_disk=2)
    assert run(nova).error is None
    assert [name for name, _id in nova.calls] == ["resize", "confirm", "rebuild"]


def test_a_volume_backed_instance() -> None:
    nova = nova_with(shape(root_volume=volume()))
    done = run(nova, flavor=None)
    assert done.totals()["verified"] == 1
    root = nova.now["id-web-1"].root_volume
    assert root is not None
    assert root.image_id == NEW_IMAGE


@pytest.mark.parametrize(
    ("script", "code", "state", "calls"),
    [
        (
            {"resize": [NO_HOST]},
            "resize_failed",
            "new image, old flavor, running",
            ["rebuild", "resize"],
        ),
        # It is in ERROR on another host then, and a hard reboot makes it run there.
        (
            {"resize": [FAILS]},
            "resize_failed",
            "new image, old flavor, running",
            ["rebuild", "resize", "hard_reboot"],
        ),
        # Nothing was done on the host, the guest is as it was.
        (
            {"rebuild": [NO_HOST]},
            "rebuild_failed",
            "old image, old flavor, running",
            ["rebuild", "hard_reboot"],
        ),
        (
            {"rebuild": [FAILS]},
            "rebuild_failed",
            "new image, old flavor, in ERROR, its root disk was not built",
            ["rebuild"],
        ),
        ({"rebuild": [REFUSED]}, "nova_refused", "old image, old flavor, running", ["rebuild"]),
        (
            {"resize": [REFUSED]},
            "nova_refused",
            "new image, old flavor, running",
            ["rebuild", "resize"],
        ),
    ],
)
def test_a_failure_says_how_far_it_came_and_the_next_run_finishes(
    script: dict[str, list[str]], code: str, state: str, calls: list[str]
) -> None:
    nova = nova_with()
    nova.script = {("id-web-1", call): list(outcomes) for call, outcomes in script.items()}
    done = run(nova)
    assert done.error is not None
    assert done.error.code == "reshape_incomplete"
    assert done.error.retriable
    (one,) = done.instances
    assert (one["status"], one["code"], one["state"]) == ("failed", code, state)
    assert [name for name, _id in nova.calls] == calls
    assert run(nova).totals()["verified"] == 1


def test_a_stopped_one_is_stopped_again_after_a_failure() -> None:
    nova = nova_with(shape(vm_state="stopped", power_state=SHUTDOWN))
    nova.script = {("id-web-1", "resize"): [FAILS]}
    (one,) = run(nova).instances
    assert one["state"] == "new image, old flavor, stopped"
    assert [name for name, _id in nova.calls][-2:] == ["hard_reboot", "stop"]


def test_a_root_volume_that_was_not_made_anew_is_named() -> None:
    nova = nova_with(shape(root_volume=volume()))
    nova.script = {("id-web-1", "rebuild"): [FAILS]}
    (one,) = run(nova).instances
    assert one["code"] == "rebuild_failed"
    assert "root volume volume is error" in one["state"]
    assert [name for name, _id in nova.calls] == ["rebuild"]


@pytest.mark.parametrize("outcome", [LOST, TAKEN])
@pytest.mark.parametrize("call", ["rebuild", "resize", "confirm"])
def test_a_call_without_an_answer_is_sent_again_only_when_it_did_nothing(
    outcome: str, call: str
) -> None:
    nova = nova_with()
    nova.script = {("id-web-1", call): [outcome]}
    done = run(nova)
    assert done.totals()["verified"] == 1
    assert [name for name, _id in nova.calls].count(call) == (2 if outcome == LOST else 1)
    assert nova.replaced == ["id-web-1"]


def test_no_further_one_is_begun_when_too_many_have_failed() -> None:
    nova = nova_with(*(shape(f"web-{number}") for number in range(1, 6)))
    nova.script = {(f"id-web-{number}", "rebuild"): [FAILS] for number in (1, 2)}
    done = run(nova, max_failures=1, concurrency=1)
    assert done.error is not None
    assert done.error.code == "failure_limit"
    assert done.error.details["failed"] == 2
    assert [one["status"] for one in done.instances] == ["failed"] * 2 + ["not_started"] * 3
    assert {one["code"] for one in done.instances[2:]} == {"failure_limit"}
    assert {instance_id for _call, instance_id in nova.calls} == {"id-web-1", "id-web-2"}


def test_one_that_was_evacuated_is_still_allocated_on_the_host_that_it_left() -> None:
    nova = nova_with(shape())
    nova.services.append(values.service("compute-9", state="down"))
    nova.left_hosts = frozenset({"compute-9"})
    assert run(nova).totals()["verified"] == 1
    nova = nova_with(shape())
    # This one is up: nothing of the instance has any business there.
    nova.left_hosts = frozenset({"compute-3"})
    (one,) = run(nova).instances
    assert one["code"] == "not_verified"


def test_members_of_an_anti_affinity_group_are_resized_one_after_another() -> None:
    nova = nova_with(shape(), shape("web-2"))
    members = frozenset(nova.now)
    nova.groups = [ServerGroup(id="g", name="apart", policy="anti-affinity", member_ids=members)]
    assert run(nova, image=None).totals()["verified"] == 2
    assert [call for call, _id in nova.calls] == ["resize", "confirm"] * 2


def test_an_instance_that_is_deleted_meanwhile_is_no_failure() -> None:
    nova = nova_with(shape(), shape("web-2"))
    nova.world.after(3, lambda: nova.now.pop("id-web-1"))
    done = run(nova)
    assert [one["status"] for one in done.instances] == ["gone", "verified"]
    assert done.error is None


def test_what_its_user_does_while_it_waits_is_kept() -> None:
    stopped = {"vm_state": "stopped", "power_state": SHUTDOWN}
    nova = nova_with(shape(), shape("web-2", **stopped), shape("web-3"), shape("web-4"))

    def change() -> None:
        running = {"vm_state": "active", "power_state": RUNNING, "task_state": None}
        nova._set("id-web-2", kept={"name": "mail"}, **running)
        nova._set("id-web-3", **stopped)
        nova._set("id-web-4", locked=True)
        nova.addresses["id-web-3"] = "10.0.0.77"

    nova.world.after(3, change)
    done = run(nova, concurrency=1)
    assert [one["status"] for one in done.instances] == ["verified"] * 3 + ["failed"]
    states = [now.instance.vm_state for now in nova.now.values()]
    assert states == ["active", "active", "stopped", "active"]
    assert ("stop", "id-web-2") not in nova.calls
    # Nova lets administrators through.
    assert done.instances[3]["code"] == "locked"
    assert "id-web-4" not in {instance_id for _call, instance_id in nova.calls}


def test_what_was_begun_before_it_was_locked_is_finished() -> None:
    nova = nova_with(shape())
    nova.world.after(3, lambda: nova._set("id-web-1", locked=True))
    assert run(nova).totals()["verified"] == 1


def test_a_cloud_that_does_not_answer_for_a_while_is_asked_again() -> None:
    nova = nova_with()

    def silent() -> None:
        nova.trouble = [ApiUnavailable("nobody is there")] * 30

    nova.world.after(2, silent)
    assert run(nova).totals()["verified"] == 1


def test_allocations_that_cannot_be_read_hold_up_only_their_instance() -> None:
    nova = nova_with(shape(), shape("web-2"))
    real, silent = nova.allocation_hosts, list[str]()
    nova.world.after(5, lambda: silent.extend(["id-web-1"] * 3))
    said: list[str] = []

    def allocation_hosts(instance_id: str) -> frozenset[str]:
        if instance_id in silent:
            silent.remove(instance_id)
            said.append(instance_id)
            raise ApiUnavailable("Placement does not answer")
        return real(instance_id)

    nova.allocation_hosts = allocation_hosts  # type: ignore[method-assign]
    assert run(nova).totals()["verified"] == 2
    assert len(said) == 3


def test_what_nova_still_works_on_is_left_alone_when_the_time_is_over() -> None:
    nova = nova_with(shape(), shape("web-2"))
    nova._set("id-web-1", task_state="rebuilding", image_id=NEW_IMAGE)
    done = run(nova, timeout=60, concurrency=1)
    assert [one["status"] for one in done.instances] == ["in_progress", "not_started"]
    assert nova.calls == []


@given(
    killed=st.floats(0.2, 60),
    stopped=st.booleans(),
    backed=st.booleans(),
    outcomes=st.dictionaries(
        st.sampled_from(["rebuild", "resize", "confirm"]), st.sampled_from([WORKS, LOST, TAKEN])
    ),
)
def test_killed_at_any_moment_the_next_run_finishes(
    killed: float, *, stopped: bool, backed: bool, outcomes: dict[str, str]
) -> None:
    state = {"vm_state": "stopped", "power_state": SHUTDOWN} if stopped else {}
    nova = nova_with(shape(**state, **({"root_volume": volume()} if backed else {})))
    nova.script = {("id-web-1", call): [outcome] for call, outcome in outcomes.items()}
    nova.world.kill_at = killed
    try:
        run(nova)
    except Killed:
        nova.world.revive()
    nova.world.revive()
    done = run(nova)
    assert done.totals()["verified"] == 1
    # Nothing is ever replaced twice.
    assert nova.replaced == ["id-web-1"]
    assert nova.now["id-web-1"].instance.vm_state == ("stopped" if stopped else "active")
    sent = len(nova.calls)
    assert not run(nova).changed
    assert len(nova.calls) == sent


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["rebuild", "resize", "confirm"]), st.sampled_from(OUTCOMES)
        ),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_whatever_fails_each_has_an_end_and_a_state_that_is_true(
    scripts: list[dict[str, str]], concurrency: int, allowed: int
) -> None:
    nova = nova_with(*(shape(f"web-{number}") for number in range(len(scripts))))
    for number, script in enumerate(scripts):
        for call, outcome in script.items():
            nova.script[f"id-web-{number}", call] = [outcome]
    done = run(nova, max_failures=allowed, concurrency=concurrency)
    for one in done.instances:
        now = nova.now[one["id"]]
        assert one["status"] in ("verified", "failed", "not_started")
        if one["status"] == "verified":
            assert now.image_id == NEW_IMAGE
            assert now.has_flavor(LARGE)
        if one["status"] == "not_started":
            assert now.image_id == OLD_IMAGE
        if one["status"] == "failed":
            assert one["state"].startswith("new" if now.image_id == NEW_IMAGE else "old")
            # Usable, but where the host has taken the root disk away.
            assert (
                now.instance.vm_state == "active"
                or one["state"].endswith("was not built")
                or (now.instance.vm_state == "resized" and one["state"].endswith("not confirmed"))
            )
            assert one["reason"]
    assert len(nova.replaced) == len(set(nova.replaced))
    failed = done.totals()["failed"]
    assert failed <= allowed + concurrency
    assert bool(done.totals()["not_started"]) <= (failed > allowed)
