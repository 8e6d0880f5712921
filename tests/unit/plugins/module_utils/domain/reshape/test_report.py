# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan and the result for people."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.report import (
    reshape_plan_table,
    reshape_table,
)

_ENTRY = {"id": "1", "name": "web-1", "project_id": "p", "from": "compute-1", "action": "rebuild"}
_DONE = {**_ENTRY, "status": "verified", "to": "compute-1", "state": "new image", "seconds": 3.04}


def test_the_plan() -> None:
    lines = reshape_plan_table(
        [
            {
                **_ENTRY,
                "image": {"from": None, "to": "b"},
                "flavor": {"from": "large", "to": "large"},
                "data_lost": "root disk",
            },
            {**_ENTRY, "name": "web-2", "action": "skip", "reason": "it is locked"},
        ]
    )
    assert lines[2].split() == [
        *("1", "web-1", "compute-1", "rebuild", "unknown", "->", "b"),
        *("large", "already", "root", "disk", "-"),
    ]
    assert lines[3].endswith("it is locked")


def test_the_result() -> None:
    failed = {**_ENTRY, "name": "web-2", "status": "failed", "reason": "no room"}
    checks = {"image": {"passed": True}, "flavor": {"passed": False}}
    lines = reshape_table([{**_DONE, "verifications": checks}, failed])
    assert lines[2].split()[-9:] == ["ok", "WRONG", "-", "-", "-", "-", "-", "-", "3.0"]
    assert lines[-2:] == ["web-2 (1): no room", "1 of 2 instances verified"]
