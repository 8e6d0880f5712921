# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's API as ansible-rulebook uses to launch a job template and to wait for the job."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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

    def answer(self, method: str, path: str, body: Any) -> Any:
        """:return: what becomes the body; None for 404."""
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

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """:yield: the URL."""
        controller = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                path = self.path.partition("?")[0]
                allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                told = controller.answer(self.command, path, json.loads(data or b"null"))
                self.send_response((404 if told is None else 200) if allowed else 401)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(told if allowed else None).encode())

            do_GET = do_POST = _serve  # noqa: N815 - the names that http.server calls

            def log_message(self, *_arguments: object) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()
