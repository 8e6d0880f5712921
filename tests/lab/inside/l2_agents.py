# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call"
"""Stand-in for the L2 agents of all compute hosts, in one process to save memory.

Speaks Neutron's real RPC: heartbeats, and `update_device_up` for every bound port that is not
ACTIVE. It speaks for a host only while that host's link to RabbitMQ listens, so a host that was
killed or cut off falls silent. LAB_LINKS is "HOST=PORT ...", LAB_DATABASE_SOCKET is MariaDB's.
LAB_HOST_FOLDERS is "HOST=FOLDER ..." for libvirt hosts: their links listen in networks of their
own, and a port is up only once its tap device is there.
"""

from __future__ import annotations

import functools
import getpass
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import pymysql
from neutron.agent import rpc as agent_rpc
from neutron.common import config
from neutron.conf.agent import common as agent_conf
from neutron_lib import context
from neutron_lib.agent import topics
from oslo_config import cfg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from openstack_lab.host_process import init_process

LOG = logging.getLogger("l2_agents")
POLL_SECONDS = 0.4
HEARTBEAT_SECONDS = 10.0
RETRY_SECONDS = 3.0
LISTEN = "0A"  # in /proc/net/tcp

PORTS = (
    "SELECT p.id, b.host FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id"
    " WHERE p.status <> 'ACTIVE' AND b.status = 'ACTIVE' AND b.host <> ''"
    " AND b.vif_type NOT IN ('unbound', 'binding_failed')"
)


class Network:
    """What /proc says of a network namespace: reading it costs less than connecting to RabbitMQ."""

    def __init__(self, folder: str | None) -> None:
        process = init_process(Path(folder)) if folder else "self"
        self._proc = Path(f"/proc/{process}/net") if process else None

    @functools.cached_property
    def listening(self) -> frozenset[int]:
        """Ports, when it was first asked."""
        # Most of a thousand rows are connections: only the others are taken apart.
        rows = (line.split() for line in self._lines("tcp", skip=1) if f" {LISTEN} " in line)
        return frozenset(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTEN)

    def has_tap(self, port_id: str) -> bool:
        tap = f"tap{port_id}"[:14]
        return any(line.lstrip().startswith(f"{tap}:") for line in self._lines("dev", skip=2))

    def _lines(self, table: str, skip: int) -> list[str]:
        try:
            lines = (self._proc / table).read_text().splitlines() if self._proc else []
        except OSError:  # it ended this moment
            lines = []
        return lines[skip:]


def folders() -> dict[str, str]:
    return dict(item.split("=") for item in os.environ.get("LAB_HOST_FOLDERS", "").split())


def waiting_ports(connection: Any) -> list[tuple[str, str]]:
    connection.ping(reconnect=True)
    with connection.cursor() as cursor:
        cursor.execute(PORTS)
        return list(cursor.fetchall())


def heartbeat(reporter: Any, host: str, first: bool) -> None:
    state: dict[str, Any] = {
        "agent_type": "Open vSwitch agent",
        "binary": "neutron-openvswitch-agent",
        "host": host,
        "topic": "N/A",
        "configurations": {
            "bridge_mappings": {},
            "tunnel_types": ["vxlan"],
            "tunneling_ip": "127.0.0.1",
            # libvirt hosts have an Open vSwitch without a kernel module.
            "datapath_type": "netdev" if folders() else "system",
            "ovs_hybrid_plug": False,
        },
    }
    if first:
        state["start_flag"] = True
    reporter.report_state(context.get_admin_context_without_session(), state)


def run() -> None:
    links = dict(item.split("=") for item in os.environ["LAB_LINKS"].split())
    real = folders()
    reporter = agent_rpc.PluginReportStateAPI(topics.REPORTS)
    plugin = agent_rpc.PluginApi(topics.PLUGIN)
    admin = context.get_admin_context_without_session()
    database = pymysql.connect(
        unix_socket=os.environ["LAB_DATABASE_SOCKET"],
        user=getpass.getuser(),
        database="neutron",
        autocommit=True,
    )
    next_beat: dict[str, float] = {}  # hosts that are alive
    told: dict[tuple[str, str], float] = {}
    while True:
        now = time.monotonic()
        spaces = {folder: Network(folder) for folder in {real.get(host) for host in links}}
        networks = {host: spaces[real.get(host)] for host in links}
        alive = {host for host, port in links.items() if int(port) in networks[host].listening}
        for host in sorted(alive):
            if now >= next_beat.get(host, 0.0):
                heartbeat(reporter, host, first=host not in next_beat)
                next_beat[host] = now + HEARTBEAT_SECONDS
        next_beat = {host: due for host, due in next_beat.items() if host in alive}
        waiting = [
            (port, host)
            for port, host in waiting_ports(database)
            if host in alive and (not real or networks[host].has_tap(port))
        ]
        told = {entry: due for entry, due in told.items() if entry in waiting}
        for port, host in waiting:
            if now >= told.get((port, host), 0.0):
                plugin.update_device_up(admin, port, f"lab-{host}", host)
                told[(port, host)] = now + RETRY_SECONDS
        time.sleep(POLL_SECONDS)


def main() -> None:
    config.register_common_config_options()
    agent_conf.register_agent_state_opts_helper(cfg.CONF)
    config.init(sys.argv[1:])
    config.setup_logging()
    while True:
        try:
            run()
        except Exception:  # a stand-in must outlast restarts of what it talks to
            LOG.exception("trying again")
            time.sleep(1)


if __name__ == "__main__":
    main()
