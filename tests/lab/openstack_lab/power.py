"""Take a host's power away, as `lab kill`, `lab reset` and its BMC do."""

from __future__ import annotations

import time

from . import host_process, host_programs
from .console import LabError
from .settings import Settings
from .supervisor import Supervisor


def power_off(settings: Settings, supervisor: Supervisor, host: str) -> None:
    """Kill all that a host runs, and wait until nothing of it is left."""
    names = host_programs.of(settings, host)
    space = host_process.namespace(settings, host)
    supervisor.kill(*names.at_power_on, names.compute)
    # The kernel ends the rest of a namespace a moment after its first process.
    deadline = time.monotonic() + 10
    while space and host_process.members(space):
        if time.monotonic() > deadline:
            raise LabError(f"{host} still has processes")
        time.sleep(0.02)
