# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observes the cloud and makes the plan of an evacuation; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..attached import ports_by_instance
from ..cloud import EvacuationCloud
from ..errors import RecoveryError
from ..heartbeat import is_silent
from ..nova import COMPUTE, ComputeService, Instance, MigrationRecord, Port
from ..policy.decision import Decision, decide
from ..records import EVACUATION, in_progress, is_evacuation, newest_by_instance
from ..service_change import WantedService, find_service, plan_service_change
from .foresight import foresee
from .order import evacuation_order, one_at_a_time_groups
from .plan import (
    Plan,
    PlannedMove,
    PlannedServiceChange,
    Request,
    SkippedInstance,
)
from .power import intended_power
from .selection import (
    Skip,
    data_lost,
    groups_by_member,
    left_by_policy,
    pick_named,
    require_no_data_loss,
    why_skip,
    would_lose_data,
)
from .verification import Baseline


def build_plan(cloud: EvacuationCloud, request: Request) -> Plan:
    """Observe the cloud and decide; nothing is changed.

    :raises RecoveryError: when the request cannot be carried out as a whole: unknown host or
        instance, a source that is up, data that would be lost unasked.
    """
    services = cloud.compute_services()
    if request.host is not None:
        find_service(services, request.host, COMPUTE)
    found = _Observed(cloud, request, services)
    for source in found.sources:
        if found.has_work(source) and not request.rehearsal:
            require_down(find_service(services, source, COMPUTE))
    plan = found.plan()
    if not request.rehearsal:
        for planned in plan.service_changes:
            # To disable a host that is up is as wrong as to evacuate it, also when it is empty.
            if planned.service.host in plan.sources:
                require_down(planned.service)
    return plan


def require_down(service: ComputeService) -> None:
    """:raises RecoveryError: ``host_is_up``."""
    if service.state == "down":
        return
    raise RecoveryError(
        "host_is_up",
        f"nova-compute on '{service.host}' is {service.state} and {service.status}"
        f" (forced_down {str(service.forced_down).lower()}): nothing was submitted. Nova evacuates"
        " only from a host that is down. If it has failed, confirm that and set forced_down first"
        " (module compute_service).",
        details={
            "host": service.host,
            "state": service.state,
            "status": service.status,
            "forced_down": service.forced_down,
        },
    )


@dataclass
class _Observed:
    """What was seen of the sources, and the decisions from it."""

    cloud: EvacuationCloud
    request: Request
    services: Sequence[ComputeService]
    sources: tuple[str, ...] = ()
    present: dict[str, Instance] = field(default_factory=dict)
    records: dict[str, list[MigrationRecord]] = field(default_factory=dict)
    # Hosts that have not returned since an instance was evacuated from them, by instance.
    left_hosts: dict[str, set[str]] = field(default_factory=dict)
    # Instances that an earlier evacuation from these sources has moved or is moving.
    tracked: dict[str, tuple[Instance, MigrationRecord]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        host, names = self.request.host, self.request.instances or ()
        named = pick_named(names, self.cloud.instances_named(names)) if names else {}
        by_id = {instance.id: instance for instance in named.values()}
        if host is not None:
            self.sources = (host,)
            on_host = self.cloud.instances_on(host)
            self.present = {i.id: i for i in on_host if not names or i.id in by_id}
        else:
            self._find_sources(by_id)
        for source in self.sources:
            # Moves to this host count too: one that has not ended must not be cut short.
            for record in self.cloud.migrations(host=source):
                if not names or record.instance_id in by_id:
                    self.records.setdefault(record.instance_id, []).append(record)
        self._track_earlier()
        if host is not None:
            self._require_named_here(host, named)

    def _find_sources(self, named: dict[str, Instance]) -> None:
        """The hosts of the named instances, or where those were that have been evacuated."""
        evacuations = newest_by_instance(self.cloud.migrations(migration_type=EVACUATION))
        up = {s.host for s in self.services if s.binary == COMPUTE and s.state == "up"}
        sources = set()
        for instance in named.values():
            record = evacuations.get(instance.id)
            moved = record is not None and _moved_by(record, instance)
            if record and record.source_compute and moved and instance.host in up:
                sources.add(record.source_compute)
            elif instance.host:
                self.present[instance.id] = instance
                sources.add(instance.host)
            else:
                raise RecoveryError(
                    "instance_without_host",
                    f"instance '{instance.name}' ({instance.id}) has no host: it never booted or"
                    " is shelved, and there is nothing to evacuate. Nothing was done.",
                    details={"id": instance.id, "vm_state": instance.vm_state},
                )
        self.sources = tuple(sorted(sources))

    def _track_earlier(self) -> None:
        flat = [record for records in self.records.values() for record in records]
        newest = newest_by_instance(
            record
            for record in flat
            if is_evacuation(record) and record.source_compute in self.sources
        )
        # A record is completed once its source has returned: that evacuation is history.
        earlier = {i: r for i, r in newest.items() if in_progress(r) or r.status == "done"}
        elsewhere = {r.dest_compute for i, r in earlier.items() if i not in self.present}
        known = dict(self.present)
        for destination in sorted(host for host in elsewhere if host):
            known |= {i.id: i for i in self.cloud.instances_on(destination)}
        for instance_id, record in earlier.items():
            instance = known.get(instance_id)
            if instance is None:
                continue  # deleted since, or moved on: no longer a matter of this host
            if in_progress(record) or _moved_by(record, instance):
                self.tracked[instance_id] = (instance, record)

    def _require_named_here(self, host: str, named: dict[str, Instance]) -> None:
        elsewhere = {
            name: instance.host
            for name, instance in named.items()
            if instance.id not in self.present and instance.id not in self.tracked
        }
        if elsewhere:
            listed = ", ".join(f"{name} on {where}" for name, where in sorted(elsewhere.items()))
            raise RecoveryError(
                "instance_not_on_host",
                f"these instances are not on '{host}': {listed}; nothing was done. Leave out"
                " 'host' to evacuate instances from wherever they are.",
                details={"host": host, "instances": elsewhere},
            )

    def has_work(self, source: str) -> bool:
        return any(i.host == source for i in self.present.values()) or any(
            record.source_compute == source and in_progress(record)
            for _instance, record in self.tracked.values()
        )

    def _note_left_hosts(self) -> None:
        for record in self.cloud.migrations(migration_type=EVACUATION, status="done"):
            if record.source_compute:
                self.left_hosts.setdefault(record.instance_id, set()).add(record.source_compute)

    def plan(self) -> Plan:
        candidates = [i for i in self.present.values() if i.id not in self.tracked]
        involved = [*candidates, *(instance for instance, _record in self.tracked.values())]
        if involved:
            self._note_left_hosts()
        ports = ports_by_instance(self.cloud.ports_of([i.id for i in involved]) if involved else [])
        groups = groups_by_member(self.cloud.server_groups() if involved else ())
        policy = self.request.policy
        # Rules match on the host that an instance leaves, also once it has left it.
        left = (replace(i, host=record.source_compute) for i, record in self.tracked.values())
        facts = self.cloud.policy_facts(policy, [*candidates, *left], reshapes=True)
        decisions = {i.id: decide(policy, facts.subjects[i.id]) for i in involved}
        moves: list[PlannedMove] = []
        skipped: list[SkippedInstance] = []

        def reason(instance: Instance) -> Skip | None:
            return why_skip(
                instance,
                records=self.records.get(instance.id, ()),
                groups=groups.get(instance.id, ()),
                ports=ports.get(instance.id, ()),
                storage=self.request.storage,
            ) or left_by_policy(decisions[instance.id])

        for instance in evacuation_order(candidates, policy, decisions):
            skip, decision = reason(instance), decisions[instance.id]
            if skip is not None:
                skipped.append(SkippedInstance(instance=instance, skip=skip, decision=decision))
                continue
            moves.append(
                PlannedMove(
                    instance=instance,
                    baseline=self._baseline(instance, None, ports.get(instance.id, []), decision),
                    decision=decision,
                    exclusive_groups=one_at_a_time_groups(instance.id, groups),
                    loses=data_lost(instance, self.request.storage),
                    ended_record_ids=self._ended(instance),
                )
            )
        require_no_data_loss((move.instance for move in moves), self.request.storage)
        if moves:
            # Needed for the verification only, but a right that is missing must show up now.
            self.cloud.allocation_hosts(moves[0].instance.id)
        tracked = [
            PlannedMove(
                instance=instance,
                baseline=self._baseline(
                    instance, record, ports.get(instance.id, []), decisions[instance.id]
                ),
                decision=decisions[instance.id],
                exclusive_groups=one_at_a_time_groups(instance.id, groups),
                record=record,
                keep_away=reason(instance) or would_lose_data(instance, self.request.storage),
                ended_record_ids=self._ended(instance) - {record.id},
            )
            for instance, record in sorted(
                self.tracked.values(), key=lambda pair: (pair[0].name, pair[0].id)
            )
        ]
        plan = Plan(
            sources=self.sources,
            silent_sources=frozenset(
                service.host
                for service in self.services
                if service.binary == COMPUTE
                and service.host in self.sources
                and is_silent(service, self.services)
            ),
            service_changes=tuple(self._service_changes()),
            moves=(*tracked, *moves),
            skipped=tuple(skipped),
            policy=policy,
            notes=(
                *facts.notes,
                *(f"{i.name} ({i.id}): {note}" for i in involved for note in decisions[i.id].notes),
            ),
        )
        return foresee(self.cloud.capacity(), plan, self.services, groups, ports)

    def _service_changes(self) -> Iterator[PlannedServiceChange]:
        reason = self.request.disabled_reason
        if reason is None:
            return
        for source in self.sources:
            service = find_service(self.services, source, COMPUTE)
            wanted = WantedService(
                forced_down=True,
                status="disabled",
                # Whoever has disabled it before keeps the word.
                disabled_reason=reason if service.status == "enabled" else None,
            )
            for change in plan_service_change(service, wanted):
                yield PlannedServiceChange(service, change)

    def _ended(self, instance: Instance) -> frozenset[int]:
        records = self.records.get(instance.id, ())
        return frozenset(record.id for record in records if not in_progress(record))

    def _baseline(
        self,
        instance: Instance,
        record: MigrationRecord | None,
        ports: list[Port],
        decision: Decision,
    ) -> Baseline:
        return Baseline(
            source=(record.source_compute if record else instance.host) or "",
            power=intended_power(self.cloud, instance, record, leave_off=decision.leave_off),
            volume_ids=instance.volume_ids,
            port_ids=frozenset(port.id for port in ports),
            left_hosts=frozenset(self.left_hosts.get(instance.id, ())),
        )


def _moved_by(record: MigrationRecord, instance: Instance) -> bool:
    """True when this evacuation has brought the instance to where it is now."""
    return record.status == "done" and instance.host == record.dest_compute
