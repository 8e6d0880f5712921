# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan can expect: which of its moves will find room, and which reserved hosts it takes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..capacity.cloud import Aggregate, Capacity
from ..capacity.forecast import Prediction, Waiting, look
from ..capacity.spares import fewest, reserved_hosts
from ..errors import RecoveryError
from ..nova import COMPUTE, ComputeService, Port, ServerGroup
from ..policy.policy import FAIL
from ..service_change import WantedService, find_service, plan_service_change
from .plan import Plan, PlannedMove, PlannedServiceChange


def foresee(
    capacity: Capacity,
    plan: Plan,
    services: Sequence[ComputeService],
    groups: Mapping[str, Sequence[ServerGroup]],
    ports: Mapping[str, Sequence[Port]],
) -> Plan:
    """The plan with a prediction for each move that is still to be submitted.

    :param groups: server groups by the id of each member.
    :param ports: of the instances, by instance id.
    :raises RecoveryError: ``insufficient_capacity`` or ``capacity_unknown``, when the policy has
        on_shortage fail.
    """
    submitted = [move for move in plan.moves if move.record is None]
    if not submitted:
        return plan
    # What an earlier run has submitted takes its room first, if Nova has not placed it yet.
    under_way = [m for m in plan.moves if m.record is not None and m.record.dest_compute is None]
    order = [_waiting(move, ports) for move in (*under_way, *submitted)]
    computes = [service for service in services if service.binary == COMPUTE]
    try:
        scene = look(capacity, computes, groups, order)
    except RecoveryError as error:
        return _unforeseen(plan, error)
    predict = functools.cache(functools.partial(scene.predict, order))
    reserved, notes = _reserved(plan, scene.aggregates, computes)
    enabled = fewest(reserved, predict)
    predictions = predict(enabled)
    if plan.policy.capacity.on_shortage == FAIL:
        _require_room(submitted, predictions)
    return replace(
        plan,
        moves=tuple(
            replace(move, prediction=predictions[move.instance.id]) if move in submitted else move
            for move in plan.moves
        ),
        service_changes=(*plan.service_changes, *_enable(enabled, computes)),
        notes=(*plan.notes, *notes),
    )


def _waiting(move: PlannedMove, ports: Mapping[str, Sequence[Port]]) -> Waiting:
    of_instance = ports.get(move.instance.id, ())
    return Waiting(
        instance=move.instance,
        leaves=move.baseline.source,
        asks_more=any(port.asks_placement for port in of_instance),
    )


def _unforeseen(plan: Plan, error: RecoveryError) -> Plan:
    if plan.policy.capacity.on_shortage == FAIL:
        raise RecoveryError(
            "capacity_unknown",
            f"{error.message}. So it cannot be told whether all instances find room, which the"
            " policy's on_shortage fail asks for; nothing was done. Choose by_priority to evacuate"
            " without.",
            retriable=error.retriable,
            details=error.details,
            request_id=error.request_id,
        ) from error
    return replace(plan, notes=(*plan.notes, f"nothing was predicted: {error.message}"))


def _reserved(
    plan: Plan, aggregates: Sequence[Aggregate], services: Sequence[ComputeService]
) -> tuple[list[str], list[str]]:
    """Hosts that may be enabled, and what is to be told of them."""
    name = plan.policy.capacity.reserved_aggregate
    if name is None:
        return [], []
    found = [aggregate for aggregate in aggregates if aggregate.name == name]
    if not found:
        return [], [f"there is no aggregate {name}, from which reserved hosts are taken"]
    return reserved_hosts(found[0], services, plan.sources), []


def _enable(hosts: Sequence[str], services: Sequence[ComputeService]) -> list[PlannedServiceChange]:
    found = [find_service(services, host, COMPUTE) for host in hosts]
    return [
        PlannedServiceChange(service, change)
        for service in found
        for change in plan_service_change(service, WantedService(status="enabled"))
    ]


def _require_room(moves: Sequence[PlannedMove], predictions: Mapping[str, Prediction]) -> None:
    """:raises RecoveryError: ``insufficient_capacity``."""
    short = [move.instance for move in moves if predictions[move.instance.id].fits is False]
    if not short:
        return
    raise RecoveryError(
        "insufficient_capacity",
        f"{len(short)} of {len(moves)} instances would find no room; nothing was done, as the"
        " policy's on_shortage is fail. Make room, enable hosts, or choose by_priority to evacuate"
        " those that fit.",
        retriable=True,
        details={
            "instances": [
                {"id": i.id, "name": i.name, "reason": predictions[i.id].reason} for i in short
            ]
        },
    )
