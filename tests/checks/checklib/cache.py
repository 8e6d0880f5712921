"""Things that are made once and kept: made whole or made again.

A marker file is written last, so an interrupted attempt is recognised and
repeated; a file lock keeps two runs from making the same thing at once.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MARKER = ".complete"


def is_complete(folder: Path) -> bool:
    return (folder / _MARKER).is_file()


def ensure(folder: Path, make: Callable[[Path], None]) -> bool:
    """Have `folder` made by `make`; return whether that was needed."""
    if is_complete(folder):
        return False
    with locked(folder.with_name(folder.name + ".lock")):
        if is_complete(folder):
            return False
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        make(folder)
        (folder / _MARKER).touch()
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
