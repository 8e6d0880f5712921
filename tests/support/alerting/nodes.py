# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the node exporters of the lab's hosts are to Prometheus: they answer while the host is on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab_access import lab_module, lab_settings

_METRICS = b"# TYPE node_time_seconds gauge\nnode_time_seconds 1\n"


def is_on(host: str) -> bool:
    """Whether the lab has powered it on, with or without nova-compute."""
    processes = lab_module("supervisor").Supervisor(lab_settings()).processes()
    alive: bool = processes[f"link-{host}"].alive
    return alive


class _Node(BaseHTTPRequestHandler):
    """A connection to a host that is off is closed, and nothing answered."""

    host: str

    def do_GET(self) -> None:
        if not is_on(self.host):
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(_METRICS)))
        self.end_headers()
        self.wfile.write(_METRICS)

    def log_message(self, *_args: Any) -> None:
        pass


@contextlib.contextmanager
def serving(hosts: list[str]) -> Iterator[dict[str, int]]:
    """An exporter for each of these hosts.

    :return: their ports on the loopback interface, by host.
    """
    with contextlib.ExitStack() as stack:
        ports = {}
        for host in hosts:
            server = ThreadingHTTPServer(("127.0.0.1", 0), type(host, (_Node,), {"host": host}))
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
            ports[host] = server.server_address[1]
        yield ports
