# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed for those that wait, what is not, and that they run then."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from build_failed import rabbit
from build_failed.requested import rulebook
from expecting import require, wait
from lab_access import connect
from never_booted.crash import say, with_cloud
from never_booted.modules import Running, run, succeed, use_collections

from . import scene

_MODULE = "instance_preemption"
_RULEBOOK_SECONDS = 480
_NETWORKS = [{"network": "lab-net"}]


def prove(folder: Path) -> None:
    """All of it, one after another, in one cloud.

    :param folder: for files and reports.
    """
    use_collections()
    policy = folder / "policy.yml"
    policy.write_text(json.dumps(scene.POLICY), encoding="utf-8")
    with (
        rabbit.account("room", rabbit.BUILD_MESSAGES) as url,
        rulebook(
            folder,
            url,
            playbook={
                "policy_file": str(policy),
                "make_room_report_dir": str(folder),
                "rebuild_never_booted_report_dir": str(folder),
            },
            build_failed_playbook="make_room_and_rebuild",
        ) as log,
    ):
        ids = scene.build()
        _a_stopped_instance_keeps_its_room(ids)
        _built_by_themselves(ids, log)
    _require_verified(folder, "middle", "elsewhere")
    _refused(ids)
    _killed(ids, policy, folder)


def _a_stopped_instance_keeps_its_room(ids: dict[str, str]) -> None:
    held = scene.allocated(ids["cheap-2"])
    running = scene.allocated(ids["cheap-1"])
    require(held == running, f"a stopped instance holds {held}, a running one {running}")
    say("a stopped instance keeps its allocation")


def _built_by_themselves(ids: dict[str, str], log: Path) -> None:
    """Nobody does anything: the failures are announced, and the rulebook starts the playbook."""
    asked = {
        "w-a": scene.ask_for("w-a", "room.double", "az-a"),
        "w-b": scene.ask_for("w-b", "room.double", "az-b"),
    }

    def active() -> bool:
        seen = scene.everything()["instances"]
        return all(seen[name]["status"] == "ACTIVE" for name in asked)

    wait(f"w-a and w-b to run; see {log}", active, _RULEBOOK_SECONDS)
    seen = scene.everything()["instances"]
    for name, uuid in asked.items():
        one = seen[name]
        require(one["id"] == uuid, f"{name} is another: {one}")
        require(one["guests"] == [one["host"]], f"{name} has not one guest: {one}")
    require(seen["w-a"]["host"] == "compute-2", f"w-a: {seen['w-a']}")
    require(seen["w-b"]["host"] == "compute-3", f"w-b: {seen['w-b']}")
    _require_shelved(seen, "middle")
    require("elsewhere" not in seen, f"it is still there: {seen.get('elsewhere')}")
    require(not scene.allocated(ids["elsewhere"]), "a deleted instance still holds something")
    _require_untouched(seen, "cheap-1", "cheap-2", "dear", "locked")
    require(seen["locked"]["locked"], "it is not locked any more")
    require("Traceback" not in log.read_text(encoding="utf-8"), f"see {log}")
    say("w-a and w-b run: middle was shelved, elsewhere deleted, what is locked has stayed")


def _require_verified(folder: Path, *names: str) -> None:
    """By the reports of the runs."""
    reports = [json.loads(file.read_text()) for file in folder.glob("make_room-*.json")]
    told = {one["name"]: one["status"] for report in reports for one in report["instances"]}
    require(told == dict.fromkeys(names, "verified"), f"the reports tell {told}")


def _require_shelved(seen: dict[str, Any], *names: str) -> None:
    for name in names:
        one = seen[name]
        require(
            one["status"] == "SHELVED_OFFLOADED" and not one["allocated"] and not one["guests"],
            f"{name} is not off its host: {one}",
        )


def _require_untouched(seen: dict[str, Any], *names: str) -> None:
    for name in names:
        one = seen[name]
        require(
            one["status"] in ("ACTIVE", "SHUTOFF") and list(one["allocated"]) == [one["host"]],
            f"{name} was touched: {one}",
        )


def _refused(ids: dict[str, str]) -> None:
    """Nothing is removed in vain, over the limit, or for a plan alone."""
    ids["triple"] = scene.ask_for("triple", "room.triple", "az-a")
    ids["huge"] = scene.ask_for("huge", "room.huge", "az-a")
    scene.wait_for({name: ids[name] for name in ("triple", "huge")}, "ERROR")
    before = scene.everything()
    stops = copy.deepcopy(scene.POLICY)
    stops["rules"][1]["preemptible"]["action"] = "stop"
    _require_error("invalid_policy", ids["triple"], policy=stops)
    told = _require_error("insufficient_room", ids["huge"])
    _require_code(told, "too_few_preemptible")
    told = _require_error("insufficient_room", ids["triple"], limit=1)
    _require_code(told, "over_limit")
    both = copy.deepcopy(scene.POLICY) | {"capacity": {"on_shortage": "fail"}}
    _require_error("insufficient_room", ids["triple"], ids["huge"], policy=both)
    # The most urgent that can be had gets room, the other is named.
    options = _options([ids["huge"], ids["triple"]])
    planned = run(_MODULE, options, check_mode=True).result
    removed = {one["name"]: one["code"] for one in planned["plan"] if one["action"] == "skip"}
    require(removed == {"locked": "locked"}, f"not told what stays: {planned['plan']}")
    require(planned["room_for"] == [ids["triple"]], f"room for {planned['room_for']}")
    chosen = [one["name"] for one in planned["plan"] if one["action"] == "shelve"]
    cheapest = min(("cheap-1", "cheap-2"), key=lambda name: ids[name])
    require(chosen == [cheapest, "dear"], f"not the fewest and least valuable: {chosen}")
    require(scene.everything() == before, "something was changed")
    say("refused: stop, too little, over the limit, not for all; a plan changes nothing")


def _options(instances: list[str], **more: Any) -> dict[str, Any]:
    return {"cloud": os.environ["OS_CLOUD"], "instances": instances, "policy": scene.POLICY} | more


def _require_error(code: str, *instances: str, **options: Any) -> dict[str, Any]:
    result = run(_MODULE, _options(list(instances), **options)).result
    require(result.get("error", {}).get("code") == code, f"not {code}: {result}")
    require(result["changed"] is False, f"it says that it has changed something: {result}")
    return dict(result["error"])


def _require_code(error: dict[str, Any], code: str) -> None:
    codes = [one["code"] for one in error["details"]["waiting"]]
    require(codes == [code], f"not {code}: {error}")


def _killed(ids: dict[str, str], policy: Path, folder: Path) -> None:
    """In the middle: the next run finishes it, and removes no other."""
    succeed(
        "network_request", {**with_cloud(), "instances": [ids["triple"]], "networks": _NETWORKS}
    )
    first = min(("cheap-1", "cheap-2"), key=lambda name: ids[name])
    (other,) = {"cheap-1", "cheap-2"} - {first}
    before = scene.everything()
    plan = _playbook(ids["triple"], policy, folder, "--check")
    require(f"{first} " in plan and "to be removed" in plan, f"the plan does not show it: {plan}")
    require(scene.everything() == before, "check mode has changed something")
    compute = connect().compute
    killed = Running(_MODULE, _options([ids["triple"]], concurrency=1))
    # The next one's turn comes only when the module sees that this one is off its host.
    wait(f"{first} to be shelved", lambda: compute.get_server(ids[first]).task_state, 120)
    killed.kill()
    require(killed.end().killed, "it had ended before it was killed")
    _require_untouched(scene.everything()["instances"], other, "dear")
    _playbook(ids["triple"], policy, folder)
    seen = scene.everything()
    _require_shelved(seen["instances"], first, "dear")
    _require_untouched(seen["instances"], other, "locked", "w-a", "w-b")
    triple = seen["instances"]["triple"]
    require(triple["id"] == ids["triple"] and triple["status"] == "ACTIVE", f"triple: {triple}")
    require(triple["host"] == "compute-1", f"it is elsewhere: {triple}")
    locks = [name for name in seen["aggregates"] if "lock" in name]
    require(not locks, f"a lock is left: {locks}")
    again = _playbook(ids["triple"], policy, folder)
    require("changed=0" in again, f"a third run has changed something: {again}")
    say("killed in the middle, run again: two were shelved, and no third; it runs")


def _playbook(uuid: str, policy: Path, folder: Path, *options: str) -> str:
    variables = with_cloud() | {
        "instances": [uuid],
        "policy_file": str(policy),
        "make_room_report_dir": str(folder),
        "rebuild_never_booted_report_dir": str(folder),
    }
    done = subprocess.run(
        [
            *("ansible-playbook", "-i", "localhost,", "-c", "local"),
            "openstack_recovery.nova.make_room_and_rebuild",
            *("-e", f"ansible_python_interpreter={sys.executable}", "-e", json.dumps(variables)),
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    require(done.returncode == 0 and not done.stderr, f"{done.stdout}{done.stderr}")
    return done.stdout
