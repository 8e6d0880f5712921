# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates: each stays shut when in doubt."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.evidence import (
    PROBE_FAILED,
    REACHABLE,
    UNREACHABLE,
    Observed,
    ProbeResult,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_failure.verdict import (
    PROBE_KINDS,
    Gates,
    judge,
    needs_second_look,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    ComputeService,
)
from fakes import values
from hypothesis import given
from hypothesis import strategies as st

ALL_ANSWER = {"nova-scheduler": None, "neutron": None}


def seen(*others: ComputeService, service: dict[str, Any] | None = None, **fields: Any) -> Observed:
    """compute-1 is down, silent for ten minutes; two others are up."""
    own = values.service(**{"state": "down", "updated_at": values.at(-600), **(service or {})})
    fleet = others or (values.service("compute-2"), values.service("compute-3"))
    return Observed(
        **{
            "host": "compute-1",
            "at": values.at(1),
            "service": own,
            "services": [own, *fleet],
            "records": [],
            "aggregates": [],
            "answers": ALL_ANSWER,
            **fields,
        }
    )


def down(host: str, **fields: Any) -> ComputeService:
    return values.service(host, **{"state": "down", **fields})


def test_a_host_that_has_failed() -> None:
    verdict = judge(seen(), Gates())
    assert (verdict.verdict, verdict.stopped_by) == ("failed", [])
    assert {gate.name for gate in verdict.gates} == {
        "heartbeat_silent",
        "own_view",
        "max_down_hosts",
        "max_down_share",
        "control_plane",
        "maintenance",
    }
    assert all(gate.as_dict()["reason"] for gate in verdict.gates)


def test_a_host_that_is_up_is_up_whatever_the_gates_say() -> None:
    verdict = judge(seen(service={"state": "up"}, answers={}), Gates(max_down_hosts=0))
    assert verdict.verdict == "up"


@pytest.mark.parametrize(
    ("gate", "observed", "gates"),
    [
        ("own_view", seen(down("compute-2")), Gates(max_down_share=None)),
        (
            "own_view",
            seen(values.service("compute-2", binary="nova-scheduler")),
            Gates(max_down_share=None),
        ),
        ("max_down_hosts", seen(), Gates(max_down_hosts=0)),
        (
            "max_down_hosts",
            seen(down("b"), values.service("c"), values.service("d"), values.service("e")),
            Gates(max_down_hosts=1),
        ),
        ("max_down_share", seen(values.service("b"), down("c")), Gates()),
        ("max_down_share", seen(), Gates(max_down_share=0.3)),
        ("control_plane", seen(answers={}), Gates()),
        ("control_plane", seen(answers={**ALL_ANSWER, "glance": "HTTP 503"}), Gates()),
        ("maintenance", seen(), Gates(maintenance_hosts=frozenset({"compute-1"}))),
        (
            "maintenance",
            seen(aggregates=["all", "repair"]),
            Gates(maintenance_aggregates=frozenset({"repair"})),
        ),
        ("maintenance", seen(service={"status": "disabled"}), Gates()),
        (
            "maintenance",
            seen(service={"status": "disabled", "disabled_reason": "new fans"}),
            Gates(),
        ),
    ],
)
def test_each_gate_alone_keeps_the_verdict_unclear(
    gate: str, observed: Observed, gates: Gates
) -> None:
    verdict = judge(observed, gates)
    assert (verdict.verdict, verdict.stopped_by) == ("unclear", [gate])
    assert verdict.reason


@pytest.mark.parametrize(
    ("observed", "gates"),
    [
        # Two of four are the half, which is allowed.
        (seen(down("b"), values.service("c"), values.service("d")), Gates()),
        (seen(down("b"), values.service("c"), values.service("d")), Gates(max_down_hosts=2)),
        # Those that a person took out do not count, neither as down nor as hosts.
        (
            seen(values.service("b"), down("c", status="disabled"), down("d", status="disabled")),
            Gates(max_down_hosts=1, max_down_share=0.5),
        ),
        # A recovery run that has disabled it is no maintenance.
        (
            seen(
                service={
                    "status": "disabled",
                    "disabled_reason": "openstack_recovery run=r1: host failed",
                }
            ),
            Gates(),
        ),
        (
            seen(aggregates=["all"]),
            Gates(
                maintenance_hosts=frozenset({"compute-10", "compute"}),
                maintenance_aggregates=frozenset({"repair"}),
            ),
        ),
    ],
)
def test_what_keeps_no_gate_shut(observed: Observed, gates: Gates) -> None:
    assert judge(observed, gates).verdict == "failed"


def test_a_host_that_a_run_has_disabled_counts_as_down() -> None:
    other = down("b", status="disabled", disabled_reason="openstack_recovery run=r0: x")
    observed = seen(other, values.service("c"), values.service("d"))
    assert judge(observed, Gates(max_down_hosts=1)).stopped_by == ["max_down_hosts"]


@pytest.mark.parametrize("kind", PROBE_KINDS)
@pytest.mark.parametrize(
    ("outcomes", "open_"),
    [
        ([], False),
        ([UNREACHABLE], True),
        ([REACHABLE], False),
        ([PROBE_FAILED], False),
        ([UNREACHABLE, UNREACHABLE], True),
        ([UNREACHABLE, REACHABLE], False),
        ([UNREACHABLE, PROBE_FAILED], False),
    ],
)
def test_required_probes_must_all_find_it_unreachable(
    kind: str, outcomes: list[str], open_: bool
) -> None:
    results = [ProbeResult(kind, f"target-{i}", outcome) for i, outcome in enumerate(outcomes)]
    verdict = judge(seen(probes=results), Gates(require_unreachable=(kind,)))
    assert verdict.verdict == ("failed" if open_ else "unclear")
    assert verdict.stopped_by == ([] if open_ else [f"unreachable_{kind}"])


def test_a_probe_of_one_kind_does_not_open_the_gate_of_another() -> None:
    observed = seen(probes=[ProbeResult("icmp", "x", UNREACHABLE)])
    assert judge(observed, Gates(require_unreachable=("tcp",))).verdict == "unclear"


# forced_down says 'down' whatever the heartbeat does.

FORCED = {"forced_down": True, "updated_at": values.at(-5)}


def test_a_silent_host_that_is_forced_down_has_failed() -> None:
    observed = seen(service={**FORCED, "updated_at": values.at(-61)})
    assert not needs_second_look(observed, Gates())
    assert judge(observed, Gates()).verdict == "failed"


def test_a_fresh_time_stamp_has_to_be_watched() -> None:
    assert needs_second_look(seen(service=FORCED), Gates())
    assert judge(seen(service=FORCED), Gates()).stopped_by == ["heartbeat_silent"]


def test_a_heartbeat_that_stood_still_while_watched() -> None:
    observed = seen(service=FORCED, watched=True, earlier_update=values.at(-5))
    assert judge(observed, Gates()).verdict == "failed"


def test_a_forced_down_host_whose_heartbeat_goes_on_is_alive() -> None:
    observed = seen(service=FORCED, watched=True, earlier_update=values.at(-15))
    assert judge(observed, Gates()).stopped_by == ["heartbeat_silent"]


def test_without_any_time_stamp_it_has_to_be_watched_too() -> None:
    nothing = {"forced_down": True, "updated_at": None}
    assert needs_second_look(seen(service=nothing), Gates())
    assert judge(seen(service=nothing), Gates()).stopped_by == ["heartbeat_silent"]


def test_one_that_is_not_forced_down_needs_no_second_look() -> None:
    assert not needs_second_look(seen(service={"updated_at": values.at(-5)}), Gates())


def test_the_age_of_a_heartbeat_is_free_of_our_clock() -> None:
    # Ours is an hour behind, or ahead: the newest heartbeat of all services is what counts.
    for ours in (-3600, 3600):
        observed = seen(service=FORCED, at=values.at(ours))
        assert observed.heartbeat_age == 5
        assert needs_second_look(observed, Gates())


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_down_share": 1.1},
        {"max_down_share": -0.1},
        {"max_down_share": float("nan")},
        {"max_down_hosts": -1},
        {"heartbeat_timeout": 0},
        {"heartbeat_watch": 0},
        {"heartbeat_watch": -5},
        {"probe_timeout": 0},
    ],
)
def test_limits_that_would_open_a_gate_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RecoveryError) as raised:
        Gates(**wrong).validate()
    assert raised.value.code == "invalid_options"


def test_the_defaults_make_sense() -> None:
    Gates().validate()
    assert Gates().max_down_share == 0.5


@given(
    own=st.fixed_dictionaries(
        {
            "state": st.sampled_from(["up", "down"]),
            "status": st.sampled_from(["enabled", "disabled"]),
            "forced_down": st.booleans(),
            "disabled_reason": st.sampled_from([None, "x", "openstack_recovery run=r: y"]),
            "updated_at": st.none() | st.integers(-900, 0).map(values.at),
        }
    ),
    others=st.lists(st.sampled_from(["up", "down"]), min_size=1, max_size=4),
    watched=st.booleans(),
    earlier=st.none() | st.integers(-900, 0).map(values.at),
    outcome=st.sampled_from([REACHABLE, UNREACHABLE, PROBE_FAILED]),
    answer=st.sampled_from([None, "silent"]),
)
def test_failed_only_when_everything_speaks_for_it(
    *,
    own: dict[str, Any],
    others: list[str],
    watched: bool,
    earlier: Any,
    outcome: str,
    answer: str | None,
) -> None:
    fleet = [values.service(f"other-{i}", state=state) for i, state in enumerate(others)]
    observed = seen(
        *fleet,
        service=own,
        watched=watched,
        earlier_update=earlier,
        probes=[ProbeResult("tcp", "x", outcome)],
        answers={"neutron": answer},
    )
    if judge(observed, Gates(require_unreachable=("tcp",))).verdict == "failed":
        assert own["state"] == "down"
        assert outcome == UNREACHABLE
        assert answer is None
        assert "up" in others
        assert own["status"] == "enabled" or own["disabled_reason"] not in (None, "x")
        age = observed.heartbeat_age
        assert (
            not own["forced_down"]
            or (age is not None and age > 60)
            or (watched and earlier == own["updated_at"])
        )
