# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of all runs."""

from __future__ import annotations

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.history import (
    is_history,
    renewed,
)
from fakes.reports import data, instance


class Files:
    """Files by name, each with its stamp; notes which were read."""

    def __init__(self, **files: Any) -> None:
        self.files = {f"{name}.json": content for name, content in files.items()}
        self.stamps = {name: [1, 10] for name in self.files}
        self.read_names: list[str] = []
        self.unreadable: set[str] = set()

    def read(self, name: str) -> Any:
        self.read_names.append(name)
        if name in self.unreadable:
            raise RecoveryError("report_not_written", "Input/output error", retriable=True)
        return self.files[name]

    def renewed(self, known: Any = None) -> dict[str, Any]:
        return renewed(known, self.stamps, self.read)


def ended(at: str, **more: Any) -> dict[str, Any]:
    return data(instance("a"), finished_at=f"2026-11-22T03:0{at}:00Z", **more)


def test_the_newest_run_is_first_and_what_is_no_report_is_left_out() -> None:
    files = Files(a=ended("1"), b=ended("3"), c={"before": 1}, d=None, e=[1])
    history = files.renewed()
    assert is_history(history)
    assert [one["file"] for one in history["runs"]] == ["b.json", "a.json"]
    assert history["runs"][0]["headline"] == "The instance of compute-1 was evacuated and verified"
    assert history["runs"][0]["instances"]["ok"] == 1


def test_what_has_not_changed_is_not_read_again() -> None:
    files = Files(a=ended("1"), c={"before": 1})
    first = files.renewed()
    files.read_names.clear()
    assert files.renewed(first) == first
    assert files.read_names == []
    files.files["b.json"], files.stamps["b.json"] = ended("2"), [2, 10]
    files.files["a.json"], files.stamps["a.json"] = ended("1", subject="other"), [2, 10]
    second = files.renewed(first)
    assert sorted(files.read_names) == ["a.json", "b.json"]
    assert [one["subject"] for one in second["runs"]] == ["compute-1", "other"]


def test_what_cannot_be_read_for_a_moment_is_read_the_next_time() -> None:
    files = Files(a=ended("1"), b=ended("2"))
    files.unreadable = {"b.json"}
    first = files.renewed()
    assert [one["file"] for one in first["runs"]] == ["a.json"]
    assert first["other_files"] == {}
    files.unreadable = set()
    second = files.renewed(first)
    assert [one["file"] for one in second["runs"]] == ["b.json", "a.json"]
    files.files["b.json"], files.stamps["b.json"] = ended("3", subject="other"), [2, 10]
    files.unreadable = {"b.json"}
    third = files.renewed(second)
    assert third == second
    files.unreadable = set()
    assert [one["subject"] for one in files.renewed(third)["runs"]] == ["other", "compute-1"]


def test_a_report_that_was_removed_is_forgotten() -> None:
    files = Files(a=ended("1"), b=ended("2"))
    first = files.renewed()
    del files.stamps["a.json"]
    assert [one["file"] for one in files.renewed(first)["runs"]] == ["b.json"]


def test_a_history_that_is_broken_is_made_anew() -> None:
    files = Files(a=ended("1"))
    for broken in (None, [], {"runs": 5}, {"runs": ["x", {}], "other_files": 7}):
        assert [one["file"] for one in files.renewed(broken)["runs"]] == ["a.json"]
        assert not is_history(broken)
