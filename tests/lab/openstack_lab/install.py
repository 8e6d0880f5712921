"""Install what the lab runs: Debian packages, a tool environment, one OpenStack per lock."""

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
}
COMPLETE = ".complete"  # written last: an environment without it is rebuilt


@dataclass(frozen=True)
class Installed:
    """The two environments in the cache."""

    tools: Path
    openstack: Path

    def tool(self, name: str) -> str:
        return str(self.tools / "bin" / name)

    def command(self, name: str) -> str:
        return str(self.openstack / "bin" / name)

    @property
    def site_packages(self) -> Path:
        return next(self.openstack.glob("lib/python3*/site-packages"))


def locate(settings: Settings) -> Installed:
    """Where the environments are, or would be."""
    python = "py{}.{}".format(*releases.python_version(settings.python))
    tools = releases.digest(LAB_DIR / "releases" / "tools.txt", python)
    lock = releases.digest(settings.lock_file, python)
    return Installed(
        tools=settings.cache / f"tools-{tools}",
        openstack=settings.cache / f"openstack-{settings.release}-{lock}",
    )


def ensure(settings: Settings) -> Installed:
    """Install what is missing; takes a moment if nothing is."""
    releases.check(settings)
    missing = _missing_packages(settings.python)
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
            _install_openstack(settings, installed)
        _place_virt_driver(installed)
    return installed


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another installation is running: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _missing_packages(python: str) -> list[str]:
    missing = [package for path, package in PACKAGES.items() if not Path(path).exists()]
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


def _install_openstack(settings: Settings, installed: Installed) -> None:
    environment = _clean_environment()
    environment["UV_CACHE_DIR"] = str(settings.cache / "uv")
    environment["VIRTUAL_ENV"] = str(installed.openstack)
    uv = installed.tool("uv")
    with step(f"OpenStack {settings.release} into {installed.openstack}"):
        shutil.rmtree(installed.openstack, ignore_errors=True)
        python = settings.python
        _run([uv, "venv", "-q", "--python", python, str(installed.openstack)], environment)
        lock = str(settings.lock_file)
        # The lock is a full freeze: resolving it again could only change it.
        _run([uv, "pip", "install", "-q", "--no-deps", "-r", lock], environment)
    with step("bytecode (services start in half the time)"):
        # Unit tests of the projects are never imported; a few templates do not compile.
        command = [installed.command("python"), "-m", "compileall", "-qq", "-j", "0"]
        command += ["-x", "/(tests|test)/", str(installed.site_packages)]
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
    (installed.openstack / COMPLETE).touch()


def _place_virt_driver(installed: Installed) -> None:
    """Nova loads drivers from its own package path only."""
    source = LAB_DIR / "inside" / "virt_driver.py"
    target = installed.site_packages / "nova" / "virt" / "openstack_lab.py"
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
