# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The context of the message to the conductor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_context import (
    build_context,
)
from fakes.build import Original

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
# What the operator's token and the time of the new message make different.
OTHER = {"auth_token", "is_admin", "remote_address", "request_id", "timestamp"}


def context(original: Original, *, has_volumes: bool = False, **identity: Any) -> dict[str, Any]:
    return build_context(
        original.identity(**identity),
        instance=original.instance,
        has_volumes=has_volumes,
        request_id="req-1",
        global_request_id=None,
        now=NOW,
    )


def test_it_is_what_nova_sent_but_for_whose_token_it_is() -> None:
    original = Original.load()
    ours, theirs = context(original), original.context
    assert set(ours) == set(theirs)
    assert {k: v for k, v in ours.items() if k not in OTHER} == {
        k: v for k, v in theirs.items() if k not in OTHER
    }
    assert ours["auth_token"] == "an-operators-token"
    assert ours["is_admin"] is True
    assert ours["timestamp"] == "2026-03-01T02:00:00.000000"


def test_names_come_from_keystone_where_nova_stores_none() -> None:
    original = Original.load()
    for name in ("owner_user_name", "owner_project_name"):
        del original.instance["system_metadata"][name]
    made = context(original, user_name="zoe", project_name="web", user_domain_id=None)
    assert (made["user_name"], made["project_name"]) == ("zoe", "web")
    user, project = original.instance["user_id"], original.instance["project_id"]
    assert made["user_identity"] == f"{user} {project} - - default"


def test_a_region_has_all_its_interfaces_in_one_endpoint() -> None:
    def at(interface: str, region: str) -> dict[str, str]:
        return {"interface": interface, "region": region, "url": f"http://{interface}.{region}"}

    catalog = [
        {"type": "image", "name": "glance", "endpoints": [at("public", "a"), at("internal", "a")]},
        {"type": "network", "name": "n", "endpoints": [at("public", "a"), at("public", "b")]},
    ]
    assert context(Original.load(), catalog=catalog)["service_catalog"] == [
        {
            "type": "image",
            "name": "glance",
            "endpoints": [
                {"region": "a", "publicURL": "http://public.a", "internalURL": "http://internal.a"}
            ],
        },
        {
            "type": "network",
            "name": "n",
            "endpoints": [
                {"region": "a", "publicURL": "http://public.a"},
                {"region": "b", "publicURL": "http://public.b"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("catalog", "has_volumes", "missing"),
    [
        ([], False, ["image", "network"]),
        ([{"type": "image", "endpoints": []}], False, ["image", "network"]),
        (None, True, ["block-storage"]),
    ],
)
def test_a_catalog_with_which_the_build_would_fail(
    catalog: Any, has_volumes: bool, missing: list[str]
) -> None:
    others = {} if catalog is None else {"catalog": catalog}
    with pytest.raises(RecoveryError) as caught:
        context(Original.load(), has_volumes=has_volumes, **others)
    assert caught.value.code == "catalog_incomplete"
    assert caught.value.details == {"missing": missing}


def test_an_identity_shows_no_token() -> None:
    assert "an-operators-token" not in repr(Original.load().identity())
