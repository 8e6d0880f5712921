"""Write every generated file of the state folder."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import uuid

from . import access, certificates, config_libvirt, config_nova, config_services, programs
from .config_common import Lab
from .ini import render, write_private
from .install import Installed
from .settings import HOSTS, Settings


def password(settings: Settings) -> str:
    """One random password per cache: the database snapshots in the cache contain it."""
    path = settings.cache / "password"
    if not path.exists():
        write_private(path, secrets.token_hex(12))
    return path.read_text()


def lab_of(settings: Settings) -> Lab:
    return Lab(settings, password(settings))


def write_all(settings: Settings, installed: Installed) -> Lab:
    lab = lab_of(settings)
    _make_folders(settings)
    etc = settings.etc
    for name, ini in config_services.files(lab).items():
        write_private(etc / name, render(ini))
    for name, ini in config_nova.files(lab).items():
        write_private(etc / "nova" / name, render(ini))
    for server in settings.database_servers:
        write_private(etc / f"{server}.cnf", config_services.mariadb(settings, server))
    write_private(etc / "rabbitmq.conf", config_services.rabbitmq(lab))
    write_private(etc / "rabbitmq_plugins", "[].\n")
    write_private(etc / "rabbitmq_definitions.json", config_services.rabbitmq_definitions(lab))
    write_private(etc / "supervisord.conf", programs.supervisord_conf(settings, installed))
    write_private(settings.state / "clouds.yaml", access.clouds_yaml(lab))
    _copy_shipped(settings, installed)
    _make_keys(settings)
    certificates.ensure(settings.tls)
    (settings.state / "hosts.json").unlink(missing_ok=True)
    if settings.has_libvirt:
        config_libvirt.write_all(lab)
    controller = settings.state / "nova.conf"
    controller.unlink(missing_ok=True)
    controller.symlink_to(etc / "nova" / "nova.conf")
    return lab


def _make_folders(settings: Settings) -> None:
    state = settings.state
    names = ("logs", "home", "tmp", "locks", "faults", "nova", "neutron", "cinder", "rabbitmq")
    glance = ("glance/images", "glance/staging", "glance/tasks")
    for name in (*names, *glance):
        (state / name).mkdir(parents=True, exist_ok=True)
    for host in HOSTS:
        folder = settings.host_dir(host)
        for name in ("guests", "instances", "locks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        # The same identity in every lab, so that it always fits the database snapshot.
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host}.openstack-lab.invalid")
        (folder / "compute_id").write_text(f"{identity}\n")


def _copy_shipped(settings: Settings, installed: Installed) -> None:
    """API pipelines come with the packages."""
    shipped = [
        (installed.openstack, "nova/api-paste.ini"),
        (installed.openstack, "neutron/api-paste.ini"),
        (installed.openstack, "glance/glance-api-paste.ini"),
    ]
    if installed.cinder:
        shipped.append((installed.cinder, "cinder/api-paste.ini"))
        shipped.append((installed.cinder, "cinder/resource_filters.json"))
    for environment, name in shipped:
        shutil.copyfile(environment / "etc" / name, settings.etc / name)


def _make_keys(settings: Settings) -> None:
    """What `keystone-manage fernet_setup` and `credential_setup` do, without their imports."""
    for repository in ("fernet", "credential"):
        for number in ("0", "1"):
            path = settings.state / "keystone" / repository / number
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private(path, base64.urlsafe_b64encode(os.urandom(32)).decode())
