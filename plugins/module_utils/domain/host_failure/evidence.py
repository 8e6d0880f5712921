# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is seen of a host that may have failed; each piece with its source, time and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..heartbeat import heartbeat_age, newest_heartbeat
from ..nova import COMPUTE, ComputeService, MigrationRecord
from ..records import in_progress, is_evacuation
from ..run_marker import run_id_of

# What a probe of the host has found.
REACHABLE = "reachable"
UNREACHABLE = "unreachable"
PROBE_FAILED = "probe_failed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece: ``value`` is JSON-serialisable, ``observed_at`` UTC."""

    name: str
    source: str
    observed_at: datetime
    value: Any

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": self.source,
            "observed_at": self.observed_at.isoformat(timespec="seconds"),
            "value": self.value,
        }


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """``outcome`` is reachable, unreachable or probe_failed (the probe itself could not be run)."""

    kind: str
    target: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that was observed.

    ``earlier_update`` is the service's updated_at of a first look, when there was a second one.
    ``answers``: by control-plane service None when it answered, otherwise what went wrong.
    """

    host: str
    at: datetime
    service: ComputeService
    services: Sequence[ComputeService]
    records: Sequence[MigrationRecord]
    aggregates: Sequence[str]
    answers: Mapping[str, str | None]
    probes: Sequence[ProbeResult] = ()
    watched: bool = False
    earlier_update: datetime | None = None

    @property
    def computes(self) -> list[ComputeService]:
        return [service for service in self.services if service.binary == COMPUTE]

    @property
    def newest_update(self) -> datetime | None:
        """The newest heartbeat of all services: Nova's own clock, free of ours."""
        return newest_heartbeat(self.services)

    @property
    def heartbeat_age(self) -> float | None:
        """Seconds between the newest heartbeat of any service and this one's."""
        return heartbeat_age(self.service, self.services)

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which the newest heartbeat lies in our future; None when in the past."""
        if self.newest_update is None or self.newest_update <= self.at:
            return None
        return (self.newest_update - self.at).total_seconds()

    def down(self) -> list[str]:
        """Hosts that are down and were not taken out by a person, this one included."""
        return sorted(s.host for s in self.computes if s.state == "down" and not planned(s))

    def counted(self) -> int:
        """Hosts of which the share is taken: all but those that a person took out."""
        return sum(1 for s in self.computes if not (s.state == "down" and planned(s)))

    def evacuations(self) -> list[MigrationRecord]:
        return [r for r in self.records if is_evacuation(r) and in_progress(r)]


def planned(service: ComputeService) -> bool:
    """Disabled, and not by a recovery run."""
    return service.status == "disabled" and run_id_of(service.disabled_reason) is None


def evidence_of(seen: Observed) -> list[Evidence]:
    """Every piece for the report."""
    service = seen.service
    nova = "nova os-services"
    pieces = [
        Evidence(
            "service",
            nova,
            seen.at,
            {
                "state": service.state,
                "status": service.status,
                "forced_down": service.forced_down,
                "disabled_reason": service.disabled_reason,
            },
        ),
        Evidence(
            "heartbeat",
            nova,
            seen.at,
            {
                "updated_at": _iso(service.updated_at),
                "age_seconds": seen.heartbeat_age,
                "watched": seen.watched,
                "moved_while_watched": (seen.watched and seen.earlier_update != service.updated_at),
            },
        ),
        Evidence(
            "clock",
            nova,
            seen.at,
            {"newest_heartbeat": _iso(seen.newest_update), "skew_seconds": seen.clock_skew},
        ),
        Evidence(
            "other_hosts",
            nova,
            seen.at,
            {
                "up": sum(1 for s in seen.computes if s.state == "up" and s.host != seen.host),
                "down": seen.down(),
                "counted": seen.counted(),
            },
        ),
        Evidence("control_plane", "the services' APIs", seen.at, dict(seen.answers)),
        Evidence("aggregates", "nova os-aggregates", seen.at, sorted(seen.aggregates)),
        Evidence(
            "evacuations_in_progress",
            "nova os-migrations",
            seen.at,
            [
                {"id": r.id, "instance": r.instance_id, "status": r.status, "to": r.dest_compute}
                for r in seen.evacuations()
            ],
        ),
    ]
    pieces.extend(
        Evidence(
            f"probe_{probe.kind}",
            f"from here to {probe.target}",
            seen.at,
            {"outcome": probe.outcome, "detail": probe.detail},
        )
        for probe in seen.probes
    )
    return pieces


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
