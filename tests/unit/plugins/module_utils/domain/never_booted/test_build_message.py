# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message to the conductor, against the one that Nova sent for the same instance."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_message import (
    build_message,
)
from fakes.build import Original

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
DATA = "nova_object.data"
CHANGES = "nova_object.changes"


def arguments(original: Original, **others: Any) -> dict[str, Any]:
    return dict(build_message(original.given(**others), NOW).arguments)


def spec_of(original: Original, **others: Any) -> dict[str, Any]:
    return dict(arguments(original, **others)["request_specs"][0][DATA])


def in_order(value: Any) -> Any:
    """Nova keeps changes as sets."""
    if isinstance(value, dict):
        return {k: sorted(v) if k == CHANGES else in_order(v) for k, v in value.items()}
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return value


@pytest.mark.parametrize(
    "argument",
    [
        "build_requests",
        "block_device_mapping",
        "tags",
        "requested_networks",
        "image",
        "injected_files",
    ],
)
def test_it_is_what_nova_sent(argument: str) -> None:
    original = Original.load()
    assert in_order(arguments(original)[argument]) == in_order(original.arguments[argument])


def test_the_request_spec_is_novas_but_for_what_is_not_stored() -> None:
    original = Original.load()
    ours, theirs = spec_of(original), original.arguments["request_specs"][0][DATA]
    del theirs["network_metadata"]
    assert ours.pop("request_level_params")["nova_object.version"] == "1.0"
    del theirs["request_level_params"]
    assert in_order(ours) == in_order(theirs)


def test_no_argument_is_missing() -> None:
    original = Original.load()
    assert set(arguments(original)) == set(original.arguments)


def test_an_instance_of_a_batch_is_built_alone() -> None:
    original = Original.load()
    original.spec[DATA].update(num_instances=3, retry={"x": 1}, ignore_hosts=["h"])
    spec = spec_of(original)
    assert (spec["num_instances"], spec["retry"], spec["ignore_hosts"]) == (1, None, None)


def test_the_conductor_writes_every_field_of_a_volume() -> None:
    original = Original.load()
    request = original.build_request
    (device,) = request["block_device_mappings"][DATA]["objects"]
    device[DATA].update(
        id=5, uuid="a-uuid", destination_type="volume", volume_id="v", attachment_id="a"
    )
    cinder = {
        "type": "block-storage",
        "name": "cinder",
        "endpoints": [{"interface": "public", "region_id": "r", "url": "http://cinder"}],
    }
    with pytest.raises(RecoveryError) as caught:
        arguments(original)
    assert caught.value.code == "catalog_incomplete"
    identity = original.identity()
    identity = dataclasses.replace(identity, catalog=[*identity.catalog, cinder])
    (sent,) = arguments(original, identity=identity)["block_device_mapping"][DATA]["objects"]
    assert sent[DATA]["attachment_id"] == "a"
    assert sent[DATA]["uuid"] == "a-uuid"
    assert not {"id", "instance_uuid"} & set(sent[DATA])
    assert set(sent[CHANGES]) == set(sent[DATA])


def test_nothing_counts_as_changed_in_a_build_request() -> None:
    original = Original.load()
    original.build_request["instance"][CHANGES] = ["host"]
    original.build_request["tags"][CHANGES] = ["objects"]
    original.instance["info_cache"][CHANGES] = ["x"]
    assert CHANGES not in json.dumps(arguments(original)["build_requests"])


def test_fields_that_nova_sets_on_load() -> None:
    original = Original.load()
    original.instance.update(host="h", node="n", launched_at="2026-01-01T00:00:00Z", deleted=None)
    del original.instance["locked_by"]
    instance = arguments(original)["build_requests"][0][DATA]["instance"][DATA]
    assert [instance[name] for name in ("host", "node", "launched_at", "locked_by")] == [None] * 4
    assert instance["created_at"] == original.build_request["created_at"]


def test_a_release_without_compute_id_gets_none() -> None:
    original = Original.load()
    for field in ("compute_id", "node"):
        del original.instance[field]
    instance = arguments(original)["build_requests"][0][DATA]["instance"][DATA]
    assert not {"compute_id", "node"} & set(instance)


def group(original: Original) -> None:
    original.spec[DATA]["scheduler_hints"] = {"group": ["g"], "other": ["o"]}
    original.spec[DATA]["instance_group"] = {
        "nova_object.name": "InstanceGroup",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.11",
        DATA: {"uuid": "g", "policy": "affinity", "members": None, "hosts": None},
        CHANGES: ["hosts", "members"],
    }


def test_a_server_group_goes_with_its_members_and_without_hosts() -> None:
    original = Original.load()
    group(original)
    sent = spec_of(original, group_members=["a", "b"])["instance_group"]
    # With hosts set, to None even, the conductor does not look for them.
    assert sent[DATA] == {"uuid": "g", "policy": "affinity", "members": ["a", "b"]}
    assert CHANGES not in sent


def test_a_server_group_that_was_deleted_is_forgotten() -> None:
    original = Original.load()
    group(original)
    spec = spec_of(original)
    assert spec["instance_group"] is None
    assert spec["scheduler_hints"] == {"other": ["o"]}


def test_personality_files() -> None:
    sent = arguments(Original.load(), injected_files=[("/etc/x", "aGVsbG8=")])
    assert sent["injected_files"] == [["/etc/x", "aGVsbG8="]]


def test_a_password_of_its_own_each_time() -> None:
    passwords = {arguments(Original.load())["admin_password"] for _turn in range(20)}
    assert len(passwords) == 20
    for password in passwords:
        assert len(password) >= 12
        assert password.isalnum()
        assert not password.isalpha()
        assert not password.islower()
        assert not password.isupper()


def test_the_request_id_is_the_contexts() -> None:
    sent = build_message(Original.load().given(global_request_id="req-global"), NOW)
    assert sent.request_id.startswith("req-")
    assert sent.context["request_id"] == sent.request_id
    assert sent.context["global_request_id"] == "req-global"


@pytest.mark.parametrize("fault", ["id", "created_at", "another"])
def test_rows_that_do_not_belong_together(fault: str) -> None:
    given = Original.load().given()
    if fault == "another":
        spec = dataclasses.replace(given.request_spec, instance_uuid="another")
        given = dataclasses.replace(given, request_spec=spec)
    else:
        row = dataclasses.replace(given.build_request, **{fault: None})
        given = dataclasses.replace(given, build_request=row)
    with pytest.raises(RecoveryError) as caught:
        build_message(given, NOW)
    assert caught.value.code == "build_input_mismatch"


def test_no_secret_is_shown() -> None:
    given = Original.load().given(injected_files=[("/x", "c2VjcmV0")])
    for secret in ("an-operators-token", "c2VjcmV0"):
        assert secret not in repr(given)
        assert secret not in repr(build_message(given, NOW))
