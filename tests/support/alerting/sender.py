# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends what Alertmanager and Prometheus send."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from .programs import TOKEN

Alert = dict[str, Any]


def alert(instance: str, status: str = "firing", **labels: str) -> Alert:
    """One that began to fire an hour ago, and was resolved half an hour ago."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return {
        "status": status,
        "labels": {"alertname": "NovaComputeDown", "instance": instance, **labels},
        "annotations": {"summary": "{{ lookup('ansible.builtin.env', 'HOME') }}"},
        "startsAt": (now - timedelta(hours=1)).isoformat(),
        "endsAt": (now - timedelta(minutes=30)).isoformat() if status == "resolved" else None,
    }


def send(port: int, *payloads: list[Alert], token: str = TOKEN) -> tuple[list[int], float]:
    """Post all of them at once, each list of alerts as a request.

    :return: the statuses, in no order, and the seconds that it took.
    """
    return asyncio.run(_send(port, payloads, token))


async def _send(
    port: int, payloads: tuple[list[Alert], ...], token: str
) -> tuple[list[int], float]:
    headers = {"Authorization": f"Bearer {token}"}
    began = time.monotonic()
    async with aiohttp.ClientSession(headers=headers) as session:

        async def post(alerts: list[Alert]) -> int:
            body = {"version": "4", "alerts": alerts}
            url = f"http://127.0.0.1:{port}/alertmanager"
            async with session.post(url, json=body) as response:
                return response.status

        statuses = await asyncio.gather(*(post(alerts) for alerts in payloads))
    return list(statuses), time.monotonic() - began


def to_alertmanager(port: int, instance: str, ends_at: datetime | None = None) -> None:
    """As Prometheus does, for the alert of the shipped rules."""
    sent = {"labels": alert(instance)["labels"] | {"job": "nova-compute"}}
    if ends_at:
        sent["endsAt"] = ends_at.isoformat()

    async def post() -> None:
        url = f"http://127.0.0.1:{port}/api/v2/alerts"
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(url, json=[sent]),
        ):
            pass

    asyncio.run(post())
