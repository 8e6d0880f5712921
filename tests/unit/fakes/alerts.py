# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts as Alertmanager and Prometheus send them, and the event source that receives them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import runpy
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from ansible_collections.openstack_recovery.nova.plugins.module_utils import adapters

SOURCE = (
    Path(next(iter(adapters.__path__))).parents[2]
    / "extensions/eda/plugins/event_source/alert_webhook.py"
)
# As ansible-rulebook loads it.
alert_webhook = SimpleNamespace(**runpy.run_path(str(SOURCE)))

TOKEN = "a token of sixteen or more"
NEVER = "0001-01-01T00:00:00Z"


def alert(host: Any = "compute-1", status: Any = "firing", **others: Any) -> dict[str, Any]:
    """One of version 4. ``others`` replace its members; None takes one away."""
    made = {
        "status": status,
        "labels": {"alertname": "NovaComputeDown", "instance": host},
        "annotations": {"summary": "{{ 1 + 1 }}"},
        "startsAt": "2026-11-22T10:00:00.123456789Z",
        "endsAt": NEVER if status == "firing" else "2026-11-22T10:30:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": hashlib.sha256(repr(host).encode()).hexdigest()[:16],
    } | others
    return {name: value for name, value in made.items() if value is not None}


def payload(*alerts: Any, **others: Any) -> dict[str, Any]:
    """A whole request to a webhook receiver."""
    return {
        "version": "4",
        "groupKey": '{}:{instance="compute-1"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "recovery",
        "alerts": list(alerts),
    } | others


class Webhook:
    """A source that runs, and a client of it."""

    def __init__(self, port: int, queue: asyncio.Queue[Any], client: aiohttp.ClientSession) -> None:
        self.port, self.queue, self.client = port, queue, client
        self.scheme = "http"

    async def post(
        self,
        body: Any,
        *,
        path: str = "/alertmanager",
        token: str = TOKEN,
        headers: dict[str, str] | None = None,
        **others: Any,
    ) -> int:
        """:return: the status. ``body`` is bytes, or becomes JSON."""
        what = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self.client.post(
            f"{self.scheme}://127.0.0.1:{self.port}{path}",
            headers={"Authorization": f"Bearer {token}"} | (headers or {}),
            **what,
            **others,
        ) as response:
            self.answer = await response.text()
            self.answer_headers = response.headers
            return response.status

    async def events(self) -> list[Any]:
        """All that have arrived."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.Event().wait()
        return [self.queue.get_nowait() for _count in range(self.queue.qsize())]


@contextlib.asynccontextmanager
async def running(*, room: int = 0, **args: Any) -> AsyncIterator[Webhook]:
    """The source on a port of the system's choice.

    :param room: of the queue of ansible-rulebook; 0 is endless.
    """
    settings = alert_webhook.Settings.of({"port": 1, "token": TOKEN} | args)
    listener = alert_webhook.open_listener(SimpleNamespace(host=settings.host, port=0))
    queue: asyncio.Queue[Any] = asyncio.Queue(room)
    task = asyncio.create_task(
        alert_webhook.serve(queue, alert_webhook.Receiver(settings), listener)
    )
    port = listener.getsockname()[1]
    try:
        async with aiohttp.ClientSession() as client:
            yield Webhook(port, queue, client)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        # What ends must leave nothing behind.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
