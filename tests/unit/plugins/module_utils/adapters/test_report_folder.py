# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders of reports."""

from __future__ import annotations

import fcntl
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    report_folder,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.report_folder import (
    Folder,
    ReportFolder,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> ReportFolder:
    return ReportFolder(tmp_path, 0o640)


def test_a_file_is_replaced_as_a_whole(folder: ReportFolder) -> None:
    path = folder.write("a.json", "old")
    with path.open() as reader:
        folder.write("a.json", "new \u4f60 \udcff")
        assert reader.read() == "old"
    assert path.read_text() == "new \u4f60 \\udcff"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in folder.path.iterdir()] == ["a.json"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecoveryError, match=r"nowhere/a\.prom could not be written") as raised:
        Folder(tmp_path / "nowhere", 0o644).write("a.prom", "x")
    assert raised.value.code == "report_not_written"
    with (
        pytest.raises(RecoveryError, match="could not be locked"),
        ReportFolder(tmp_path / "nowhere", 0o644).locked(),
    ):
        pass


def test_nothing_is_left_when_writing_fails(
    folder: ReportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RecoveryError, match="No space left"):
        folder.write("a.json", "x")
    assert not list(folder.path.iterdir())


def test_what_there_is_to_read(folder: ReportFolder) -> None:
    folder.write("a.json", '{"x": 1}')
    folder.write("b.json", "no json")
    folder.write("index.json", "{}")
    folder.write("a.html", "")
    assert {name: stamp[1] for name, stamp in folder.stamps().items()} == {"a.json": 8, "b.json": 7}
    assert folder.read("a.json") == {"x": 1}
    assert folder.read("b.json") is None
    assert folder.read("gone.json") is None


def test_what_cannot_be_read_now_is_told_from_what_is_no_json(folder: ReportFolder) -> None:
    # Even root cannot read a folder as a file.
    (folder.path / "a.json").mkdir()
    with pytest.raises(RecoveryError, match=r"a\.json could not be read") as raised:
        folder.read("a.json")
    assert raised.value.retriable
    (folder.path / "index.json").mkdir()
    with pytest.raises(RecoveryError, match=r"index\.json could not be read"):
        folder.known_history()


def test_one_at_a_time(folder: ReportFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait(5)
        with folder.locked():
            order.append("second")

    waiting = threading.Thread(target=second)
    waiting.start()
    with folder.locked():
        inside.set()
        waiting.join(0.2)
        order.append("first")
    waiting.join(5)
    assert order == ["first", "second"]
    monkeypatch.setattr(report_folder, "_LOCK_SECONDS", 0.1)
    with folder.locked():
        failing = pytest.raises(RecoveryError, match="another run has been writing")
        with failing as raised, folder.locked():
            pass
        assert raised.value.retriable


def test_a_file_system_without_locks(folder: ReportFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_file: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with folder.locked():
        pass


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ({}, None),
        ({"index.json": {"generator": "openstack_recovery.nova"}}, None),
        ({"index.json": {"generator": "somebody"}}, "index.json in"),
        ({"index.json": [1]}, "index.json in"),
        ({"index.html": "<h1>My pages</h1>"}, "index.html in"),
        ({"index.html": "<meta name=generator content=openstack_recovery.nova>"}, None),
    ],
)
def test_the_index_of_somebody_else_is_left_alone(
    folder: ReportFolder, files: dict[str, Any], wrong: str | None
) -> None:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder.path / name).write_text(text)
    if wrong is None:
        assert folder.known_history() == files.get("index.json")
        return
    with pytest.raises(RecoveryError, match=wrong):
        folder.known_history()
