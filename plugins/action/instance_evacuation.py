# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name in the background and shows its progress.

A module's output is seen only when it has ended. This plugin starts it as an asynchronous job,
reads the file to which the module appends lines, and shows them with Ansible's own display: they
appear in a terminal and in a job's output alike. Touching the file tells the module that somebody
still waits; when this plugin ends, however it ends, the module stops submitting.
"""

from __future__ import annotations

import os
import shlex
import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

# Seconds between two looks at the file.
_LOOK = 2.0
# Seconds after which a line is shown even when there is no news.
_QUIET = 10.0
# Seconds between two looks at the job itself, which cost a module each.
_JOB_LOOK = 10.0
# The job may outlive its own time-out by this many seconds before Ansible ends it.
_JOB_MARGIN = 900


class ActionModule(ActionBase):
    """See the module's documentation."""

    _supports_check_mode = True
    _supports_async = True
    # The module's own default, in seconds.
    default_timeout = 3600

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        own_async = bool(self._task.async_val)
        plain = (
            own_async
            or self._task.check_mode
            or self._connection.has_native_async
            or self._connection.always_pipeline_modules
            or self._task.args.get("progress_path")
        )
        if plain:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=own_async))
        else:
            result.update(self._run_watched(task_vars or {}))
        return result

    def _run_watched(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        path = self._shell_output('mktemp "${TMPDIR:-/tmp}/openstack_recovery.XXXXXXXX"').strip()
        try:
            return self._watch(self._start(path, task_vars), path, task_vars)
        finally:
            # Without its file the module knows that nobody waits any more.
            self._low_level_execute_command(f"rm -f {shlex.quote(path)}")

    def _start(self, path: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        self._task.async_val = self._limit()
        try:
            return dict(
                self._execute_module(
                    module_args={**self._task.args, "progress_path": path},
                    task_vars=task_vars,
                    wrap_async=True,
                )
            )
        finally:
            # Ansible would wait for the job by itself otherwise.
            self._task.async_val = 0

    def _limit(self) -> int:
        """Seconds after which the job is ended, whatever it does."""
        try:
            timeout = int(self._task.args.get("timeout") or self.default_timeout)
        except (TypeError, ValueError):
            # The module says what is wrong with it.
            timeout = self.default_timeout
        return timeout + _JOB_MARGIN

    def _watch(
        self, started: dict[str, Any], path: str, task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        jid = started.get("ansible_job_id")
        if not jid:
            return started
        parent, began = os.getppid(), time.monotonic()
        shown_at = began
        # Bad options end the job at once, so the first look is early.
        looked_at = began - _JOB_LOOK
        shown_bytes, ending = 0, False
        while True:
            time.sleep(_LOOK)
            if os.getppid() != parent:
                raise AnsibleActionFail("ansible-playbook is gone: the module is left alone")
            text = self._shell_output(
                f"touch -c {shlex.quote(path)}; tail -c +{shown_bytes + 1} {shlex.quote(path)}"
            )
            # A line that is not complete yet is read again.
            text = text[: text.rfind("\n") + 1]
            shown_bytes += len(text.encode())
            lines = text.splitlines()
            now = time.monotonic()
            for line in filter(None, lines):
                display.display(f"    {line}")
                shown_at = now
            if now - shown_at >= _QUIET:
                display.display(f"    still running, no news for {now - shown_at:.0f} s")
                shown_at = now
            if now - began > self._limit() + _QUIET:
                raise AnsibleActionFail(f"the module's job {jid} has not ended in time")
            # The module's last line is an empty one.
            ending = ending or "" in lines
            if ending or now - looked_at >= _JOB_LOOK:
                looked_at = now
                job = self._job(started, "status", task_vars)
                if job.get("finished") or job.get("failed"):
                    self._job(started, "cleanup", task_vars)
                    return {
                        name: value
                        for name, value in job.items()
                        if name not in ("ansible_job_id", "started", "finished", "results_file")
                    }

    def _job(self, started: dict[str, Any], mode: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        return dict(
            self._execute_module(
                module_name="ansible.legacy.async_status",
                module_args={
                    "jid": started["ansible_job_id"],
                    "mode": mode,
                    # Where the job says that it is. Ansible would look into the home folder of the
                    # user, which is another one than $HOME in an execution environment.
                    "_async_dir": os.path.dirname(started["results_file"]),  # noqa: PTH120
                },
                task_vars=task_vars,
            )
        )

    def _shell_output(self, command: str) -> str:
        done = self._low_level_execute_command(command)
        if done["rc"] != 0:
            raise AnsibleActionFail(f"could not watch the module: {done['stderr']}")
        return str(done["stdout"])
