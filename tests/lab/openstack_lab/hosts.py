"""Break compute hosts and mend them."""

from __future__ import annotations

from . import readiness
from .console import LabError, say
from .database import Database
from .lifecycle import Lifecycle
from .settings import HOSTS, Settings
from .supervisor import Supervisor


class Hosts:
    """A host is two programs: its nova-compute, and its link to RabbitMQ.

    Its L2 agent lives in the `l2-agents` program and speaks only while the link is there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Supervisor(settings)
        self._database = Database(settings)

    def kill(self, host: str) -> None:
        """Power off: SIGKILL of everything of the host."""
        self._check(host)
        self._supervisor.kill(host, f"link-{host}")
        say(f"{host} is dead")

    def start(self, host: str, wait: bool = True) -> None:
        """Power on; heals a partition too, as a host boots with its cable plugged in."""
        self._check(host)
        since = readiness.now(self._database)
        self._supervisor.start(f"link-{host}", host)
        if wait:
            Lifecycle(self._settings).wait_for_reports([host], since)
        say(f"{host} is {'up' if wait else 'starting'}")

    def partition(self, host: str) -> None:
        """The processes stay alive, but nothing reaches RabbitMQ."""
        self._check(host)
        self._supervisor.kill(f"link-{host}")
        say(f"{host} is cut off")

    def heal(self, host: str) -> None:
        self._check(host)
        self._supervisor.start(f"link-{host}")
        say(f"{host} is connected")

    def _check(self, host: str) -> None:
        if host not in HOSTS:
            raise LabError(f"unknown host {host}; known: {', '.join(HOSTS)}")
