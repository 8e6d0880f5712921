# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin that shows the progress of a module in the background."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.openstack_recovery.nova.plugins.action import (
    instance_evacuation as plugin,
)


class Controller:
    """What the plugin does on the machine where the module runs, and what it shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.file = ""
        self.news: dict[float, str] = {}
        self.commands: list[str] = []
        self.modules: list[dict[str, Any]] = []
        self.shown: list[tuple[float, str]] = []
        self.job: dict[str, Any] = {"started": 1, "finished": 0, "ansible_job_id": "j"}
        self.ends_at: float | None = None
        self.parent_gone_at = 1e9
        self.action: Any = object.__new__(plugin.ActionModule)
        self.action._task = type("Task", (), {"args": {"timeout": 100}, "async_val": 0})()
        self.action._low_level_execute_command = self.shell
        self.action._execute_module = self.execute
        monkeypatch.setattr(time, "sleep", self.sleep)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(os, "getppid", lambda: 1 if self.gone() else 7)
        monkeypatch.setattr(
            plugin.display, "display", lambda line, *a, **k: self.shown.append((self.now, line))
        )

    def gone(self) -> bool:
        return self.now >= self.parent_gone_at

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 100_000, "the plugin waits for ever"
        for moment in sorted(self.news):
            if moment <= self.now:
                self.file += self.news.pop(moment)

    def shell(self, command: str, **_options: Any) -> dict[str, Any]:
        self.commands.append(command)
        if command.startswith("mktemp"):
            return {"rc": 0, "stdout": "/tmp/it's mine\n", "stderr": ""}  # noqa: S108
        if "tail -c +" in command:
            start = int(command.split("tail -c +")[1].split(maxsplit=1)[0])
            return {
                "rc": 0,
                "stdout": self.file.encode()[start - 1 :].decode(errors="ignore"),
                "stderr": "",
            }
        return {"rc": 0, "stdout": "", "stderr": ""}

    def execute(self, **call: Any) -> dict[str, Any]:
        self.modules.append({**call, "async_val": self.action._task.async_val})
        if call.get("module_name", "").endswith("async_status"):
            if self.ends_at is not None and self.now >= self.ends_at:
                return {**self.job, "finished": 1, "changed": True, "totals": {"verified": 1}}
            return dict(self.job)
        return {"ansible_job_id": "j", "started": 1, "results_file": "/a home/.ansible_async/j"}

    def run(self) -> dict[str, Any]:
        found: dict[str, Any] = self.action._run_watched({})
        return found


@pytest.fixture(name="controller")
def _controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    return Controller(monkeypatch)


def lines(controller: Controller) -> list[str]:
    return [line.strip() for _moment, line in controller.shown]


def test_lines_are_shown_once_and_whole(controller: Controller) -> None:
    controller.news = {3: "one\ntw", 5: "o ünï", 7: "cöde\nthree\n", 20: "\n"}
    controller.ends_at = 20
    result = controller.run()
    assert lines(controller)[:3] == ["one", "two ünïcöde", "three"]
    assert len(set(lines(controller))) == len(lines(controller))
    assert result == {"changed": True, "totals": {"verified": 1}}


def test_the_end_is_noticed_soon(controller: Controller) -> None:
    controller.news = {31: "\n"}
    controller.ends_at = 31
    controller.run()
    assert controller.now < 36


def test_a_module_that_died_without_a_word_is_noticed_too(controller: Controller) -> None:
    controller.ends_at = 31
    controller.run()
    assert controller.now < 45


def test_it_is_never_silent_for_15_seconds(controller: Controller) -> None:
    controller.ends_at = 100
    controller.run()
    moments = [0.0, *(moment for moment, _line in controller.shown)]
    assert max(b - a for a, b in itertools.pairwise(moments)) <= 15


def test_the_module_is_told_that_somebody_watches(controller: Controller) -> None:
    controller.ends_at = 60
    controller.run()
    touches = [command for command in controller.commands if command.startswith("touch -c")]
    assert len(touches) > 15
    assert controller.modules[0]["module_args"]["progress_path"] == "/tmp/it's mine"  # noqa: S108


def test_it_looks_for_the_job_where_the_job_says_that_it_is(controller: Controller) -> None:
    controller.ends_at = 10
    controller.run()
    looks = [call["module_args"] for call in controller.modules if "module_name" in call]
    assert {look["_async_dir"] for look in looks} == {"/a home/.ansible_async"}
    assert [look["mode"] for look in looks][-1] == "cleanup"


def test_its_file_is_removed_at_the_end(controller: Controller) -> None:
    controller.ends_at = 10
    controller.run()
    assert controller.commands[-1] == """rm -f '/tmp/it'"'"'s mine'"""


def test_it_ends_when_ansible_is_gone_and_removes_its_file(controller: Controller) -> None:
    controller.parent_gone_at = 30
    with pytest.raises(AnsibleActionFail):
        controller.run()
    assert controller.now < 35
    assert controller.commands[-1].startswith("rm -f")


def test_a_job_that_never_ends_is_not_waited_for_ever(controller: Controller) -> None:
    # Its wrapper was killed: the job's file says 'started' for ever.
    with pytest.raises(AnsibleActionFail):
        controller.run()
    assert controller.now < 100 + 1200
    assert controller.commands[-1].startswith("rm -f")


def test_the_job_may_take_longer_than_the_run_itself(controller: Controller) -> None:
    controller.ends_at = 5
    controller.run()
    assert controller.modules[0]["async_val"] > 100
    assert controller.modules[0]["wrap_async"]
    # Ansible would wait for the job by itself otherwise.
    assert controller.action._task.async_val == 0


def test_a_job_that_did_not_start_is_the_result(controller: Controller) -> None:
    controller.action._execute_module = lambda **call: {"failed": True, "msg": "no Python"}
    assert controller.run() == {"failed": True, "msg": "no Python"}
    assert controller.commands[-1].startswith("rm -f")


def test_a_file_that_somebody_removed_ends_it(controller: Controller) -> None:
    shell = controller.shell

    def broken(command: str, **options: Any) -> dict[str, Any]:
        if "tail" in command and controller.now > 10:
            return {"rc": 1, "stdout": "", "stderr": "no such file"}
        return shell(command, **options)

    controller.action._low_level_execute_command = broken
    with pytest.raises(AnsibleActionFail, match="no such file"):
        controller.run()


def test_an_odd_time_out_is_left_to_the_module(controller: Controller) -> None:
    controller.action._task.args = {"timeout": "60s"}
    controller.ends_at = 5
    assert controller.run()["changed"]
