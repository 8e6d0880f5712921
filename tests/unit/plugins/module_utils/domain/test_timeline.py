# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened to an instance, and at which time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.clock import (
    SystemClock,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.timeline import (
    Timeline,
    WallTime,
    iso_milliseconds,
)
from fakes.world import EPOCH, World


def test_events_have_the_time_of_day_at_which_they_happened() -> None:
    world = World()
    world.spend(100)
    wall = WallTime.of(world)
    timeline = Timeline(wall)
    timeline.add("waiting", world.monotonic())
    world.spend(1.25)
    timeline.add("moving", world.monotonic(), "record 1")
    assert timeline.as_list() == [
        {"at": "2026-03-01T02:01:40.000Z", "event": "waiting", "note": None},
        {"at": "2026-03-01T02:01:41.250Z", "event": "moving", "note": "record 1"},
    ]
    assert wall.at(world.monotonic()) == EPOCH + timedelta(seconds=101.25)


def test_the_clock_is_that_of_the_machine() -> None:
    now = SystemClock().utc_now()
    assert abs((now - datetime.now(UTC)).total_seconds()) < 5
    assert now.utcoffset() == timedelta(0)


def test_times_are_shown_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    assert iso_milliseconds(datetime(2026, 3, 1, 4, 0, tzinfo=zone)) == "2026-03-01T02:00:00.000Z"
