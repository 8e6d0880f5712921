# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on the lab, some of them cancelled in the middle: the next finishes what they have begun.

python3 -m awx_jobs.scenario host-down HOST      it is down
python3 -m awx_jobs.scenario host-return HOST    it was evacuated
python3 -m awx_jobs.scenario rebuild UUID...     they never booted, and there is room
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from expecting import require, wait
from lab_access import connect, lab

from . import job
from .inputs import Object

_LIMIT = 300


def host_down(host: str) -> None:
    """The steps of the workflow, with one that is cancelled."""
    answers: Object = {
        "host": host,
        "fencing": "none",
        "evacuate_host_shared_storage": "true",
    }
    plan = _done("plan", "host_down_plan", answers)
    require(not _evacuations(host), "the plan has evacuated something")
    _done("report-of-plan", "recovery_report", handed_on=plan["artifacts"], fails=True)

    answers["evacuate_host_concurrency"] = 2
    cancelled = job.start(_folder("cancelled"), "host_down", answers)
    wait("an evacuation", lambda: len(_evacuations(host)) >= 2, _LIMIT)
    _cancel(cancelled)
    there = len(list(connect().compute.servers(all_projects=True)))
    require(len(_evacuations(host)) < there, "it was cancelled too late")

    done = _done("finished", "host_down", answers)
    require(f"{there} of {there} instances verified" in done["stdout"], done["stdout"])
    shown = _done("report", "recovery_report", handed_on=done["artifacts"])
    require(f"{there} of {there} instances verified" in shown["stdout"], shown["stdout"])


def host_return(host: str) -> None:
    """Somebody starts the machine while the job waits for it."""
    answers = {"host": host, "without_libvirt": "true", "readmit_host_start_with": "none"}
    returning = job.start(_folder("return"), "host_return", answers)
    lab("start", "--no-wait", host)
    _finish(returning, "return")
    service = next(s for s in connect().compute.services(binary="nova-compute", host=host))
    require((service.state, service.status) == ("up", "enabled"), f"{host} is {service}")


def rebuild(uuids: list[str]) -> None:
    """Killed without a warning once something was asked for."""
    requests = [{"instance": uuid, "networks": [{"network": "lab-net"}]} for uuid in uuids]
    _done("keep", "keep_network_requests", {"requests": requests})
    answers = {"instances": "\n".join(uuids), "rebuild_never_booted_concurrency": 1}
    killed = job.start(_folder("killed"), "rebuild_never_booted", answers)
    compute = connect().compute
    wait("a build", lambda: any(compute.get_server(u).compute_host for u in uuids), _LIMIT)
    _kill(killed)
    statuses = [compute.get_server(uuid).status for uuid in uuids]
    require(set(statuses) != {"ACTIVE"}, "it was killed too late")
    done = _done("rebuilt", "rebuild_never_booted", answers)
    count = len(uuids)
    require(f"{count} of {count} instances active and verified" in done["stdout"], done["stdout"])


def _done(
    name: str,
    template: str,
    answers: Object | None = None,
    handed_on: Object | None = None,
    *,
    fails: bool = False,
) -> dict[str, Any]:
    return _finish(job.start(_folder(name), template, answers, handed_on), name, fails=fails)


def _finish(run: subprocess.Popen[bytes], name: str, *, fails: bool = False) -> dict[str, Any]:
    run.wait(_LIMIT)
    told: dict[str, Any] = json.loads((_folder(name) / "job.json").read_text())
    output = told["stdout"]
    require((told["rc"] != 0) == fails, f"{name} ended with {told['rc']}:\n{output}")
    require("WARNING" not in output, f"{name} warns:\n{output}")
    stated = yaml.safe_load(Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text())["clouds"]
    password = stated[os.environ["OS_CLOUD"]]["auth"]["password"]
    require(password not in json.dumps(told), f"{name} shows a password")
    return told


def _cancel(run: subprocess.Popen[bytes]) -> None:
    """As AWX cancels a job: SIGTERM, and SIGKILL for what is still there."""
    os.kill(_first_process(run), signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(5)
    if run.poll() is None:
        _kill(run)


def _kill(run: subprocess.Popen[bytes]) -> None:
    """The first process takes all others with it."""
    os.kill(_first_process(run), signal.SIGKILL)
    run.wait(_LIMIT)


def _first_process(run: subprocess.Popen[bytes]) -> int:
    return int(Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()[0])


def _evacuations(host: str) -> list[Any]:
    return list(connect().compute.migrations(source_compute=host, migration_type="evacuation"))


def _folder(name: str) -> Path:
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "jobs" / name


def main() -> None:
    case, *named = sys.argv[1:]
    if case == "rebuild":
        rebuild(named)
    else:
        {"host-down": host_down, "host-return": host_return}[case](named[0])
    print(f"{case}: ok")


if __name__ == "__main__":
    main()
