# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machine a host is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.machine import (
    Defaults,
    Machine,
    find_machine,
)
from hypothesis import given
from hypothesis import strategies as st

DEFAULTS = Defaults(username="fencing", password="secret-1")
NODE_A = {"redfish": "https://10.0.0.1"}
NODE_B = {"redfish": "https://10.0.0.2"}


def find(host: str, machines: dict[str, Any], protocol: str | None = None) -> Machine:
    return find_machine(host, machines, protocol, DEFAULTS)


def refused(host: str, machines: dict[str, Any], protocol: str | None = None) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        find(host, machines, protocol)
    return caught.value


def test_names_are_compared_whole() -> None:
    machines = {"node1.a": NODE_A, "node1.b": NODE_B}
    assert find("node1.a", machines).address == "10.0.0.1"
    assert find("node1.b", machines).address == "10.0.0.2"
    for other in ("node1", "node1.a.", "NODE1.a", "node1.c", "node", ""):
        assert refused(other, machines).code == "host_not_in_map"


def test_a_name_that_is_not_there_is_told_with_similar_ones() -> None:
    machines = {"node1.a": NODE_A, "node1.b": NODE_B, "other.c": {"ipmi": "10.0.0.3"}}
    error = refused("node1", machines)
    assert error.details == {"host": "node1", "similar": ["node1.a", "node1.b"]}
    assert "Similar: node1.a, node1.b" in error.message


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_names_ever_match(one: str, other: str) -> None:
    if one != other:
        assert refused(one, {other: NODE_A}).code == "host_not_in_map"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NODE_A, NODE_A),
        (NODE_A, {"redfish": "https://10.0.0.1:443/"}),
        ({"redfish": "https://bmc.example"}, {"redfish": "https://BMC.example."}),
        ({"redfish": "https://[::1]"}, {"redfish": "https://[0:0::1]:443"}),
        (NODE_A, {"redfish": "https://10.0.0.1", "system": "1"}),
        (
            {"redfish": "https://10.0.0.1", "system": "1"},
            {"redfish": "https://10.0.0.1", "system": "/redfish/v1/Systems/1"},
        ),
        ({"ipmi": "10.0.0.1"}, {"ipmi": "10.0.0.1:623"}),
        ({"ipmi": "::1"}, {"ipmi": "[::1]:623"}),
        ({**NODE_A, "serial_number": "SN"}, {**NODE_B, "serial_number": "SN"}),
    ],
)
@pytest.mark.parametrize("host", ["x", "y", "z"])
def test_one_machine_for_two_hosts_is_an_error(
    one: dict[str, Any], other: dict[str, Any], host: str
) -> None:
    """Also when another host is asked for: the map is wrong."""
    error = refused(host, {"x": one, "y": other, "z": {"ipmi": "10.9.9.9"}})
    assert error.code == "duplicate_machine"
    assert error.details == {"hosts": ["x", "y"]}


def test_one_bmc_may_have_several_systems_and_two_protocols() -> None:
    machines = {
        "x": {"redfish": "https://10.0.0.1", "system": "1", "ipmi": "10.0.0.1"},
        "y": {"redfish": "https://10.0.0.1", "system": "2"},
        "z": {"redfish": "https://10.0.0.1:8443", "ipmi": "10.0.0.1:6230"},
    }
    assert find("x", machines, "redfish").system == "1"
    assert find("y", machines).system == "2"
    machine = find("z", machines, "ipmi")
    assert (machine.address, machine.port, machine.protocol) == ("10.0.0.1", 6230, "ipmi")
    assert refused("x", machines).code == "invalid_options"
    assert refused("y", machines, "ipmi").code == "invalid_options"


@pytest.mark.parametrize(
    ("protocol", "text", "address", "port", "shown"),
    [
        ("redfish", "https://bmc-1.example", "bmc-1.example", 443, "bmc-1.example:443"),
        ("redfish", "https://[2001:db8::1]:8443", "2001:db8::1", 8443, "[2001:db8::1]:8443"),
        ("ipmi", "bmc-1.example", "bmc-1.example", 623, "bmc-1.example:623"),
        ("ipmi", "2001:db8::1", "2001:db8::1", 623, "[2001:db8::1]:623"),
        ("ipmi", "[2001:db8::1]:6230", "2001:db8::1", 6230, "[2001:db8::1]:6230"),
    ],
)
def test_addresses(protocol: str, text: str, address: str, port: int, shown: str) -> None:
    machine = find("x", {"x": {protocol: text}})
    assert (machine.address, machine.port, machine.shown_address) == (address, port, shown)


@pytest.mark.parametrize(
    "options",
    [
        "https://10.0.0.1",
        {},
        {"type": "redfish", "address": "https://10.0.0.1"},
        {**NODE_A, "serial": "SN"},
        {**NODE_A, "serial_number": 1234},
        {**NODE_A, "serial_number": " "},
        {**NODE_A, "password": 4711},
        {**NODE_A, "validate_certs": "no"},
        {"redfish": "http://10.0.0.1"},
        {"redfish": "10.0.0.1"},
        {"redfish": "https://"},
        {"redfish": "https://10.0.0.1/redfish/v1"},
        {"redfish": "https://root:4711@10.0.0.1"},
        {"redfish": "https://10.0.0.1:port"},
        {"ipmi": "https://10.0.0.1"},
        {"ipmi": "root:4711@10.0.0.1"},
        {"ipmi": "10.0.0.1:99999"},
        {"ipmi": "10.0.0.1", "host_name": "x"},
    ],
)
def test_what_is_not_understood_is_an_error(options: Any) -> None:
    error = refused("x", {"x": options})
    assert error.code == "invalid_options"
    assert "x" in error.message
    assert "4711" not in error.message


def test_a_misspelt_option_of_another_host_is_an_error_too() -> None:
    assert refused("x", {"x": NODE_A, "y": {**NODE_B, "serail": "SN"}}).code == "invalid_options"


def test_a_login_is_needed() -> None:
    with pytest.raises(RecoveryError, match="no username and password"):
        find_machine("x", {"x": {**NODE_A, "username": "u"}}, None, Defaults())


def test_a_machine_replaces_what_holds_for_all() -> None:
    defaults = Defaults("u", "p", ca_file="/ca", validate_certs=True)
    own = {**NODE_A, "username": "v", "password": "q", "validate_certs": False, "ca_file": "/own"}
    machine = find_machine("x", {"x": own, "y": NODE_B}, None, defaults)
    assert (machine.username, machine.password) == ("v", "q")
    assert (machine.ca_file, machine.validate_certs) == ("/own", False)
    machine = find_machine("y", {"x": own, "y": NODE_B}, None, defaults)
    assert (machine.username, machine.ca_file, machine.validate_certs) == ("u", "/ca", True)
    assert "'p'" not in repr(machine) + repr(defaults)
