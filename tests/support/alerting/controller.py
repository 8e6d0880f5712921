# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's API as ansible-rulebook uses to launch a job template and to wait for the job."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from json_server import Request, serving

TOKEN = "the-token-of-the-controller"
_LAUNCH = "/api/v2/job_templates/7/launch/"
_ASKED = ("limit", "labels", "inventory", "variables")


class Controller:
    """Knows one job template, and keeps what it was launched with."""

    def __init__(self, name: str, organization: str) -> None:
        self.launched: list[dict[str, Any]] = []
        self._template = {
            "type": "job_template",
            "id": 7,
            "name": name,
            "summary_fields": {"organization": {"name": organization}},
            "related": {"launch": _LAUNCH},
        }
        self._template |= {f"ask_{what}_on_launch": False for what in _ASKED}

    def _answer(self, request: Request) -> tuple[int, Any]:
        told = self._told(request.method, request.path, request.body)
        return (404 if told is None else 200), told

    def _told(self, method: str, path: str, body: Any) -> Any:
        """What there is, or None."""
        if path == "/api/v2/config/":
            return {"version": "24.6.1"}
        if path == "/api/v2/unified_job_templates/":
            return {"count": 1, "next": None, "results": [self._template]}
        job = {"id": 1, "url": "/api/v2/jobs/1/", "type": "job", "status": "successful"}
        job |= {
            "created": "2026-11-22T10:00:00Z",
            "artifacts": {},
            "finished": "2026-11-22T10:00:01Z",
        }
        if method == "POST" and path == _LAUNCH:
            self.launched.append(body)
            return job
        if path == "/api/v2/jobs/1/":
            return job
        if path in ("/api/v2/unified_jobs/", "/api/v2/jobs/"):
            return {"count": 1, "next": None, "results": [job]}
        return None

    def serving(self) -> AbstractContextManager[str]:
        """Its URL."""
        return serving(TOKEN, self._answer)
