# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How old a heartbeat is, and whether one look is enough."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.heartbeat import (
    HEARTBEAT_TIMEOUT,
    HEARTBEAT_WATCH,
    heartbeat_age,
    is_silent,
    newest_heartbeat,
)
from fakes import values

OTHER = values.service("compute-2", updated_at=values.at(0))


def test_the_age_is_by_the_newest_heartbeat_of_all() -> None:
    service = values.service(updated_at=values.at(-70))
    assert newest_heartbeat([service, OTHER]) == values.at(0)
    assert heartbeat_age(service, [service, OTHER]) == 70
    assert heartbeat_age(OTHER, [service, OTHER]) == 0


def test_one_that_has_never_reported_has_no_age() -> None:
    service = values.service(updated_at=None)
    assert newest_heartbeat([service]) is None
    assert heartbeat_age(service, [service]) is None
    assert heartbeat_age(service, [service, OTHER]) is None


def test_a_host_that_is_alive_reports_in_the_time_that_it_is_watched() -> None:
    assert 10 < HEARTBEAT_WATCH < HEARTBEAT_TIMEOUT


@pytest.mark.parametrize(
    ("fields", "silent"),
    [
        ({"state": "down", "updated_at": values.at(-9)}, True),
        ({"state": "up", "updated_at": values.at(-900)}, False),
        ({"state": "down", "forced_down": True, "updated_at": values.at(-61)}, True),
        ({"state": "down", "forced_down": True, "updated_at": values.at(-60)}, False),
        ({"state": "down", "forced_down": True, "updated_at": None}, False),
    ],
)
def test_what_nova_says_counts_only_while_it_is_not_told_what_to_say(
    fields: dict[str, Any], silent: bool
) -> None:
    service = values.service(**fields)
    assert is_silent(service, [service, OTHER]) is silent
