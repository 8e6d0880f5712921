# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BMCs of sushy-tools on the loopback, over https, with a login and serial numbers.

Arguments: folder (with bmc.crt, bmc.key), user, password, then NAME=KIND for each BMC. Each has a port of
its own; ports.json tells them. Kinds: *delayed* (the switch takes effect seconds later), *deaf* (takes
the command and does nothing), *graceful* (offers no ForceOff). sent.json has what was sent but GETs.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import bcrypt
import flask
from sushy_tools.emulator import main as emulator

folder, user, password = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
names = dict(word.split("=") for word in sys.argv[4:])
sent: list[dict[str, Any]] = []
uuids = {name: f"27946b59-9e44-4fa7-8e91-{number:012x}" for number, name in enumerate(names)}
logins = folder / "logins"
digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
logins.write_text(f"{user}:{digest}\n", encoding="utf-8")

app = emulator.app
app.configure(
    extra_config={
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_AUTH_FILE": str(logins),
        "SUSHY_EMULATOR_STATE_DIR": str(folder),
        "SUSHY_EMULATOR_FAKE_SYSTEMS": [
            {"uuid": uuid, "name": name, "power_state": "On", "nics": []}
            for name, uuid in uuids.items()
        ],
    }
)


class Server(WSGIServer):
    """One BMC: knows by its port whose it is."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "bmc.crt", folder / "bmc.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_arguments: Any) -> None:
        """A client that does not trust the certificate is no event."""


def whose() -> str:
    return names_by_port[int(flask.request.environ["SERVER_PORT"])]


@app.before_request
def note() -> Any:
    """What was sent; and a deaf BMC only says that it has understood."""
    if flask.request.method == "GET":
        return None
    name = whose()
    sent.append({"bmc": name, "method": flask.request.method, "path": flask.request.path})
    (folder / "sent.json").write_text(json.dumps(sent), encoding="utf-8")
    return ("", 204) if names[name] == "deaf" else None


@app.after_request
def dress(response: flask.Response) -> flask.Response:
    """What sushy-tools leaves out: one system for each BMC, its serial number and host name."""
    if response.status_code != 200 or not response.is_json:
        return response
    name, body = whose(), response.get_json()
    if flask.request.path.rstrip("/") == "/redfish/v1/Systems":
        path = f"/redfish/v1/Systems/{uuids[name]}"
        body |= {"Members": [{"@odata.id": path}], "Members@odata.count": 1}
    elif "PowerState" in body:
        body |= {"SerialNumber": f"SN-{name}", "HostName": name}
        if names[name] == "graceful":
            reset = body["Actions"]["#ComputerSystem.Reset"]
            reset["ResetType@Redfish.AllowableValues"] = ["On", "GracefulShutdown"]
    response.set_data(json.dumps(body))
    return response


servers = {name: make_server("127.0.0.1", 0, app, server_class=Server) for name in names}
names_by_port = {server.server_port: name for name, server in servers.items()}
(folder / "sent.json").write_text("[]", encoding="utf-8")
for server in servers.values():
    threading.Thread(target=server.serve_forever, daemon=True).start()
ports = {name: server.server_port for name, server in servers.items()}
(folder / "redfish.pid").write_text(str(os.getpid()), encoding="utf-8")
(folder / "ports.json").write_text(json.dumps(ports), encoding="utf-8")
threading.Event().wait()
