"""Break compute hosts and mend them."""

from __future__ import annotations

from . import host_programs, readiness
from .console import LabError, say
from .database import Database
from .lifecycle import Lifecycle
from .power import power_off
from .readiness import Readiness
from .settings import HOSTS, Settings
from .supervisor import Supervisor


class Hosts:
    """A fake host is two programs: its nova-compute, and its link to RabbitMQ.

    Its L2 agent lives in the `l2-agents` program and speaks only while the link is there. A
    libvirt host also has a machine, a management network and a BMC (see host_programs).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Supervisor(settings)
        self._database = Database(settings)

    def kill(self, host: str) -> None:
        """Power off: SIGKILL of everything of the host."""
        self._programs(host)
        power_off(self._settings, self._supervisor, host)
        self._settings.fault_file(f"libvirtd-{host}").unlink(missing_ok=True)
        say(f"{host} is dead")

    def start(self, host: str, wait: bool = True) -> None:
        """Power on; heals a partition too, as a host boots with its cable plugged in."""
        names = self._programs(host)
        since = readiness.now(self._database)
        self._supervisor.start(*names.at_power_on)
        if self._settings.compute_disabled_file(host).exists():
            say(f"{host} is starting, without nova-compute")
            return
        self._supervisor.start(names.compute)
        self._wait_for_report(host, since, wait)

    def partition(self, host: str, management: bool = False) -> None:
        """The processes stay alive, but nothing reaches the control plane."""
        names = self._programs(host)
        cut = [names.link]
        if management:
            if names.management is None:
                raise LabError("only libvirt hosts have a management network")
            cut.append(names.management)
        self._supervisor.kill(*cut)
        say(f"{host} is cut off")

    def heal(self, host: str) -> None:
        names = self._programs(host)
        self._supervisor.start(names.link)
        if names.management:
            self._supervisor.start(names.management)
            Readiness(self._settings, self._supervisor).port(names.management)
        say(f"{host} is connected")

    def stop_compute(self, host: str) -> None:
        """SIGKILL of nova-compute alone."""
        self._supervisor.kill(self._programs(host).compute)
        say(f"nova-compute on {host} is dead")

    def start_compute(self, host: str, wait: bool = True) -> None:
        names = self._programs(host)
        machine = names.machine
        if machine and not self._supervisor.processes()[machine].alive:
            raise LabError(f"{host} is without power: `lab start {host}` first")
        since = readiness.now(self._database)
        self._supervisor.start(names.compute)
        self._wait_for_report(host, since, wait)

    def disable_compute(self, host: str) -> None:
        """Power on does not start nova-compute any more; one that runs is left alone."""
        self._programs(host)
        self._settings.compute_disabled_file(host).touch()
        say(f"{host} starts without nova-compute")

    def enable_compute(self, host: str) -> None:
        self._programs(host)
        self._settings.compute_disabled_file(host).unlink(missing_ok=True)
        say(f"{host} starts with nova-compute")

    def _wait_for_report(self, host: str, since: str, wait: bool) -> None:
        if wait:
            Lifecycle(self._settings).wait_for_reports([self._programs(host).compute], since)
        say(f"{host} is {'up' if wait else 'starting'}")

    def _programs(self, host: str) -> host_programs.HostPrograms:
        if host not in HOSTS:
            raise LabError(f"unknown host {host}; known: {', '.join(HOSTS)}")
        return host_programs.of(self._settings, host)
