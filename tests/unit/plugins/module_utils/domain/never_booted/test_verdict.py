# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether it can be rebuilt, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.description import (
    NeededVolume,
    describe,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Scope,
    never_booted,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_check import (
    NetworkProblem,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.verdict import (
    Circumstances,
    Known,
    Verdict,
    give_verdict,
    nobody_asked,
    reasons_of_databases,
)
from fakes.buried_instance import UUIDS
from fakes.listing_databases import ListingDatabases
from fakes.nova_databases import CELL1, CELLS

A = UUIDS[0]
IMAGE = "1a9e0000-0000-4000-8000-000000000001"
FINE = Circumstances(images={IMAGE: "active"}, volumes={}, attachments={}, networks={}, queued=0)
SETTLES = timedelta(seconds=1860)


def known(databases: ListingDatabases) -> Known:
    [[listed]] = never_booted(databases, Scope())
    what = describe(listed)
    return Known(
        instance_uuid=A,
        situation=listed.situation,
        description=what,
        reasons=reasons_of_databases(listed, what, CELLS, settles=SETTLES),
        nobody_asked=nobody_asked(listed),
    )


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def buried(**options: Any) -> ListingDatabases:
    databases = ListingDatabases()
    databases.bury(A, **options)
    return databases


def half_built(*, age: float = 7200, **options: Any) -> ListingDatabases:
    databases = buried(age=age, cell_id=CELL1, **options)
    databases.map(A, cell_id=None)
    databases.add_request(A, created_at=databases.moment - timedelta(seconds=age))
    return databases


def test_a_buried_one_can_be_rebuilt_when_all_is_there() -> None:
    verdict = give_verdict(known(buried()), FINE)
    assert verdict.rebuildable
    assert verdict.unchecked == ()
    assert verdict.as_dict()["rebuildable"] is True


def test_what_was_not_looked_up_is_unchecked_if_it_is_needed() -> None:
    verdict = give_verdict(known(buried()), Circumstances())
    assert verdict.rebuildable
    assert verdict.unchecked == ("images", "networks")
    databases = ListingDatabases()
    databases.leave_behind(A)
    assert "queue" in give_verdict(known(databases), Circumstances()).unchecked


def test_unknown_networks_block_and_hide_nothing_else() -> None:
    assert codes(give_verdict(known(buried(networks=False)), FINE)) == ["networks_unknown"]
    databases = half_built(age=60, networks=False)
    assert codes(give_verdict(known(databases), FINE)) == ["half_built", "networks_unknown"]


def test_half_built_is_a_matter_of_time() -> None:
    assert codes(give_verdict(known(half_built(age=1800)), FINE)) == ["half_built"]
    assert give_verdict(known(half_built(age=1900)), FINE).rebuildable


def test_a_young_build_request_may_be_at_work() -> None:
    for age, expected in ((1800, ["still_building"]), (1900, [])):
        databases = ListingDatabases()
        databases.leave_behind(A, age=age)
        databases.rewrite_spec(A, lambda data: None)
        found = known(databases)
        around = replace(FINE, images={found.description.image_id or "": "active"})
        assert codes(give_verdict(found, around)) == expected


def test_what_this_collection_prepared_is_not_waited_for() -> None:
    databases = ListingDatabases()
    databases.leave_behind(A, age=1)
    databases.note(A, "prepared")
    found = known(databases)
    assert found.reasons == ()
    # Nobody has sent a message of it.
    assert "queue_not_drained" not in codes(give_verdict(found, replace(FINE, queued=3)))


def test_a_message_that_waits_may_be_that_of_a_build_request() -> None:
    databases = ListingDatabases()
    databases.leave_behind(A)
    assert "queue_not_drained" in codes(give_verdict(known(databases), replace(FINE, queued=3)))
    assert give_verdict(known(buried()), replace(FINE, queued=3)).rebuildable


def test_what_was_submitted_is_being_built() -> None:
    databases = ListingDatabases()
    databases.leave_behind(A)
    databases.note(A, "submitted")
    assert "being_built" in [reason.code for reason in known(databases).reasons]


def test_on_a_host_it_is_for_a_person() -> None:
    databases = buried(cell_id=CELL1, host="compute-1")
    assert codes(give_verdict(known(databases), FINE)) == ["on_host"]


def test_rows_in_several_cells() -> None:
    databases = half_built()
    databases.state["cell0"]["rows"][A] = databases.state["cell1"]["rows"][A]
    assert codes(give_verdict(known(databases), FINE)) == ["rows_in_several_cells"]


def test_a_spec_that_is_missing_or_broken() -> None:
    databases = buried()
    specs = databases.state["api"]["specs"]
    whole = specs.pop(A)
    assert codes(give_verdict(known(databases), FINE)) == ["request_spec_missing"]
    specs[A] = replace(whole, spec="{")
    assert codes(give_verdict(known(databases), FINE)) == ["unexpected_object"]


@pytest.mark.parametrize(
    ("images", "code"),
    [({}, "image_gone"), ({IMAGE: "deactivated"}, "image_not_active")],
)
def test_images(images: dict[str, str], code: str) -> None:
    assert codes(give_verdict(known(buried()), replace(FINE, images=images))) == [code]


@pytest.mark.parametrize(
    ("attachment", "volumes", "attachments", "expected"),
    [
        ("a", {"v": "reserved"}, {"a": A}, []),
        ("a", {"v": "in-use"}, {"a": A}, []),
        ("a", {}, {}, ["volume_gone"]),
        # Nova asks for that attachment, and for no other.
        ("a", {"v": "available"}, {}, ["volume_not_available"]),
        ("a", {"v": "reserved"}, {"a": "other"}, ["volume_not_available"]),
        ("a", {"v": "error"}, {"a": A}, ["volume_not_available"]),
        (None, {"v": "available"}, {}, []),
        (None, {"v": "in-use"}, {}, ["volume_not_available"]),
    ],
)
def test_volumes(
    attachment: str | None,
    volumes: dict[str, str],
    attachments: dict[str, str],
    expected: list[str],
) -> None:
    found = known(buried())
    needed = NeededVolume(volume_id="v", attachment_id=attachment)
    found = replace(found, description=replace(found.description, volumes=(needed,)))
    around = replace(FINE, volumes=volumes, attachments=attachments)
    assert codes(give_verdict(found, around)) == expected
    assert "volumes" in give_verdict(found, replace(FINE, volumes=None)).unchecked


def test_networks() -> None:
    problem = NetworkProblem(code="port_taken", message="m")
    around = replace(FINE, networks={A: [problem], "other": [problem]})
    assert codes(give_verdict(known(buried()), around)) == ["port_taken"]
