# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the instances and their hosts, and makes the plan; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..attached import ports_by_instance
from ..errors import RecoveryError
from ..evacuation.selection import Skip
from ..nova import COMPUTE, SHUTDOWN, ComputeService, Instance, MigrationRecord, Port
from ..service_change import find_service, require_none_done, require_none_in_progress
from .cloud import MigrationCloud
from .plan import ADOPT, VERIFY, Baseline, Plan, PlannedMigration, SkippedMigration, in_order
from .request import CONFIRM, Request, Wish, way_of
from .stage import RESIZED, Moving, Occupied, ToConfirm, stage_of


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with an instance, and which host it leaves by that."""

    action: str
    source: str


def build_plan(cloud: MigrationCloud, request: Request) -> Plan:
    """Decide on each instance.

    :raises RecoveryError: when a host that something is to be brought to cannot take it.
    """
    services = cloud.compute_services()
    moves: list[PlannedMigration] = []
    skipped: list[SkippedMigration] = []
    instances = _instances(cloud, request.wishes)
    hosts = _hosts(request.wishes) | {i.host for i in instances.values() if i.host}
    by_host = {host: cloud.migrations(host=host) for host in sorted(hosts)}
    records = _by_instance(by_host.values())
    ports = ports_by_instance(cloud.ports_of(instances))
    for wish in request.wishes:
        instance = instances.get(wish.instance_id)
        if instance is None:
            gone = Skip("deleted", "Nova has no such instance any more")
            skipped.append(SkippedMigration(wish=wish, instance=None, skip=gone))
            continue
        decided = decide(instance, records.get(instance.id, []), wish, request, services)
        if isinstance(decided, Skip):
            skipped.append(SkippedMigration(wish=wish, instance=instance, skip=decided))
        else:
            moves.append(
                PlannedMigration(
                    instance=instance,
                    source=decided.source,
                    host=wish.host,
                    action=decided.action,
                    baseline=_baseline(instance, ports.get(instance.id, [])),
                )
            )
    require_ready(services, {move.host: by_host[move.host] for move in moves if move.is_to_begin})
    if moves:
        # Needed for the verification only, but a right that is missing must show up now.
        cloud.allocation_hosts(moves[0].instance.id)
    return Plan(moves=in_order(moves), skipped=tuple(skipped))


def _instances(cloud: MigrationCloud, wishes: Iterable[Wish]) -> dict[str, Instance]:
    """Those that exist, by id: listed by host, and one by one only where they are not expected."""
    wanted = {wish.instance_id for wish in wishes}
    found: dict[str, Instance] = {}
    for host in sorted(_hosts(wishes)):
        found |= {i.id: i for i in cloud.instances_on(host) if i.id in wanted}
    elsewhere = cloud.instances_named(sorted(wanted - set(found)))
    return found | {i.id: i for i in elsewhere if i.id in wanted}


def _hosts(wishes: Iterable[Wish]) -> set[str]:
    return {host for wish in wishes for host in (wish.host, wish.expected) if host}


def _by_instance(of_hosts: Iterable[list[MigrationRecord]]) -> dict[str, list[MigrationRecord]]:
    """Each record once. One that is in progress names the host where its instance is."""
    found: dict[str, dict[int, MigrationRecord]] = {}
    for records in of_hosts:
        for record in records:
            found.setdefault(record.instance_id, {})[record.id] = record
    return {instance_id: list(records.values()) for instance_id, records in found.items()}


def decide(
    instance: Instance,
    records: Sequence[MigrationRecord],
    wish: Wish,
    request: Request,
    services: Iterable[ComputeService],
) -> Decision | Skip:
    """What is to be done with it, or why it is left alone.

    :param records: of this instance, of every kind and age.
    """
    if instance.is_being_deleted:
        return Skip("being_deleted", "it is deleted or being deleted")
    stage = stage_of(instance, records, wish.host)
    if isinstance(stage, Moving):
        return Decision(ADOPT, stage.source)
    if isinstance(stage, ToConfirm):
        return Decision(CONFIRM, stage.source)
    if instance.host == wish.host and not isinstance(stage, Occupied):
        return Decision(VERIFY, wish.host)
    if wish.expected is not None and instance.host != wish.expected:
        return Skip(
            "moved_elsewhere",
            f"it is on {instance.host or 'no host'}, not on {wish.expected}: somebody has moved it"
            " since",
        )
    if isinstance(stage, Occupied):
        return Skip(stage.code, stage.reason)
    if instance.locked and not request.include_locked:
        return Skip("locked", "somebody has locked it: unlock it, or include locked ones")
    way = way_of(instance, request.method)
    if isinstance(way, Skip):
        return way
    source = instance.host or ""
    if not any(s.host == source and s.binary == COMPUTE and s.state == "up" for s in services):
        return Skip("source_is_down", f"{source} is down, and Nova moves nothing from there")
    return Decision(way, source)


def why_not_ready(service: ComputeService) -> RecoveryError | None:
    """Why the scheduler would place nothing on this host."""
    details = {"host": service.host, "state": service.state, "status": service.status}
    if service.state != "up":
        return RecoveryError(
            "host_is_down",
            f"nova-compute on '{service.host}' is {service.state}"
            f" (forced_down {str(service.forced_down).lower()})",
            retriable=True,
            details=details,
        )
    if service.status != "enabled":
        return RecoveryError(
            "host_is_disabled",
            f"nova-compute on '{service.host}' is disabled"
            f" ({service.disabled_reason or 'without a reason'})",
            retriable=True,
            details=details,
        )
    return None


def require_ready(
    services: Sequence[ComputeService], records: Mapping[str, list[MigrationRecord]]
) -> None:
    """Refuse as a whole, before anything is changed, when a host cannot take what is to come.

    A host with evacuation records that are not completed would end, at the next start of its
    nova-compute, the guest of an instance that has come back.

    :param records: by each host that must be ready, all that name it.
    :raises RecoveryError: with the code of the first host; the details have all.
    """
    wrong: dict[str, RecoveryError] = {}
    for host, of_host in sorted(records.items()):
        try:
            unready = why_not_ready(find_service(services, host, COMPUTE))
            if unready is not None:
                raise unready
            require_none_in_progress(host, of_host)
            require_none_done(host, of_host)
        except RecoveryError as error:
            if error.code not in _OF_A_HOST:
                raise
            wrong[host] = error
    if not wrong:
        return
    first = next(iter(wrong.values()))
    raise RecoveryError(
        first.code,
        "; ".join(error.message.rstrip(".") for error in wrong.values())
        + ". Nothing was moved: the playbook host_return brings a host back first.",
        retriable=all(error.retriable for error in wrong.values()),
        details={"hosts": {host: {"code": e.code, **e.details} for host, e in wrong.items()}},
    )


_OF_A_HOST = frozenset(
    {
        "host_is_down",
        "host_is_disabled",
        "host_not_found",
        "host_ambiguous",
        "evacuations_in_progress",
        "evacuation_records_done",
    }
)


def _baseline(instance: Instance, ports: Iterable[Port]) -> Baseline:
    state = instance.vm_state
    if state == RESIZED:
        # What it was before a cold migration shows in whether its guest was started.
        state = "stopped" if instance.power_state == SHUTDOWN else "active"
    return Baseline(
        vm_state=state,
        volume_ids=instance.volume_ids,
        port_ids=frozenset(port.id for port in ports),
    )
