"""The command line."""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from . import access, bootstrap, configure, faults, host_process, install, status
from .config_common import Lab
from .console import LabError, say
from .hosts import Hosts
from .install import Installed
from .lifecycle import Lifecycle
from .readiness import Readiness
from .settings import (
    CELL0_DATABASES,
    HOSTS,
    PORT_OFFSETS,
    PROFILES,
    Settings,
    recall,
    resolve,
    state_dir,
)
from .supervisor import Supervisor

# What a command on a host may choose besides the host.
_HOST_OPTIONS = ("wait", "management")


def main() -> int:
    options = _parser().parse_args()
    try:
        return int(options.run(options) or 0)
    except LabError as error:
        print(f"lab: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description="A small real OpenStack; see docs/lab.md"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="install what is missing, start everything")
    up.add_argument("--release", help="an OpenStack release (default 2026.1)")
    up.add_argument("--base-port", type=int, help="first port (default 15000)")
    up.add_argument(
        "--cell0-database",
        choices=CELL0_DATABASES,
        help="own: schema nova_cell0 in a second MariaDB (default shared)",
    )
    up.add_argument(
        "--profile",
        choices=PROFILES,
        help="libvirt: hosts with libvirt, QEMU and a BMC (default fake)",
    )
    up.add_argument(
        "--fresh",
        action="store_true",
        help="unless all of it runs: from the seeded state, without what it held before",
    )
    up.set_defaults(run=_up)
    commands.add_parser("down", help="stop everything").set_defaults(run=_down)
    commands.add_parser("status", help="what runs; exit code 0 if all is up").set_defaults(
        run=_status
    )
    commands.add_parser("reset", help="back to the seeded state").set_defaults(run=_reset)
    commands.add_parser("seed", help="make projects, image, flavors, networks").set_defaults(
        run=_seed
    )
    for name, text in (
        ("kill", "power a host off: SIGKILL"),
        ("start", "power a host on"),
        ("partition", "cut a host off from the control plane"),
        ("heal", "connect it again"),
        ("stop-compute", "SIGKILL of a host's nova-compute"),
        ("start-compute", "start it again"),
        ("disable-compute", "power on does not start nova-compute"),
        ("enable-compute", "it does again"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("host")
        if name in ("start", "start-compute"):
            command.add_argument(
                "--no-wait", dest="wait", action="store_false", help="do not wait for its report"
            )
        if name == "partition":
            command.add_argument(
                "--management", action="store_true", help="also its libvirt (profile libvirt)"
            )
        command.set_defaults(run=_host, action=name.replace("-", "_"))
    guests = commands.add_parser("guests", help="which instances really run where, as JSON")
    guests.set_defaults(run=_guests)
    restart = commands.add_parser("restart", help="restart one program")
    restart.add_argument("program")
    restart.set_defaults(run=_restart)
    fault = commands.add_parser("fault", help="make an API, a libvirtd or a BMC misbehave")
    fault.add_argument("target", help="an API, libvirtd-HOST or bmc-HOST")
    fault.add_argument("fault", help="see docs/lab.md, or none")
    fault.add_argument("--seconds", type=float, help="end by itself after that time")
    fault.set_defaults(run=_fault)
    commands.add_parser("shell", help="a shell with the openstack client").set_defaults(run=_shell)
    commands.add_parser("env", help="export lines for eval").set_defaults(run=_env)
    return parser


@contextmanager
def _alone() -> Iterator[None]:
    """One command that changes something at a time, per state folder."""
    state = state_dir()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another lab command is running: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _existing() -> tuple[Settings, Installed, Lab]:
    settings = recall()
    if settings is None:
        raise LabError(f"there is no lab in {state_dir()}: `lab up` first")
    return settings, install.locate(settings), Lab(settings, configure.password(settings))


def _running() -> tuple[Settings, Installed, Lab]:
    settings, installed, lab = _existing()
    if not Supervisor(settings).is_running():
        raise LabError("the lab is down: `lab up` first")
    return settings, installed, lab


def _up(options: argparse.Namespace) -> None:
    settings = resolve(options.release, options.base_port, options.cell0_database, options.profile)
    with _alone():
        Lifecycle(settings).up(fresh=options.fresh)


def _down(_: argparse.Namespace) -> None:
    with _alone():
        settings = recall()
        if settings is None:
            say("there is no lab")
            return
        Lifecycle(settings).down()


def _reset(_: argparse.Namespace) -> None:
    with _alone():
        Lifecycle(_running()[0]).reset()


def _status(_: argparse.Namespace) -> int:
    settings, _installed, lab = _existing()
    return 0 if status.show(settings, lab) else 1


def _seed(_: argparse.Namespace) -> None:
    with _alone():
        settings, installed, lab = _running()
        for part in ("identity", "resources"):
            bootstrap.seed(settings, installed, lab.password, part)


def _host(options: argparse.Namespace) -> None:
    with _alone():
        hosts = Hosts(_running()[0])
        chosen = {name: value for name, value in vars(options).items() if name in _HOST_OPTIONS}
        getattr(hosts, options.action)(options.host, **chosen)


def _guests(_: argparse.Namespace) -> None:
    settings, _installed, _lab = _existing()
    print(json.dumps({host: host_process.guests(settings, host) for host in HOSTS}, indent=1))


def _restart(options: argparse.Namespace) -> None:
    with _alone():
        settings, _, _ = _running()
        supervisor = Supervisor(settings)
        known = supervisor.processes()
        if options.program not in known:
            raise LabError(f"unknown program {options.program}; known: {', '.join(sorted(known))}")
        supervisor.stop(options.program)
        supervisor.start(options.program)
        if options.program in PORT_OFFSETS:
            Readiness(settings, supervisor).port(options.program)
        say(f"{options.program} is restarted")


def _fault(options: argparse.Namespace) -> None:
    faults.set_fault(_existing()[0], options.target, options.fault, options.seconds)


def _shell(_: argparse.Namespace) -> None:
    settings, installed, _lab = _existing()
    access.enter_shell(settings, installed)


def _env(_: argparse.Namespace) -> None:
    settings, installed, _lab = _existing()
    print(access.exports(settings, installed))
