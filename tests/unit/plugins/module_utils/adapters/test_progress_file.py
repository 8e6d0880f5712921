# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress by way of a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.progress_file import (
    ProgressFile,
)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "progress"
    path.touch()
    return path


def test_lines_are_appended_and_the_last_one_is_empty(path: Path) -> None:
    progress = ProgressFile(str(path))
    progress.send("one")
    progress.send("two\nlines")
    progress.end()
    assert path.read_text() == "one\ntwo lines\n\n"


def test_writing_does_not_look_as_if_somebody_watched(path: Path) -> None:
    progress = ProgressFile(str(path))
    assert progress.watched()
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))
    progress.send("a line")
    assert not progress.watched()


def test_nobody_watches_a_file_that_is_gone(path: Path) -> None:
    progress = ProgressFile(str(path))
    path.unlink()
    assert not progress.watched()
    progress.send("nobody reads this")
    progress.end()
    assert not path.exists()


def test_without_a_file_the_run_goes_on() -> None:
    progress = ProgressFile(None)
    progress.send("x")
    progress.end()
    assert progress.watched()
