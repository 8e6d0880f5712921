# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody has to do after a run."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.tasks import (
    what_to_do,
)
from fakes.reports import instance, run


def test_nothing_when_all_went_well() -> None:
    assert what_to_do(run(instance("a"), instance("b"))) == []


def test_one_cause_is_told_once_the_worst_first() -> None:
    groups = what_to_do(
        run(
            instance("a", "skipped", code="vtpm"),
            instance("b", "not_started", code="timeout"),
            instance("c", "in_progress", code="timeout"),
            instance("d", "failed", code="not_verified"),
            instance("e", "failed", code="evacuation_failed"),
            instance("f", "failed", code="evacuation_failed"),
            instance("g"),
            error={"code": "evacuation_incomplete", "retriable": True},
            message="1 of 6 instances verified",
        )
    )
    assert [(g.level, g.code, [e.name for e in g.entries]) for g in groups] == [
        ("bad", "evacuation_incomplete", []),
        ("bad", "evacuation_failed", ["e", "f"]),
        ("bad", "not_verified", ["d"]),
        ("busy", "timeout", ["c"]),
        ("late", "timeout", ["b"]),
        ("left", "vtpm", ["a"]),
    ]
    assert groups[0].message == "1 of 6 instances verified"
    assert groups[1].title == "Evacuation failed"
    assert all(group.guidance for group in groups)
