"""Make an API answer errors, a libvirtd hang, a BMC misbehave.

An API and a BMC that run look at the file of their fault; what stops a process is done here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time

from . import host_programs
from .console import LabError, say
from .host_process import members, namespace
from .ini import write_private
from .programs import apis
from .readiness import Readiness
from .settings import HOSTS, Settings
from .supervisor import Supervisor

BMC_FAULTS = ("closed", "hang", "lies", "ignores", "slow")
# They stop the program itself, which nothing would start again when their time is over.
_LASTING = ("closed", "hang")


def targets(settings: Settings) -> tuple[str, ...]:
    if not settings.has_libvirt:
        return apis(settings)
    libvirtds = tuple(f"libvirtd-{host}" for host in HOSTS)
    return (*apis(settings), *libvirtds, *host_programs.bmcs(settings))


def set_fault(settings: Settings, target: str, fault: str, seconds: float | None) -> None:
    """Raise LabError if there is no such target, or none that could have this fault."""
    if target not in targets(settings):
        raise LabError(f"unknown: {target}; known: {', '.join(targets(settings))}")
    _check(settings, target, fault, seconds)
    _end(settings, target)
    if fault == "none":
        say(f"{target} is without a fault")
        return
    until = None if seconds is None else time.time() + seconds
    value = int(fault) if target in apis(settings) else fault
    write_private(settings.fault_file(target), json.dumps({"code": value, "until": until}))
    if fault == "closed":
        Supervisor(settings).kill(target)
    elif fault == "hang":
        _signal(settings, target, signal.SIGSTOP)
    say(f"{target}: {fault}" + (f" for {seconds:g} s" if seconds is not None else ""))


def _check(settings: Settings, target: str, fault: str, seconds: float | None) -> None:
    if fault == "none":
        return
    if target in apis(settings):
        if not (fault.isdigit() and 400 <= int(fault) <= 599):
            raise LabError(f"an API's fault is a number from 400 to 599, or none; not {fault}")
        return
    known = BMC_FAULTS if target in host_programs.bmcs(settings) else ("hang",)
    if fault not in known:
        raise LabError(f"a fault of {target} is {', '.join(known)} or none; not {fault}")
    if fault in _LASTING and seconds is not None:
        raise LabError(f"{fault} does not end by itself: say `lab fault {target} none`")


def _end(settings: Settings, target: str) -> None:
    settings.fault_file(target).unlink(missing_ok=True)
    if target in apis(settings):
        return
    _signal(settings, target, signal.SIGCONT)
    if target in host_programs.bmcs(settings):
        supervisor = Supervisor(settings)
        supervisor.start(target)
        Readiness(settings, supervisor).port(target)


def _signal(settings: Settings, target: str, number: signal.Signals) -> None:
    """To a BMC, or to a host's libvirtd."""
    with contextlib.suppress(ProcessLookupError):
        if target in host_programs.bmcs(settings):
            pid = Supervisor(settings).processes()[target].pid
            if pid:
                os.killpg(pid, number)
            return
        host = target.removeprefix("libvirtd-")
        space = namespace(settings, host)
        if space is None:
            raise LabError(f"{host} is without power")
        for pid in members(space, "libvirtd"):
            os.kill(pid, number)


def of(settings: Settings, target: str) -> int | str | None:
    """The fault that is on now."""
    try:
        fault = json.loads(settings.fault_file(target).read_text())
    except FileNotFoundError:
        return None
    code: int | str = fault["code"]
    return code if fault["until"] is None or fault["until"] > time.time() else None


def active_faults(settings: Settings) -> dict[str, int | str]:
    found = {target: of(settings, target) for target in targets(settings)}
    return {target: fault for target, fault in found.items() if fault is not None}
