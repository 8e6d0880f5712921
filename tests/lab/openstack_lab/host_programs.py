"""The programs of the compute hosts, in both profiles."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from .install import Installed
from .program import Program
from .settings import HOSTS, LAB_DIR, Settings

# As systemd's ExecStartPre and ExecStart.
_AS_A_UNIT = '{ [ ! -x "$0" ] || "$0"; } && exec "$@"'


@dataclass(frozen=True)
class HostPrograms:
    """Names of the programs that one host is made of; None: not in this profile."""

    compute: str
    link: str
    machine: str | None = None
    management: str | None = None
    bmc: str | None = None

    @property
    def at_power_on(self) -> tuple[str, ...]:
        """Without nova-compute, which may be switched off; the BMC has power all the time."""
        found = (self.machine, self.link, self.management)
        return tuple(name for name in found if name)


def of(settings: Settings, host: str) -> HostPrograms:
    if not settings.has_libvirt:
        return HostPrograms(compute=host, link=f"link-{host}")
    return HostPrograms(
        machine=host,
        link=f"link-{host}",
        management=f"management-{host}",
        compute=f"nova-{host}",
        bmc=f"bmc-{host}",
    )


def before_apis(settings: Settings) -> tuple[str, ...]:
    """What takes no part in OpenStack, but nova-compute needs."""
    return tuple(name for host in HOSTS for name in of(settings, host).at_power_on)


def computes(settings: Settings) -> tuple[str, ...]:
    return tuple(of(settings, host).compute for host in HOSTS)


def bmcs(settings: Settings) -> tuple[str, ...]:
    return tuple(bmc for host in HOSTS if (bmc := of(settings, host).bmc))


def programs(settings: Settings, installed: Installed) -> list[Program]:
    if settings.has_libvirt:
        return [program for host in HOSTS for program in _libvirt(settings, installed, host)]
    found = []
    for host in HOSTS:
        found.append(_link(settings, host))
        conf = f"{settings.etc}/nova/{host}.conf"
        found.append(Program(host, f"{installed.command('nova-compute')} --config-file {conf}"))
    return found


def _link(settings: Settings, host: str) -> Program:
    """The host's only way to RabbitMQ: ending it pulls the cable."""
    name = f"link-{host}"
    listen = f"TCP-LISTEN:{settings.port(name)},bind=127.0.0.1,fork,reuseaddr,backlog=64"
    return Program(name, f"socat {listen} TCP:127.0.0.1:{settings.port('rabbitmq')}")


def forwarded_ports(settings: Settings) -> list[int]:
    """What a libvirt host can reach of the control plane: no database."""
    names = ["keystone", "placement", "glance", "neutron-api", "nova-api", "rabbitmq", "memcached"]
    if settings.has_cinder:
        names.append("cinder-api")
    return [settings.port(name) for name in names]


def nfs_environment(settings: Settings, installed: Installed, program: str) -> dict[str, str]:
    """For those who mount the share: there `mount -t nfs` is the lab's own."""
    own = LAB_DIR / "inside" / "nfs"
    return {
        "PATH": f"{own}:{installed.home(program)}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LAB_VOLUMES": str(settings.volumes),
    }


def _libvirt(settings: Settings, installed: Installed, host: str) -> list[Program]:
    names = of(settings, host)
    folder = settings.host_dir(host)
    python = (installed.tool("python"), "-B")  # no bytecode into the checkout
    inside = LAB_DIR / "inside"
    nova = [installed.command("nova-compute"), "--config-file", f"{settings.etc}/nova/{host}.conf"]
    ports = [str(port) for port in forwarded_ports(settings)]
    socket = str(folder / "run" / "libvirt" / "libvirt-sock")
    commands = {
        names.machine: [
            *("unshare", "--net", "--uts", "--mount", "--pid", "--ipc", "--fork", "--kill-child"),
            *(*python, f"{inside}/host_init.py", host, str(folder), str(settings.host_mount)),
        ],
        names.link: [*python, f"{inside}/forwarder.py", "into", str(folder), *ports],
        names.management: [
            *(*python, f"{inside}/forwarder.py", "out-of", str(folder)),
            *(str(settings.port(f"management-{host}")), socket),
        ],
        names.compute: [
            *(*python, f"{inside}/enter_host.py", str(folder), "sh", "-c", _AS_A_UNIT),
            *(str(settings.before_compute_file(host)), *nova),
        ],
        names.bmc: [f"{installed.bmc}/bin/python", "-B", f"{inside}/bmc.py", host],
    }
    environments = {
        names.compute: nfs_environment(settings, installed, "nova-compute"),
        names.bmc: {"OPENSTACK_LAB_STATE": str(settings.state)},
    }
    return [
        Program(name, shlex.join(command), environments.get(name, {}))
        for name, command in commands.items()
        if name
    ]


def l2_agents_environment(settings: Settings) -> dict[str, str]:
    """Where each host's link listens: here, or in the host's own network namespace."""
    variables = {"LAB_DATABASE_SOCKET": str(settings.database_socket("mariadb"))}
    if settings.has_libvirt:
        port = settings.port("rabbitmq")
        variables["LAB_LINKS"] = " ".join(f"{host}={port}" for host in HOSTS)
        variables["LAB_HOST_FOLDERS"] = " ".join(
            f"{host}={settings.host_dir(host)}" for host in HOSTS
        )
    else:
        links = {host: settings.port(f"link-{host}") for host in HOSTS}
        variables["LAB_LINKS"] = " ".join(f"{host}={port}" for host, port in links.items())
    return variables
