# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the templates show."""

from __future__ import annotations

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.history import (
    renewed,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.links import (
    RequestLinks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.page import (
    history_page,
    kind_words,
    run_page,
)
from fakes.reports import data, instance, run

LINKS = RequestLinks("https://logs.example.com/?q={request_id}")


def page(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return run_page(run(*instances, **more), LINKS, "x.json")


def test_the_worst_instance_is_first_and_its_number_leads_from_the_group_to_its_row() -> None:
    shown = page(
        instance("a"),
        instance("b", "skipped", code="vtpm"),
        instance("c", "failed", code="timeout"),
        instance("d"),
    )
    assert [row["name"] for row in shown["instances"]] == ["c", "a", "d", "b"]
    numbers = {row["name"]: row["number"] for row in shown["instances"]}
    assert [g["instances"][0]["number"] for g in shown["groups"]] == [numbers["c"], numbers["b"]]
    assert [tile["number"] for tile in shown["tiles"]] == ["1", "2", "1"]


def test_a_big_group_is_folded() -> None:
    many = [instance(f"i{n}", "failed", code="timeout") for n in range(13)]
    assert page(*many)["groups"][0]["folded"]
    assert not page(*many[:12])["groups"][0]["folded"]


def test_facts_that_are_not_known_are_left_out() -> None:
    shown = page(requests={"GET servers": 3, "POST servers/action": 4, "bad": None})
    assert shown["facts"] == [("run", "r1"), ("took", "12 s"), ("API requests", "7")]
    assert shown["requests"][0] == ("POST servers/action", 4)
    assert page(seconds=None)["facts"] == [("run", "r1")]


def test_a_request_is_linked() -> None:
    row = page(instance("a", request_ids=["req-1"]))["instances"][0]
    assert row["requests"] == [{"id": "req-1", "url": "https://logs.example.com/?q=req-1"}]
    plain = run_page(run(instance("a", request_ids=["req-1"])), RequestLinks(), "x.json")
    assert plain["instances"][0]["requests"] == [{"id": "req-1", "url": None}]


def test_the_plan_has_the_columns_in_which_there_is_something() -> None:
    plan = [
        {"id": "u1", "name": "a", "action": "evacuate", "from": "c1", "power_state": "on"},
        {"id": "u2", "name": "b", "action": "skip", "reason": "no", "leave_off": True,
         "rules": {"evacuate": "web"}, "prediction": {"fits": False, "reason": "no memory"}},
    ]  # fmt: skip
    shown = page(plan=plan)["plan"]
    assert shown["columns"] == ["from", "power", "rules", "prediction", "reason"]
    assert [row["power"] for row in shown["rows"]] == ["on", "left off"]
    assert shown["rows"][1]["rules"] == "evacuate: web"
    assert shown["rows"][1]["prediction"] == {"fits": False, "words": "no room", "why": "no memory"}


def test_what_waits_for_room_and_gets_none_is_something_to_do() -> None:
    waiting = [
        {"id": "u1", "name": "a", "fits": "gets_room", "host": "c2"},
        {"id": "u2", "name": "b", "fits": "no_room", "code": "over_limit", "reason": "4 of 3"},
    ]
    shown = page(instance("c"), kind="make_room", waiting=waiting)
    assert [(one["name"], one["room"]) for one in shown["waiting"]] == [
        ("a", "gets room"),
        ("b", "no room"),
    ]
    (group,) = shown["groups"]
    assert (group["code"], group["level"]) == ("over_limit", "late")
    assert group["instances"] == [{"number": None, "name": "b", "reason": "4 of 3"}]


def test_changes_of_services_in_words() -> None:
    changes = [{"host": "c1", "forced_down": True}, {"host": "c1", "status": "disabled"}]
    assert page(service_changes=changes)["service_changes"] == [
        {"host": "c1", "what": "forced down: yes"},
        {"host": "c1", "what": "status: disabled"},
    ]


def test_the_history() -> None:
    content = data(instance("a", "failed", code="x"), finished_at="2026-11-22T03:08:28Z")
    history = renewed(None, {"h.json": [1, 2]}, lambda name: content)
    shown = history_page(history)
    assert shown["total"] == 1
    row = shown["runs"][0]
    assert (row["page"], row["mark"], row["outcome"]) == ("h.html", "\u2715", "failed")
    assert row["finished"] == "2026-11-22 03:08:28 UTC"
    assert row["took"] == "12 s"
    assert history_page({"runs": [{"file": "x.json"}]})["runs"][0]["finished"] == ""


def test_kinds_have_words() -> None:
    assert kind_words("host_down") == "host down"
    assert kind_words("something_else") == "something else"
