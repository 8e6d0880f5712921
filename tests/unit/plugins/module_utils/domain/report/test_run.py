# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run as a report has it."""

from __future__ import annotations

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
    assert found.file_name == "k-s-r"


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


@given(st.text(min_size=1))
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


@pytest.mark.parametrize("host", ["compute-1.example.com", "1.10", "[2001:db8::1]:9100", "a@b_c"])
def test_the_names_of_hosts_stay_as_they_are(host: str) -> None:
    assert safe_name(f"{host}-r1") == f"{host}-r1"


def test_no_report_replaces_the_history() -> None:
    with pytest.raises(RecoveryError, match="no name for a report"):
        safe_name("index")
