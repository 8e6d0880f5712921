"""Fill empty schemas for the first time, and the snapshot that saves doing it again."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import config_cinder, config_libvirt, releases
from .config_common import Lab
from .config_nova import CELL_VHOST
from .console import LabError, say, step
from .database import Database
from .install import COMPLETE, Installed
from .programs import apis, child_environment
from .settings import LAB_DIR, REGION, Settings

# What these files say decides what is in the databases.
_SOURCES = (
    "inside/guest.S",
    "inside/seed.py",
    "inside/virt_driver.py",
    "inside/volume_driver.py",
    "openstack_lab/bootstrap.py",
    "openstack_lab/config_cinder.py",
    "openstack_lab/config_common.py",
    "openstack_lab/config_libvirt.py",
    "openstack_lab/config_nova.py",
    "openstack_lab/config_services.py",
    "openstack_lab/database.py",
    "openstack_lab/settings.py",
)


def snapshot_folder(lab: Lab) -> Path:
    settings = lab.settings
    files = [settings.lock_file, *(LAB_DIR / name for name in _SOURCES)]
    if settings.has_cinder:
        files.append(settings.cinder_lock_file)
    choices = (str(settings.base_port), settings.cell0_database, settings.profile)
    key = releases.digest(*files, *choices, lab.password)
    return settings.cache / f"snapshot-{settings.release}-{key}"


def snapshot_exists(folder: Path) -> bool:
    return (folder / COMPLETE).exists()


def take_snapshot(lab: Lab, database: Database) -> None:
    folder = snapshot_folder(lab)
    with step("snapshot of the seeded state"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        database.dump(folder)
        shutil.copytree(lab.settings.state / "glance" / "images", folder / "images")
        (folder / COMPLETE).touch()


def restore_images(settings: Settings, folder: Path) -> None:
    images = settings.state / "glance" / "images"
    shutil.rmtree(images, ignore_errors=True)
    shutil.copytree(folder / "images", images)


class Bootstrap:
    """The services' own sync and manage commands, as many at once as there are processors."""

    def __init__(self, lab: Lab, installed: Installed) -> None:
        self._lab = lab
        self._installed = installed

    def run(self) -> None:
        etc = self._lab.settings.etc
        nova = f"--config-file={etc}/nova/nova.conf"
        cell = f"--config-file={etc}/nova/cell1.conf"
        neutron = f"--config-file={etc}/neutron/neutron.conf"
        chains = [
            [["neutron-db-manage", neutron, "upgrade", "heads"]],
            [
                ["nova-manage", nova, "api_db", "sync"],
                ["nova-manage", nova, "cell_v2", "map_cell0", *self._cell0()],
                ["nova-manage", nova, "cell_v2", "create_cell", *self._cell1()],
            ],
            [["nova-manage", cell, "db", "sync", "--local_cell"]],
            [["nova-manage", nova, "db", "sync", "--local_cell"]],
            [
                ["keystone-manage", f"--config-file={etc}/keystone/keystone.conf", "db_sync"],
                self._keystone(),
            ],
            [["placement-manage", f"--config-file={etc}/placement/placement.conf", "db", "sync"]],
            [["glance-manage", f"--config-file={etc}/glance/glance-api.conf", "db_sync"]],
        ]
        if self._installed.cinder:
            chains.append(
                [["cinder-manage", f"--config-file={etc}/cinder/cinder.conf", "db", "sync"]]
            )
        with step("database schemas"), ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
            for job in [pool.submit(self._chain, chain) for chain in chains]:
                job.result()

    def _cell0(self) -> list[str]:
        return ["--database_connection", self._lab.database("nova", "nova_cell0")]

    def _cell1(self) -> list[str]:
        database = self._lab.database("nova", "nova_cell1")
        transport = self._lab.transport(CELL_VHOST)
        return ["--name=cell1", f"--database_connection={database}", f"--transport-url={transport}"]

    def _keystone(self) -> list[str]:
        urls = [
            f"--bootstrap-{kind}-url={self._lab.keystone}"
            for kind in ("public", "internal", "admin")
        ]
        conf = f"--config-file={self._lab.settings.etc}/keystone/keystone.conf"
        return ["keystone-manage", conf, "bootstrap", f"--bootstrap-region-id={REGION}", *urls]

    def _chain(self, commands: list[list[str]]) -> None:
        for command in commands:
            password = {"OS_BOOTSTRAP_PASSWORD": self._lab.password}
            _inside(self._lab.settings, self._installed, command, password)
            say("  " + " ".join(word for word in command[:4] if not word.startswith("--")))


def discover_hosts(lab: Lab, installed: Installed) -> None:
    """The scheduler does it too, but only after a while."""
    conf = f"--config-file={lab.settings.etc}/nova/nova.conf"
    _inside(lab.settings, installed, ["nova-manage", conf, "cell_v2", "discover_hosts"], {})


def seed(settings: Settings, installed: Installed, password: str, part: str) -> None:
    """Part is `identity` or `resources`."""
    variables = {
        "OS_CLIENT_CONFIG_FILE": str(settings.state / "clouds.yaml"),
        "LAB_PASSWORD": password,
        "LAB_REGION": REGION,
        "LAB_URLS": " ".join(f"{api}={settings.url(api)}" for api in apis(settings)),
        "LAB_VOLUME_BACKEND": config_cinder.backend(settings),
    }
    if settings.has_libvirt:
        variables["LAB_IMAGE_FILE"] = str(config_libvirt.guest_image(settings))
    script = str(LAB_DIR / "inside" / "seed.py")
    _inside(settings, installed, ["python", script, part], variables)


def _inside(
    settings: Settings, installed: Installed, command: list[str], variables: dict[str, str]
) -> None:
    """Run a command of the OpenStack environment; show how its output ended if it fails."""
    done = subprocess.run(
        [installed.command(command[0]), *command[1:]],
        env={**child_environment(settings, installed), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        words = [word for word in command[:4] if not word.startswith("--")]
        raise LabError(f"{' '.join(words)} failed:\n{tail}")
