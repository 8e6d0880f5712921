# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report of a run, on the machine that Ansible runs on.

It is an action plugin since the report's folder, the templates and Jinja2 are there, whatever host
the tasks of a role run on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ansible.plugins.action import ActionBase
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.html_pages import (
    HtmlPages,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.report_folder import (
    Folder,
    ReportFolder,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.history import (
    INDEX,
    renewed,
    tells_of_instances,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.links import (
    RequestLinks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.metrics import (
    metrics_file,
    metrics_text,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.page import (
    history_page,
    run_page,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.run import (
    Run,
    parse_run,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.verdict import (
    verdict_of,
)

TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "recovery_report" / "templates"
OPTIONS: dict[str, Any] = {
    "run": {"type": "dict", "required": True},
    "name": {"type": "str", "default": ""},
    "folder": {"type": "str", "default": ""},
    "metrics_folder": {"type": "str", "default": ""},
    "request_url": {"type": "str", "default": ""},
    "file_mode": {"type": "str", "default": "0600"},
}
# The node exporter is another user.
_METRICS_MODE = 0o644
# For files whose mode is stated wrongly: names of instances and projects are in them.
_SAFE_MODE = 0o600

_T = TypeVar("_T")


class ActionModule(ActionBase):
    """See the module's documentation."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(argument_spec=OPTIONS)
        try:
            result.update(report(params, check_mode=self._task.check_mode))
        except RecoveryError as error:
            result.update({"failed": True, "msg": error.message, "error": error.as_dict()})
        return result


def report(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Write all that is asked for; what cannot be written does not hold up the rest.

    :raises RecoveryError: ``invalid_options``, and ``report_not_written`` in the end.
    """
    # Plain values, whatever Ansible has made of them.
    run = parse_run(json.loads(json.dumps(params["run"], default=str)))
    name = run.file_name(params["name"])
    writing = Writing(run, check_mode=check_mode)
    links = writing.option(lambda: RequestLinks(params["request_url"]), RequestLinks())
    mode = writing.option(lambda: _mode(params["file_mode"]), _SAFE_MODE)
    if params["folder"]:
        folder = ReportFolder(Path(params["folder"]), mode)
        writing.report(folder, name, links)
    if params["metrics_folder"] and not run.is_plan:
        writing.metrics(Folder(Path(params["metrics_folder"]), _METRICS_MODE))
    if writing.problems:
        raise RecoveryError(
            "report_not_written",
            "; ".join(problem.message for problem in writing.problems),
            retriable=any(problem.retriable for problem in writing.problems),
            details={"problems": [p.message for p in writing.problems], "files": writing.files},
        )
    return {"changed": False, "verdict": verdict_of(run).headline, "files": writing.files}


class Writing:
    """The files of one run, and what went wrong with them."""

    def __init__(self, run: Run, *, check_mode: bool) -> None:
        self.files: dict[str, str] = {}
        self.problems: list[RecoveryError] = []
        self._run, self._check_mode = run, check_mode
        self._pages = HtmlPages(TEMPLATES)

    def option(self, stated: Callable[[], _T], otherwise: _T) -> _T:
        """What an option states; what is wrong with it costs no more than the option itself."""
        try:
            return stated()
        except RecoveryError as error:
            self.problems.append(error)
            return otherwise

    def report(self, folder: ReportFolder, name: str, links: RequestLinks) -> None:
        if not folder.path.is_dir():
            self.problems.append(
                RecoveryError(
                    "report_not_written", f"there is no folder {folder.path}", retriable=True
                )
            )
            return
        if not self._run.entries and _tells_of_instances(folder, name):
            name = f"{name}-nothing"
        data = json.dumps(self._run.data, indent=4, sort_keys=True, ensure_ascii=False) + "\n"
        self._write("data", folder, f"{name}.json", lambda: data)
        self._write("page", folder, f"{name}.html", lambda: self._page(f"{name}.json", links))
        self._attempt("history", folder.path / f"{INDEX}.html", lambda: self._history(folder))

    def metrics(self, folder: Folder) -> None:
        self._write("metrics", folder, metrics_file(self._run), lambda: metrics_text(self._run))

    def _page(self, data_file: str, links: RequestLinks) -> str:
        return self._pages.render("report.html.j2", run_page(self._run, links, data_file))

    def _history(self, folder: ReportFolder) -> None:
        with folder.locked():
            history = renewed(folder.known_history(), folder.stamps(), folder.read)
            folder.write(f"{INDEX}.json", json.dumps(history, indent=1, ensure_ascii=False) + "\n")
            page = self._pages.render("history.html.j2", history_page(history))
            folder.write(f"{INDEX}.html", page)

    def _write(self, key: str, folder: Folder, name: str, text: Callable[[], str]) -> None:
        self._attempt(key, folder.path / name, lambda: folder.write(name, text()))

    def _attempt(self, key: str, path: Path, work: Callable[[], object]) -> None:
        try:
            if not self._check_mode:
                work()
        except RecoveryError as error:
            self.problems.append(error)
        else:
            self.files[key] = str(path)


def _tells_of_instances(folder: ReportFolder, name: str) -> bool:
    """Whether such a report is there. It may be, when it cannot be read."""
    try:
        return tells_of_instances(folder.read(f"{name}.json"))
    except RecoveryError:
        return True


def _mode(value: str) -> int:
    """YAML makes 416 of 0640, which would be read as another mode."""
    if not re.fullmatch("0[0-7]{3}", value):
        raise RecoveryError(
            "invalid_options",
            f"file_mode is no mode such as '0600', with four digits: {value}. Put it into quotes",
        )
    return int(value, 8)
