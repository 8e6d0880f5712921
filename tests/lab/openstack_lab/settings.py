"""Where everything lies and listens: one value object for the whole command."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .console import LabError

DEFAULT_RELEASE = "2026.1"
DEFAULT_BASE_PORT = 15000
# Where schema nova_cell0 lies: in the MariaDB of all others, or in one of its own.
CELL0_DATABASES = ("shared", "own")
DATABASE_SERVERS = ("mariadb", "mariadb-cell0")
HOSTS = ("compute-1", "compute-2", "compute-3")
# What the hosts' hypervisors are: files of a fake driver, or libvirt and QEMU.
PROFILES = ("fake", "libvirt")
REGION = "RegionOne"
LAB_DIR = Path(__file__).resolve().parent.parent

# Offsets from the base port.
PORT_OFFSETS = {
    "keystone": 0,
    "placement": 1,
    "glance": 2,
    "neutron-api": 3,
    "nova-api": 4,
    "cinder-api": 5,
    "mariadb": 10,
    "rabbitmq": 11,
    "epmd": 12,
    "rabbitmq-distribution": 13,
    "memcached": 14,
    "mariadb-cell0": 15,
    "rabbitmq-tls": 16,
    **{f"link-{host}": 21 + number for number, host in enumerate(HOSTS)},
    **{f"management-{host}": 31 + number for number, host in enumerate(HOSTS)},
    **{f"bmc-{host}": 41 + number for number, host in enumerate(HOSTS)},
}


@dataclass(frozen=True)
class Settings:
    """What the user can choose; everything else follows from it."""

    release: str
    base_port: int
    cell0_database: str
    profile: str
    state: Path
    cache: Path
    python: str

    def port(self, name: str) -> int:
        return self.base_port + PORT_OFFSETS[name]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def lock_file(self) -> Path:
        return LAB_DIR / "releases" / f"{self.release}.txt"

    @property
    def cinder_lock_file(self) -> Path:
        return LAB_DIR / "releases" / f"{self.release}-cinder.txt"

    @property
    def has_cinder(self) -> bool:
        """A release has Cinder if there is a lock file for it."""
        return self.cinder_lock_file.exists()

    @property
    def has_libvirt(self) -> bool:
        return self.profile == "libvirt"

    @property
    def libvirt_lock_file(self) -> Path:
        return LAB_DIR / "releases" / "libvirt.txt"

    @property
    def bmc_lock_file(self) -> Path:
        return LAB_DIR / "releases" / "bmc.txt"

    @property
    def etc(self) -> Path:
        return self.state / "etc"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def tls(self) -> Path:
        """Certificates and keys, see certificates.py."""
        return self.state / "tls"

    @property
    def supervisor_socket(self) -> Path:
        return self.state / "supervisor.sock"

    @property
    def database_servers(self) -> tuple[str, ...]:
        return DATABASE_SERVERS if self.cell0_database == "own" else DATABASE_SERVERS[:1]

    def database_server(self, schema: str) -> str:
        own = schema == "nova_cell0" and self.cell0_database == "own"
        return "mariadb-cell0" if own else "mariadb"

    def database_socket(self, server: str) -> Path:
        return self.state / f"{server}.sock"

    def host_dir(self, host: str) -> Path:
        return self.state / "computes" / host

    def before_compute_file(self, host: str) -> Path:
        """A program that a libvirt host runs before nova-compute, where somebody has put one."""
        return self.host_dir(host) / "before-nova-compute"

    def compute_disabled_file(self, host: str) -> Path:
        """While it exists, this host starts without nova-compute."""
        return self.host_dir(host) / "compute-disabled"

    @property
    def host_mount(self) -> Path:
        """Where each libvirt host sees its own folder: the paths of all hosts are the same."""
        return self.state / "host"

    @property
    def volumes(self) -> Path:
        """What the libvirt hosts and Cinder share."""
        return self.state / "volumes"

    def fault_file(self, target: str) -> Path:
        return self.state / "faults" / target


def loopback() -> tuple[str, ...]:
    """The machine's own addresses; one without IPv6 has no ::1."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ("127.0.0.1",)
    return ("127.0.0.1", "::1")


def _xdg(variable: str, fallback: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / fallback) / "openstack_recovery"


def state_dir() -> Path:
    chosen = os.environ.get("OPENSTACK_LAB_STATE")
    state = Path(chosen) if chosen else _xdg("XDG_STATE_HOME", ".local/state") / "lab"
    state = state.resolve()
    # Unix sockets live there, and their paths are limited to 107 bytes.
    if len(os.fsencode(state)) > 85:
        raise LabError(f"the state folder's path is too long for unix sockets: {state}")
    return state


def cache_dir() -> Path:
    chosen = os.environ.get("OPENSTACK_LAB_CACHE")
    return Path(chosen).resolve() if chosen else _xdg("XDG_CACHE_HOME", ".cache") / "lab"


def resolve(
    release: str | None, base_port: int | None, cell0_database: str | None, profile: str | None
) -> Settings:
    """Combine options, environment and defaults into settings for `up`."""
    port_text = os.environ.get("OPENSTACK_LAB_BASE_PORT", str(DEFAULT_BASE_PORT))
    try:
        port = base_port if base_port is not None else int(port_text)
    except ValueError:
        raise LabError(f"OPENSTACK_LAB_BASE_PORT is not a number: {port_text}") from None
    if not 1024 <= port <= 65000:
        raise LabError(f"the base port must be between 1024 and 65000, not {port}")
    cell0 = cell0_database or os.environ.get("OPENSTACK_LAB_CELL0_DATABASE") or CELL0_DATABASES[0]
    if cell0 not in CELL0_DATABASES:
        raise LabError(f"cell0's database is {' or '.join(CELL0_DATABASES)}, not {cell0}")
    kind = profile or os.environ.get("OPENSTACK_LAB_PROFILE") or PROFILES[0]
    if kind not in PROFILES:
        raise LabError(f"the profile is {' or '.join(PROFILES)}, not {kind}")
    return Settings(
        release=release or os.environ.get("OPENSTACK_LAB_RELEASE") or DEFAULT_RELEASE,
        base_port=port,
        cell0_database=cell0,
        profile=kind,
        state=state_dir(),
        cache=cache_dir(),
        python=os.environ.get("OPENSTACK_LAB_PYTHON") or sys.executable,
    )


def remember(settings: Settings) -> None:
    """Record what the lab in this state folder was made with, for the other commands."""
    record = {key: str(value) for key, value in asdict(settings).items()}
    target = settings.state / "lab.json"
    scratch = target.with_suffix(".new")
    scratch.write_text(json.dumps(record, indent=2) + "\n")
    scratch.replace(target)


def recall() -> Settings | None:
    """The settings of the lab in the state folder, or None if there never was one."""
    try:
        record = json.loads((state_dir() / "lab.json").read_text())
        return Settings(
            release=record["release"],
            base_port=int(record["base_port"]),
            cell0_database=record.get("cell0_database", CELL0_DATABASES[0]),
            profile=record.get("profile", PROFILES[0]),
            state=state_dir(),
            cache=Path(record["cache"]),
            python=record["python"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        raise LabError(f"{state_dir() / 'lab.json'} is damaged ({error}): remove it") from None
