# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics for a textfile collector."""

from __future__ import annotations

import re

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.metrics import (
    metrics_file,
    metrics_text,
)
from fakes.reports import instance, run
from hypothesis import given
from hypothesis import strategies as st

SAMPLE = re.compile(
    r'openstack_recovery_run_[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\} -?[0-9]+(\.[0-9]+)?'
)


def test_a_run() -> None:
    text = metrics_text(
        run(
            instance("a", prediction={"fits": True}),
            instance("b", "failed", code="evacuation_failed"),
            finished_at="2026-11-22T03:08:28Z",
        )
    )
    labels = '{kind="host_down",subject="compute-1"}'
    assert f"openstack_recovery_run_success{labels} 0\n" in text
    assert f"openstack_recovery_run_duration_seconds{labels} 12.5\n" in text
    assert f"openstack_recovery_run_finished_timestamp_seconds{labels} 1795316908\n" in text
    assert 'subject="compute-1",result="failed"} 1\n' in text
    assert 'subject="compute-1",right="true"} 1\n' in text
    assert text.count("# HELP ") == text.count("# TYPE ") == 5


def test_a_good_run_without_times() -> None:
    text = metrics_text(run(instance("a"), seconds=None))
    assert "_success{" in text
    assert "} 1\n" in text
    assert "duration" not in text
    assert "predictions" not in text


@given(st.text(min_size=1).filter(str.strip))
def test_whatever_a_host_is_called_the_text_is_valid(subject: str) -> None:
    lines = metrics_text(run(instance("a"), subject=subject)).split("\n")
    assert lines.pop() == ""
    for line in lines:
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line


@given(st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip))
def test_two_subjects_have_two_files(one: str, other: str) -> None:
    names = {metrics_file(run(subject=subject)) for subject in (one, other)}
    assert len(names) == len({one.strip(), other.strip()})
    assert all(re.fullmatch(r"[A-Za-z0-9._@:\[\]-]+\.prom", name) for name in names)
