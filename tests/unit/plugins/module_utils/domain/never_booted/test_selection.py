# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which never-booted instances a rebuild takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.selection import (
    rebuild_selection,
)


def listed(uuid: str, *reasons: str, journal: str | None = None) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "journal": {"state": journal} if journal else None,
        "verdict": {"reasons": [{"code": code, "message": code} for code in reasons]},
    }


def test_what_can_be_rebuilt_is_prepared_and_built() -> None:
    found = rebuild_selection([listed("a"), listed("b")])
    assert found == {
        "find_networks": [],
        "prepare": ["a", "b"],
        "build": ["a", "b"],
        "blocked": [],
    }


def test_what_cannot_is_blocked_as_it_was_given() -> None:
    one = listed("a", "image_gone")
    found = rebuild_selection([one, listed("b")])
    assert found["blocked"] == [one]
    assert found["prepare"] == found["build"] == ["b"]


@pytest.mark.parametrize("can", [True, False])
def test_unknown_networks_are_looked_for_only_if_the_caller_says_so(can: bool) -> None:
    one = listed("a", "networks_unknown")
    found = rebuild_selection([one], can_find_networks=can)
    assert found["find_networks"] == found["prepare"] == found["build"] == (["a"] if can else [])
    assert found["blocked"] == ([] if can else [one])


def test_unknown_networks_and_something_else_is_blocked() -> None:
    one = listed("a", "networks_unknown", "image_gone")
    assert rebuild_selection([one], can_find_networks=True)["blocked"] == [one]


@pytest.mark.parametrize("state", ["submitted", "submit_intended"])
def test_what_the_conductor_was_asked_for_is_only_waited_for(state: str) -> None:
    found = rebuild_selection([listed("a", "being_built", journal=state)])
    assert found["build"] == ["a"]
    assert found["prepare"] == []


def test_being_built_without_a_journal_is_blocked() -> None:
    assert rebuild_selection([listed("a", "being_built")])["build"] == []


@pytest.mark.parametrize(
    ("state", "taken"),
    [("taken", True), ("prepared", True), ("built", False), ("restored", False), (None, False)],
)
def test_of_others_only_what_a_run_has_not_finished_is_taken(
    state: str | None, taken: bool
) -> None:
    found = rebuild_selection([], [listed("a", journal=state)])
    assert found["build"] == (["a"] if taken else [])


def test_one_that_is_listed_twice_is_taken_once() -> None:
    one = listed("a", journal="prepared")
    assert rebuild_selection([one], [one])["build"] == ["a"]


def test_named_ones_that_are_not_listed_are_only_built() -> None:
    found = rebuild_selection([listed("a")], named=["b", "a", "b"])
    assert found["prepare"] == ["a"]
    assert found["build"] == ["a", "b"]


def test_what_was_deleted_is_only_prepared_which_closes_it() -> None:
    found = rebuild_selection([listed("a")], deleted=[{"uuid": "d"}], named=["a", "d"])
    assert (found["prepare"], found["build"]) == (["a", "d"], ["a"])


@pytest.mark.parametrize("state", ["buried_again", "died"])
def test_what_starts_by_itself_takes_none_whose_rebuild_has_failed(state: str) -> None:
    """A rebuild that fails is announced as well: it would never end."""
    one = listed("a", journal=state)
    assert rebuild_selection([one])["build"] == ["a"]
    found = rebuild_selection([one], retry_failed=False)
    assert found["prepare"] == found["build"] == []
    (blocked,) = found["blocked"]
    assert blocked["verdict"]["rebuildable"] is False
    assert [reason["code"] for reason in blocked["verdict"]["reasons"]] == ["rebuild_failed_before"]
    assert one["verdict"]["reasons"] == []


@pytest.mark.parametrize("state", [None, "taken", "prepared", "restored", "built"])
def test_it_takes_those_that_nobody_has_tried_or_finished(state: str | None) -> None:
    assert rebuild_selection([listed("a", journal=state)], retry_failed=False)["build"] == ["a"]
