# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run as a report has it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.run import (
    parse_run,
    safe_name,
)
from fakes.reports import data, instance, run
from hypothesis import given
from hypothesis import strategies as st


def test_it_must_say_what_was_run() -> None:
    with pytest.raises(RecoveryError, match="subject and run_id") as raised:
        parse_run({"kind": "host_down", "subject": ""})
    assert raised.value.code == "invalid_options"


def test_everything_else_may_be_missing() -> None:
    found = parse_run({"kind": "k", "subject": "s", "run_id": "r"})
    assert (found.entries, found.plan, found.error, found.is_plan) == ((), [], None, False)
    assert found.file_name() == "k-s-r"


def test_its_time_is_that_between_begin_and_end_unless_it_is_stated() -> None:
    times = {"started_at": "2026-11-22T03:00:00", "finished_at": "2026-11-22T03:01:30Z"}
    assert run(**times).seconds == 12.5
    assert run(seconds=None, **times).seconds == 90
    assert run(seconds=None).seconds is None


def test_instances_and_predictions_are_counted() -> None:
    found = run(
        instance("a", prediction={"fits": True}),
        instance("b", "failed", code="evacuation_failed", prediction={"fits": True}),
        instance("c", "skipped", code="vtpm", prediction={"fits": True}),
    )
    assert found.levels() == {"bad": 1, "busy": 0, "late": 0, "ok": 1, "left": 1}
    assert found.predictions() == (1, 2)


def test_its_error() -> None:
    error = run(error={"code": "host_is_up", "retriable": True, "request_id": "req-1"}).error
    assert error is not None
    assert (error.code, error.retriable, error.request_id) == ("host_is_up", True, "req-1")
    assert parse_run({**data(), "error": None}).error is None


@pytest.mark.parametrize(
    ("more", "ending"),
    [
        ({}, ""),
        ({"instances": []}, ""),
        ({"instances": [], "check_mode": True}, "-plan"),
        ({"instances": [], "check_mode": True, "error": {"code": "host_is_up"}}, "-plan"),
        ({"instances": [], "error": {"code": "host_is_up"}}, "-refused"),
        ({"instances": [], "begun": False}, "-refused"),
        ({"instances": [], "seconds": None, "message": "MODULE FAILURE"}, "-refused"),
        ({"error": {"code": "evacuation_incomplete"}}, ""),
    ],
)
def test_a_run_that_worked_on_instances_keeps_its_name(more: dict[str, Any], ending: str) -> None:
    found = run(**{"instances": [instance("a")], **more})
    assert found.file_name() == f"host_down-compute-1-r1{ending}"
    assert found.file_name("compute-1-r1") == f"compute-1-r1{ending}"
    assert found.file_name("h" * 400).endswith(ending)


@given(st.text(min_size=1) | st.text("a/", min_size=160, max_size=200))
def test_a_name_stays_in_its_folder(name: str) -> None:
    try:
        safe = safe_name(name)
    except RecoveryError:
        assert not name.strip(".") or name.lstrip(".") == "index"
        return
    assert "/" not in safe
    assert not safe.startswith(".")
    assert safe.isascii()
    assert 0 < len(safe) <= 180
    assert safe_name(safe) == safe


@given(
    st.sets(st.text("a/b.\u00e4", min_size=1, max_size=4), min_size=2), st.sampled_from([0, 200])
)
def test_two_names_never_become_one(names: set[str], longer: int) -> None:
    usable = {"x" * longer + name + "x" * longer for name in names if longer or name.strip(".")}
    assert len({safe_name(name) for name in usable}) == len(usable)


def test_of_a_long_subject_the_run_id_stays() -> None:
    hosts = ["h" * 400 + "1", "h" * 400 + "2"]
    names = {
        run(subject=host, run_id=run_id * 32).file_name()
        for host in hosts
        for run_id in ("r1", "r2")
    }
    assert len(names) == 4
    assert {name[-65:] for name in names} == {"-" + "r1" * 32, "-" + "r2" * 32}


@pytest.mark.parametrize("host", ["compute-1.example.com", "1.10", "[2001:db8::1]:9100", "a@b_c"])
def test_the_names_of_hosts_stay_as_they_are(host: str) -> None:
    assert safe_name(f"{host}-r1") == f"{host}-r1"


def test_no_report_replaces_the_history() -> None:
    with pytest.raises(RecoveryError, match="no name for a report"):
        safe_name("index")
