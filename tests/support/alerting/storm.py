# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases, one after the other:  python -m alerting.storm FOLDER TOOLS ALERTMANAGER.yml"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from expecting import require, wait

from . import controller, sender
from .programs import TOKEN, Programs, fresh
from .recorder import Recorder

RACK = {f"10.0.0.{n}": f"compute-{n}.example.com" for n in range(1, 41)}
# One that is not in the storm: for a minute one alert about a host is enough.
LATER = ("10.0.0.41", "compute-41.example.com")
# Hosts that Jinja, YAML or a shell could take for something else, and one that has to stay whole.
ODD = ("1.10", "True", "0x10", "[2001:db8::1]:9100")
HARMFUL = (
    "{{ lookup('ansible.builtin.pipe', 'touch FILE') }}",
    "$(touch FILE)",
    "a\n- b",
    "a'b",
    'a"b',
)


def main() -> None:
    folder, tools, alertmanager = (Path(argument) for argument in sys.argv[1:])
    recorder = Recorder(fresh(folder))
    with Programs.running(folder, tools, recorder.collections, recorder.variables) as programs:
        down = programs.rulebook(
            "host_down", alert_webhook_host_map=RACK | dict([LATER]), alert_webhook_strip_port=True
        )
        storm(recorder, down)
        unknown(recorder, down)
        back = programs.rulebook("host_return")
        names(recorder, back, folder)
        through_alertmanager(programs, recorder, alertmanager, {5005: down, 5006: back})
        job_template(programs)
        for name in ("host_down", "host_return", "host_down_awx"):
            log = programs.log(name)
            require("Traceback" not in log, f"{name} broke: {log}")
            require("touch" not in log and TOKEN not in log, f"{name} told what it was sent: {log}")
    print("alerts_storm: ok")


def storm(recorder: Recorder, port: int) -> None:
    """A rack of 40 hosts, each told three times, and then again: each is recovered once."""
    rack = [[sender.alert(f"{address}:9100")] for address in RACK] * 3
    random.shuffle(rack)
    statuses, seconds = sender.send(port, *rack)
    require(set(statuses) == {200}, f"answers of the storm: {Counter(statuses)}")
    print(f"{len(rack)} requests in {seconds:.2f} s")
    # Another Prometheus server tells of the same hosts: another alert, and no second run.
    statuses, _ = sender.send(
        port, *([sender.alert(f"{address}:9100", replica="b")] for address in RACK)
    )
    require(set(statuses) == {200}, f"answers to the other server: {Counter(statuses)}")
    wait("40 runs", lambda: len(recorder.calls("host_down")) >= len(RACK), 300)
    statuses, _ = sender.send(port, *rack)
    require(set(statuses) == {200}, f"answers to the replay: {Counter(statuses)}")
    time.sleep(5)
    calls = recorder.calls("host_down")
    runs = Counter(call["host"] for call in calls)
    require(runs == Counter(RACK.values()), f"runs: {runs}")
    require({call["fencing"] for call in calls} == {"none"}, "the inventory states how to fence")
    require(all(call["event"]["host"] == call["host"] for call in calls), "event and host differ")


def unknown(recorder: Recorder, port: int) -> None:
    """What is not known, or has not the token, starts nothing."""
    before = len(recorder.calls("host_down"))
    strange = ("10.0.0.99:9100", "compute-1.example.com", "compute-1", "10.0.0.1")
    statuses, _ = sender.send(port, *([sender.alert(host, case="unknown")] for host in strange[:3]))
    require(statuses == [422] * 3, f"answers to unknown hosts: {statuses}")
    known = [
        sender.alert(strange[3], "resolved"),
        sender.alert(strange[3], case="other")
        | {"labels": {"alertname": "AnotherAlert", "instance": strange[3]}},
    ]
    statuses, _ = sender.send(port, known)
    require(statuses == [200], f"answer to what is none of its business: {statuses}")
    statuses, _ = sender.send(port, [sender.alert("10.0.0.2", case="other")], token="wrong")
    require(statuses == [401], f"answer without the token: {statuses}")
    time.sleep(5)
    require(len(recorder.calls("host_down")) == before, "a run was started that should not")


def names(recorder: Recorder, port: int, folder: Path) -> None:
    """Names are data: kept as they are, or refused."""
    mark = folder / "was-run"
    harmful = [
        [sender.alert(host.replace("FILE", str(mark)), "resolved")]
        for host in (*HARMFUL, "a" * 65536)
    ]
    statuses, _ = sender.send(port, *harmful)
    require(set(statuses) == {422}, f"answers to harmful names: {statuses}")
    labels = {
        "summary": "{{ lookup('ansible.builtin.pipe', 'touch FILE') }}".replace("FILE", str(mark))
    }
    statuses, _ = sender.send(port, *([sender.alert(host, "resolved", **labels)] for host in ODD))
    require(set(statuses) == {200}, f"answers to odd names: {statuses}")
    wait("runs", lambda: len(recorder.calls("host_return")) >= len(ODD), 60)
    seen = Counter(call["host"] for call in recorder.calls("host_return"))
    require(seen == Counter(ODD), f"hosts that returned: {seen}")
    require(not mark.exists(), "a name was run")


def through_alertmanager(
    programs: Programs, recorder: Recorder, config: Path, urls: dict[int, int]
) -> None:
    """The real Alertmanager with the shipped configuration: fires and is resolved."""
    # host_down has a map; host_return has none, and keeps the name whole.
    address, host = LATER
    instance = f"{address}:9100"
    before = len(recorder.calls("host_down"))
    port = programs.alertmanager(config, urls)
    sender.to_alertmanager(port, instance)
    wait("host_down", lambda: len(recorder.calls("host_down")) == before + 1, 60)
    time.sleep(3)
    sender.to_alertmanager(port, instance, ends_at=datetime.now(UTC))
    wait("host_return", lambda: len(recorder.calls("host_return")) == len(ODD) + 1, 60)
    returned = {call["host"] for call in recorder.calls("host_return")} - set(ODD)
    require(returned == {instance}, f"returned: {returned}")
    require(len(recorder.calls("host_down")) == before + 1, "the end started host_down")
    require(host in {call["host"] for call in recorder.calls("host_down")}, "another host")


def job_template(programs: Programs) -> None:
    """The same for AWX: the job template is launched once, with the host and how it is fenced."""
    awx = controller.Controller("host_down", "OpenStack recovery")
    with awx.serving() as url:
        port = programs.rulebook(
            "host_down_awx",
            "--controller-url",
            url,
            "--controller-token",
            controller.TOKEN,
            fencing="redfish,ipmi",
        )
        for _ in range(2):
            statuses, _ = sender.send(port, [sender.alert("1.10")])
            require(statuses == [200], f"answers: {statuses}")
        wait("a job", lambda: awx.launched, 30)
        time.sleep(2)
    require(len(awx.launched) == 1, f"launched: {awx.launched}")
    given = awx.launched[0]["extra_vars"]
    given.pop("ansible_eda")
    require(given == {"host": "1.10", "fencing": "redfish,ipmi"}, f"given to the job: {given}")


if __name__ == "__main__":
    main()
