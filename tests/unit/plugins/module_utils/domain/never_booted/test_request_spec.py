# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stored RequestSpec: what is not changed stays as it was."""

from __future__ import annotations

import json

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.request_spec import (
    RequestSpec,
    network_request_list,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.versioned_object import (
    primitive,
)
from fakes.buried_instance import INSTANCE_UUID, spec_text

REQUEST = {"network_id": "n", "address": None, "port_id": None, "tag": "a"}


def load(text: str) -> RequestSpec:
    return RequestSpec.loads(text, INSTANCE_UUID)


def test_a_stored_spec_is_written_as_it_was_read() -> None:
    text = spec_text()
    assert json.loads(load(text).dumps()) == json.loads(text)
    assert load(text).primitive == json.loads(text)


def test_nova_keeps_no_networks() -> None:
    assert load(spec_text(networks=False)).requested_networks is None


def test_none_given_is_known() -> None:
    spec = load(spec_text(networks=False)).with_requested_networks([])
    assert spec.requested_networks == []
    assert load(spec.dumps()).requested_networks == []


def test_networks_are_put_in_and_taken_out() -> None:
    before = load(spec_text(networks=False))
    spec = before.with_requested_networks([REQUEST])
    assert spec.requested_networks == [REQUEST]
    assert before.requested_networks is None
    assert json.loads(spec.with_requested_networks(None).dumps()) == json.loads(before.dumps())


def test_those_that_nova_sent_are_read() -> None:
    networks = load(spec_text()).requested_networks
    assert networks is not None
    assert [(one["tag"], one["port_id"] is None) for one in networks] == [
        ("a", True),
        (None, False),
    ]


def test_what_is_given_counts_as_set_by_the_user() -> None:
    made = network_request_list([{"tag": None, "network_id": "n"}])
    request = made["nova_object.data"]["objects"][0]
    assert made["nova_object.name"] == "NetworkRequestList"
    assert made["nova_object.changes"] == ["objects"]
    assert request["nova_object.changes"] == ["network_id", "tag"]


def test_a_field_is_set_beside_the_others() -> None:
    before = load(spec_text())
    after = before.with_fields({"num_instances": 1, "retry": None})
    assert after.get("num_instances") == 1
    assert after.get("flavor") == before.get("flavor")
    assert after.get("no_such_field") is None


def test_what_is_taken_out_no_longer_counts_as_changed() -> None:
    stored = primitive(
        "RequestSpec", {"retry": None, "limits": None}, ["retry", "limits"], version="1.15"
    )
    spec = RequestSpec(stored).without("retry")
    assert spec.primitive["nova_object.changes"] == ["limits"]
    assert spec.primitive["nova_object.data"] == {"limits": None}
    assert "retry" in stored["nova_object.data"]


def test_a_spec_without_changes_gets_none() -> None:
    stored = primitive("RequestSpec", {"retry": None}, version="1.15")
    assert "nova_object.changes" not in RequestSpec(stored).without("retry").primitive


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"nova_object.name": "Instance"}'])
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        load(text)
    assert caught.value.code == "unexpected_object"


def test_networks_of_another_kind_are_refused() -> None:
    spec = load(spec_text()).with_fields({"requested_networks": primitive("TagList", {})})
    with pytest.raises(RecoveryError):
        assert spec.requested_networks
