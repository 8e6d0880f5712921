# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that was verified."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.check import (
    Check,
    failing,
    mark,
)


def test_it_is_shown_without_its_name() -> None:
    shown = Check("host", False, "c2", "c1").as_dict()
    assert shown == {"passed": False, "expected": "c2", "observed": "c1"}


def test_those_that_have_not_passed_are_told() -> None:
    good, bad = Check("ports", True, "1", "1"), Check("host", False, "c2", "c1")
    assert failing([good, bad, bad]) == "; ".join(["host: expected c2, observed c1"] * 2)
    assert failing([good]) == ""


def test_the_mark_in_a_table() -> None:
    assert [mark(None), mark({"passed": True}), mark({"passed": False})] == ["-", "ok", "WRONG"]
