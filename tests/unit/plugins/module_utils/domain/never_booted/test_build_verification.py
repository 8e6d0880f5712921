# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a rebuilt instance is what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.check import Check
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_verification import (
    CHECKS,
    requested_networks,
    verify,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    PAUSED,
    RUNNING,
    SHUTDOWN,
    Instance,
    Port,
    VolumeAttachment,
)
from fakes.buried_instance import spec_text

HOST = "compute-1"
Request = Mapping[str, Any]


def instance(**values: Any) -> Instance:
    given = {"id": "i", "name": "i", "project_id": "p", "host": HOST, "vm_state": "active"}
    return Instance(**{**given, "power_state": RUNNING, **values})


def port(name: str = "p1", network: str = "net-a", *ips: str, **values: Any) -> Port:
    given = {"id": name, "instance_id": "i", "status": "ACTIVE", "binding_host": HOST}
    more = {"vif_type": "ovs", "network_id": network, "fixed_ips": frozenset(ips)}
    return Port(**{**given, **more, **values})


def volume(name: str = "v1", **values: Any) -> VolumeAttachment:
    given = {"volume_id": name, "status": "in-use", "attached_to": frozenset({"i"})}
    return VolumeAttachment(**{**given, "attached_hosts": frozenset({HOST}), **values})


def check(
    name: str,
    one: Instance | None = None,
    *,
    requested: Sequence[Request] | None = None,
    ports: Sequence[Port] = (),
    hosts: Sequence[str] = (HOST,),
    volumes: Mapping[str, VolumeAttachment] | None = None,
) -> Check:
    return verify(one or instance(), requested, ports, frozenset(hosts), volumes)[name]


def test_every_check_is_reported_by_its_name() -> None:
    found = verify(instance(), [], [], frozenset({HOST}), None)
    assert tuple(found) == CHECKS
    assert all(one.passed and one.name == name for name, one in found.items())


@pytest.mark.parametrize(
    ("values", "passed"),
    [
        ({}, True),
        ({"vm_state": "error"}, False),
        ({"vm_state": "building"}, False),
        ({"power_state": SHUTDOWN}, False),
        ({"power_state": PAUSED}, False),
        ({"task_state": "spawning"}, False),
    ],
)
def test_status(values: Any, passed: bool) -> None:
    found = check("status", instance(**values))
    assert found.passed is passed
    assert all(str(value) in found.observed for value in values.values())


@pytest.mark.parametrize(("host", "passed"), [(HOST, True), (None, False), ("", False)])
def test_host(host: str | None, passed: bool) -> None:
    found = check("host", instance(host=host))
    assert (found.passed, found.observed) == (passed, host or "none")


@pytest.mark.parametrize(
    ("hosts", "passed", "observed"),
    [
        ([HOST], True, HOST),
        ([], False, "none"),
        (["compute-2"], False, "compute-2"),
        ([HOST, "compute-2"], False, "compute-1, compute-2"),
    ],
)
def test_allocation(hosts: list[str], passed: bool, observed: str) -> None:
    found = check("allocation", hosts=hosts)
    assert (found.passed, found.observed) == (passed, observed)


def test_without_a_host_no_allocation_is_right() -> None:
    assert not check("allocation", instance(host=None), hosts=[""]).passed


A = {"network_id": "net-a"}
B = {"network_id": "net-b"}
AUTO = {"network_id": "auto"}
NONE = {"network_id": "none"}


@pytest.mark.parametrize(
    ("requested", "ports", "wrong"),
    [
        # Not known any more: only what is there is looked at.
        pytest.param(None, [], "", id="unknown, none"),
        pytest.param(None, [port(), port("p2", "x")], "", id="unknown, two"),
        pytest.param([], [], "", id="empty, none"),
        pytest.param([], [port()], "", id="empty, one"),
        pytest.param([], [port(), port("p2")], "2 ports", id="empty, two"),
        pytest.param([AUTO], [], "", id="auto, none"),
        pytest.param([AUTO], [port()], "", id="auto, one"),
        pytest.param([AUTO], [port(), port("p2")], "2 ports", id="auto, two"),
        pytest.param([NONE], [], "", id="none, none"),
        pytest.param([NONE], [port()], "p1 was not requested", id="none, one"),
        pytest.param([A], [port()], "", id="network"),
        pytest.param([A], [], "no port for network net-a", id="missing"),
        pytest.param([A], [port(), port("p2")], "p2 was not requested", id="extra"),
        pytest.param(
            [A],
            [port("p1", "net-b")],
            "no port for network net-a; p1 was not requested",
            id="another network",
        ),
        pytest.param([A, A], [port(), port("p2")], "", id="one network twice"),
        pytest.param([A, A], [port()], "no port for network net-a", id="twice, once there"),
        pytest.param([A, B], [port("p2", "net-b"), port()], "", id="in any order"),
        pytest.param(
            [{**A, "address": "10.0.0.5"}], [port("p1", "net-a", "10.0.0.5")], "", id="ip"
        ),
        pytest.param(
            [{**A, "address": "10.0.0.5"}],
            [port("p1", "net-a", "10.0.0.6")],
            "no port for network net-a with 10.0.0.5; p1 was not requested",
            id="another ip",
        ),
        pytest.param(
            [A, {**A, "address": "10.0.0.5"}],
            [port("p1", "net-a", "10.0.0.5"), port("p2", "net-a", "10.0.0.6")],
            "",
            id="the one with an ip first",
        ),
        pytest.param([{"network_id": None, "port_id": "p1"}], [port("p1", "x")], "", id="port"),
        pytest.param(
            [{"network_id": None, "port_id": "p9"}],
            [port()],
            "no port for port p9; p1 was not requested",
            id="another port",
        ),
        pytest.param(
            [A, {"network_id": "net-a", "port_id": "p1"}],
            [port("p1"), port("p2")],
            "",
            id="the given port first",
        ),
        pytest.param(
            [{**A, "address": "10.0.0.5"}, {"network_id": "net-a", "port_id": "p1"}],
            [port("p1", "net-a", "10.0.0.5")],
            "no port for network net-a with 10.0.0.5",
            id="one port cannot be two",
        ),
    ],
)
def test_ports(requested: Any, ports: list[Port], wrong: str) -> None:
    found = check("ports", requested=requested, ports=ports)
    assert found.passed is (not wrong)
    assert found.observed == (wrong or f"{len(ports)} bound to {HOST}")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"binding_host": "compute-2"}, "p1 bound to compute-2"),
        ({"binding_host": ""}, "p1 bound to no host"),
        ({"status": "DOWN"}, "p1 DOWN"),
        ({"status": "BUILD"}, "p1 BUILD"),
        # Its user has switched it off.
        ({"status": "DOWN", "admin_state_up": False}, ""),
    ],
)
def test_each_port_is_bound_to_the_host_and_active(values: Any, wrong: str) -> None:
    for requested in (None, [A], [AUTO]):
        found = check("ports", requested=requested, ports=[port(**values)])
        assert (found.passed, found.observed) == (not wrong, wrong or f"1 bound to {HOST}")


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        (None, "each bound to compute-1"),
        ([NONE], "0 bound to compute-1"),
        ([AUTO], "1 or 0 bound to compute-1"),
        ([], "1 or 0 bound to compute-1"),
        ([A, B], "2 bound to compute-1"),
    ],
)
def test_what_is_expected_of_ports_is_told(requested: Any, expected: str) -> None:
    assert check("ports", requested=requested).expected == expected


@pytest.mark.parametrize(
    ("volumes", "wrong"),
    [
        (None, ""),
        ({"v1": volume(), "v2": volume("v2")}, ""),
        ({"v1": volume()}, "v2 is unknown to the block storage service"),
        ({"v1": volume(), "v2": volume("v2", status="reserved")}, "v2 is reserved"),
        ({"v1": volume(), "v2": volume("v2", attached_to=frozenset({"x"}))}, "v2 is in-use"),
    ],
)
def test_volumes(volumes: Any, wrong: str) -> None:
    found = check("volumes", instance(volume_ids=frozenset({"v1", "v2"})), volumes=volumes)
    assert (found.passed, found.observed) == (not wrong, wrong or "2 attached")


def test_what_a_stored_spec_says_of_networks() -> None:
    stored = requested_networks(RequestSpec.loads(spec_text(), "u"))
    assert stored
    assert all("network_id" in request for request in stored)
    assert requested_networks(RequestSpec.loads(spec_text(networks=False), "u")) is None
    assert requested_networks(None) is None
