# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instances that are asked for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.circumstances import (
    NetworkHint,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Scope,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_request import (
    NetworkRequest,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.survey import (
    Selection,
    survey,
    totals,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.verdict import (
    Circumstances,
    give_verdict,
)
from fakes.buried_instance import UUIDS
from fakes.listing_databases import ListingDatabases
from fakes.nova_databases import CELL1

A, B, C = UUIDS[:3]


@pytest.fixture(name="databases")
def _databases() -> ListingDatabases:
    databases = ListingDatabases()
    databases.bury(A, age=30)
    databases.bury(B, age=90, cell_id=CELL1)
    databases.state["cell1"]["rows"][B]["instance_faults"][0]["message"] = "Build of it aborted"
    databases.state["cell1"]["rows"][B]["tags"].clear()
    databases.leave_behind(C, age=60)
    return databases


def uuids(databases: ListingDatabases, **selection: Any) -> list[str]:
    found, truncated = survey(databases, Scope(), Selection(**selection))
    assert not truncated
    return [one.uuid for one in found]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({}, [B, C, A]),
        ({"classes": ["a"]}, [A]),
        ({"classes": ["b", "c"]}, [B, C]),
        ({"fault": "NO VALID"}, [A]),
        ({"fault": "aborted"}, [B]),
        ({"tags": ["t1", "t2"], "classes": ["a", "b"]}, [A]),
        ({"tags": ["t3"]}, []),
        ({"metadata": {"k": "v"}, "classes": ["a", "b"]}, [B, A]),
        ({"metadata": {"k": "w"}}, []),
        ({"flavor": "lab.tiny", "classes": ["a"]}, [A]),
        ({"flavor": "f1a00000-0000-4000-8000-000000000001", "classes": ["a"]}, [A]),
        ({"flavor": "lab"}, []),
        ({"image_ids": ["x", "1a9e0000-0000-4000-8000-000000000001"], "classes": ["a"]}, [A]),
        ({"image_ids": []}, []),
    ],
)
def test_all_that_is_selected_must_match(
    databases: ListingDatabases, selection: dict[str, Any], expected: list[str]
) -> None:
    assert uuids(databases, **selection) == expected


def test_a_limit_takes_the_oldest_and_says_that_there_are_more(
    databases: ListingDatabases,
) -> None:
    for limit, expected, more in ((1, [B], True), (3, [B, C, A], False), (9, [B, C, A], False)):
        found, truncated = survey(databases, Scope(), Selection(), limit=limit)
        assert ([one.uuid for one in found], truncated) == (expected, more)


def test_a_limit_ends_the_reading(databases: ListingDatabases) -> None:
    databases.calls.clear()
    survey(databases, Scope(), Selection(), limit=1, page_size=1)
    # One more is looked at, to say that there is one.
    assert databases.calls.count("specs") == 2


def test_what_is_returned_is_plain(databases: ListingDatabases) -> None:
    databases.note(A, "restored", request_spec="a spec that is long")
    databases.rewrite_spec(A, lambda data: data.pop("requested_networks"))
    found, _truncated = survey(databases, Scope(instance_uuids=[A]), Selection())
    hint = NetworkHint(source="ports", requests=(NetworkRequest(port_id="p"),))
    [one] = found
    shown = one.as_dict(give_verdict(one.known, Circumstances()), hint)
    assert one.newest is not None
    assert one.newest.request_spec is None
    assert shown["class"] == "a"
    assert shown["cell"] == "cell0"
    assert shown["fault"]["message"] == "No valid host was found."
    assert shown["requested_networks"] is None
    assert shown["networks_source"] is None
    assert shown["networks_hint"] == {"source": "ports", "requested_networks": [{"port": "p"}]}
    assert shown["journal"] == {
        "state": "restored",
        "run_id": "r",
        "updated_at": "2026-11-22T09:00:00Z",
    }
    assert shown["created_at"] == "2026-11-22T08:59:30Z"
    [reason] = shown["verdict"]["reasons"]
    assert reason["code"] == "networks_unknown"
    assert totals([shown]) == {
        "instances": 1,
        "rebuildable": 0,
        "blocked": 1,
        "classes": {"a": 1, "b": 0, "c": 0},
    }


def test_stored_networks_are_told(databases: ListingDatabases) -> None:
    found, _truncated = survey(databases, Scope(instance_uuids=[A]), Selection())
    shown = found[0].as_dict(give_verdict(found[0].known, Circumstances()))
    assert shown["networks_source"] == "stored"
    assert shown["requested_networks"]
    assert shown["networks_hint"] is None
