# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a failed host has returned while it is being evacuated.

Nova says 'down' of a host that is forced down, also when its nova-compute reports again. That may
have started the guests again, and an instance that is evacuated then has two. Only the heartbeat
tells, and what looks like one may be somebody's change of the service; a heartbeat repeats itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..clock import Clock
from ..cloud import ComputeServices
from ..errors import RecoveryError
from ..heartbeat import HEARTBEAT_TIMEOUT, HEARTBEAT_WATCH
from ..nova import COMPUTE, ComputeService
from ..service_change import find_service

# With these codes nothing more may be submitted; anything else is tried again.
HALTING = frozenset({"host_has_returned", "host_not_found", "host_ambiguous"})


class SourceHeartbeat:
    """What is known of one host's heartbeat. Times are of the run's monotonic clock, in seconds.

    :param service: as it was read first, after the run's own changes.
    :param silent: it was known to stand still before them. If not, it is watched for a while.
    """

    def __init__(self, service: ComputeService, now: float, *, silent: bool) -> None:
        self._last = service
        self._heartbeats: list[datetime | None] = []
        self._doubtful_until = now if silent else now + HEARTBEAT_WATCH

    def observe(self, service: ComputeService, now: float) -> None:
        """Take over the service as it was read again.

        :raises RecoveryError: ``host_has_returned`` at the second heartbeat. The first one is
            remembered for the whole run: a host may report more slowly than it is waited for.
        """
        last, self._last = self._last, service
        if service.updated_at == last.updated_at or _changed(last, service):
            return
        self._heartbeats.append(service.updated_at)
        self._doubtful_until = now + HEARTBEAT_TIMEOUT
        if len(self._heartbeats) > 1:
            raise _has_returned(service, self._heartbeats)

    def is_doubtful(self, now: float) -> bool:
        """Whether nothing may be submitted: the host may have returned."""
        return now < self._doubtful_until


class SourceHeartbeats:
    """Those of all sources, read in one request.

    :param silent: sources whose heartbeat is known to stand still now.
    """

    def __init__(
        self, cloud: ComputeServices, sources: Iterable[str], silent: Iterable[str], clock: Clock
    ) -> None:
        self._cloud = cloud
        self._sources = tuple(sources)
        self._silent = frozenset(silent)
        self._clock = clock
        self._began = clock.monotonic()
        self._read_at = float("-inf")
        self._heartbeats: dict[str, SourceHeartbeat] = {}

    def read(self) -> None:
        """:raises RecoveryError: one of HALTING, or what was wrong with the cloud's answer."""
        # What is written after the request may not be in its answer.
        asked = self._clock.monotonic()
        services = self._cloud.compute_services()
        now = self._clock.monotonic()
        # What was known is out of date when the first look comes late.
        silent = self._silent if now - self._began <= HEARTBEAT_WATCH else frozenset()
        for host in self._sources:
            service = find_service(services, host, COMPUTE)
            if host in self._heartbeats:
                self._heartbeats[host].observe(service, now)
            else:
                self._heartbeats[host] = SourceHeartbeat(service, now, silent=host in silent)
        self._read_at = asked

    def read_since(self, moment: float) -> bool:
        """Whether they were read at that moment of the monotonic clock, or later."""
        return self._read_at >= moment

    def doubtful(self) -> list[str]:
        """The hosts that may have returned."""
        now = self._clock.monotonic()
        return sorted(host for host, seen in self._heartbeats.items() if seen.is_doubtful(now))


def _changed(before: ComputeService, now: ComputeService) -> bool:
    """Somebody has changed the service, which explains why updated_at has moved."""
    return (before.forced_down, before.status, before.disabled_reason) != (
        now.forced_down,
        now.status,
        now.disabled_reason,
    )


def _has_returned(service: ComputeService, heartbeats: Iterable[datetime | None]) -> RecoveryError:
    return RecoveryError(
        "host_has_returned",
        f"nova-compute on '{service.host}' reports again, and may have started its guests again:"
        " nothing more was submitted, what was moving was waited for. Fence the host and run again,"
        " or take it back with the playbook host_return; the instances that were not started are"
        " still on it.",
        details={
            "host": service.host,
            "heartbeats": [moment.isoformat() for moment in heartbeats if moment],
        },
    )
