"""The lock files: which releases there are and what each one needs."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

from .console import LabError
from .settings import LAB_DIR, Settings


def known() -> list[str]:
    names = {path.stem if path.suffix == ".txt" else path.name for path in _folder().iterdir()}
    return sorted(
        name for name in names - {"tools", "libvirt", "bmc"} if not name.endswith("-cinder")
    )


def _folder() -> Path:
    return LAB_DIR / "releases"


def check(settings: Settings) -> None:
    """Refuse an unknown release, and one that this Python is too old for."""
    if settings.release not in known():
        raise LabError(f"unknown release {settings.release}; known: {', '.join(known())}")
    needed = re.search(
        r"^# requires-python: (\d+)\.(\d+)", settings.lock_file.read_text(), re.MULTILINE
    )
    minimum = (int(needed[1]), int(needed[2])) if needed else (3, 11)
    if python_version(settings.python) < minimum:
        raise LabError(
            f"release {settings.release} needs Python {minimum[0]}.{minimum[1]} or newer, but"
            f" {settings.python} is older: name another in OPENSTACK_LAB_PYTHON"
        )


def python_version(python: str) -> tuple[int, int]:
    try:
        answer = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError(f"cannot run the Python {python}: {error}") from None
    return int(answer[0]), int(answer[1])


def digest(*parts: Path | str) -> str:
    """A short key over files and strings."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        total.update(b"\0")
    return total.hexdigest()[:12]
