"""The environment all tools run from, made from the lock file by uv."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from . import cache
from .command import run
from .layout import Layout, SetupError

# Variables that would change what the tools do, from one person's shell to the next.
_DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PYENV_VERSION")
_DROPPED_PREFIXES = ("ANSIBLE_", "MOLECULE_", "PYTEST_")


def clean_environment() -> dict[str, str]:
    """The caller's environment without what steers Python and Ansible.

    PYTHONDONTWRITEBYTECODE goes because every start of a tool takes nearly
    twice as long without bytecode.
    """
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in _DROPPED and not key.startswith(_DROPPED_PREFIXES)
    }
    env |= {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    # Certificates of the machine, not those bundled with uv: needed behind a company proxy.
    env.setdefault("UV_SYSTEM_CERTS", "1")
    return env


@dataclass(frozen=True)
class Tools:
    """An installed environment."""

    venv: Path

    @property
    def bin(self) -> Path:
        return self.venv / "bin"

    def environment(self) -> dict[str, str]:
        env = clean_environment()
        env["PATH"] = f"{self.bin}{os.pathsep}{env.get('PATH', os.defpath)}"
        return env


def install(layout: Layout) -> Tools:
    """Install the locked tools, unless this lock is installed already."""
    locks = [layout.checks / name for name in ("bootstrap.txt", "requirements.txt")]
    digest = hashlib.sha256(f"{sys.version} {sys.base_prefix}".encode())
    for lock in locks:
        digest.update(lock.read_bytes())
    venv = layout.cache / f"checks-{digest.hexdigest()[:12]}"
    cache.ensure(venv, lambda folder: _install(layout, folder, locks[1]))
    return Tools(venv)


def uv(layout: Layout) -> Path:
    """uv, by pip, in an environment of its own."""
    lock = layout.checks / "bootstrap.txt"
    key = hashlib.sha256(lock.read_bytes() + f"{sys.version} {sys.base_prefix}".encode())
    venv = layout.cache / f"bootstrap-{key.hexdigest()[:12]}"

    def make(folder: Path) -> None:
        _need_ensurepip(layout)
        call(layout, "bootstrap-venv", sys.executable, "-m", "venv", str(folder))
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--require-hashes"]
        call(layout, "bootstrap-uv", *pip, "-r", str(lock))

    cache.ensure(venv, make)
    return venv / "bin" / "uv"


def _install(layout: Layout, folder: Path, lock: Path) -> None:
    tool = str(uv(layout))
    call(layout, "venv", tool, "venv", "--allow-existing", "--python", sys.executable, str(folder))
    install = [tool, "pip", "install", "--python", str(folder / "bin" / "python")]
    call(layout, "tools", *install, "--require-hashes", "--compile-bytecode", "-r", str(lock))


def _need_ensurepip(layout: Layout) -> None:
    """Debian keeps ensurepip, which venv needs, in a package of its own."""
    if importlib.util.find_spec("ensurepip"):
        return
    apt = ["apt-get", "install", "--yes", "--no-install-recommends", "python3-venv"]
    if os.geteuid() != 0:
        raise SetupError("python3-venv is missing; install it first: sudo " + " ".join(apt))
    call(layout, "apt-update", "apt-get", "update")
    call(layout, "apt", *apt)


def call(layout: Layout, name: str, *argv: str) -> None:
    """Run a command of the set-up; its failure ends the set-up."""
    log = layout.logs / f"setup-{name}.log"
    outcome = run(argv, cwd=layout.root, env=clean_environment(), log=log)
    if not outcome.ok:
        raise SetupError(f"{' '.join(argv)}\n{outcome.tail()}\n(whole log: {log})")
