# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports and volumes; the tests of an evacuation's verification have every other case."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.attached import (
    check_ports,
    check_volumes,
    ports_by_instance,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    VolumeAttachment,
)
from fakes import values


@pytest.mark.parametrize(
    ("port", "running", "passed"),
    [
        ({}, True, True),
        ({"status": "DOWN"}, True, False),
        ({"status": "DOWN"}, False, True),
        ({"status": "DOWN", "admin_state_up": False}, True, True),
        ({"binding_host": "compute-2"}, False, False),
        ({"vif_type": "binding_failed"}, False, False),
    ],
)
def test_a_port(port: dict[str, object], running: bool, passed: bool) -> None:
    found = check_ports({"port-1"}, [values.port(**port)], "compute-1", running=running)
    assert found.passed is passed
    assert found.name == "ports"


def test_ports_by_their_instance() -> None:
    first, second, third = (values.port(id=f"port-{number}") for number in range(3))
    other = values.port(id="other", instance_id="another")
    found = ports_by_instance([first, second, other, third])
    assert found == {first.instance_id: [first, second, third], "another": [other]}


def test_a_port_that_is_missing() -> None:
    found = check_ports({"port-1", "port-2"}, [values.port()], "compute-1", running=True)
    assert not found.passed
    assert found.observed == "port-2 is gone"


@pytest.mark.parametrize(
    ("now", "host", "passed"),
    [("v", "compute-1", True), ("v", "compute-2", False), ("w", "compute-1", False)],
)
def test_a_volume(now: str, host: str, passed: bool) -> None:
    attached = VolumeAttachment(
        volume_id=now,
        status="in-use",
        attached_to=frozenset({"id-web-1"}),
        attached_hosts=frozenset({host}),
    )
    instance = values.instance(volume_ids=frozenset({now}))
    found = check_volumes(frozenset("v"), instance, {now: attached}, "compute-1")
    assert found.passed is passed


def test_a_cloud_without_block_storage() -> None:
    assert check_volumes(frozenset(), values.instance(), None, "compute-1").passed
