# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for: which instances to which hosts, and how they may be brought there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from ..evacuation.selection import Skip
from ..nova import PAUSED, RUNNING, Instance

# Steps of a migration; the first two are also how it is brought there.
LIVE_MIGRATE = "live_migrate"
COLD_MIGRATE = "cold_migrate"
CONFIRM = "confirm"

AUTO, LIVE_ONLY, COLD_ONLY = "auto", "live", "cold"
METHODS = (AUTO, LIVE_ONLY, COLD_ONLY)

# Nova's own preconditions (nova.compute.api.API.live_migrate and resize).
_LIVE_STATES = frozenset({"active", "paused"})
_COLD_STATES = frozenset({"active", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """``expected`` is the host where it must be now to be moved; None means: wherever it is.

    ``name`` is for messages only, should Nova have the instance no more.
    """

    instance_id: str
    host: str
    expected: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``method`` is auto (live what runs, cold what is stopped), live or cold.

    ``include_locked``: also those that somebody has locked.
    """

    wishes: tuple[Wish, ...]
    method: str = AUTO
    include_locked: bool = False


def parse_moves(moves: Iterable[Mapping[str, Any]]) -> tuple[Wish, ...]:
    """:raises RecoveryError: ``invalid_options`` when an instance is named twice."""
    wishes: dict[str, Wish] = {}
    for move in moves:
        wish = Wish(
            instance_id=move["id"],
            host=move["host"],
            expected=move.get("from") or None,
            name=move.get("name") or None,
        )
        known = wishes.setdefault(wish.instance_id, wish)
        if known is not wish:
            raise RecoveryError(
                "invalid_options",
                f"instance {wish.instance_id} is in 'moves' twice, to '{known.host}' and"
                f" '{wish.host}'; nothing was done",
                details={"id": wish.instance_id, "hosts": [known.host, wish.host]},
            )
    return tuple(wishes.values())


def way_of(instance: Instance, method: str) -> str | Skip:
    """LIVE_MIGRATE or COLD_MIGRATE, or why it can be brought in neither way."""
    state = instance.vm_state
    live = method == LIVE_ONLY or (method == AUTO and state in _LIVE_STATES)
    allowed = _LIVE_STATES if live else _COLD_STATES
    if state not in allowed:
        how = {AUTO: "moves", LIVE_ONLY: "live-migrates", COLD_ONLY: "cold-migrates"}[method]
        states = sorted(_LIVE_STATES | _COLD_STATES if method == AUTO else allowed)
        return Skip(
            "vm_state_not_migratable",
            f"Nova {how} no instance whose vm_state is {state}, only {', '.join(states)}",
        )
    if live and instance.power_state not in (RUNNING, PAUSED):
        return Skip(
            "not_running",
            f"it is {state} for Nova and its guest does not run (power state"
            f" {instance.power_state}), so there is nothing to live-migrate: start or stop it first",
        )
    return LIVE_MIGRATE if live else COLD_MIGRATE
