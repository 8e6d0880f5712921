# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the operator's words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    network_vocabulary,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_vocabulary import (
    Reference,
    WantedInterface,
    parse_networks,
)
from fakes.neutron import NET_A, PORT_1
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("value", ["auto", "none"])
def test_two_words_are_requests_of_their_own(value: str) -> None:
    assert parse_networks(value) == value


def test_an_empty_list_is_a_request() -> None:
    assert parse_networks([]) == ()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"network": "a"}, {"network": Reference(value="a")}),
        ({"net-name": NET_A}, {"network": Reference(value=NET_A, kind="name")}),
        ({"net-id": NET_A}, {"network": Reference(value=NET_A, kind="id")}),
        ({"uuid": NET_A}, {"network": Reference(value=NET_A, kind="id")}),
        ({"port": "p"}, {"port": Reference(value="p")}),
        ({"port-name": "auto"}, {"port": Reference(value="auto", kind="name")}),
        ({"port-id": PORT_1}, {"port": Reference(value=PORT_1, kind="id")}),
        (
            {"network": "a", "v4-fixed-ip": "10.0.0.5", "tag": "t"},
            {"network": Reference(value="a"), "address": "10.0.0.5", "tag": "t"},
        ),
        (
            {"network": "a", "v6-fixed-ip": "FD00:0::5"},
            {"network": Reference(value="a"), "address": "fd00::5"},
        ),
        (
            {"network": "a", "fixed_ip": None, "port": None, "tag": None},
            {"network": Reference(value="a")},
        ),
        ({"network": "a", "tag": "ä" * 60}, {"network": Reference(value="a"), "tag": "ä" * 60}),
    ],
)
def test_an_interface_in_every_word(entry: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parse_networks([entry]) == (WantedInterface(**expected),)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("private", "'private' is neither"),
        (None, "None is neither"),
        ({"network": "a"}, "is neither"),
        (["private"], "interface 1: 'private' is not a dictionary; write network: private"),
        ([{}], "network or port is missing"),
        ([{"network": None}], "network or port is missing"),
        ([{"network": ""}], "network '' is not a text"),
        ([{"network": 7}], "network 7 is not a text"),
        ([{"network": "auto"}], "write networks: auto"),
        ([{"net-id": "a"}], "net-id 'a' is not an id"),
        ([{"name": "a", "network": "a"}], "unknown word 'name'"),
        ([{"network": "a", "net-name": "b"}], "'net-name' states the network once more"),
        ([{"network": "a", "port": "p"}], "state network or port, not both"),
        ([{"port": "p", "fixed_ip": "10.0.0.5"}], "a port brings its own address"),
        ([{"network": "a", "fixed_ip": "10.0.0"}], "'10.0.0' is not an IP address"),
        ([{"network": "a", "fixed_ip": "10.0.0.0/8"}], "is not an IP address"),
        ([{"network": "a", "fixed_ip": "fe80::1%eth0"}], "is not an IP address"),
        ([{"network": "a", "v4-fixed-ip": "fd00::5"}], "is not an IPv4 address"),
        ([{"network": "a", "v6-fixed-ip": "10.0.0.5"}], "is not an IPv6 address"),
        ([{"network": "a", "tag": "x" * 61}], "is no tag"),
        ([{"network": "a", "tag": "a,b"}], "is no tag"),
        ([{"network": "a", "tag": "a/b"}], "is no tag"),
        ([{"port": "p"}, {"port": "p"}], "port 'p' is stated twice"),
    ],
)
def test_what_is_not_understood_is_an_error(value: Any, complaint: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        parse_networks(value)
    assert caught.value.code == "invalid_networks"
    assert complaint in caught.value.message
    assert "'auto', 'none', or a list" in caught.value.message


def test_all_complaints_come_at_once() -> None:
    with pytest.raises(RecoveryError) as caught:
        parse_networks([{"network": 7}, {"network": "a"}, {"port": "p", "tag": "a/b"}])
    assert [text[:11] for text in caught.value.details["wrong"]] == ["interface 1", "interface 3"]


def test_which_references_can_be_ids() -> None:
    assert Reference(value=NET_A).may_be_id
    assert Reference(value=NET_A.upper()).may_be_id
    assert not Reference(value="a").may_be_id
    assert not Reference(value=NET_A.replace("-", "")).may_be_id
    assert not Reference(value=NET_A, kind="name").may_be_id
    assert not Reference(value=NET_A, kind="id").may_be_name


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([NET_A]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(network_vocabulary._WORDS)), inner, max_size=3)
    ),
)


@given(json)
def test_any_input_is_read_or_refused(value: Any) -> None:
    try:
        found = parse_networks(value)
    except RecoveryError as error:
        assert error.code == "invalid_networks"
    else:
        assert isinstance(found, str) or all((f.network is None) != (f.port is None) for f in found)
