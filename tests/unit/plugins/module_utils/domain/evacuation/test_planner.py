# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is planned for a host, for named instances, and when it was done before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    Plan,
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    RUNNING,
    SHUTDOWN,
)
from fakes import values
from fakes.nova import STUCK, Attempt
from fakes.scene import Scene
from fakes.world import Killed


@pytest.fixture
def scene() -> Scene:
    return Scene.make(2)


def actions(plan: Plan) -> list[tuple[str, str]]:
    return [(entry["name"], entry["action"]) for entry in plan.as_list()]


def refusal(scene: Scene, *names: str, **request: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as raised:
        scene.plan(*names, **request)
    assert not scene.nova.evacuations("id-web-1")
    return raised.value


def test_all_instances_of_a_host_and_none_of_another(scene: Scene) -> None:
    scene.nova.add(values.instance("other", host="compute-2"))
    plan = scene.plan()
    assert actions(plan) == [("web-1", "evacuate"), ("web-2", "evacuate")]
    assert plan.sources == ("compute-1",)
    assert plan.changes_something
    assert plan.totals() == {"planned": 2, "evacuate": 2, "adopt": 0, "verify": 0, "skip": 0}


def test_named_instances_of_a_host(scene: Scene) -> None:
    assert actions(scene.plan("id-web-2")) == [("web-2", "evacuate")]


def test_named_instances_from_wherever_they_are(scene: Scene) -> None:
    services = scene.nova.services
    services["compute-2"] = replace(services["compute-2"], state="down")
    scene.nova.add(values.instance("other", host="compute-2"))
    scene.nova.add(values.instance("not named", host="compute-2"))
    plan = scene.plan("other", "web-1", host=None)
    assert plan.sources == ("compute-1", "compute-2")
    assert {name for name, _action in actions(plan)} == {"other", "web-1"}


def test_the_same_instance_by_name_and_id_is_one(scene: Scene) -> None:
    assert len(scene.plan("web-1", "id-web-1").moves) == 1


def test_an_unknown_host_is_refused(scene: Scene) -> None:
    for host in ("compute", "compute-11", "COMPUTE-1"):
        assert refusal(scene, host=host).code == "host_not_found"


def test_an_unknown_instance_is_refused(scene: Scene) -> None:
    assert refusal(scene, "web").code == "instance_not_found"
    assert refusal(scene, "web-1", "web-3", host=None).code == "instance_not_found"


def test_an_instance_of_another_host_is_refused(scene: Scene) -> None:
    scene.nova.add(values.instance("other", host="compute-2"))
    error = refusal(scene, "web-1", "other")
    assert error.code == "instance_not_on_host"
    assert error.details["instances"] == {"other": "compute-2"}


def test_an_instance_without_a_host_is_refused(scene: Scene) -> None:
    scene.nova.add(values.instance("buried", host=None, vm_state="error", launched=False))
    assert refusal(scene, "buried", host=None).code == "instance_without_host"


@pytest.mark.parametrize("names", [(), ("web-1",)])
def test_a_host_that_is_up_is_refused(scene: Scene, names: tuple[str, ...]) -> None:
    services = scene.nova.services
    services["compute-1"] = replace(services["compute-1"], state="up")
    assert refusal(scene, *names).code == "host_is_up"
    assert refusal(scene, "web-1", host=None).code == "host_is_up"


def test_a_host_that_is_up_and_empty_needs_nothing(scene: Scene) -> None:
    plan = scene.plan(host="compute-2")
    assert plan.moves == ()
    assert not plan.changes_something


def test_no_names_at_all_do_not_mean_all() -> None:
    for host in ("compute-1", None):
        with pytest.raises(RecoveryError) as raised:
            Request(host=host, instances=(), storage=values.SHARED)
        assert raised.value.code == "invalid_options"


def test_an_api_that_does_not_answer_is_no_empty_host(scene: Scene) -> None:
    scene.nova.broken["instances_on"] = ApiUnavailable("no answer")
    with pytest.raises(ApiUnavailable):
        scene.plan()


def test_data_that_would_be_lost_refuses_the_whole(scene: Scene) -> None:
    scene.nova.add(values.instance("local", image_id="image"))
    assert refusal(scene, storage=values.LOCAL_FAIL).code == "local_storage"
    assert len(scene.plan("web-1", storage=values.LOCAL_FAIL).moves) == 1


def test_data_that_is_given_up_is_in_the_plan(scene: Scene) -> None:
    scene.nova.add(values.instance("local", image_id="image"))
    lost = {m.instance.name: m.loses for m in scene.plan(storage=values.LOCAL_REBUILD).moves}
    assert lost == {"web-1": None, "web-2": None, "local": "root disk"}
    skipped = scene.plan(storage=values.LOCAL_SKIP).skipped
    assert [entry.skip.code for entry in skipped] == ["local_storage"]


def test_the_skipped_ones_are_told_and_do_not_hold_up_the_others(scene: Scene) -> None:
    scene.nova.add(values.instance("tpm", extra_specs={"hw:tpm_version": "2.0"}))
    plan = scene.plan()
    assert actions(plan)[-1] == ("tpm", "skip")
    assert plan.as_list()[-1]["code"] == "vtpm"
    assert len(plan.moves) == 2


def test_a_right_that_is_missing_shows_up_before_anything_is_done(scene: Scene) -> None:
    scene.nova.broken["allocation_hosts"] = RecoveryError("forbidden", "no right")
    assert refusal(scene).code == "forbidden"


@pytest.mark.parametrize(
    ("source", "destination"), [("compute-2", "compute-1"), ("compute-1", "compute-2")]
)
@pytest.mark.parametrize("kind", ["resize", "migration", "live-migration"])
def test_an_instance_that_is_on_another_move_is_left_alone(
    scene: Scene, kind: str, source: str, destination: str
) -> None:
    scene.nova.write_record(
        "post-migrating",
        migration_type=kind,
        source_compute=source,
        dest_compute=destination,
    )
    skipped = scene.plan("web-1").skipped
    assert [entry.skip.code for entry in skipped] == ["migration_in_progress"]


def test_the_intended_power_state(scene: Scene) -> None:
    scene.nova.add(values.instance("off", vm_state="stopped", power_state=SHUTDOWN))
    scene.nova.add(values.instance("broken", vm_state="error"))
    off = scene.nova.add(values.instance("broken-off", vm_state="error"), intended="off")
    scene.nova.actions[off.id] += [
        replace(scene.nova.actions[off.id][0], action="stop", start_time=values.at(-5))
    ]
    power = {m.instance.name: m.baseline.power for m in scene.plan().moves}
    assert power == {
        "web-1": "on",
        "web-2": "on",
        "off": "off",
        "broken": "on",
        "broken-off": "off",
    }


# Runs before this one.


def test_nothing_is_left_to_do_after_the_host_has_returned(scene: Scene) -> None:
    scene.recover()
    scene.nova.records = [replace(r, status="completed") for r in scene.nova.records]
    assert scene.plan().moves == ()


def test_what_was_moved_before_is_verified_again(scene: Scene) -> None:
    scene.recover()
    plan = scene.plan()
    assert actions(plan) == [("web-1", "verify"), ("web-2", "verify")]
    assert not plan.changes_something
    assert actions(scene.plan("web-2", host=None)) == [("web-2", "verify")]


def test_verifying_needs_no_host_that_is_down(scene: Scene) -> None:
    scene.recover()
    services = scene.nova.services
    services["compute-1"] = replace(services["compute-1"], state="up")
    assert actions(scene.plan()) == [("web-1", "verify"), ("web-2", "verify")]


def test_what_is_in_progress_is_adopted(scene: Scene) -> None:
    scene.nova.default = Attempt(outcome=STUCK)
    scene.world.kill_at = 5
    with pytest.raises(Killed):
        scene.recover()
    scene.world.revive()
    assert actions(scene.plan()) == [("web-1", "adopt"), ("web-2", "adopt")]
    assert not scene.plan().changes_something


@pytest.mark.parametrize("status", ["failed", "error"])
def test_what_failed_before_is_tried_again(scene: Scene, status: str) -> None:
    scene.nova.write_record(status, dest_compute="compute-2")
    assert actions(scene.plan("web-1")) == [("web-1", "evacuate")]


def test_an_instance_that_came_back_is_evacuated_again(scene: Scene) -> None:
    # It was evacuated from here once, and has been moved back since.
    scene.nova.write_record("done", dest_compute="compute-2")
    assert actions(scene.plan("web-1")) == [("web-1", "evacuate")]


def test_an_instance_that_moved_on_is_no_matter_of_this_host(scene: Scene) -> None:
    scene.nova.write_record("done", instance_id="id-far", dest_compute="compute-2")
    scene.nova.add(values.instance("far", host="compute-3"))
    assert "far" not in dict(actions(scene.plan()))


def test_an_instance_that_was_deleted_since_is_forgotten(scene: Scene) -> None:
    scene.nova.write_record("accepted", instance_id="id-deleted")
    assert len(scene.plan().moves) == 2


def test_the_power_state_of_one_that_was_moved_comes_from_its_actions(scene: Scene) -> None:
    # Nova has started it on its new host: its state does not say what it was.
    scene.nova.add(values.instance("off", vm_state="stopped", power_state=SHUTDOWN), intended="off")
    scene.recover()
    scene.nova._change("id-off", vm_state="active", power_state=RUNNING)
    power = {m.instance.name: m.baseline.power for m in scene.plan().moves}
    assert power["off"] == "off"


def test_one_that_nova_is_about_to_stop_again_is_meant_to_be_off(scene: Scene) -> None:
    scene.nova.add(values.instance("off", vm_state="stopped", power_state=SHUTDOWN))
    scene.nova.write_record("pre-migrating", instance_id="id-off", dest_compute="compute-2")
    scene.nova._change("id-off", vm_state="active", power_state=RUNNING)
    (move,) = scene.plan("off").moves
    assert (move.action, move.baseline.power) == ("adopt", "off")


def test_an_adopted_one_that_would_lose_its_data_is_only_waited_for(scene: Scene) -> None:
    scene.nova.add(values.instance("local", image_id="image"))
    scene.nova.write_record("accepted", instance_id="id-local")
    (move,) = scene.plan("local", storage=values.LOCAL_FAIL).moves
    assert move.action == "adopt"
    assert move.keep_away is not None
    (move,) = scene.plan("local", storage=values.LOCAL_REBUILD).moves
    assert move.keep_away is None
