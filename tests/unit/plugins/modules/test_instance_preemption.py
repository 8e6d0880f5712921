# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module instance_preemption."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    instance_preemption as module,
)
from fakes.ansible_module import result_of
from fakes.locks import FakeLockStore
from fakes.preemption_cloud import FakePreemptionCloud

POLICY = {
    "version": 1,
    "rules": [
        {"name": "batch", "match": {"names": ["batch-*"]}, "preemptible": {"value": 10}},
        {"name": "last", "match": {"names": ["last"]}, "preemptible": {"value": 99}},
    ],
    "make_room": {"limit": 2},
}


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch) -> FakePreemptionCloud:
    cloud = FakePreemptionCloud({"h1": 6})
    store = FakeLockStore(cloud.world)
    session = SimpleNamespace(session=SimpleNamespace(requests={}))
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: session)
    monkeypatch.setattr(module, "OpenStackPreemptionCloud", lambda connection: cloud)
    monkeypatch.setattr(module, "AggregateLockStore", lambda connection: store)
    monkeypatch.setattr(module, "SystemClock", lambda: cloud.world)
    cloud.add("batch-1", 2)
    cloud.add("batch-2", 2)
    cloud.add("last", 2)
    cloud.add("w", 4, None)
    return cloud


def run(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    given = {"instances": ["id-w"], "policy": POLICY, "run_id": "r", **options}
    return result_of(module.main, monkeypatch, **given)


def test_check_mode_and_then_for_real_and_then_again(
    cloud: FakePreemptionCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = run(monkeypatch, check_mode=True)
    assert not cloud.calls
    assert planned["changed"]
    assert planned["instances"] == []
    assert [one["name"] for one in planned["plan"]] == ["batch-1", "batch-2"]
    assert planned["waiting"][0]["fits"] == "gets_room"
    assert planned["room_for"] == ["id-w"]
    assert planned["totals"]["planned"] == 2
    done = run(monkeypatch)
    assert done["changed"]
    for same in ("plan", "room_for", "diff", "notes", "fewest", "run_id"):
        assert done[same] == planned[same]
    assert done["waiting"][0]["fits"] == "has_room"
    assert done["totals"]["verified"] == 2
    assert done["diff"]["after"] == {"batch-1 (id-batch-1)": None, "batch-2 (id-batch-2)": None}
    assert done["instances"][0]["timeline"]
    for check_mode in (True, False):
        again = run(monkeypatch, check_mode=check_mode)
        assert not again["changed"]
        assert again["plan"] == []
        assert again["room_for"] == ["id-w"]
    assert len(cloud.calls) == 2


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"limit": 1}, "insufficient_room"),
        ({"policy": None}, "insufficient_room"),
        ({"policy": {"version": 2}}, "invalid_policy"),
        ({"instances": []}, "invalid_options"),
        ({"instances": ["nobody"]}, "instance_not_found"),
        ({"limit": -1}, "invalid_options"),
        ({"concurrency": 0}, "invalid_options"),
        ({"wait": False}, "invalid_options"),
        ({"run_id": "a/b"}, "invalid_options"),
        ({"flavor": "gone"}, "flavor_not_found"),
    ],
)
def test_what_is_refused_changes_nothing(
    cloud: FakePreemptionCloud,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    code: str,
    check_mode: bool,
) -> None:
    refused = run(monkeypatch, check_mode=check_mode, **options)
    assert (refused["error"]["code"], refused["changed"]) == (code, False)
    assert not cloud.calls


def test_to_stop_makes_no_room_and_is_refused(
    cloud: FakePreemptionCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops = {"name": "s", "match": {"names": ["x"]}, "preemptible": {"value": 1, "action": "stop"}}
    refused = run(monkeypatch, policy={"version": 1, "rules": [stops]})
    assert refused["error"]["code"] == "invalid_policy"
    assert "a stopped instance has allocated" in refused["msg"]


def test_a_failure_has_each_instance_and_who_has_room_all_the_same(
    cloud: FakePreemptionCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.trouble |= {"id-batch-1": "fails", "id-last": "fails"}
    failed = run(monkeypatch, concurrency=1, policy=POLICY | {"make_room": {"limit": 3}})
    assert failed["failed"]
    assert failed["error"]["code"] == "room_incomplete"
    assert failed["room_for"] == []
    assert [(one["name"], one["status"]) for one in failed["instances"]] == [
        ("batch-1", "failed"),
        ("batch-2", "verified"),
        ("last", "failed"),
    ]
    assert failed["changed"]
    # Also of what only a later plan said.
    assert failed["diff"]["before"] == {
        f"{name} (id-{name})": "h1" for name in ("batch-1", "batch-2", "last")
    }
    assert failed["diff"]["after"] == failed["diff"]["before"] | {"batch-2 (id-batch-2)": None}
