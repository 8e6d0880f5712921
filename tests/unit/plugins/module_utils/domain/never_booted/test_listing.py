# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding never-booted instances, page by page."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    listing,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Listed,
    Scope,
    never_booted,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.observation import (
    BURIED,
    DIED,
    HALF_BUILT,
    LEFT_BEHIND,
)
from fakes.buried_instance import UUIDS
from fakes.listing_databases import PROJECT, ListingDatabases
from fakes.nova_databases import CELL1

A, B, C, D, E, F = UUIDS[:6]


def listed(databases: ListingDatabases, scope: Scope | None = None) -> list[Listed]:
    return [one for page in never_booted(databases, scope or Scope()) for one in page]


def uuids(databases: ListingDatabases, **scope: object) -> list[str]:
    return [one.seen.instance_uuid for one in listed(databases, Scope(**scope))]  # type: ignore[arg-type]


def test_all_three_classes_are_found_the_oldest_first() -> None:
    databases = ListingDatabases()
    databases.bury(A, age=30)
    databases.bury(B, age=90, cell_id=CELL1)
    databases.leave_behind(C, age=60)
    databases.bury(D, age=10, cell_id=CELL1)
    databases.map(D, cell_id=None)
    databases.add_request(D, created_at=databases.moment)
    found = listed(databases)
    assert [(one.seen.instance_uuid, one.situation) for one in found] == [
        (B, DIED),
        (C, LEFT_BEHIND),
        (A, BURIED),
        (D, HALF_BUILT),
    ]
    assert [one.cell.label if one.cell else None for one in found] == [
        "cell1",
        None,
        "cell0",
        "cell1",
    ]


def test_what_is_alive_deleted_or_elsewhere_is_not_listed() -> None:
    databases = ListingDatabases()
    databases.bury(A, launched_at=databases.moment)
    # Nova is building it.
    databases.bury(B, cell_id=CELL1, vm_state="building")
    # Being rescheduled: ERROR for a moment.
    databases.bury(C, cell_id=CELL1, task_state="scheduling")
    databases.bury(D)
    databases.map(D, queued_for_delete=True)
    # Left-over rows of one that was mapped to another cell.
    databases.bury(E)
    databases.map(E, cell_id=CELL1)
    databases.bury(F)
    del databases.state["api"]["mappings"][F]
    assert uuids(databases) == []


def test_a_scope_leaves_out() -> None:
    databases = ListingDatabases()
    databases.bury(A, age=30)
    databases.bury(B, age=90, project_id="other")
    databases.leave_behind(C, age=60)
    assert uuids(databases, instance_uuids=[A, C, E]) == [C, A]
    assert uuids(databases, instance_uuids=[]) == []
    assert uuids(databases, project_id="other") == [B]
    assert uuids(databases, project_id=PROJECT) == [C, A]
    hour = databases.moment - (databases.moment - databases.moment)
    assert uuids(databases, created_after=hour) == []
    assert uuids(databases, created_before=hour) == [B, C, A]


def test_the_number_of_queries_does_not_depend_on_how_many_a_page_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def queries(number: int) -> list[str]:
        databases = ListingDatabases()
        for index in range(number):
            databases.bury(f"{index:08d}{A[8:]}", age=index)
        databases.leave_behind(B, age=0)
        databases.calls.clear()
        assert len(listed(databases)) == number + 1
        return databases.calls

    assert queries(3) == queries(300)
    assert len(queries(3)) < 16


def test_pages_are_read_as_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    databases = ListingDatabases()
    for index in range(7):
        databases.bury(f"{index:08d}{A[8:]}", age=100 - index)
    # Candidates come in pages of their own.
    monkeypatch.setattr(listing, "_CANDIDATES_AT_ONCE", 3)
    pages = never_booted(databases, Scope(), page_size=2)
    assert len(next(pages)) == 2
    read = databases.calls.count("specs")
    assert read == 1
    assert [len(page) for page in pages] == [2, 2, 1]
    assert databases.calls.count("never booted of cell0") == 3
    assert databases.calls.count("specs") == 4


def test_texts_of_build_requests_are_read_only_where_nothing_else_tells() -> None:
    databases = ListingDatabases()
    databases.bury(A)
    databases.calls.clear()
    listed(databases)
    assert databases.calls.count("requests") == 1
    databases.leave_behind(B)
    found = {one.seen.instance_uuid: one.seen for one in listed(databases)}
    request = found[B].build_request
    assert request is not None
    assert request.instance


def test_the_newest_entry_of_the_journal_is_told_and_an_open_one_counts() -> None:
    databases = ListingDatabases()
    databases.bury(A)
    databases.bury(B)
    databases.note(A, "prepared")
    databases.note(B, "restored")
    found = {one.seen.instance_uuid: one for one in listed(databases)}
    assert found[A].seen.entry == found[A].newest
    assert found[A].newest is not None
    assert found[B].seen.entry is None
    assert found[B].newest is not None
    assert found[B].newest.state == "restored"
