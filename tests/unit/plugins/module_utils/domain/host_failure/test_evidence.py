# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence as it is reported."""

from __future__ import annotations

import json

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.evidence import (
    Observed,
    ProbeResult,
    evidence_of,
    planned,
)
from fakes import values


def observed() -> Observed:
    own = values.service(state="down", updated_at=values.at(-600))
    return Observed(
        host="compute-1",
        at=values.at(-10),
        service=own,
        services=[own, values.service("compute-2")],
        records=[
            values.record(1, "done"),
            values.record(2, "accepted"),
            values.record(3, "running", migration_type="live-migration"),
        ],
        aggregates=["z", "a"],
        answers={"neutron": None},
        probes=[ProbeResult("tcp", "[::1]:22", "reachable", "refused")],
    )


def test_every_piece_has_a_source_a_time_and_a_value_that_json_knows() -> None:
    pieces = [piece.as_dict() for piece in evidence_of(observed())]
    assert json.loads(json.dumps(pieces)) == pieces
    assert all(piece["source"] and piece["observed_at"] for piece in pieces)
    names = [piece["name"] for piece in pieces]
    assert len(names) == len(set(names))


def test_what_is_told() -> None:
    pieces = {piece.name: piece.value for piece in evidence_of(observed())}
    assert pieces["heartbeat"]["age_seconds"] == 600
    assert pieces["heartbeat"]["moved_while_watched"] is False
    assert pieces["clock"]["skew_seconds"] == 10
    assert pieces["other_hosts"] == {"up": 1, "down": ["compute-1"], "counted": 2}
    assert pieces["aggregates"] == ["a", "z"]
    assert pieces["probe_tcp"] == {"outcome": "reachable", "detail": "refused"}


def test_only_evacuations_in_progress_are_listed() -> None:
    pieces = {piece.name: piece.value for piece in evidence_of(observed())}
    assert [entry["id"] for entry in pieces["evacuations_in_progress"]] == [2]


def test_planned_is_what_a_person_has_disabled() -> None:
    assert planned(values.service(status="disabled"))
    assert planned(values.service(status="disabled", disabled_reason="x"))
    assert not planned(values.service())
    run = "openstack_recovery run=r: x"
    assert not planned(values.service(status="disabled", disabled_reason=run))
