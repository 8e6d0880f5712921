# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for whoever watches."""

from __future__ import annotations

import itertools

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.move import (
    Move,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.plan import (
    PlannedMove,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.progress import (
    summary,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.verification import (
    Baseline,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    EVERY_SECONDS,
    Progress,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.timeline import (
    Timeline,
    WallTime,
)
from fakes import values
from fakes.nova import Attempt
from fakes.scene import Scene
from fakes.world import EPOCH


def moves(*states: str) -> list[Move]:
    baseline = Baseline(source="a", power="on", volume_ids=frozenset(), port_ids=frozenset())
    planned = PlannedMove(instance=values.instance(), baseline=baseline)
    timeline = Timeline(WallTime(EPOCH, 0))
    return [Move(planned=planned, timeline=timeline, state=state) for state in states]


def test_a_summary_counts_every_instance_once() -> None:
    states = ["verified", "submitted", "moving", "verifying", "waiting", "backoff", "failed"]
    assert summary(moves(*states)) == (
        "1 of 7 verified, 2 moving, 1 being verified, 1 waiting, 1 to be tried again, 1 failed"
    )
    assert summary([]) == "0 of 0 verified"
    assert summary(moves("in_progress", "gone")) == "0 of 2 verified, 1 gone, 1 in progress"


def test_a_line_comes_with_news_and_in_any_case_every_few_seconds() -> None:
    sent: list[str] = []
    progress = Progress(sent.append, 0.0, "compute-1: ")
    for second in range(18):
        progress.update(summary(moves("moving")), float(second))
    assert sent == [f"compute-1: 0 of 1 verified, 1 moving ({at} s)" for at in (0, 8, 16)]
    progress.update(summary(moves("verified")), 18.0)
    assert len(sent) == 3, "many changes make few lines"
    progress.update(summary(moves("verified")), 20.0)
    assert sent[-1] == "compute-1: 1 of 1 verified (20 s)"


def test_trouble_is_told() -> None:
    sent: list[str] = []
    Progress(sent.append, 0.0, "a, b: ").update(summary(moves("moving")), 0.0, "no answer")
    assert sent == ["a, b: 0 of 1 verified, 1 moving; no answer (0 s)"]


def test_a_long_run_is_never_silent_for_15_seconds() -> None:
    scene = Scene.make(3)
    scene.nova.default = Attempt(finish_after=120)
    scene.nova.outages = [(30, 70)]
    scene.recover(concurrency=2)
    moments = [moment for moment, _line in scene.lines]
    assert len(moments) > 20
    assert max(b - a for a, b in itertools.pairwise(moments)) < 15
    assert EVERY_SECONDS < 15
    assert any("does not answer" in line for _moment, line in scene.lines)
