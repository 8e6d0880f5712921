# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requested networks as Nova has them. The expected forms were captured from its message bus."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_request import (
    AUTO_REQUEST,
    NO_REQUEST,
    NetworkRequest,
    is_auto,
    is_none,
    requests_from,
    show_requests,
    stored_fields,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
)
from fakes.neutron import NET_A, PORT_1
from fakes.request_specs import spec_row
from hypothesis import given
from hypothesis import strategies as st

EVERY = [
    "address",
    "arq_uuid",
    "device_profile",
    "network_id",
    "pci_request_id",
    "port_id",
    "tag",
]


def captured(data: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    return {
        "nova_object.name": "NetworkRequest",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.3",
        "nova_object.data": data,
        "nova_object.changes": changes,
    }


def spec_with(requests: Any) -> RequestSpec:
    spec = RequestSpec.loads(spec_row("u").spec, "u")
    return spec.with_requested_networks(stored_fields(requests))


def test_interfaces_are_stored_as_nova_sends_them() -> None:
    nothing = dict.fromkeys(EVERY)
    requests = (NetworkRequest(network_id=NET_A, tag="a"), NetworkRequest(port_id=PORT_1))
    assert spec_with(requests).get("requested_networks") == {
        "nova_object.name": "NetworkRequestList",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.1",
        "nova_object.data": {
            "objects": [
                captured({**nothing, "network_id": NET_A, "tag": "a"}, EVERY),
                captured({**nothing, "port_id": PORT_1}, EVERY),
            ]
        },
        "nova_object.changes": ["objects"],
    }


def test_none_has_what_nova_sets_of_it_and_nothing_else() -> None:
    stored = spec_with(NO_REQUEST).get("requested_networks")["nova_object.data"]["objects"]
    data = {"network_id": "none", "port_id": None, "device_profile": None}
    assert stored == [captured(data, ["device_profile", "network_id", "port_id"])]


def test_auto_none_nothing_and_unknown_are_four_things() -> None:
    four = [AUTO_REQUEST, NO_REQUEST, (), None]
    assert [show_requests(requests) for requests in four] == ["auto", "none", [], None]
    assert [requests_from(spec_with(r).requested_networks) for r in four] == four
    assert is_auto(AUTO_REQUEST)
    assert is_none(NO_REQUEST)
    assert not any(test(()) for test in (is_auto, is_none))
    assert not is_auto(NO_REQUEST)
    assert not is_none(AUTO_REQUEST)


def test_a_spec_that_never_had_any_is_unchanged_when_they_are_taken_out_again() -> None:
    before = RequestSpec.loads(spec_row("u").spec, "u")
    kept = before.with_requested_networks(stored_fields((NetworkRequest(network_id=NET_A),)))
    assert kept.primitive != before.primitive
    assert kept.with_requested_networks(None).primitive == before.primitive


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (
            NetworkRequest(network_id=NET_A, address="10.0.0.5", tag="t"),
            {"network": NET_A, "fixed_ip": "10.0.0.5", "tag": "t"},
        ),
        (NetworkRequest(port_id=PORT_1, pci_request_id=NET_A), {"port": PORT_1}),
    ],
)
def test_an_interface_is_shown_in_the_operators_words(
    request_: NetworkRequest, shown: dict[str, str]
) -> None:
    assert show_requests((request_,)) == [shown]


texts = st.none() | st.text(min_size=1, max_size=8).filter(lambda t: t not in ("auto", "none"))


@given(
    st.lists(
        st.builds(
            NetworkRequest,
            network_id=texts,
            address=texts,
            port_id=texts,
            tag=texts,
            pci_request_id=texts,
        )
    )
)
def test_what_is_stored_comes_back(requests: list[NetworkRequest]) -> None:
    assert requests_from(spec_with(tuple(requests)).requested_networks) == tuple(requests)
