# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for, and in which way an instance can be brought."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.selection import (
    Skip,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.request import (
    Wish,
    parse_moves,
    way_of,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    PAUSED,
    SHUTDOWN,
)
from fakes import values


def test_moves() -> None:
    given = [
        {"id": "a", "host": "compute-1", "from": "compute-2", "name": "web"},
        {"id": "b", "host": "compute-1", "from": None},
        {"id": "a", "host": "compute-1", "from": "compute-2", "name": "web"},
    ]
    with pytest.raises(RecoveryError, match="twice") as caught:
        parse_moves(given)
    assert caught.value.code == "invalid_options"
    assert parse_moves(given[:2]) == (
        Wish(instance_id="a", host="compute-1", expected="compute-2", name="web"),
        Wish(instance_id="b", host="compute-1"),
    )
    assert parse_moves([]) == ()


ACTIVE: dict[str, Any] = {}
PAUSE: dict[str, Any] = {"vm_state": "paused", "power_state": PAUSED}
STOPPED: dict[str, Any] = {"vm_state": "stopped", "power_state": SHUTDOWN}


@pytest.mark.parametrize(
    ("state", "auto", "live", "cold"),
    [
        (ACTIVE, "live_migrate", "live_migrate", "cold_migrate"),
        (PAUSE, "live_migrate", "live_migrate", None),
        (STOPPED, "cold_migrate", None, "cold_migrate"),
        *(
            ({"vm_state": state}, None, None, None)
            for state in ("suspended", "rescued", "error", "shelved_offloaded", "building")
        ),
    ],
)
def test_ways(state: dict[str, Any], auto: str | None, live: str | None, cold: str | None) -> None:
    for method, expected in (("auto", auto), ("live", live), ("cold", cold)):
        way = way_of(values.instance(**state), method)
        if expected is None:
            assert isinstance(way, Skip)
            assert way.code == "vm_state_not_migratable"
        else:
            assert way == expected


def test_a_guest_that_does_not_run_cannot_be_moved_live() -> None:
    crashed = values.instance(power_state=SHUTDOWN)
    way = way_of(crashed, "auto")
    assert isinstance(way, Skip)
    assert way.code == "not_running"
    assert way_of(crashed, "cold") == "cold_migrate"
