# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's files."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.action import run_report as plugin
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.reports import data, events, instance

NAMES = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a & b")


def report(folder: Path, *instances: dict[str, Any], check_mode: bool = False, **more: Any) -> Any:
    given = {name: option.get("default") for name, option in plugin.OPTIONS.items()}
    given |= {"run": data(*instances), "folder": str(folder)} | more
    return plugin.report(given, check_mode=check_mode)


def test_a_page_its_data_the_history_and_metrics(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    way = events((0, "waiting"), (1, "verified"))
    result = report(tmp_path, instance("a", timeline=way), metrics_folder=str(metrics))
    assert result == {
        "changed": False,
        "verdict": "The instance of compute-1 was evacuated and verified",
        "files": {
            "data": f"{tmp_path}/host_down-compute-1-r1.json",
            "page": f"{tmp_path}/host_down-compute-1-r1.html",
            "history": f"{tmp_path}/index.html",
            "metrics": f"{metrics}/openstack_recovery_host_down_compute-1.prom",
        },
    }
    for path in map(Path, result["files"].values()):
        assert path.stat().st_mode & 0o777 == (0o644 if path.suffix == ".prom" else 0o600)
    assert json.loads(Path(result["files"]["data"]).read_text())["instances"][0]["name"] == "a"
    page = Path(result["files"]["page"]).read_text()
    assert "<h1>The instance of compute-1 was evacuated and verified</h1>" in page
    assert "host_down-compute-1-r1.html" in Path(result["files"]["history"]).read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_text(tmp_path: Path, name: str) -> None:
    harmful = instance(
        name, "failed", id=name, to=name, code=name, reason=name, state=name, project_id=name,
        request_ids=[name], verifications={name: {"passed": False, "expected": name, "observed": name}},
        timeline=[{"at": "2026-11-22T03:07:43Z", "event": name, "note": name}],
        prediction={"fits": False, "hosts": [name], "reason": name},
    )  # fmt: skip
    run = data(
        harmful, subject=name, run_id=name, message=name, notes=[name], error={"code": name, "request_id": name},
        plan=[{"name": name, "id": name, "action": name, "reason": name, "rules": {name: name}}],
        service_changes=[{"host": name, name: name}], requests={name: 1},
        confirmation={"reasons": [name], "verdicts": [name], "gates": [{"name": name, "reason": name}],
                      "evidence": [{"name": name, "source": name, "value": {name: name}}]},
        fencing={"methods": [name], "reason": name, "by": name, "attempts": [{"method": name, "outcome": name}]},
    )  # fmt: skip
    report(tmp_path, run=run, name="x", request_url="https://logs.example.com/{request_id}")
    for page in ("x.html", "index.html"):
        text = (tmp_path / page).read_text()
        assert "<script" not in text
        assert "<img" not in text
        assert "alert(1)&gt;" in text or "alert(1)&lt;" in text or "alert" not in name
        assert "49" not in text or "7" not in name or "{{ 7 * 7 }}" in text
        assert "a & b" not in text


def test_a_page_needs_nothing_else(tmp_path: Path) -> None:
    report(tmp_path, instance("a"), name="x")
    text = (tmp_path / "x.html").read_text()
    for word in ("<script", "@import", "url(", "src=", '<link rel="stylesheet'):
        assert word not in text
    assert "default-src 'none'" in text


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    result = report(tmp_path, instance("a"), check_mode=True)
    assert set(result["files"]) == {"data", "page", "history"}
    assert not list(tmp_path.iterdir())


def test_a_plan_has_no_metrics_and_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    plan = data(check_mode=True)
    assert set(report(tmp_path, run=plan, metrics_folder=str(tmp_path))["files"]) == {
        "data",
        "page",
        "history",
    }
    assert not list(tmp_path.glob("*.prom"))
    given = {name: option.get("default") for name, option in plugin.OPTIONS.items()}
    assert plugin.report({**given, "run": data()}, check_mode=False)["files"] == {}


def test_what_can_be_written_is_written_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my own page")
    with pytest.raises(RecoveryError) as raised:
        report(tmp_path, instance("a"), name="x", metrics_folder=str(tmp_path / "nowhere"))
    assert raised.value.code == "report_not_written"
    assert len(raised.value.details["problems"]) == 2
    assert set(raised.value.details["files"]) == {"data", "page"}
    assert (tmp_path / "x.html").exists()
    assert (tmp_path / "index.html").read_text() == "my own page"


def test_a_folder_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(RecoveryError, match="there is no folder") as raised:
        report(tmp_path / "nowhere", instance("a"), metrics_folder=str(tmp_path))
    assert len(raised.value.details["problems"]) == 1
    assert set(raised.value.details["files"]) == {"metrics"}


@pytest.mark.parametrize(
    "wrong",
    [{"run": {"kind": "host_down"}}, {"name": "index"}],
)  # fmt: skip
def test_what_is_stated_wrongly_is_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(RecoveryError) as raised:
        report(tmp_path, instance("a"), **wrong)
    assert raised.value.code == "invalid_options"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["416", "384", "640", "u=rw", "0o640", "01640", "0648", "0640\n"])
def test_a_mode_that_yaml_has_made_a_number_of_is_refused(tmp_path: Path, mode: str) -> None:
    with pytest.raises(RecoveryError, match="Put it into quotes") as raised:
        report(tmp_path, instance("a"), file_mode=mode)
    assert not raised.value.retriable
    written = raised.value.details["files"]
    assert set(written) == {"data", "page", "history"}
    assert {Path(path).stat().st_mode & 0o777 for path in written.values()} == {0o600}


@pytest.mark.parametrize("url", ["ftp://x/{request_id}", "https://logs.example.com/"])
def test_a_wrong_address_of_logs_costs_only_the_links(tmp_path: Path, url: str) -> None:
    one = instance("a", request_ids=["req-1"])
    with pytest.raises(RecoveryError, match="request_url") as raised:
        report(tmp_path, one, request_url=url, metrics_folder=str(tmp_path), name="x")
    assert set(raised.value.details["files"]) == {"data", "page", "history", "metrics"}
    page = (tmp_path / "x.html").read_text()
    assert "<code>req-1</code>" in page
    assert url not in page


def test_the_mode_that_is_stated(tmp_path: Path) -> None:
    written = report(tmp_path, instance("a"), file_mode="0640")["files"]
    assert {Path(path).stat().st_mode & 0o777 for path in written.values()} == {0o640}


def test_runs_that_end_at_once_are_all_in_the_history(tmp_path: Path) -> None:
    def one(number: int) -> None:
        report(tmp_path, run=data(instance("a"), run_id=f"r{number}"))

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(one, range(24)))
    history = json.loads((tmp_path / "index.json").read_text())
    assert {run["run_id"] for run in history["runs"]} == {f"r{number}" for number in range(24)}
    page = (tmp_path / "index.html").read_text()
    assert all(f"host_down-compute-1-r{number}.html" in page for number in range(24))


def test_a_report_that_tells_of_instances_is_never_replaced_by_one_that_does_not(
    tmp_path: Path,
) -> None:
    one = report(tmp_path, instance("a"), name="x")["files"]["data"]
    kept = Path(one).read_bytes()
    others = (
        {"check_mode": True, "plan": [{"id": "a"}]},
        {"error": {"code": "host_is_up"}, "seconds": None},
        {"error": None, "seconds": 0.2},
    )
    later = [report(tmp_path, run=data(**more), name="x")["files"]["data"] for more in others]
    assert [Path(path).name for path in later] == [
        "x-plan.json",
        "x-refused.json",
        "x-nothing.json",
    ]
    assert Path(one).read_bytes() == kept
    assert report(tmp_path, instance("a", "failed"), name="x")["files"]["data"] == one
    assert len(json.loads((tmp_path / "index.json").read_text())["runs"]) == 4


def test_a_report_that_cannot_be_read_may_tell_of_instances(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    assert Path(report(tmp_path, name="x")["files"]["data"]).name == "x-nothing.json"


def test_five_hundred_instances(tmp_path: Path) -> None:
    way = events((0, "waiting"), (1, "submitted"), (2, "moving"), (9, "verified"))
    report(tmp_path, *[instance(f"i{number}", timeline=way) for number in range(500)], name="x")
    text = (tmp_path / "x.html").read_text()
    assert text.count('<tr class="ok">') == text.count('id="d') == 500
    assert len(text) < 3_000_000
