# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of statuses and events."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.words import (
    LEVEL_WORDS,
    LEVELS,
    MARKS,
    PHASE_WORDS,
    PHASES,
    ends,
    level_of,
    phase_after,
)


@pytest.mark.parametrize(
    ("status", "code", "level"),
    [
        ("verified", None, "ok"),
        ("active", None, "ok"),
        ("failed", "timeout", "bad"),
        ("died", "died", "bad"),
        ("in_progress", "timeout", "busy"),
        ("not_started", "timeout", "late"),
        ("skipped", "vtpm", "left"),
        ("gone", "deleted", "left"),
        ("something_new", None, "ok"),
        ("something_new", "why", "bad"),
    ],
)
def test_every_status_has_a_level(status: str, code: str | None, level: str) -> None:
    assert level_of(status, code) == level


def test_the_end_of_a_way_is_a_status_and_nothing_else_is() -> None:
    assert ends("verified")
    assert not ends("verifying")
    assert phase_after("verifying") == "checking"
    assert phase_after("backoff") == "again"
    assert phase_after("waiting") == "waiting"
    assert phase_after("whatever Nova does") == "working"


def test_nothing_is_told_by_its_colour_alone() -> None:
    assert set(LEVEL_WORDS) == set(MARKS) == set(LEVELS)
    assert len(set(MARKS.values())) == len(LEVELS)
    assert set(PHASE_WORDS) == set(PHASES)
