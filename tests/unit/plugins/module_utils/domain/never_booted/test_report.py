# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of never-booted instances."""

from __future__ import annotations

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.report import (
    never_booted_table,
    rebuild_table,
)


def instance(**fields: Any) -> dict[str, Any]:
    verdict = {"rebuildable": True, "reasons": [], "warnings": [], "unchecked": []}
    return {
        "name": "web",
        "uuid": "u",
        "project_id": "p",
        "class": "a",
        "situation": "buried",
        "created_at": "2026-03-01T02:15:00Z",
        "fault": {"message": "No valid\nhost " + "x" * 80},
        "networks_source": "stored",
        "networks_hint": None,
        "journal": None,
        **fields,
        "verdict": {**verdict, **fields.get("verdict", {})},
    }


def test_a_row_for_each_then_reasons_then_the_summary() -> None:
    blocked = instance(
        name=None,
        fault=None,
        journal={"state": "restored"},
        networks_source=None,
        networks_hint={"source": "ports"},
        verdict={
            "rebuildable": False,
            "reasons": [{"code": "networks_unknown"}, {"code": "image_gone"}],
            "unchecked": ["volumes"],
        },
    )
    lines = never_booted_table([instance(), blocked, blocked])
    assert lines[0].split() == [
        "instance",
        "uuid",
        "project",
        "class",
        "created",
        "networks",
        "journal",
        "verdict",
        "fault",
    ]
    assert "stored" in lines[2]
    assert "rebuildable" in lines[2]
    assert lines[2].endswith("No valid host " + "x" * 26)
    assert "unknown (ports?)" in lines[3]
    assert "networks_unknown, image_gone (unchecked: volumes)" in lines[3]
    assert "restored" in lines[3]
    assert lines[5:] == [
        "networks_unknown: 2",
        "image_gone: 2",
        "1 of 3 never-booted instances can be rebuilt",
    ]


def test_none() -> None:
    assert never_booted_table([])[-1] == "0 of 0 never-booted instances can be rebuilt"


def test_what_became_of_each() -> None:
    checks = {name: {"passed": name != "ports"} for name in ("status", "host", "ports")}
    built = {"uuid": "u1", "result": "not_verified", "host": "c1", "verification": checks}
    lines = rebuild_table(
        [
            {**built, "message": "look at: ports"},
            {"uuid": "u2", "result": "active", "host": None, "verification": {}, "message": ""},
        ]
    )
    assert lines[0].split()[:4] == ["uuid", "result", "host", "status"]
    assert lines[2].split()[:6] == ["u1", "not_verified", "c1", "ok", "ok", "WRONG"]
    assert lines[2].endswith("look at: ports")
    assert lines[3].split() == ["u2", "active", *["-"] * 7]
    assert lines[4] == "1 of 2 instances active and verified"
