"""Wait until programs do their work, and fail early with their log if they ended."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable

from . import config_cinder, host_programs
from .console import LabError
from .database import Database
from .settings import HOSTS, Settings
from .supervisor import Supervisor


class Readiness:
    """Waiting with a limit, a reason and a look at the programs that are waited for."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor

    def until(
        self, what: str, ready: Callable[[], bool], programs: Iterable[str], seconds: float = 150
    ) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            self._check(programs)
            if time.monotonic() > deadline:
                tails = "\n".join(self._supervisor.log_tail(name) for name in programs)
                raise LabError(f"{what}: not ready after {seconds:.0f} s\n{tails}")
            time.sleep(0.2)

    def _check(self, programs: Iterable[str]) -> None:
        processes = self._supervisor.processes()
        for name in programs:
            if not processes[name].alive:
                tail = self._supervisor.log_tail(name)
                raise LabError(f"{name} is {processes[name].state}; its log ends:\n{tail}")

    def port(self, name: str) -> None:
        self.until(name, lambda: listens(self._settings.port(name)), [name])

    def api(self, name: str) -> None:
        self.until(name, lambda: answers(self._settings.url(name)), [name])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def answers(url: str) -> bool:
    """Any HTTP answer will do, an error too: a fault may be set on purpose."""
    try:
        urllib.request.urlopen(url, timeout=20).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def now(database: Database) -> str:
    """The databases' clock, for `reported`."""
    return database.query("SELECT UTC_TIMESTAMP(6)")[0][0]


def reported(database: Database, schema: str, since: str) -> set[str]:
    """Services in this schema that reported since then: `controller/nova-scheduler`..."""
    seen = "updated_at" if schema == "cinder" else "last_seen_up"
    rows = database.query(
        f"SELECT CONCAT(host, '/', `binary`) FROM {schema}.services"
        f" WHERE deleted = 0 AND {seen} > '{since}'",
        schema,
    )
    return {name for (name,) in rows}


def reports(settings: Settings) -> dict[str, tuple[str, str]]:
    """The first report of each of these says that it works: program -> (schema, service)."""
    backend = config_cinder.backend(settings)
    computes = zip(host_programs.computes(settings), HOSTS, strict=True)
    return {
        "nova-super-conductor": ("nova_cell0", "controller/nova-conductor"),
        "nova-scheduler": ("nova_cell0", "controller/nova-scheduler"),
        "nova-cell1-conductor": ("nova_cell1", "cell1/nova-conductor"),
        "cinder-scheduler": ("cinder", "controller/cinder-scheduler"),
        "cinder-volume": ("cinder", f"controller@{backend}/cinder-volume"),
        **{program: ("nova_cell1", f"{host}/nova-compute") for program, host in computes},
    }
