# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls bring a compute service from what it is to what is wanted, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .errors import RecoveryError
from .heartbeat import HEARTBEAT_TIMEOUT, is_silent
from .nova import ComputeService, MigrationRecord
from .records import evacuations_from, in_progress
from .run_marker import run_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedService:
    """None means: leave as it is.

    :param only_disabled_by_recovery: enable it only if a recovery run has disabled it.
    """

    forced_down: bool | None = None
    status: str | None = None
    disabled_reason: str | None = None
    only_disabled_by_recovery: bool = False


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """One PUT on the service: the fields of its body."""

    body: dict[str, Any]


def find_service(services: Iterable[ComputeService], host: str, binary: str) -> ComputeService:
    """The one service with exactly this host and binary.

    :raises RecoveryError: ``host_not_found`` or ``host_ambiguous``.
    """
    of_binary = [service for service in services if service.binary == binary]
    found = [service for service in of_binary if service.host == host]
    if len(found) == 1:
        return found[0]
    if found:
        raise RecoveryError(
            "host_ambiguous",
            f"{len(found)} {binary} services have the host name '{host}'; nothing was done. Delete"
            " the stale ones with 'openstack compute service delete ID'.",
            details={"host": host, "service_ids": sorted(service.id for service in found)},
        )
    known = sorted({service.host for service in of_binary})
    near = [name for name in known if name.startswith(host) or host.startswith(name)]
    raise RecoveryError(
        "host_not_found",
        f"no {binary} service has the host name '{host}'; nothing was done. Names must match"
        " exactly as 'openstack compute service list' shows them"
        + (f"; similar: {', '.join(near[:5])}." if near else "."),
        details={"host": host, "binary": binary, "known_hosts": len(known), "similar": near[:5]},
    )


def plan_service_change(
    service: ComputeService, wanted: WantedService, records: Iterable[MigrationRecord] = ()
) -> list[ServiceChange]:
    """The calls that are needed, in a safe order; empty when all is as wanted.

    forced_down comes before disabling: disabling a service that Nova believes to be up makes an
    RPC call to the host, which waits for a long time-out when that host is dead. For the way back,
    forced_down goes first too: enabling is for a service that can come up.

    :param records: migration records with this host as source.
    :raises RecoveryError: ``evacuations_in_progress`` or ``evacuation_records_done`` when
        forced_down cannot be lifted yet.
    """
    changes: list[ServiceChange] = []
    if wanted.forced_down is not None and wanted.forced_down != service.forced_down:
        if not wanted.forced_down:
            records = list(records)
            require_none_in_progress(service.host, records)
            require_none_done(service.host, records)
        changes.append(ServiceChange({"forced_down": wanted.forced_down}))
    if wanted.status == "disabled":
        # Nova knows no empty reason.
        reason_differs = (
            bool(wanted.disabled_reason) and wanted.disabled_reason != service.disabled_reason
        )
        if service.status != "disabled" or reason_differs:
            body: dict[str, Any] = {"status": "disabled"}
            reason = wanted.disabled_reason or service.disabled_reason
            if reason:
                body["disabled_reason"] = reason
            changes.append(ServiceChange(body))
    elif wanted.status == "enabled" and _may_enable(service, wanted):
        changes.append(ServiceChange({"status": "enabled"}))
    return changes


def _may_enable(service: ComputeService, wanted: WantedService) -> bool:
    by_recovery = run_id_of(service.disabled_reason) is not None
    return service.status != "enabled" and (by_recovery or not wanted.only_disabled_by_recovery)


def require_deletable(
    service: ComputeService,
    services: Iterable[ComputeService],
    records: Iterable[MigrationRecord],
) -> None:
    """Nova itself refuses while instances are on the host; it does not ask whether it is down.

    :param services: all of the cloud; the newest heartbeat of any is what time it is.
    :param records: migration records with this host as source.
    :raises RecoveryError: ``host_is_up``, retriable when it is forced down, as that counts as a
        heartbeat too; or ``evacuations_in_progress``.
    """
    if not is_silent(service, services):
        raise RecoveryError(
            "host_is_up",
            f"{service.binary} on '{service.host}' "
            + (
                f"is forced down and has a heartbeat of the last {HEARTBEAT_TIMEOUT:.0f} s"
                if service.forced_down
                else "is up"
            )
            + ", so its service was not deleted: it would go on without one. Stop it there for good"
            " first"
            + ("; if it was forced down a moment ago, wait." if service.forced_down else "."),
            retriable=service.forced_down,
            details={"host": service.host, "binary": service.binary},
        )
    require_none_in_progress(service.host, records)


def after(service: ComputeService, changes: Iterable[ServiceChange]) -> ComputeService:
    """The service as it will be when the changes are made."""
    for change in changes:
        body = dict(change.body)
        if body.get("status") == "enabled":
            body["disabled_reason"] = None
        if body.get("forced_down"):
            body["state"] = "down"
        service = replace(service, **body)
    return service


def require_none_in_progress(host: str, records: Iterable[MigrationRecord]) -> None:
    """:raises RecoveryError: ``evacuations_in_progress`` while one from this host is."""
    running = [r for r in evacuations_from(host, records) if in_progress(r)]
    if running:
        raise RecoveryError(
            "evacuations_in_progress",
            f"{len(running)} evacuations from '{host}' are in progress: its nova-compute"
            " would destroy instances that have not moved yet. Nothing was done; wait for them"
            " (evacuation_record_info with wait_for).",
            retriable=True,
            details={"host": host, "records": _shown(running)},
        )


def require_none_done(host: str, records: Iterable[MigrationRecord]) -> None:
    """:raises RecoveryError: ``evacuation_records_done`` while one waits for its nova-compute."""
    done = [record for record in evacuations_from(host, records) if record.status == "done"]
    if done:
        raise RecoveryError(
            "evacuation_records_done",
            f"{len(done)} evacuation records of '{host}' are 'done' but not 'completed':"
            " restart nova-compute on that host, so that it removes what was evacuated. Nothing was"
            " done. See evacuation_record_info for the records.",
            retriable=True,
            details={"host": host, "records": _shown(done)},
        )


def _shown(records: Iterable[MigrationRecord]) -> list[dict[str, Any]]:
    return [
        {"id": record.id, "instance": record.instance_id, "status": record.status}
        for record in sorted(records, key=lambda record: record.id)
    ]
