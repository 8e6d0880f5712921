# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the reports of evacuations say to bring home."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.failback.reports import (
    fail_back_moves,
)
from hypothesis import given
from hypothesis import strategies as st

NOT_MOVED = ["failed", "in_progress", "not_started"]


def entry(name: str = "web-1", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}",
        "name": name,
        "from": "compute-1",
        "to": "compute-2",
        "status": "verified",
        **fields,
    }


def report(*entries: dict[str, Any], at: str = "2026-03-01T02:00:00", **fields: Any) -> Any:
    return {"host": "compute-1", "finished_at": at, "instances": list(entries), **fields}


def moves(*reports: Any, **filters: Any) -> dict[str, Any]:
    given = [{"name": f"report-{n}", "report": r} for n, r in enumerate(reports)]
    return fail_back_moves(given, **filters)


def homes(*reports: Any, **filters: Any) -> dict[str, tuple[str, str]]:
    """By name: where it is to be, and where it must be now."""
    found = moves(*reports, **filters)
    assert found["problems"] == []
    return {move["name"]: (move["host"], move["from"]) for move in found["moves"]}


def test_what_was_verified_goes_home() -> None:
    found = moves(report(entry(), entry("web-2", to="compute-3")))
    assert found["moves"] == [
        {"id": "id-web-1", "host": "compute-1", "from": "compute-2", "name": "web-1"},
        {"id": "id-web-2", "host": "compute-1", "from": "compute-3", "name": "web-2"},
    ]
    assert found["skipped"] == found["problems"] == []


@pytest.mark.parametrize("status", NOT_MOVED)
def test_what_was_not_verified_is_named(status: str) -> None:
    found = moves(report(entry(status=status), entry("web-2")))
    assert [move["name"] for move in found["moves"]] == ["web-2"]
    (skipped,) = found["skipped"]
    assert (skipped["name"], skipped["code"]) == ("web-1", "not_verified")
    assert status in skipped["reason"]


def test_what_never_left_is_left_out() -> None:
    found = moves(report(entry(status="skipped"), entry("web-2", status="gone")))
    assert found == {"moves": [], "skipped": [], "problems": []}


def test_json_data_and_several_in_one() -> None:
    one, two = report(entry()), report(entry("web-2", **{"from": "compute-4"}))
    expected = {"web-1": ("compute-1", "compute-2"), "web-2": ("compute-4", "compute-2")}
    assert homes(json.dumps(one), two) == expected
    # As a workflow hands them over, by host.
    assert homes({"compute-1": one, "compute-4": two}) == expected
    assert homes(json.dumps({"compute-1": one, "compute-4": two})) == expected


def test_a_report_of_today_says_what_it_is() -> None:
    assert homes(report(entry(), kind="host_down", check_mode=False))


def test_a_second_evacuation_does_not_make_a_new_home() -> None:
    first = report(entry(), at="2026-03-01T02:00:00Z")
    second = report(
        entry(**{"from": "compute-2", "to": "compute-3"}), at="2026-03-02T02:00:00+00:00"
    )
    assert homes(first, second) == homes(second, first) == {"web-1": ("compute-1", "compute-3")}
    assert homes(second) == {"web-1": ("compute-2", "compute-3")}


def test_one_that_was_brought_home_in_between() -> None:
    again = entry(to="compute-3")
    assert homes(report(entry()), report(again, at="2026-03-02T02:00:00")) == {
        "web-1": ("compute-1", "compute-3")
    }


def test_a_later_run_that_has_verified_it() -> None:
    first = report(entry(status="failed", to=None))
    assert homes(first, report(entry(), at="2026-03-01T03:00:00")) == {
        "web-1": ("compute-1", "compute-2")
    }


def test_filters() -> None:
    both = report(entry(), entry("web-2", **{"from": "compute-4"}))
    assert set(homes(both, hosts=["compute-4"])) == {"web-2"}
    assert set(homes(both, instances=["web-1"])) == {"web-1"}
    assert set(homes(both, instances=["id-web-2"])) == {"web-2"}
    assert set(homes(both, hosts=["compute-1"], instances=["web-2"])) == set()


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"hosts": ["compute"]}, "nothing has left 'compute'"),
        ({"instances": ["web"]}, "no instance has the name or id 'web'"),
        ({"instances": ["twin"]}, "2 instances have the name 'twin'"),
    ],
)
def test_filters_that_match_nothing(filters: dict[str, Any], words: str) -> None:
    given = report(entry(), entry("twin", id="a"), entry("twin", id="b"))
    (problem,) = moves(given, **filters)["problems"]
    assert words in problem


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("no json", "no JSON"),
        ("[]", "no report of an evacuation"),
        ([], "no report of an evacuation"),
        ({}, "has no 'instances'"),
        ({"host": "compute-1"}, "has no 'instances'"),
        ({"a": {"b": 1}}, "'instances' is no list"),
        (report(entry(), kind="reshape_instances"), "report of reshape_instances"),
        (report(entry(), check_mode=True), "a plan"),
        ({"instances": {}, "finished_at": "2026-03-01"}, "'instances' is no list"),
        (report({"id": "a"}), "instances[0] has no"),
        (report("a"), "instances[0] has no"),
        (report(entry(), at="yesterday"), "'finished_at' is no time"),
        ({"instances": []}, "'finished_at' is no time"),
    ],
)
def test_what_is_no_report(bad: Any, words: str) -> None:
    found = moves(report(entry("web-2")), bad)
    (problem,) = found["problems"]
    assert problem.startswith("report-1: ")
    assert words in problem


HOSTS = ["compute-1", "compute-2", "compute-3"]


@given(st.lists(st.sampled_from(HOSTS), min_size=2, max_size=6))
def test_whatever_the_way_it_goes_from_where_it_is_to_a_host_that_it_had(way: list[str]) -> None:
    hops = [
        report(entry(**{"from": here, "to": there}), at=f"2026-03-0{day}T00:00:00")
        for day, (here, there) in enumerate(pairwise(way), start=1)
        if here != there
    ]
    if not hops:
        return
    home, now = homes(*hops)["web-1"]
    assert now == way[-1]
    # All of its moves are told, so its home is where it was first.
    assert home == way[0]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda a: (
            st.lists(a)
            | st.dictionaries(st.sampled_from(["instances", "finished_at", "kind", "id", "x"]), a)
        ),
    )
)
def test_rubbish_is_told_and_not_raised(rubbish: Any) -> None:
    found = moves(rubbish)
    assert found["moves"] == []
    assert found["problems"] or rubbish is None or "instances" in rubbish
