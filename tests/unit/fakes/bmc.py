# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Redfish service behind requests, and an ipmitool that says what a test wants."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

from .http import FakeHttp

SYSTEMS = "/redfish/v1/Systems"
SYSTEM = f"{SYSTEMS}/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"

_IPMITOOL = """#!{python}
import json, os, sys, time
known = ("IPMI_PASSWORD", "IPMITOOL_PASSWORD", "LC_ALL")
call = {{"argv": sys.argv[1:], "env": {{k: os.environ[k] for k in known if k in os.environ}}}}
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(call) + chr(10))
with open({answer!r}) as file:
    answer = json.load(file)
sys.stdout.write(answer["stdout"])
sys.stderr.write(answer["stderr"])
sys.stderr.flush()
time.sleep(answer["seconds"])
sys.exit(answer["status"])
"""


def serve(fake: FakeHttp, *, power: str = "On", systems: int = 1, **system: Any) -> None:
    """Have the fake answer as a BMC does; ``system`` replaces what it says of its system."""
    paths = [f"{SYSTEMS}/{number + 1}" for number in range(systems)]
    fake.answers["/redfish/v1"] = (
        200,
        {"Id": "RootService", "RedfishVersion": "1.5.0", "Systems": {"@odata.id": SYSTEMS}},
    )
    fake.answers[SYSTEMS] = (
        200,
        {"Name": "Systems", "Members": [{"@odata.id": path} for path in paths]},
    )
    for path in paths:
        fake.answers[path] = (
            200,
            {
                "Id": path.rsplit("/", 1)[-1],
                "@odata.id": path,
                "PowerState": power,
                "SerialNumber": "SN-1",
                "HostName": "x.example",
                "Manufacturer": "Contoso",
                "Model": "R1",
                "Boot": {},
                "Actions": {
                    "#ComputerSystem.Reset": {
                        "target": f"{path}/Actions/ComputerSystem.Reset",
                        "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "GracefulShutdown"],
                    }
                },
                **system,
            },
        )


def place_ipmitool(folder: Path) -> tuple[Path, Path]:
    """An ipmitool in this folder. Returns the files of its calls, and of what it answers."""
    calls, answer = folder / "calls", folder / "answer"
    program = folder / "ipmitool"
    program.write_text(
        _IPMITOOL.format(python=sys.executable, calls=str(calls), answer=str(answer))
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return calls, answer
