# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress by way of a file: the module appends lines, the action plugin reads and touches it."""

from __future__ import annotations

import os
import time
from pathlib import Path

# The action plugin touches the file every few seconds.
_UNWATCHED_SECONDS = 30.0


class ProgressFile:
    """:param path: None when nobody watches by file; the run is then taken as watched."""

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None

    def send(self, line: str) -> None:
        """Append one line."""
        if self._path is None:
            return
        try:
            # Appending would count as a touch: keep the time stamp that the watcher has set.
            stamp = self._path.stat()
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line.replace("\n", " ") + "\n")
            os.utime(self._path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        except OSError:
            # Without the file nobody watches; watched() says so.
            return

    def end(self) -> None:
        """Say that the result is there: an empty line."""
        self.send("")

    def watched(self) -> bool:
        """Whether the watcher has touched the file lately."""
        if self._path is None:
            return True
        try:
            age = time.time() - self._path.stat().st_mtime
        except OSError:
            return False
        return age < _UNWATCHED_SECONDS
