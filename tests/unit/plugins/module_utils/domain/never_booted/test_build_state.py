# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a build, and the state of one instance."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.check import Check
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    build_state,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_state import (
    Build,
    BuildSettings,
)


def test_the_defaults_are_valid_and_so_are_the_smallest_values() -> None:
    BuildSettings(settle_time=1860).validate()
    BuildSettings(
        settle_time=15, concurrency=1, build_timeout=1, verify_timeout=1, timeout=1, poll_interval=1
    ).validate()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("concurrency", "build_timeout", "verify_timeout")),
        *((name, 0.5) for name in ("timeout", "poll_interval")),
        ("settle_time", -1),
        ("settle_time", 14),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: float) -> None:
    with pytest.raises(RecoveryError) as caught:
        BuildSettings(**{"settle_time": 60, name: value}).validate()
    assert caught.value.code == "invalid_options"
    assert name in caught.value.message
    assert f"not {value:g}" in caught.value.message


def test_one_is_in_flight_from_when_it_was_seen_there_to_its_end() -> None:
    build = Build(instance_uuid="u")
    assert not build.in_flight
    build.since = 0.0
    assert build.in_flight
    build.end(build_state.STUCK, "stuck", "look")
    assert not build.in_flight


def test_what_is_shown() -> None:
    build = Build(instance_uuid="u", changed=True, host="c1", request_id="req-1")
    build.checks = {"host": Check("host", True, "a host", "c1")}
    build.end(build_state.ACTIVE)
    assert build.as_dict() == {
        "uuid": "u",
        "result": "active",
        "code": None,
        "message": "",
        "changed": True,
        "host": "c1",
        "request_id": "req-1",
        "verification": {"host": {"passed": True, "expected": "a host", "observed": "c1"}},
    }
