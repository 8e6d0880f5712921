# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bugs of instanceha, Masakari, fence_evacuate, nova host-evacuate and others, kept out for good.

Each test is named for the bug.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.cloud import (
    EvacuationCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    Request,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.records import (
    FAILED as FAILED_STATES,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.records import (
    SUCCEEDED,
)
from fakes import values
from fakes.nova import FAILED, STUCK, Attempt
from fakes.scene import Scene, states
from fakes.world import Killed

ONE = "id-web-1"


def test_an_api_error_is_not_read_as_a_failed_evacuation() -> None:
    scene = Scene.make(1)
    scene.nova.default = Attempt(finish_after=60)
    scene.nova.outages = [(5, 25), (30, 50)]
    result = scene.recover()
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.evacuations(ONE) == 1


def test_an_empty_list_of_migrations_is_not_read_as_a_failed_evacuation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene.make(1)
    scene.nova.default = Attempt(finish_after=60)
    real = scene.nova.migrations
    monkeypatch.setattr(
        scene.nova, "migrations", lambda **q: [] if 3 < scene.world.now < 40 else real(**q)
    )
    result = scene.recover()
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.evacuations(ONE) == 1


def test_slow_is_not_failed() -> None:
    """24 instances, minutes each: instanceha left five accepted records per instance."""
    scene = Scene.make(24)
    scene.nova.default = Attempt(claim_after=200, finish_after=290)
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    assert len(scene.nova.records) == 24
    assert scene.nova.violations == []


def test_no_state_is_ever_reset() -> None:
    """Neither the domain's cloud nor any adapter has such a call, and a run makes only these."""
    known = {name for name in dir(EvacuationCloud) if not name.startswith("_")}
    assert not [name for name in known if "reset" in name or "state" in name]
    plugins = Path(inspect.getfile(EvacuationCloud)).parents[2]
    for source in plugins.rglob("*.py"):
        assert "resetState" not in source.read_text(encoding="utf-8"), source
    scene = Scene.make(2)
    scene.nova.script[ONE] = [Attempt(outcome=FAILED), Attempt(outcome=STUCK)]
    scene.recover(instance_timeout=100)
    reads = {"compute_services", "migrations", "server_groups", "power_actions", "ports_of"}
    reads |= {"allocation_hosts", "volumes", "api_time"}
    changing = {
        name
        for name, _what in scene.nova.calls
        if name not in reads and not name.startswith("instances_")
    }
    assert changing == {"evacuate"}


@pytest.mark.parametrize("status", ["accepted", "pre-migrating"])
def test_accepted_does_not_count_as_success(status: str) -> None:
    assert status not in SUCCEEDED | FAILED_STATES
    scene = Scene.make(1)
    scene.nova.script[ONE] = [
        Attempt(outcome=STUCK) if status == "accepted" else Attempt(claim_after=1, finish_after=1e6)
    ]
    result = scene.recover(instance_timeout=60)
    assert scene.nova.records[0].status == status
    assert states(result) == {"web-1": "in_progress"}
    assert result.failed


@pytest.mark.parametrize("name", ["compute-1", "compute-10", "compute-1.example.com"])
def test_a_host_name_is_not_a_prefix_or_a_short_name(name: str) -> None:
    """nova host-evacuate: compute-1 also matched compute-10; instanceha: the first short match."""
    hosts = ("compute-1", "compute-10", "compute-1.example.com", "other")
    scene = Scene.make(0, hosts=hosts, failed=hosts[:3])
    for host in hosts:
        scene.nova.add(values.instance(f"on-{host}", host=host))
    result = scene.recover(host=name)
    assert states(result) == {f"on-{name}": "verified"}
    assert [r.instance_id for r in scene.nova.records] == [f"id-on-{name}"]


@pytest.mark.parametrize("name", ["compute", "compute-", "compute-100", "Compute-1", ""])
def test_a_host_that_matches_nothing_is_an_error(name: str) -> None:
    scene = Scene.make(2)
    with pytest.raises(RecoveryError) as raised:
        scene.recover(host=name)
    assert raised.value.code == "host_not_found"
    assert scene.nova.records == []


@pytest.mark.parametrize("host", ["compute-1", None])
def test_nothing_selected_does_not_mean_everything(host: str | None) -> None:
    """Tagging on but nothing tagged: instanceha and fence_evacuate evacuate everything."""
    with pytest.raises(RecoveryError, match="does not mean all"):
        Request(host=host, instances=(), storage=values.SHARED)


def test_another_host_does_not_count_as_evacuated_by_itself() -> None:
    """Masakari: done as soon as the instance's host differs, at the first look."""
    scene = Scene.make(1)
    scene.nova.script[ONE] = [Attempt(ports_after=None)]
    result = scene.recover()
    assert scene.nova.instances[ONE].host != "compute-1"
    assert states(result) == {"web-1": "failed"}


def test_active_again_does_not_count_as_evacuated() -> None:
    """After a failed claim Nova shows the instance ACTIVE, on the host that has failed."""
    scene = Scene.make(1)
    scene.nova.script[ONE] = [Attempt(outcome=FAILED)] * 9
    result = scene.recover(retries=1)
    assert (scene.nova.instances[ONE].vm_state, scene.nova.instances[ONE].host) == (
        "active",
        "compute-1",
    )
    assert states(result) == {"web-1": "failed"}


def test_there_is_no_fixed_sleep_before_the_first_look() -> None:
    scene = Scene.make(1)
    scene.nova.default = Attempt(claim_after=0.1, finish_after=0.2, ports_after=0.1)
    scene.recover()
    assert scene.world.now < 5


def test_a_restart_does_not_evacuate_again() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=200)
    for _restart in range(3):
        scene.world.kill_at = scene.world.now + 60
        with pytest.raises(Killed):
            scene.recover()
        scene.world.revive()
    result = scene.recover()
    assert set(states(result).values()) == {"verified"}
    assert len(scene.nova.records) == 3
    assert scene.nova.violations == []


def test_left_over_records_of_another_tool_are_waited_for() -> None:
    """Five accepted records of one instance: evacuate again would make the sixth."""
    scene = Scene.make(1)
    scene.nova.write_record("accepted")
    scene.nova.write_record("accepted")
    scene.nova.write_record("failed", dest_compute="compute-3")
    result = scene.recover(instance_timeout=120)
    assert scene.nova.evacuations(ONE) == 0
    assert states(result) == {"web-1": "in_progress"}


def test_an_older_record_that_ends_well_after_a_newer_one_failed_counts() -> None:
    scene = Scene.make(1)
    scene.nova._accept(ONE, Attempt(finish_after=50))
    scene.nova.write_record("failed", dest_compute="compute-3")
    result = scene.recover()
    assert states(result) == {"web-1": "verified"}
    assert scene.nova.evacuations(ONE) == 0
    assert scene.nova.fine(ONE)


def test_a_host_that_is_up_again_is_not_evacuated() -> None:
    scene = Scene.make(2)
    services = scene.nova.services
    services["compute-1"] = replace(services["compute-1"], state="up")
    with pytest.raises(RecoveryError) as raised:
        scene.recover()
    assert raised.value.code == "host_is_up"
    assert scene.nova.records == []


def test_an_error_is_never_taken_for_an_empty_host() -> None:
    scene = Scene.make(2)
    scene.nova.broken["instances_on"] = ApiUnavailable("no answer")
    with pytest.raises(ApiUnavailable):
        scene.recover()
