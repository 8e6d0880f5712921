# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host has failed: gates that each ask one question and stay shut when in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import RecoveryError
from ..heartbeat import HEARTBEAT_TIMEOUT, HEARTBEAT_WATCH
from .evidence import UNREACHABLE, Observed, planned

FAILED = "failed"
UP = "up"
UNCLEAR = "unclear"

PROBE_KINDS = ("tcp", "icmp", "libvirt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What must hold before a host counts as failed.

    ``max_down_hosts`` and ``max_down_share`` (0 to 1) count this host; None means: no limit.
    Times are in seconds; ``heartbeat_watch`` is how long a heartbeat is watched that may be alive.
    """

    max_down_hosts: int | None = None
    max_down_share: float | None = 0.5
    require_unreachable: tuple[str, ...] = ()
    maintenance_hosts: frozenset[str] = frozenset()
    maintenance_aggregates: frozenset[str] = frozenset()
    heartbeat_timeout: float = HEARTBEAT_TIMEOUT
    heartbeat_watch: float = HEARTBEAT_WATCH
    probe_timeout: float = 5.0

    def validate(self) -> None:
        """:raises RecoveryError: ``invalid_options``, for limits that make no sense."""
        if self.max_down_share is not None and not 0 <= self.max_down_share <= 1:
            raise RecoveryError(
                "invalid_options",
                f"max_down_share is a share from 0 to 1, for example 0.2, not {self.max_down_share}",
            )
        if self.max_down_hosts is not None and self.max_down_hosts < 0:
            raise RecoveryError(
                "invalid_options", f"max_down_hosts cannot be negative: {self.max_down_hosts}"
            )
        for name in ("heartbeat_timeout", "heartbeat_watch", "probe_timeout"):
            if getattr(self, name) < 1:
                raise RecoveryError("invalid_options", f"{name} must be at least 1 second")


@dataclass(frozen=True, slots=True)
class GateResult:
    name: str
    passed: bool
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "passed": self.passed, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``verdict`` is failed, up or unclear; ``stopped_by`` names the gates that are shut."""

    verdict: str
    reason: str
    gates: list[GateResult] = field(default_factory=list)

    @property
    def stopped_by(self) -> list[str]:
        return [gate.name for gate in self.gates if not gate.passed]


def needs_second_look(seen: Observed, gates: Gates) -> bool:
    """A forced_down service says 'down' whatever its heartbeat does.

    Setting forced_down also counts as an update, so a fresh time stamp alone says nothing:
    whether it moves has to be watched.
    """
    age = seen.heartbeat_age
    return seen.service.forced_down and (age is None or age <= gates.heartbeat_timeout)


def judge(seen: Observed, gates: Gates) -> Verdict:
    """failed only when Nova says that the host is down and every gate is open."""
    results = list(_gates(seen, gates))
    if seen.service.state == "up":
        return Verdict(UP, f"nova-compute on {seen.host} is up", results)
    shut = [gate for gate in results if not gate.passed]
    if shut:
        return Verdict(UNCLEAR, "; ".join(gate.reason for gate in shut), results)
    return Verdict(FAILED, f"nova-compute on {seen.host} is down and every gate is open", results)


def _gates(seen: Observed, gates: Gates) -> Iterator[GateResult]:
    yield _heartbeat(seen, gates)
    yield _own_view(seen)
    yield _down_hosts(seen, gates)
    yield _down_share(seen, gates)
    yield _control_plane(seen)
    yield _maintenance(seen, gates)
    for kind in gates.require_unreachable:
        yield _unreachable(seen, kind)


def _heartbeat(seen: Observed, gates: Gates) -> GateResult:
    name = "heartbeat_silent"
    service = seen.service
    if not service.forced_down:
        silent = service.state == "down"
        return GateResult(name, silent, "Nova itself has missed its heartbeats" if silent else "up")
    age = seen.heartbeat_age
    if age is not None and age > gates.heartbeat_timeout:
        return GateResult(name, True, f"no heartbeat for {age:.0f} s")
    if not seen.watched:
        return GateResult(name, False, "forced_down is set and its heartbeat was not watched")
    if seen.earlier_update != service.updated_at:
        return GateResult(
            name,
            False,
            f"forced_down is set, yet nova-compute on {seen.host} still reports: it is alive, or"
            " somebody has just changed the service",
        )
    return GateResult(name, True, "its heartbeat stood still while it was watched")


def _own_view(seen: Observed) -> GateResult:
    up = [s.host for s in seen.computes if s.state == "up" and s.host != seen.host]
    if up:
        return GateResult("own_view", True, f"{len(up)} other hosts are up")
    return GateResult(
        "own_view",
        False,
        "no other compute host is up: either everything has failed or what is seen from here is"
        " wrong",
    )


def _down_hosts(seen: Observed, gates: Gates) -> GateResult:
    down, limit = seen.down(), gates.max_down_hosts
    if limit is None:
        return GateResult("max_down_hosts", True, "no limit is set")
    return GateResult(
        "max_down_hosts",
        len(down) <= limit,
        f"{len(down)} hosts are down ({', '.join(down)}), allowed are {limit}",
    )


def _down_share(seen: Observed, gates: Gates) -> GateResult:
    limit = gates.max_down_share
    if limit is None:
        return GateResult("max_down_share", True, "no limit is set")
    down, counted = len(seen.down()), seen.counted()
    share = down / counted if counted else 1.0
    return GateResult(
        "max_down_share",
        share <= limit,
        f"{down} of {counted} hosts are down ({share:.0%}), allowed are {limit:.0%}",
    )


def _control_plane(seen: Observed) -> GateResult:
    silent = [f"{name}: {wrong}" for name, wrong in seen.answers.items() if wrong is not None]
    return GateResult(
        "control_plane",
        bool(seen.answers) and not silent,
        "; ".join(silent) or f"{', '.join(seen.answers)} answer",
    )


def _maintenance(seen: Observed, gates: Gates) -> GateResult:
    name = "maintenance"
    if seen.host in gates.maintenance_hosts:
        return GateResult(name, False, f"{seen.host} is listed in maintenance_hosts")
    aggregates = sorted(gates.maintenance_aggregates & set(seen.aggregates))
    if aggregates:
        return GateResult(name, False, f"{seen.host} is in aggregate {', '.join(aggregates)}")
    if planned(seen.service):
        why = seen.service.disabled_reason or "no reason given"
        return GateResult(name, False, f"{seen.host} was disabled by a person: {why}")
    return GateResult(name, True, "not in maintenance")


def _unreachable(seen: Observed, kind: str) -> GateResult:
    name = f"unreachable_{kind}"
    probes = [probe for probe in seen.probes if probe.kind == kind]
    if not probes:
        return GateResult(name, False, f"required, but no {kind} probe is configured")
    others = [probe for probe in probes if probe.outcome != UNREACHABLE]
    if others:
        told = ", ".join(f"{p.target} {p.outcome} {p.detail}".strip() for p in others)
        return GateResult(name, False, f"{kind}: {told}")
    return GateResult(name, True, f"{', '.join(p.target for p in probes)} unreachable")
