# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters of the roles."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.openstack_recovery.nova.plugins.filter import recovery
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    run_id_of,
)


def test_every_filter_is_documented_and_none_else() -> None:
    folder = Path(recovery.__file__ or "").parent
    documented = {path.stem: yaml.safe_load(path.read_text()) for path in folder.glob("*.yml")}
    assert set(documented) == set(recovery.FilterModule().filters())
    for name, text in documented.items():
        assert text["DOCUMENTATION"]["name"] == name
        assert text["EXAMPLES"]


def test_they_do_what_they_are_named_for() -> None:
    filters = recovery.FilterModule().filters()
    assert run_id_of(filters["disabled_reason"]("r1", "x")) == "r1"
    assert filters["run_id"]("r1") == "r1"
    assert filters["run_id"](None)
    assert len(filters["plan_table"]([])) == 2
    assert filters["evacuation_table"]([])
    assert len(filters["migration_plan_table"]([])) == 2
    assert filters["fail_back_moves"]([])["moves"] == []
    assert filters["words"]("a, b") == ["a", "b"]
    assert filters["instance_totals"]([{"status": "skipped"}])["skipped"] == 1
    assert len(filters["never_booted_table"]([])) == 3
    assert len(filters["rebuild_table"]([])) == 3
    assert filters["rebuild_selection"]([], named=["u1"])["build"] == ["u1"]
    methods = ["redfish"]
    stated = {"machines": {}, "username": "u", "password": "p", "libvirt_uri": ""}
    assert filters["fencing_problems"](methods, "x", **stated, on_unreachable_bmc="fail")
    attempt = filters["fencing_attempt"]({"power": {"observed": "off"}}, "redfish", {})
    assert filters["fencing_judgement"]([attempt], methods, "fail")["fenced"]
