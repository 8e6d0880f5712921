# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with the instances, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from expecting import require, wait
from lab_access import lab_settings, nova_manage

from . import scene
from .scene import LARGE, NEW, OLD, SMALL

_LIMIT = 400
_INVENTORY = (
    Path(__file__).resolve().parents[3] / "extensions/molecule/resources/inventory/hosts.yml"
)
_FOLDER = os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]
_BOTH = {"image": NEW, "flavor": LARGE, "replace_root_disk": True}


def unchanged() -> None:
    """After all that was refused."""
    require(scene.observe() == scene.saved(), f"something was changed: {scene.observe()}")


def check_mode() -> None:
    output = _succeed(["web-1", "web-2", "db-1"], _BOTH, "--check")
    require("rebuild, resize" in output, output)
    require("root volume" in output, output)
    unchanged()


def killed() -> None:
    """SIGKILL of everything while Nova resizes; the next run finishes, and nothing is done twice."""
    names = ["web-1", "web-2", "db-1"]
    run = subprocess.Popen(
        _command(names, _BOTH), stdout=subprocess.DEVNULL, start_new_session=True
    )
    wait("a resize", lambda: "resize" in scene.actions(scene.servers()["web-1"].id), _LIMIT)
    _kill(run.pid)
    run.wait()
    seen = scene.observe()
    require(any(seen[name]["flavor"] == SMALL for name in names), f"it had finished: {seen}")
    output = _succeed(names, _BOTH)
    require("3 of 3 instances verified" in output, output)
    for name in names:
        scene.require_reshaped(name, NEW, LARGE, 128)
        done = scene.observe()[name]["actions"]
        for action in ("rebuild", "resize", "confirmResize"):
            require(done.count(action) == 1, f"{name}: {done}")


def again() -> None:
    before = scene.observe()
    output = _succeed(["web-1", "web-2", "db-1"], _BOTH)
    require("changed=0" in output.rsplit("PLAY RECAP", 1)[-1], output)
    require("3 of 3 instances verified" in output, output)
    require(scene.observe() == before, f"something was changed: {scene.observe()}")


def failures() -> None:
    """Hosts that refuse to start guests, and a zone without another host; at the same time."""
    scene.act("edge-1", {"unlock": None})
    image = {"image": OLD, "replace_root_disk": True, "reshape_instances_batch_size": 1}
    with _refusing():
        lonely = subprocess.Popen(
            _command(["edge-1"], {"flavor": LARGE}), stdout=subprocess.PIPE, text=True
        )
        output = _run(["web-1", "web-2"], image, ends=2)
        report = _report("lab-image-")
        lonely_output = lonely.communicate(timeout=_LIMIT)[0]
    by_name = {one["name"]: one for one in report["instances"]}
    require(by_name["web-1"]["code"] == "rebuild_failed", f"{by_name['web-1']}\n{output}")
    require("root disk was not built" in by_name["web-1"]["state"], by_name["web-1"]["state"])
    require("refuses to start guests" in by_name["web-1"]["reason"], by_name["web-1"]["reason"])
    require(by_name["web-2"]["status"] == "not_started", str(by_name["web-2"]))
    require(scene.statuses()["web-1"] == "ERROR", "it is not what the report says")
    require(scene.observe()["web-2"]["image"] == NEW, "it was begun all the same")

    require(lonely.returncode == 2, lonely_output)
    edge = _report("reshape.large-")["instances"][0]
    require((edge["code"], edge["state"]) == ("resize_failed", "old flavor, running"), str(edge))
    require("No valid host" in edge["reason"], edge["reason"])
    seen = scene.observe()["edge-1"]
    require((seen["status"], seen["flavor"]) == ("ACTIVE", SMALL), str(seen))

    # Nova takes the allocation away in a rebuild that fails, as if it were an evacuation's.
    nova_manage("placement", "heal_allocations", "--instance", scene.servers()["web-1"].id)
    output = _succeed(["web-1", "web-2"], image)
    require("2 of 2 instances verified" in output, output)
    for name in ("web-1", "web-2"):
        scene.require_reshaped(name, OLD, LARGE, 128)


def destination_fails() -> None:
    """The destination fails in the middle of a resize: what is left is made usable."""
    with _refusing() as markers:
        run = subprocess.Popen(
            _command(["db-1"], {"flavor": SMALL}), stdout=subprocess.PIPE, text=True
        )
        wait("an instance in ERROR", lambda: scene.statuses()["db-1"] == "ERROR", _LIMIT)
        for marker in markers:
            marker.unlink()
        output = run.communicate(timeout=_LIMIT)[0]
    require(run.returncode == 2, output)
    one = _report("lab.tiny-")["instances"][0]
    # Nova may leave the root volume 'attaching' then; the state says so.
    state = one["state"]
    require(state.startswith("old flavor") and state.endswith("running"), state)
    require(one["code"] == "resize_failed", str(one))
    require("hard_reboot" in [entry["event"] for entry in one["timeline"]], str(one))
    seen = scene.observe()["db-1"]
    require((seen["status"], seen["flavor"]) == ("ACTIVE", LARGE), str(seen))
    require(seen["host"] != one["from"], "it was made usable where it is now")


@contextmanager
def _refusing() -> Iterator[list[Path]]:
    """No host starts guests."""
    markers = [lab_settings().state / "computes" / host / "refuse-spawn" for host in scene.HOSTS]
    for marker in markers:
        marker.touch()
    try:
        yield markers
    finally:
        for marker in markers:
            marker.unlink(missing_ok=True)


def _command(names: list[str], variables: dict[str, Any], *options: str) -> list[str]:
    given = {"instances": names, "cloud": os.environ["OS_CLOUD"], **variables}
    given["reshape_instances_report_dir"] = _FOLDER
    return [
        *("ansible-playbook", "-i", str(_INVENTORY), "openstack_recovery.nova.reshape_instances"),
        *("-e", json.dumps(given), *options),
    ]


def _run(names: list[str], variables: dict[str, Any], *options: str, ends: int) -> str:
    done = subprocess.run(
        _command(names, variables, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    require(done.returncode == ends, f"it ended with {done.returncode}:\n{done.stdout[-6000:]}")
    require("[WARNING]" not in done.stdout, f"it warns:\n{done.stdout[-6000:]}")
    return done.stdout


def _succeed(names: list[str], variables: dict[str, Any], *options: str) -> str:
    return _run(names, variables, *options, ends=0)


def _report(subject: str) -> dict[str, Any]:
    """The newest one."""
    found = max(
        Path(_FOLDER).glob(f"reshape_instances-{subject}*.json"),
        key=lambda file: file.stat().st_mtime,
    )
    report: dict[str, Any] = json.loads(found.read_text())
    return report


def _kill(playbook: int) -> None:
    """The playbook with all its processes, then the module, which runs as a job of its own."""
    os.killpg(playbook, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while modules := _modules():
        require(time.monotonic() < deadline, f"still there: {modules}")
        for pid in modules:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _modules() -> list[int]:
    """Processes of the module that belong to this scenario."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            of_module = b"instance_reshape" in (process / "cmdline").read_bytes()
            own = f"MOLECULE_EPHEMERAL_DIRECTORY={_FOLDER}\0".encode()
            if of_module and own in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found
