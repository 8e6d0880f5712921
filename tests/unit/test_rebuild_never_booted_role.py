# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role rebuild_never_booted, run by Ansible: what a build says, or does not say, is not lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.playbook import KILLED, Playbook


def built(folder: Path, answer: Any, *arguments: str) -> tuple[int, str, Playbook]:
    """The exit status of a build of one prepared instance, and all that was shown."""
    playbook = Playbook(folder)
    task = {
        "ansible.builtin.include_role": {
            "name": "openstack_recovery.nova.rebuild_never_booted",
            "tasks_from": "build",
        },
        "vars": {
            "rebuild_never_booted_selection": {"build": ["a"], "prepare": ["a"]},
            "rebuild_never_booted_current_run_id": "r1",
        },
    }
    runs = {"a": answer}
    status, shown = playbook.run([task], {}, runs, *arguments)
    return status, shown, playbook


def result(outcome: str) -> dict[str, Any]:
    return {"changed": True, "instances": [{"uuid": "a", "result": outcome}]}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (KILLED, "Module result"),
        ({"failed": True, "msg": "Failed to import oslo.messaging"}, "Failed to import"),
        ({**result("died"), "failed": True, "error": {"code": "x"}, "msg": "it died"}, "it died"),
    ],
)
def test_a_build_that_does_not_end_well_is_a_failure(
    tmp_path: Path, answer: Any, told: str
) -> None:
    status, shown, _playbook = built(tmp_path, answer)
    assert status == 2, shown
    assert told in shown[shown.index("Require that all are active") :]


@pytest.mark.parametrize(("stated", "calls"), [("true", 2), ("false", 1)])
def test_what_was_not_sent_is_put_back_unless_the_command_line_says_no(
    tmp_path: Path, stated: str, calls: int
) -> None:
    option = f"rebuild_never_booted_bury_unsent={stated}"
    status, shown, playbook = built(tmp_path, result("not_sent"), "-e", option)
    assert status == 0, shown
    assert len(playbook.sent()) == calls
