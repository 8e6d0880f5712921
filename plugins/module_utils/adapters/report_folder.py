# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of reports and metrics: files are replaced as a whole, one writer of the history at a time."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..domain.errors import RecoveryError
from ..domain.report.history import GENERATOR, INDEX, is_history

_LOCK = ".openstack_recovery.lock"
# How long another run's writing of the history is waited for; it takes less than a second.
_LOCK_SECONDS = 10.0
_LOCK_LOOK = 0.05
# No report is that big: what is bigger is not read.
_MOST_BYTES = 64 * 1024 * 1024


class Folder:
    """An existing folder.

    :param mode: of the files in it, for example 0o600.
    """

    def __init__(self, path: Path, mode: int) -> None:
        self.path, self._mode = path, mode

    def write(self, name: str, text: str) -> Path:
        """Replace the file: whoever reads it sees the old content or the new, never a part.

        :raises RecoveryError: ``report_not_written``
        """
        target = self.path / name
        try:
            # In the same folder, or it could not be renamed; hidden from who lists it.
            number, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=self.path)
            try:
                with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).chmod(self._mode)
                Path(temporary).replace(target)
            except BaseException:
                with suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise RecoveryError(
                "report_not_written",
                f"{target} could not be written: {error.strerror or error}",
                retriable=True,
            ) from error
        return target


class ReportFolder(Folder):
    """A folder with reports and their history."""

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the history. A file system without locks does without."""
        try:
            lock = (self.path / _LOCK).open("w", encoding="utf-8")
        except OSError as error:
            raise RecoveryError(
                "report_not_written",
                f"the history in {self.path} could not be locked: {error.strerror or error}",
                retriable=True,
            ) from error
        with lock:
            _wait_for(lock.fileno(), self.path)
            yield

    def stamps(self) -> dict[str, list[int]]:
        """When each JSON file was changed (nanoseconds), and its size."""
        found: dict[str, list[int]] = {}
        for path in sorted(self.path.glob("*.json")):
            # It may go while others are looked at.
            with suppress(OSError):
                seen = path.stat()
                if path.stem != INDEX and seen.st_size <= _MOST_BYTES:
                    found[path.name] = [seen.st_mtime_ns, seen.st_size]
        return found

    def read(self, name: str) -> Any:
        """What the JSON file holds; None when it is none, or there is none.

        :raises RecoveryError: ``report_not_written`` when it cannot be read now, so that nobody knows.
        """
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        except OSError as error:
            raise RecoveryError(
                "report_not_written",
                f"{self.path / name} could not be read: {error.strerror or error}",
                retriable=True,
            ) from error

    def known_history(self) -> Any:
        """What index.json holds.

        :raises RecoveryError: ``report_not_written`` when an index of somebody else lies there.
        """
        page, data = self.path / f"{INDEX}.html", self.path / f"{INDEX}.json"
        content = self.read(data.name)
        wrong = [data.name] if data.exists() and not is_history(content) else []
        with suppress(OSError):
            if GENERATOR not in page.read_text(encoding="utf-8", errors="replace"):
                wrong.append(page.name)
        if wrong:
            raise RecoveryError(
                "report_not_written",
                f"{' and '.join(wrong)} in {self.path} is no history of this collection, and was"
                " left alone: give the reports a folder of their own",
            )
        return content


def _wait_for(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RecoveryError(
                    "report_not_written",
                    f"another run has been writing the history in {folder} for"
                    f" {_LOCK_SECONDS:.0f} seconds; the next run adds this one",
                    retriable=True,
                ) from None
            time.sleep(_LOCK_LOOK)
        except OSError:
            return
        else:
            return
