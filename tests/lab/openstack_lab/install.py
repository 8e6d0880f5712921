"""Install what the lab runs: Debian packages, a tool environment, one environment per lock."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import releases
from .console import LabError, say, step
from .settings import LAB_DIR, Settings

RABBITMQ_BIN = Path("/usr/lib/rabbitmq/bin")
# A file that shows that a Debian package is there.
PACKAGES = {
    "/usr/sbin/mariadbd": "mariadb-server",
    str(RABBITMQ_BIN / "rabbitmq-server"): "rabbitmq-server",
    "/usr/bin/memcached": "memcached",
    "/usr/bin/socat": "socat",
    "/usr/bin/openssl": "openssl",
}
LIBVIRT_PACKAGES = {
    "/usr/sbin/libvirtd": "libvirt-daemon-system",
    "/usr/bin/virsh": "libvirt-clients",
    "/usr/include/libvirt/libvirt.h": "libvirt-dev",
    "/usr/bin/pkg-config": "pkg-config",
    "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
    "/usr/bin/qemu-img": "qemu-utils",
    "/usr/lib/ipxe/qemu/efi-virtio.rom": "ipxe-qemu",
    "/usr/sbin/ovs-vswitchd": "openvswitch-switch",
    "/usr/bin/ip": "iproute2",
    "/usr/bin/openssl": "openssl",
}
COMPLETE = ".complete"  # written last: an environment without it is rebuilt


@dataclass(frozen=True)
class Installed:
    """The environments in the cache."""

    tools: Path
    openstack: Path
    cinder: Path | None
    bmc: Path | None

    def tool(self, name: str) -> str:
        return str(self.tools / "bin" / name)

    def home(self, program: str) -> Path:
        """The environment that a program of OpenStack lies in."""
        return self.cinder if self.cinder and program.startswith("cinder-") else self.openstack

    def command(self, name: str) -> str:
        return str(self.home(name) / "bin" / name)


def locate(settings: Settings) -> Installed:
    """Where the environments are, or would be."""
    python = "py{}.{}".format(*releases.python_version(settings.python))

    def folder(name: str, lock: Path) -> Path:
        return settings.cache / f"{name}-{releases.digest(lock, python)}"

    return Installed(
        tools=folder("tools", LAB_DIR / "releases" / "tools.txt"),
        openstack=folder(f"openstack-{settings.release}", settings.lock_file),
        cinder=folder(f"cinder-{settings.release}", settings.cinder_lock_file)
        if settings.has_cinder
        else None,
        bmc=folder("bmc", settings.bmc_lock_file) if settings.has_libvirt else None,
    )


def ensure(settings: Settings) -> Installed:
    """Install what is missing; takes a moment if nothing is."""
    releases.check(settings)
    if settings.has_libvirt:
        _check_libvirt(settings)
    missing = _missing_packages(settings)
    if missing and os.geteuid() != 0:
        raise LabError(f"Debian packages are missing ({' '.join(missing)}): use sudo, once")
    settings.cache.mkdir(parents=True, exist_ok=True)
    with _only_one(settings.cache / "install.lock"):
        if missing:
            _install_packages(missing)
        installed = locate(settings)
        if not _is_complete(installed.tools):
            _install_tools(settings, installed)
        if not _is_complete(installed.openstack):
            _install_lock(settings, installed, settings.lock_file, installed.openstack)
        _place_driver("virt_driver.py", installed.openstack, "nova/virt")
        if installed.cinder:
            if not _is_complete(installed.cinder):
                _install_lock(settings, installed, settings.cinder_lock_file, installed.cinder)
            _place_driver("volume_driver.py", installed.cinder, "cinder/volume/drivers")
        if installed.bmc:
            _add_libvirt_python(settings, installed)
            if not _is_complete(installed.bmc):
                _install_lock(settings, installed, settings.bmc_lock_file, installed.bmc)
    return installed


def _check_libvirt(settings: Settings) -> None:
    if os.geteuid() != 0:
        raise LabError("libvirt hosts need root: use sudo, or the profile fake")
    # A unix socket's path is limited to 107 bytes, and libvirt's lies deep in a host's folder.
    if len(os.fsencode(settings.state)) > 60:
        raise LabError(f"the state folder's path is too long for libvirt hosts: {settings.state}")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another installation is running: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _missing_packages(settings: Settings) -> list[str]:
    python = settings.python
    wanted = {**PACKAGES, **(LIBVIRT_PACKAGES if settings.has_libvirt else {})}
    missing = [package for path, package in wanted.items() if not Path(path).exists()]
    if not (shutil.which("cc") or shutil.which("gcc")):
        missing.append("build-essential")  # uwsgi is compiled
    if Path(python).resolve().parent == Path("/usr/bin"):  # Debian splits its Python
        if not list(Path("/usr/lib").glob("python3.*/ensurepip")):
            missing.append("python3-venv")
        if not list(Path("/usr/include").glob("python3.*/Python.h")):
            missing.append("python3-dev")
    return missing


def _install_packages(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Debian packages: {' '.join(packages)}"), _services_stay_off():
        _run(["apt-get", "update", "-q"], environment)
        _run(["apt-get", "install", "-qy", "--no-install-recommends", *packages], environment)


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """The packages must not start servers on the standard ports."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def _is_complete(folder: Path) -> bool:
    python = folder / "bin" / "python"
    # The interpreter behind the link may have been removed since.
    return (folder / COMPLETE).exists() and python.resolve().exists()


def _install_tools(settings: Settings, installed: Installed) -> None:
    with step("the lab's tools: uv and supervisor"):
        shutil.rmtree(installed.tools, ignore_errors=True)
        environment = _clean_environment()
        _run([settings.python, "-m", "venv", str(installed.tools)], environment)
        lock = str(LAB_DIR / "releases" / "tools.txt")
        pip = [installed.tool("python"), "-m", "pip", "--disable-pip-version-check"]
        _run([*pip, "install", "-q", "-r", lock], environment)
        (installed.tools / COMPLETE).touch()


def _install_lock(settings: Settings, installed: Installed, lock: Path, target: Path) -> None:
    environment = _clean_environment()
    environment["UV_CACHE_DIR"] = str(settings.cache / "uv")
    environment["VIRTUAL_ENV"] = str(target)
    uv = installed.tool("uv")
    with step(f"{target.name.rpartition('-')[0]} into {target}"):
        shutil.rmtree(target, ignore_errors=True)
        python = settings.python
        _run([uv, "venv", "-q", "--python", python, str(target)], environment)
        # The lock is a full freeze: resolving it again could only change it.
        _run([uv, "pip", "install", "-q", "--no-deps", "-r", str(lock)], environment)
    with step("bytecode (services start in half the time)"):
        # Unit tests of the projects are never imported; a few templates do not compile.
        command = [str(target / "bin" / "python"), "-m", "compileall", "-qq", "-j", "0"]
        command += ["-x", "/(tests|test)/", str(_site_packages(target))]
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
    (target / COMPLETE).touch()


def _add_libvirt_python(settings: Settings, installed: Installed) -> None:
    """Into OpenStack's environment: it is compiled against libvirt, which the others lack."""
    lock = settings.libvirt_lock_file
    mark = installed.openstack / f".libvirt-{releases.digest(lock)}"
    if mark.exists():
        return
    environment = _clean_environment()
    environment["UV_CACHE_DIR"] = str(settings.cache / "uv")
    environment["VIRTUAL_ENV"] = str(installed.openstack)
    with step("libvirt-python"):
        uv = installed.tool("uv")
        _run([uv, "pip", "install", "-q", "--no-deps", "-r", str(lock)], environment)
    mark.touch()


def _site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python3*/site-packages"))


def _place_driver(name: str, environment: Path, package: str) -> None:
    """Nova loads drivers from its own package path only; Cinder's lies alike."""
    source = LAB_DIR / "inside" / name
    target = _site_packages(environment) / package / "openstack_lab.py"
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)


def _clean_environment() -> dict[str, str]:
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {key: value for key, value in os.environ.items() if key not in unwanted}


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command,
            env=environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise LabError(f"cannot run {command[0]}: {error}") from None
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise LabError(f"this failed: {' '.join(command)}\n{tail}")
