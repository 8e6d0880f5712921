# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How old the heartbeat of a compute service is, by Nova's own clock.

The only sign of a heartbeat in the API is updated_at. Every write of the row that changes something
moves it too: forced_down, disabling, a reason. A PUT of what is there already does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from .nova import ComputeService

# Seconds after which a heartbeat counts as silent, as Nova's service_down_time by default.
HEARTBEAT_TIMEOUT = 60.0
# Seconds in which a service that is alive reports at least once: Nova's report_interval is 10.
HEARTBEAT_WATCH = 25.0


def newest_heartbeat(services: Iterable[ComputeService]) -> datetime | None:
    """The newest updated_at of these services: Nova's own clock, free of ours."""
    return max((s.updated_at for s in services if s.updated_at), default=None)


def heartbeat_age(service: ComputeService, services: Iterable[ComputeService]) -> float | None:
    """Seconds between the newest heartbeat of any service and this one's; None if it has none."""
    newest = newest_heartbeat(services)
    if service.updated_at is None or newest is None:
        return None
    return (newest - service.updated_at).total_seconds()


def is_silent(service: ComputeService, services: Iterable[ComputeService]) -> bool:
    """Whether one look is enough to know that it does not report.

    A service that is forced down says 'down' whatever its heartbeat does: only its age tells.
    """
    if not service.forced_down:
        return service.state == "down"
    age = heartbeat_age(service, services)
    return age is not None and age > HEARTBEAT_TIMEOUT
