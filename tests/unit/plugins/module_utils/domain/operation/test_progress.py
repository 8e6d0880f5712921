# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a run is, in one line."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation import (
    work as states,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.progress import (
    summary,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.work import (
    Work,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Progress,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.timeline import (
    Timeline,
    WallTime,
)
from fakes.world import World


def works(*wanted: str) -> list[Work]:
    subject = Subject(id="1", name="web-1", project_id="p", source=None, action="resize")
    return [Work(subject, Timeline(WallTime.of(World())), state) for state in wanted]


def test_the_line() -> None:
    found = works(states.VERIFIED, states.WORKING, states.VERIFYING, states.WAITING, states.FAILED)
    expected = "1 of 5 verified, 1 working, 1 verifying, 1 waiting, 1 failed"
    assert summary(found) == expected
    assert summary(works(states.NOT_STARTED)) == "0 of 1 verified, 1 not started"


def test_it_is_sent_when_there_is_news_and_not_too_often() -> None:
    lines: list[str] = []
    progress = Progress(lines.append, 100.0)
    progress.update(summary(works(states.WAITING)), 100.0)
    progress.update(summary(works(states.WORKING)), 101.0)
    assert lines == ["0 of 1 verified, 1 waiting (0 s)"]
    progress.update(summary(works(states.WORKING)), 103.0)
    progress.update(summary(works(states.WORKING)), 110.0)
    assert lines[1:] == ["0 of 1 verified, 1 working (3 s)"]
    progress.update(summary(works(states.WORKING)), 111.0, "nobody answers")
    assert lines[2:] == ["0 of 1 verified, 1 working; nobody answers (11 s)"]
