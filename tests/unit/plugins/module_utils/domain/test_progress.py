# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A line comes with news, in any case every few seconds, and not too often."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    EVERY_SECONDS,
    Progress,
)


def test_a_line_comes_with_news_and_in_any_case_every_few_seconds() -> None:
    sent: list[str] = []
    progress = Progress(sent.append, 100.0, "a: ")
    for second in range(18):
        progress.update("0 of 1", 100.0 + second)
    moments = (0, EVERY_SECONDS, 2 * EVERY_SECONDS)
    assert sent == [f"a: 0 of 1 ({at:.0f} s)" for at in moments]
    progress.update("1 of 1", 118.0)
    assert len(sent) == 3, "many changes make few lines"
    progress.update("1 of 1", 120.0, "nobody answers")
    assert sent[-1] == "a: 1 of 1; nobody answers (20 s)"


def test_the_last_line_is_sent_once() -> None:
    sent: list[str] = []
    progress = Progress(sent.append, 0.0)
    progress.update("0 of 1", 0.0)
    progress.update("1 of 1", 1.0)
    progress.finish("1 of 1", 2.0)
    progress.finish("1 of 1", 3.0)
    assert sent == ["0 of 1 (0 s)", "1 of 1 (2 s)"]
