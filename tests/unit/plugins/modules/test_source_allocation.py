# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module source_allocation."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils import (
    recovery_module,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    source_allocation as module,
)
from fakes.ansible_module import result_of
from fakes.return_cloud import SMALL, FakeReturnCloud, down


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch) -> FakeReturnCloud:
    cloud = down(FakeReturnCloud())
    monkeypatch.setattr(recovery_module, "connect", lambda params, read_only: None)
    monkeypatch.setattr(module, "OpenStackReturnCloud", lambda connection: cloud)
    cloud.evacuated("a", "completed")
    cloud.evacuated("b", "completed")
    cloud.hold("id-b", {"rp-compute-1": SMALL})
    cloud.hold("the-migration", {"rp-compute-1": SMALL})
    return cloud


def run(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    return result_of(module.main, monkeypatch, host="compute-1", **options)


def test_check_mode_and_then_for_real_and_then_again(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = run(monkeypatch, check_mode=True)
    assert cloud.writes == []
    done = run(monkeypatch)
    assert len(cloud.writes) == 1
    assert done == planned
    assert done["changed"]
    assert done["removed"] == [
        {"id": "id-a", "resources": {"rp-compute-1": SMALL}, "kept_because": None}
    ]
    assert [kept["id"] for kept in done["kept"]] == ["id-b"]
    assert "heal_allocations" in done["kept"][0]["kept_because"]
    assert done["others"] == ["the-migration"]
    held = {"rp-compute-1": SMALL}
    assert done["diff"] == {"before": {"id-a": held, "id-b": held}, "after": {"id-b": held}}
    for check_mode in (True, False):
        again = run(monkeypatch, check_mode=check_mode)
        assert (again["changed"], again["removed"]) == (False, [])
        assert again["diff"]["before"] == again["diff"]["after"]
    assert len(cloud.writes) == 1


def test_what_nova_compute_would_free_is_freed_only_when_it_never_starts(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.finish(cloud.records[0], "done")
    for check_mode in (True, False):
        refused = run(monkeypatch, check_mode=check_mode)
        assert (refused["error"]["code"], refused["changed"]) == ("evacuation_records_done", False)
    assert run(monkeypatch, host_never_returns=True)["changed"]


def test_nothing_is_freed_while_evacuations_are_in_progress(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.write_record("accepted", instance_id=cloud.has("c").id)
    refused = run(monkeypatch, host_never_returns=True)
    assert refused["error"]["code"] == "evacuations_in_progress"
    assert cloud.writes == []


def test_a_failure_tells_whether_something_was_freed_before(
    cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.evacuated("z", "completed")
    cloud.before_write += [
        lambda: None,
        *[lambda: cloud.hold("id-z", cloud.holds["id-z"])] * 9,
    ]
    failed = run(monkeypatch)
    assert (failed["error"]["code"], failed["changed"]) == ("allocation_changed", True)


def test_only_absent_is_known(cloud: FakeReturnCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, state="present")["failed"]
    assert cloud.calls == []
