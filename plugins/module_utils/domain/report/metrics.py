# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest run of a kind and a subject as metrics, for a textfile collector of Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from .run import Run, safe_name
from .verdict import GOOD, verdict_of
from .words import BAD, BUSY, LATE, LEFT, OK

_PREFIX = "openstack_recovery_run"
_RESULTS = {
    OK: "verified",
    BAD: "failed",
    BUSY: "in_progress",
    LATE: "not_started",
    LEFT: "left",
}


def metrics_file(run: Run) -> str:
    """One file for each kind and subject: the newest run replaces the one before."""
    return f"{safe_name(f'openstack_recovery_{run.kind}_{run.subject}')}.prom"


def metrics_text(run: Run) -> str:
    """In Prometheus' text format."""
    labels = f'kind="{_label(run.kind)}",subject="{_label(run.subject)}"'
    lines: list[str] = []

    def gauge(name: str, meaning: str, samples: Sequence[tuple[str, float | None]]) -> None:
        known = [(more, value) for more, value in samples if value is not None]
        if known:
            lines.append(f"# HELP {_PREFIX}_{name} {meaning}")
            lines.append(f"# TYPE {_PREFIX}_{name} gauge")
            lines.extend(
                f"{_PREFIX}_{name}{{{labels}{more}}} {_number(value)}" for more, value in known
            )

    finished = run.finished_at.timestamp() if run.finished_at else None
    right, compared = run.predictions()
    gauge("finished_timestamp_seconds", "When the newest run ended.", [("", finished)])
    gauge("duration_seconds", "How long the newest run took.", [("", run.seconds)])
    gauge(
        "success",
        "Whether all that the newest run had to do was done and verified.",
        [("", float(verdict_of(run).outcome == GOOD))],
    )
    gauge(
        "instances",
        "Instances of the newest run, by how they ended.",
        [(f',result="{_RESULTS[level]}"', float(count)) for level, count in run.levels().items()],
    )
    if compared:
        gauge(
            "predictions",
            "Predictions of the newest plan that could be compared with their outcome.",
            [(',right="true"', float(right)), (',right="false"', float(compared - right))],
        )
    return "\n".join(lines) + "\n"


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
