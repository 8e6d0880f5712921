# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as the roles report them, the same each time:  python -m report_page.runs FOLDER"""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGAN = datetime(2026, 11, 22, 3, 7, 43, 120000, tzinfo=UTC)
CHECKS = ("record", "host", "power_state", "ports", "allocation", "volumes")
ROLES = ("web", "db", "queue", "cache", "batch", "api", "build", "mail")
# Names that people give to instances, and that a page could take for something else.
HARMFUL = (
    "<script>window.harmed = 1</script>",
    "\"><img src=x onerror='window.harmed = 1'>",
    "'-alert(1)-'",
    "</style><style>body{display:none}</style>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "</title></head><body onload=window.harmed=1>",
    "<svg/onload=window.harmed=1>",
    "javascript:window.harmed=1",
    "&lt;b&gt; &amp; \u202egnp.exe \u4f60\u597d \U0001f4a5",
    "a" * 255,
)


class Instances:
    """Instances of one host, with ways that look like those of real runs."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._waits = 0.0

    def named(self, name: str, end: str = "verified") -> dict[str, Any]:
        draw = self._random
        begin = self._waits
        self._waits += draw.uniform(0.02, 0.5)
        submitted = begin + draw.uniform(0.5, 2.5)
        destination = f"compute-{draw.randint(2, 9)}"
        events = [(0.0, "waiting", None), (submitted, "submitted", "attempt 1")]
        now = submitted + draw.uniform(1, 4)
        record = draw.randint(100, 9999)
        entry = self._entry(name, end, destination)
        if end in ("skipped", "not_started"):
            return {
                **entry,
                "to": None,
                "verifications": {},
                "request_ids": [],
                "seconds": None,
            } | (
                {"timeline": []}
                if end == "skipped"
                else {"timeline": timeline([events[0], (180, end, entry["reason"])])}
            )
        if draw.random() < 0.2 or end == "failed":
            fault = f"Nova's record {record} is error: No valid host was found. There are not enough hosts available."
            events += [
                (now, "moving", f"record {record} accepted, to a host"),
                (now + 4, "backoff", fault),
            ]
            now += 14
            events.append((now, "submitted", "attempt 2"))
            now += draw.uniform(1, 3)
        events.append((now, "moving", f"record {record + 1} pre-migrating, to {destination}"))
        now += draw.uniform(8, 40)
        if end == "failed":
            events.append((now, "failed", entry["reason"]))
            entry["to"] = None
        elif end == "in_progress":
            events.append((180.0, "in_progress", entry["reason"]))
        else:
            events.append((now, "verifying", f"record {record + 1} done, to {destination}"))
            now += draw.uniform(1, 6)
            events.append((now, end, entry["reason"]))
        passed = [c for c in CHECKS if end == "verified" or c != "ports"] if end != "failed" else []
        if end == "in_progress":
            passed = []
        entry["verifications"] = {c: check(c, destination, c in passed) for c in CHECKS if passed}
        entry["timeline"] = timeline(events)
        entry["seconds"] = round(events[-1][0] - submitted, 1)
        return entry

    def _entry(self, name: str, end: str, destination: str) -> dict[str, Any]:
        draw = self._random
        code, reason = {
            "failed": ("evacuation_failed", "Nova's record 4711 is error: No valid host was found. There are not enough hosts available."),
            "in_progress": ("timeout", "Nova is still working on it (record 812 is pre-migrating): nothing was reset or repeated. Run again to go on waiting."),
            "not_verified": ("not_verified", "ports: expected 1 bound to compute-4, observed 5b1f0c9e-8c5a-4a0e-b1c3-3f6f9f6f8e11 DOWN"),
            "skipped": ("strict_affinity", "it is in the server group db-pair with the policy affinity, whose other member stays on compute-1"),
            "not_started": ("host_has_returned", "nova-compute on compute-1 reports again"),
        }.get(end, (None, None))  # fmt: skip
        fits = end != "failed" or draw.random() < 0.2
        return {
            "id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            "name": name,
            "project_id": f"{draw.getrandbits(128):032x}",
            "from": "compute-1",
            "to": destination,
            "status": "failed" if end == "not_verified" else end,
            "code": code,
            "reason": reason,
            "request_ids": [f"req-{uuid.UUID(int=draw.getrandbits(128), version=4)}"],
            "prediction": None
            if end == "skipped"
            else {
                "fits": fits,
                "hosts": [destination] if fits else [],
                "reason": None if fits else "no host has 16384 MB of memory left",
            },
        }


def check(name: str, destination: str, passed: bool) -> dict[str, Any]:
    expected = f"1 bound to {destination}" if name == "ports" else destination
    return {
        "passed": passed,
        "expected": expected,
        "observed": expected if passed else "5b1f0c9e-8c5a-4a0e-b1c3-3f6f9f6f8e11 DOWN",
    }


def timeline(events: Iterable[tuple[float, str, str | None]]) -> list[dict[str, Any]]:
    return [
        {"at": iso(BEGAN + timedelta(seconds=at)), "event": event, "note": note}
        for at, event, note in events
    ]


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run(instances: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A run of host_down with these instances."""
    failed = sum(one["status"] == "failed" for one in instances)
    plan = [
        {"id": i["id"], "name": i["name"], "from": "compute-1", "action": "skip" if i["status"] == "skipped" else "evacuate",
         "power_state": "on", "priority": 900 if i["name"].startswith("db") else 500,
         "restart_group": "databases" if i["name"].startswith("db") else None,
         "rules": {"priority": "databases"} if i["name"].startswith("db") else {},
         "prediction": i["prediction"], "reason": i["reason"] if i["status"] == "skipped" else None}
        for i in instances
    ]  # fmt: skip
    return {
        "kind": "host_down",
        "subject": "compute-1",
        "run_id": "20261122T030743-b329",
        "check_mode": False,
        "started_at": iso(BEGAN - timedelta(seconds=24)),
        "finished_at": iso(BEGAN + timedelta(seconds=183)),
        "seconds": 207.3,
        "confirmation": CONFIRMATION,
        "fencing": FENCING,
        "service_changes": [
            {"host": "compute-1", "forced_down": True},
            {"host": "compute-1", "status": "disabled", "disabled_reason": "openstack_recovery run=20261122T030743-b329: host failed"},
        ],
        "plan": plan,
        "instances": list(instances),
        "totals": {},
        "requests": {"GET os-migrations": 94, "GET servers/detail": 61, "POST servers/action": len(instances), "GET os-services": 12},
        "error": {"code": "evacuation_incomplete", "retriable": True, "details": {}, "request_id": None} if failed else None,
        "message": f"{failed} failed. Each instance has its reason; running again goes on from what Nova says by then." if failed else None,
        **more,
    }  # fmt: skip


def several(number: int, seed: int, ends: dict[int, str]) -> list[dict[str, Any]]:
    instances = Instances(seed)
    return [
        instances.named(
            f"{ROLES[at % len(ROLES)]}-{at // len(ROLES) + 1}", ends.get(at, "verified")
        )
        for at in range(number)
    ]


CONFIRMATION = {
    "host": "compute-1",
    "verdicts": ["failed", "failed", "failed"],
    "reasons": ["nova-compute on compute-1 is down and every gate is open"],
    "gates": [
        {"name": "heartbeat_silent", "passed": True, "reason": "Nova itself has missed its heartbeats"},
        {"name": "own_view", "passed": True, "reason": "8 other hosts are up"},
        {"name": "max_down_share", "passed": True, "reason": "1 of 9 hosts are down (11%), allowed are 50%"},
        {"name": "maintenance", "passed": True, "reason": "not in maintenance"},
    ],
    "evidence": [
        {"name": "service", "observed_at": "2026-11-22T03:07:43+00:00", "source": "nova os-services",
         "value": {"state": "down", "status": "enabled", "forced_down": False}},
        {"name": "other_hosts", "observed_at": "2026-11-22T03:07:43+00:00", "source": "nova os-services",
         "value": {"counted": 9, "down": ["compute-1"], "up": 8}},
    ],
}  # fmt: skip
FENCING = {
    "host": "compute-1",
    "methods": ["redfish"],
    "fenced": True,
    "proceed": True,
    "by": "redfish",
    "reason": "its BMC has reported Off three times",
    "attempts": [{"method": "redfish", "outcome": "observed_off", "predicted": False, "error": None,
                  "evidence": {"power": {"observed": "off", "before": "on"}}}],
}  # fmt: skip


def samples() -> dict[str, dict[str, Any]]:
    """Runs by the name of their report."""
    mixed = {3: "failed", 5: "not_verified", 7: "skipped", 9: "in_progress"}
    many = several(
        500,
        2,
        dict.fromkeys(range(17, 500, 61), "failed")
        | {40: "not_verified", 250: "in_progress", 499: "skipped", 498: "skipped"},
    )
    harmful = Instances(4)
    hurting = [
        harmful.named(name, ("verified", "failed", "not_verified")[at % 3])
        for at, name in enumerate(HARMFUL)
    ]
    for name, one in zip(HARMFUL, hurting, strict=True):
        one |= {"reason": name, "code": name, "to": name, "request_ids": [name], "from": name}
    ten = several(10, 1, mixed)
    return {
        "good": run(several(10, 3, {}), run_id="20261122T020000-0001"),
        "ten": run(ten, run_id="20261122T030743-b329"),
        "many": run(many, subject="compute-7", run_id="20261122T040000-beef"),
        "harmful": run(hurting, subject=HARMFUL[0], message=HARMFUL[1], run_id="20261122T050000-xxxx"),
        "compute-1-plan": run([], plan=run(ten)["plan"], check_mode=True, error=None, message=None, seconds=None, run_id="20261122T060000-plan"),
        "compute-1-refused": run(
            [], plan=[], service_changes=[], seconds=None, fencing=None, run_id="20261122T070000-ref0",
            error={"code": "host_is_up", "retriable": False, "details": {}, "request_id": None},
            message="nova-compute on compute-1 is up: Nova evacuates only from a host that is down. Nothing was changed.",
        ),
    }  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in samples().items():
        (folder / f"{name}.json").write_text(json.dumps(one), encoding="utf-8")


if __name__ == "__main__":
    main()
