"""The programs of the lab: what supervisord runs, how and in which order."""

from __future__ import annotations

import os
import pwd
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from . import host_programs
from .install import RABBITMQ_BIN, Installed
from .program import Program
from .settings import LAB_DIR, Settings

# Every child carries this variable: orphans of a killed supervisord are found by it.
CHILD_MARK = "OPENSTACK_LAB_CHILD"

NOVA_CONTROL = ("nova-super-conductor", "nova-cell1-conductor", "nova-scheduler")
CINDER_CONTROL = ("cinder-scheduler", "cinder-volume")


def infrastructure(settings: Settings) -> tuple[str, ...]:
    return (*settings.database_servers, "epmd", "rabbitmq", "memcached")


def apis(settings: Settings) -> tuple[str, ...]:
    return tuple(api.name for api in wsgi_apis(settings))


def services(settings: Settings) -> tuple[str, ...]:
    """Ordered: what others wait for comes first."""
    return (
        "keystone",
        "placement",
        "nova-super-conductor",
        "nova-cell1-conductor",
        *host_programs.before_apis(settings),
        *host_programs.computes(settings),
        "neutron-rpc",
        "neutron-api",
        "nova-scheduler",
        "nova-api",
        "glance",
        *(("cinder-api", *CINDER_CONTROL) if settings.has_cinder else ()),
        "l2-agents",
        *host_programs.bmcs(settings),
    )


@dataclass(frozen=True)
class WsgiApi:
    """An API that uwsgi runs; releases before 2025 have scripts instead of modules."""

    name: str
    module: str
    script: str
    environment: dict[str, str] = field(default_factory=dict)
    arguments: str = ""
    processes: int = 1
    # The script brings eventlet along, which does not bear a second native thread.
    green_script: bool = False


def wsgi_apis(settings: Settings) -> list[WsgiApi]:
    etc = settings.etc
    found = [
        WsgiApi(
            "keystone",
            "keystone.wsgi.api",
            "keystone-wsgi-public",
            {"OS_KEYSTONE_CONFIG_DIR": f"{etc}/keystone"},
            processes=2,
        ),
        WsgiApi(
            "placement",
            "placement.wsgi.api",
            "placement-api",
            {"OS_PLACEMENT_CONFIG_DIR": f"{etc}/placement"},
        ),
        WsgiApi(
            "glance",
            "glance.wsgi.api",
            "glance-wsgi-api",
            {"OS_GLANCE_CONFIG_DIR": f"{etc}/glance"},
        ),
        WsgiApi(
            "neutron-api",
            "neutron.wsgi.api",
            "neutron-api",
            {
                "OS_NEUTRON_CONFIG_DIR": f"{etc}/neutron",
                "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
            },
            green_script=True,
        ),
        WsgiApi(
            "nova-api",
            "nova.wsgi.osapi_compute",
            "nova-api-wsgi",
            {
                "OS_NOVA_CONFIG_DIR": f"{etc}/nova",
                "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
            },
            green_script=True,
        ),
    ]
    if settings.has_cinder:
        # The only one that reads arguments and no variables.
        conf = f"--config-file {etc}/cinder/cinder.conf"
        found.append(WsgiApi("cinder-api", "cinder.wsgi.api", "cinder-wsgi", arguments=conf))
    return found


def all_programs(settings: Settings, installed: Installed) -> list[Program]:
    etc = settings.etc
    nova = f"--config-file {etc}/nova/nova.conf"
    neutron = f"--config-file {etc}/neutron/neutron.conf"
    programs = [
        *_infrastructure(settings),
        *(_uwsgi(settings, installed, api) for api in wsgi_apis(settings)),
        Program("neutron-rpc", f"{installed.command('neutron-rpc-server')} {neutron}"),
        Program("nova-super-conductor", f"{installed.command('nova-conductor')} {nova}"),
        Program(
            "nova-cell1-conductor",
            f"{installed.command('nova-conductor')} --config-file {etc}/nova/cell1.conf",
        ),
        Program("nova-scheduler", f"{installed.command('nova-scheduler')} {nova}"),
        Program(
            "l2-agents",
            f"{installed.command('python')} -B {LAB_DIR}/inside/l2_agents.py {neutron}",
            host_programs.l2_agents_environment(settings),
        ),
    ]
    if settings.has_cinder:
        conf = f"--config-file {etc}/cinder/cinder.conf"
        programs.append(
            Program("cinder-scheduler", f"{installed.command('cinder-scheduler')} {conf}")
        )
        programs.append(_cinder_volume(settings, installed, conf))
    return [*programs, *host_programs.programs(settings, installed)]


def _cinder_volume(settings: Settings, installed: Installed, conf: str) -> Program:
    command = f"{installed.command('cinder-volume')} {conf}"
    if not settings.has_libvirt:
        return Program("cinder-volume", command)
    # It mounts the share: nobody else's business.
    return Program(
        "cinder-volume",
        f"unshare --mount {command}",
        host_programs.nfs_environment(settings, installed, "cinder-volume"),
    )


def _infrastructure(settings: Settings) -> list[Program]:
    rabbit_home = settings.state / "rabbitmq"
    memcached = f"memcached -l 127.0.0.1 -p {settings.port('memcached')} -m 64 -t 1 -U 0"
    memcached += f" -u {pwd.getpwuid(os.geteuid()).pw_name}"
    return [
        *(
            Program(
                server,
                f"/usr/sbin/mariadbd --defaults-file={settings.etc}/{server}.cnf",
                stop_signal="TERM",
            )
            for server in settings.database_servers
        ),
        # RabbitMQ would start its own epmd as a daemon that nobody ends.
        Program("epmd", f"epmd -address 127.0.0.1 -port {settings.port('epmd')}"),
        Program(
            "rabbitmq",
            str(RABBITMQ_BIN / "rabbitmq-server"),
            rabbitmq_environment(settings, rabbit_home),
            stop_signal="TERM",
        ),
        Program("memcached", memcached),
    ]


def rabbitmq_environment(settings: Settings, home: Path) -> dict[str, str]:
    """For the server and rabbitmqctl alike; Debian's own wrapper wants its own user."""
    return {
        "HOME": str(home),
        "RUNNING_UNDER_SYSTEMD": "true",  # makes the script exec Erlang
        "ERL_EPMD_PORT": str(settings.port("epmd")),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"lab{settings.base_port}@localhost",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": f"{settings.etc}/rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{settings.etc}/rabbitmq_plugins",
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(settings.logs),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_DIST_PORT": str(settings.port("rabbitmq-distribution")),
        # Erlang's schedulers spin while idle unless told not to.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
        ),
    }


def _uwsgi(settings: Settings, installed: Installed, api: WsgiApi) -> Program:
    home = installed.home(api.name)
    is_green = api.green_script and (home / "bin" / api.script).exists()
    processes, threads = (4, 1) if is_green else (api.processes, 6)
    command = [
        *(f"{home}/bin/uwsgi", "--http-socket", f"127.0.0.1:{settings.port(api.name)}"),
        *("--virtualenv", str(home)),
        *("--wsgi-file", str(LAB_DIR / "inside" / "wsgi_with_faults.py")),
        *("--processes", str(processes), "--threads", str(threads), "--enable-threads"),
        # openstacksdk sees resets on kept-alive connections otherwise.
        *("--add-header", "Connection: close"),
        *("--lazy-apps", "--die-on-term", "--need-app", "--buffer-size", "65535", "--master"),
        *("--logformat", "%(method) %(uri) %(status) %(msecs)ms"),
        *(("--pyargv", api.arguments) if api.arguments else ()),
    ]
    # Neutron wants the time of its start; the shell gives it at every restart.
    line = f"exec {shlex.join(command)} --set start-time=$(date +%s)"
    return Program(
        api.name,
        shlex.join(["/bin/sh", "-c", line]),
        {
            **api.environment,
            "LAB_WSGI_MODULE": api.module,
            "LAB_WSGI_SCRIPT": f"{home}/bin/{api.script}",
            "LAB_FAULT_FILE": str(settings.fault_file(api.name)),
        },
    )


def child_environment(settings: Settings, installed: Installed) -> dict[str, str]:
    """All that supervisord and its children get; nothing of the caller's shell."""
    home = settings.state / "home"
    return {
        "PATH": f"{installed.openstack}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        CHILD_MARK: str(settings.state),
    }


def supervisord_conf(settings: Settings, installed: Installed) -> str:
    sections = [
        "[supervisord]",
        f"logfile={settings.logs}/supervisord.log",
        f"pidfile={settings.state}/supervisord.pid",
        f"childlogdir={settings.logs}",
        "minfds=4096",
        "umask=077",
        "",
        "[unix_http_server]",
        f"file={settings.supervisor_socket}",
        "chmod=0700",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "",
        "[supervisorctl]",
        f"serverurl=unix://{settings.supervisor_socket}",
        "",
    ]
    for program in all_programs(settings, installed):
        sections += _section(settings, program)
    return "\n".join(sections)


def _section(settings: Settings, program: Program) -> list[str]:
    def escape(text: str) -> str:
        return text.replace("%", "%%")

    environment = ",".join(f'{key}="{escape(val)}"' for key, val in program.environment.items())
    return [
        f"[program:{program.name}]",
        f"command={escape(program.command)}",
        f"environment={environment}",
        f"directory={settings.state}",
        # What dies in an experiment stays dead until somebody starts it.
        "autostart=false",
        "autorestart=false",
        "startsecs=0",
        f"stopsignal={program.stop_signal}",
        "stopasgroup=true",
        "killasgroup=true",
        "stopwaitsecs=30",
        "redirect_stderr=true",
        f"stdout_logfile={settings.logs}/{program.name}.log",
        "stdout_logfile_maxbytes=20MB",
        "stdout_logfile_backups=1",
        "",
    ]
