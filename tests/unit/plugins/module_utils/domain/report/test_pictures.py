# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of a run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report import pictures
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.links import (
    RequestLinks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.page import (
    run_page,
)
from fakes.reports import events, instance, run


def page(*instances: dict[str, Any]) -> dict[str, Any]:
    return run_page(run(*instances), RequestLinks(), "x.json")


def test_the_picture_and_its_words() -> None:
    way = events((0, "waiting"), (5, "submitted"), (10, "verified"))
    shown = page(instance("a", timeline=way), instance("b", "skipped", code="vtpm"))
    row = shown["instances"][0]
    assert row["steps"] == "waiting at 0 s, submitted at 5 s, verified at 10 s"
    assert [s["phase"] for s in row["track"]["segments"]] == ["waiting", "working"]
    assert row["events"][1]["at"] == "03:07:48.000"
    assert shown["instances"][1]["steps"] == ""
    assert shown["axis"]["begin"] == "2026-11-22 03:07:43 UTC"
    assert {one["name"] for one in shown["legend"]} == {"waiting", "working", "ok"}
    assert page(instance("a"))["axis"] is None


def test_the_legend_has_what_is_to_be_seen_and_no_more() -> None:
    ways = [
        events((0, "waiting"), (1, "submitted"), (9, "failed")),
        events((4, "moving"), (8, "verified")),
    ]
    shown = page(*[instance(f"i{n}", timeline=way) for n, way in enumerate(ways)])
    assert shown["overview"] is None
    tracks = [row["track"] for row in shown["instances"]]
    seen = {s["phase"] for track in tracks for s in track["segments"]}
    assert {one["name"] for one in shown["legend"]} == seen | {track["level"] for track in tracks}


def test_nothing_is_worked_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str] = []
    for name in ("track_of", "overview"):
        once = getattr(pictures, name)

        def noted(*given: Any, name: str = name, once: Any = once) -> Any:
            worked.append(name)
            return once(*given)

        monkeypatch.setattr(pictures, name, noted)
    way = events((0, "waiting"), (5, "submitted"), (10, "verified"))
    page(*[instance(f"i{n}", timeline=way) for n in range(6)])
    assert sorted(worked) == ["overview"] + ["track_of"] * 6


def test_many_instances_have_an_overview() -> None:
    way = events((0, "waiting"), (5, "submitted"), (10, "verified"))
    few = [instance(f"i{n}", timeline=way) for n in range(4)]
    assert page(*few)["overview"] is None
    shown = page(*few, instance("one more", timeline=way))["overview"]
    assert shown["number"] == 5
    for layer in shown["layers"]:
        for point in layer["points"].split():
            x, y = (float(part) for part in point.split(","))
            assert 0 <= x <= 1000
            assert 0 <= y <= 100
