# mypy: disable-error-code="import-not-found,import-untyped,misc,no-any-unimported"
"""The BMC of one libvirt host: sushy-tools' Redfish emulator with a real switch.

`bmc.py HOST`. A reset ends or starts the host's processes, and PowerState looks whether its first
process lives. The file of faults `bmc-HOST` holds `lies`, `ignores` or `slow` (see docs/lab.md).
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import bcrypt
import flask
from openstack_lab import facts, faults
from openstack_lab.configure import lab_of
from openstack_lab.console import LabError
from openstack_lab.host_process import init_process
from openstack_lab.hosts import Hosts
from openstack_lab.settings import Settings, recall
from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver

SLOW_SECONDS = 15.0


class Switch(fakedriver.FakeDriver):
    """sushy-tools' fake systems, but for the power."""

    settings: Settings
    host: str
    _claimed: str | None = None

    def get_power_state(self, identity: str) -> str:
        self._get(identity)  # refuses other systems
        if self._claimed and self._fault() == "lies":
            return self._claimed
        return "On" if init_process(self.settings.host_dir(self.host)) else "Off"

    def set_power_state(self, identity: str, state: str) -> None:
        self._get(identity)
        fault = self._fault()
        self._claimed = "Off" if state in ("ForceOff", "GracefulShutdown") else "On"
        if fault == "slow":
            threading.Timer(SLOW_SECONDS, self._apply, [state]).start()
        elif fault is None:
            self._apply(state)

    def _fault(self) -> int | str | None:
        return faults.of(self.settings, f"bmc-{self.host}")

    def _apply(self, state: str) -> None:
        hosts = Hosts(self.settings)
        running = init_process(self.settings.host_dir(self.host)) is not None
        try:
            if state in ("ForceOff", "GracefulShutdown"):
                hosts.kill(self.host)
            elif state in ("On", "ForceOn"):
                if not running:
                    hosts.start(self.host, wait=False)
            elif state in ("ForceRestart", "GracefulRestart"):
                hosts.kill(self.host)
                hosts.start(self.host, wait=False)
            else:
                raise error.NotSupportedError(f"{state} is not supported")
        except LabError as problem:
            raise error.FishyError(str(problem)) from None


def add_identity(response: Any) -> Any:
    """What sushy-tools leaves out, and a real BMC tells."""
    request = flask.request
    if request.endpoint == "system_resource" and request.method == "GET" and response.is_json:
        body = json.loads(response.get_data())
        if "UUID" in body:
            body |= {"SerialNumber": IDENTITY["serial_number"], "HostName": IDENTITY["host_name"]}
            response.set_data(json.dumps(body))
    return response


def main() -> None:
    settings = recall()
    if settings is None:
        sys.exit("there is no lab")
    host = sys.argv[1]
    bmc = facts.of_host(lab_of(settings), host)["bmc"]
    folder = settings.state / "bmc" / host
    folder.mkdir(parents=True, exist_ok=True)
    accounts = folder / "htpasswd"
    digest = bcrypt.hashpw(bmc["password"].encode(), bcrypt.gensalt(4)).decode()
    accounts.write_text(f"{bmc['username']}:{digest}\n")
    IDENTITY.update(bmc)
    Switch.settings, Switch.host = settings, host
    fakedriver.FakeDriver = Switch
    emulator.app.after_request(add_identity)
    emulator.app.configure(
        extra_config={
            "SUSHY_EMULATOR_FAKE_DRIVER": True,
            "SUSHY_EMULATOR_STATE_DIR": str(folder),
            "SUSHY_EMULATOR_AUTH_FILE": str(accounts),
            "SUSHY_EMULATOR_FAKE_SYSTEMS": [
                {"uuid": bmc["system_id"], "name": host, "power_state": "On", "nics": []}
            ],
        }
    )
    emulator.app.run(
        host="127.0.0.1",
        port=settings.port(f"bmc-{host}"),
        ssl_context=(str(settings.tls / "server.pem"), str(settings.tls / "server.key")),
    )


IDENTITY: dict[str, str] = {}

if __name__ == "__main__":
    main()
