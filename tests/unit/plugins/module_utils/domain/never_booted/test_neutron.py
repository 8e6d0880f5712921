# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neutron's rules."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.neutron import (
    Subnet,
)
from fakes.neutron import OTHER, PROJECT, network, port


@pytest.mark.parametrize(
    ("cidr", "address", "holds"),
    [
        ("10.0.0.0/24", "10.0.0.1", True),
        ("10.0.0.0/24", "10.0.0.0", False),
        ("10.0.0.0/24", "10.0.0.255", False),
        ("10.0.0.0/24", "10.0.1.1", False),
        ("10.0.0.0/31", "10.0.0.1", True),
        ("10.0.0.0/24", "fd00::1", False),
        ("fd00::/64", "fd00::1", True),
        ("fd00::/64", "fd00::", False),
        ("fd00::/126", "fd00::3", True),
        ("fd00::/64", "10.0.0.1", False),
    ],
)
def test_which_addresses_can_be_asked_for(cidr: str, address: str, holds: bool) -> None:
    assert Subnet(cidr=cidr).holds(address) is holds


def test_no_address_can_be_asked_for_where_neutron_makes_them() -> None:
    assert not Subnet(cidr="fd00::/64", automatic=True).holds("fd00::1")


@pytest.mark.parametrize(
    ("shared_with", "visible"),
    [((), False), (("*",), True), ((PROJECT,), True), (("third",), False)],
)
def test_who_sees_a_network(shared_with: tuple[str, ...], visible: bool) -> None:
    theirs = network(project_id=OTHER, shared_with=frozenset(shared_with))
    assert theirs.is_visible_to(PROJECT) is visible
    assert theirs.is_visible_to(OTHER)


def test_an_external_network_is_for_administrators_unless_it_is_shared() -> None:
    assert network(external=True).is_forbidden_to(PROJECT)
    assert not network(external=True, shared_with=frozenset({"*"})).is_forbidden_to(PROJECT)
    assert not network().is_forbidden_to(PROJECT)


def test_kinds_of_ports() -> None:
    assert not port().is_sriov
    assert port(vnic_type="direct").is_sriov
    assert not port(vnic_type="accelerator-direct").is_sriov
    assert port(vnic_type="accelerator-direct").is_accelerator
    assert port(device_profile="gpu").is_accelerator
    assert not port().lacks_address
    bare = frozenset[str]()
    assert port(addresses=bare).lacks_address
    assert port(addresses=bare, ip_allocation="immediate").lacks_address
    assert not port(addresses=bare, ip_allocation="deferred").lacks_address
    assert not port(addresses=bare, ip_allocation="none").lacks_address
