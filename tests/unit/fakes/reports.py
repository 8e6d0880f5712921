# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs and instances as a report is given them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.entry import (
    Entry,
    parse_entry,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.run import (
    Run,
    parse_run,
)

BEGAN = datetime(2026, 11, 22, 3, 7, 43, tzinfo=UTC)


def events(*steps: tuple[float, str]) -> list[dict[str, Any]]:
    """A time line of (seconds since BEGAN, event)."""
    return [
        {"at": (BEGAN + timedelta(seconds=at)).isoformat(), "event": event, "note": None}
        for at, event in steps
    ]


def instance(name: str = "web-1", status: str = "verified", **more: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "from": "compute-1", "status": status, **more}


def entry(*steps: tuple[float, str], **more: Any) -> Entry:
    """An instance with this time line."""
    return parse_entry(instance(timeline=events(*steps), **more), {})


def run(*instances: dict[str, Any], **more: Any) -> Run:
    return parse_run(data(*instances, **more))


def data(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": "host_down",
        "subject": "compute-1",
        "run_id": "r1",
        "seconds": 12.5,
        "instances": list(instances),
        **more,
    }
