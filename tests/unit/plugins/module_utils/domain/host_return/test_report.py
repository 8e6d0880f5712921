# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen of a host, as plain values and as a table."""

from __future__ import annotations

import json

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.observation import (
    observe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.report import (
    return_table,
    show,
)
from fakes.return_cloud import SMALL, FakeReturnCloud, down


def evacuated_host() -> FakeReturnCloud:
    cloud = down(FakeReturnCloud())
    cloud.evacuated("a")
    cloud.write_record("error", instance_id=cloud.has("b", vm_state="error").id)
    return cloud


def test_everything_is_shown_as_plain_values() -> None:
    shown = show(observe(evacuated_host(), "compute-1", ["id-a", "id-b", "x"]))
    assert json.loads(json.dumps(shown)) == shown
    assert shown["guests"] == {"leftover": ["id-a"], "own": ["id-b"], "unexplained": ["x"]}
    assert [i["fate"] for i in shown["instances"]] == ["moved", "stayed"]
    assert [i["id"] for i in shown["not_moved"]] == ["id-b"]
    assert "reboot --hard id-b" in shown["not_moved"][0]["what_to_do"]
    assert shown["allocations"] == [
        {"id": "id-a", "resources": {"rp-compute-1": SMALL}, "kept_because": None}
    ]
    assert (shown["compute"], shown["instances_here"]) == ("restarted", 1)
    assert (shown["disabled_by_a_person"], shown["recovery_run_id"]) == (False, "run-1")
    assert shown["steps"][3]["name"] == "start_compute"


def test_guests_are_left_out_when_nobody_looked() -> None:
    assert "guests" not in show(observe(evacuated_host(), "compute-1", None))


def test_the_steps_as_a_table() -> None:
    lines = return_table(show(observe(evacuated_host(), "compute-1", None)))
    assert lines[0].split() == ["step", "needed", "why"]
    found = {line.split()[0]: line for line in lines[2:10]}
    assert " no " in found["wait_for_evacuations"]
    assert " not known " in found["terminate_leftovers"]
    assert " yes " in found["lift_forced_down"]
    assert lines[10] == ""
    assert lines[11].startswith("not moved")
    assert "id-b" in lines[-1]
    assert "reboot --hard" in lines[-1]


def test_no_second_table_when_all_have_moved() -> None:
    cloud = down(FakeReturnCloud())
    cloud.evacuated("a")
    assert len(return_table(show(observe(cloud, "compute-1", [])))) == 2 + 8
