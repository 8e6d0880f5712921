# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host dies, and nobody does anything: Prometheus, Alertmanager and ansible-rulebook bring all back.

    python -m alerting.recovery FOLDER TOOLS HOST

There are instances on the host already. Prints what happened when, and ends with an error where an
instance is not verified, or the host not in use again once it is powered on.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.request
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from expecting import require, wait
from lab_access import LAB, connect, lab

from . import nodes
from .programs import Programs, fresh, shipped

_PROJECT = Path(__file__).resolve().parents[3]
_ALERT = "NovaComputeDown"
# Of an event as ansible-rulebook prints it: the alert, then how it came.
_EVENT = re.compile(r"'status': '(\w+)'.*?'received_at': '([^']+)'", re.DOTALL)


class TimeLine:
    """What happened when, in seconds since the first."""

    def __init__(self) -> None:
        self._events: list[tuple[str, float]] = []

    def note(self, what: str, at: float | None = None) -> None:
        """:param at: seconds since the epoch; now where it is None."""
        self._events.append((what, time.time() if at is None else at))

    def show(self) -> None:
        begin = self._events[0][1]
        for what, at in self._events:
            print(f"{at - begin:8.1f} s  {what}")


def main() -> None:
    folder, tools, host = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    cloud = connect()
    hosts = sorted(s.host for s in cloud.compute.services(binary="nova-compute"))
    stated = variables(fresh(folder))
    with (
        nodes.serving(hosts) as ports,
        Programs.running(folder, tools, shipped().parents[2], stated) as programs,
    ):
        webhooks = {
            port: programs.rulebook(name, "--print-events")
            for port, name in ((5005, "host_down"), (5006, "host_return"))
        }
        alerting = _PROJECT / "extensions/alerting"
        alertmanager = programs.alertmanager(alerting / "alertmanager.yml", webhooks)
        prometheus = programs.prometheus(alerting / "prometheus_rules.yml", ports, alertmanager)
        wait("targets", lambda: _up(prometheus) == len(hosts), 30)
        require(not _alerts(prometheus), "there is an alert before anything has happened")
        failure = Failure(programs, prometheus, cloud, host)
        failure.recover(folder)
        failure.bring_back()
    failure.line.show()


class Failure:
    """A host that dies and returns."""

    def __init__(self, programs: Programs, prometheus: int, cloud: Any, host: str) -> None:
        """:param prometheus: its port."""
        self._programs, self._prometheus, self._cloud = programs, prometheus, cloud
        self._host = host
        self.line = TimeLine()

    def recover(self, folder: Path) -> None:
        """Kill it, and wait until all of its instances are verified elsewhere."""
        host, line = self._host, self.line
        servers = self._cloud.compute.servers(all_projects=True)
        there = [server.id for server in servers if server.compute_host == host]
        require(there, f"there is nothing on {host} to be recovered")
        # Its nova-compute is not to start with the machine: host_return starts it.
        lab("disable-compute", host)
        lab("kill", host)
        line.note(f"{host} is dead")
        wait("pending alert", lambda: _alerts(self._prometheus), 60)
        line.note("Prometheus has noticed")
        wait("firing alert", lambda: _alerts(self._prometheus) == {host: "firing"}, 60)
        line.note("the alert fires")
        line.note("ansible-rulebook has received it", self._received("host_down", "firing"))
        report = wait("report of host_down", lambda: report_of(folder, host), 300)
        evidence = [each["observed_at"] for each in report["confirmation"]["evidence"]]
        line.note("host_down looks at the host", _seconds(min(evidence)))
        line.note("first evacuate call", min(evacuated_at(self._cloud, uuid) for uuid in there))
        line.note("last instance verified", _seconds(report["finished_at"]))
        states = {each["id"]: each["status"] for each in report["instances"]}
        require(
            states == dict.fromkeys(there, "verified"), f"of {there} not all are verified: {states}"
        )

    def bring_back(self) -> None:
        """Power it on, and wait until it is in use again."""
        host, line = self._host, self.line
        lab("start", "--no-wait", host)
        line.note(f"{host} is powered on")
        wait("end of the alert", lambda: not _alerts(self._prometheus), 60)
        line.note("the alert is resolved")
        line.note("ansible-rulebook has received it", self._received("host_return", "resolved"))
        wait("service", lambda: self._service() == ("up", "enabled", False), 240)
        line.note(f"{host} is in use again")
        lab("enable-compute", host)
        for name in ("host_down", "host_return"):
            wait(f"end of {name}", partial(self._recaps, name), 60)
            (recap,) = self._recaps(name)
            log = self._programs.log(name)
            require(re.search(r"failed=0\b", recap), f"{name} has failed: {log[-3000:]}")

    def _recaps(self, name: str) -> list[str]:
        """One for each run of this playbook that has ended."""
        return self._programs.log(name).split("PLAY RECAP")[1:]

    def _received(self, name: str, status: str) -> float:
        """When this rulebook had the alert, by ansible-rulebook's own word."""

        def find() -> float | None:
            found = dict(_EVENT.findall(self._programs.log(name)))
            return _seconds(found[status]) if status in found else None

        return wait(f"event of {name}", find, 60) or 0.0

    def _service(self) -> tuple[str, str, bool]:
        (found,) = self._cloud.compute.services(binary="nova-compute", host=self._host)
        return found.state, found.status, found.is_forced_down


def variables(folder: Path) -> dict[str, Any]:
    """What an operator states once about a cloud; here the lab's."""
    (folder / "returned").mkdir()
    return {
        "cloud": os.environ["OS_CLOUD"],
        # What is dead here was killed.
        "fencing": "none",
        "without_libvirt": True,
        "evacuate_host_shared_storage": True,
        "evacuate_host_report_dir": str(folder),
        "readmit_host_report_dir": str(folder / "returned"),
        "readmit_host_start_with": "tasks",
        "readmit_host_start_tasks_file": str(_start_tasks(folder)),
        "readmit_host_start_on": "localhost",
        "readmit_host_become": False,
        # The lab's services report every 2 seconds, not every 10.
        "confirm_host_failure_heartbeat_watch": 5,
        "confirm_host_failure_samples": 2,
        "confirm_host_failure_interval": 2,
    }


def _start_tasks(folder: Path) -> Path:
    task = {
        "name": "Start nova-compute",
        "ansible.builtin.command": f"{LAB} start-compute --no-wait {{{{ readmit_host_host }}}}",
        "changed_when": True,
    }
    path = folder / "start_tasks.yml"
    path.write_text(json.dumps([task]), encoding="utf-8")
    return path


def _ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)["data"]


def _up(prometheus: int) -> int:
    targets = _ask(prometheus, "/api/v1/targets")["activeTargets"]
    return sum(target["health"] == "up" for target in targets)


def _alerts(prometheus: int) -> dict[str, str]:
    """States of the alerts about hosts, by host."""
    return {
        each["labels"]["instance"]: each["state"]
        for each in _ask(prometheus, "/api/v1/alerts")["alerts"]
        if each["labels"]["alertname"] == _ALERT
    }


def report_of(folder: Path, host: str) -> Any:
    """Of host_down, once it is written."""
    found = sorted(folder.glob(f"{host}-*.json"))
    return json.loads(found[0].read_text(encoding="utf-8")) if found else None


def evacuated_at(cloud: Any, uuid: str) -> float:
    """When Nova took the call, by its own record: seconds since the epoch."""
    actions = cloud.compute.server_actions(uuid)
    return min(_seconds(each.start_time) for each in actions if each.action == "evacuate")


def _seconds(moment: str) -> float:
    """Since the epoch; Nova's times are UTC and do not say so."""
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


if __name__ == "__main__":
    main()
