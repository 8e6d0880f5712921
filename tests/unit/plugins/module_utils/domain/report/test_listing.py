# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rebuild_never_booted has listed, as a plan."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.listing import (
    plan_of_listing,
)


def test_what_is_taken_is_rebuilt_and_the_rest_is_told_why_not() -> None:
    reasons = [{"code": "image_gone", "message": "its image is gone"}]
    listed = [
        {"uuid": "u1", "name": "a", "verdict": {"reasons": []}},
        {"uuid": "u2", "name": "b", "verdict": {"reasons": reasons}},
    ]
    plan = plan_of_listing({"listed": listed, "selection": {"build": ["u1"], "prepare": ["u1"]}})
    assert [(one["id"], one["action"], one["reason"]) for one in plan] == [
        ("u1", "rebuild", None),
        ("u2", "skip", "its image is gone"),
    ]


def test_another_run_has_no_listing() -> None:
    assert plan_of_listing({"plan": [{"id": "u1"}]}) == []
