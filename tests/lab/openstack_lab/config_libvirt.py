"""What the profile `libvirt` needs besides OpenStack's settings: libvirt's, facts, an image."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import facts
from .config_common import Lab
from .console import LabError
from .ini import write_private
from .settings import HOSTS, LAB_DIR, Settings


def write_all(lab: Lab) -> None:
    settings = lab.settings
    for folder in (settings.host_mount, settings.volumes):
        folder.mkdir(exist_ok=True)
    for host in HOSTS:
        etc = settings.host_dir(host) / "etc-libvirt"
        write_private(etc / "libvirtd.conf", _libvirtd(host))
        write_private(etc / "qemu.conf", _qemu())
    write_private(settings.state / "hosts.json", facts.hosts_json(lab))
    _make_image(guest_image(settings))


def guest_image(settings: Settings) -> Path:
    """The file that the seeds hand to Glance."""
    return settings.state / "guest" / "lab-image.raw"


def _libvirtd(host: str) -> str:
    lines = [
        # There is no other user who could ask; the cable's far end is this lab's own.
        'auth_unix_rw = "none"',
        'auth_unix_ro = "none"',
        f'host_uuid = "{facts.machine_uuid(host)}"',
        'log_outputs = "3:stderr"',
    ]
    return "\n".join(lines) + "\n"


def _qemu() -> str:
    """No user, cgroup, namespace or daemon besides: the host's own namespaces are enough."""
    lines = [
        'user = "root"',
        'group = "root"',
        'security_driver = "none"',
        "cgroup_controllers = []",
        "namespaces = []",
        'stdio_handler = "file"',
        "remember_owner = 0",
    ]
    return "\n".join(lines) + "\n"


def _make_image(image: Path) -> None:
    """Assemble the boot sector; a compiler is there, as uwsgi needs one."""
    folder = image.parent
    folder.mkdir(exist_ok=True)
    source = LAB_DIR / "inside" / "guest.S"
    compiled = folder / "guest.o"
    _run("cc", "-m32", "-c", "-o", str(compiled), str(source))
    _run(
        *("ld", "-m", "elf_i386", "-Ttext=0x7c00", "--oformat=binary"),
        *("-o", str(image), str(compiled)),
    )
    with image.open("r+b") as disk:
        disk.truncate(1 << 20)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"{command[0]} failed:\n{done.stderr}")
