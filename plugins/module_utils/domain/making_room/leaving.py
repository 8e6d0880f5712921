# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for instances that leave their hosts without this run's doing, and knows when to give one up."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from ..clock import Clock
from ..errors import ApiUnavailable, RecoveryError
from ..nova import Instance
from ..operation.settings import OperationSettings
from .candidates import LEAVING, OFFLOADED, SOFT_DELETED, Excluded
from .cloud import PreemptionCloud
from .turn import Turn

_LOOK_SECONDS = 2.0
# So it ends, though Placement may still count it for a moment.
_LEFT = frozenset({"deleted", OFFLOADED})


class Departures:
    """Those that are waited for.

    :param excluded: takes those that are given up, with the reason.
    """

    def __init__(
        self,
        cloud: PreemptionCloud,
        settings: OperationSettings,
        clock: Clock,
        turn: Turn,
        excluded: Excluded,
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._turn = turn
        self._excluded = excluded
        self._longest = settings.instance_timeout
        self._deadline = clock.monotonic() + settings.timeout
        self._since: dict[str, float] = {}

    @property
    def given_up(self) -> dict[str, str]:
        """Why, by the id of the instance."""
        reasons = self._excluded.instances
        return {one: reasons[one] for one in self._since if one in reasons}

    def wait(self, leaving: Collection[str]) -> RecoveryError | None:
        """Until one of them holds nothing any more, or is given up: then a new plan is due.

        :raises RecoveryError: when it cannot be seen, other than for a moment.
        """
        for one in leaving:
            self._since.setdefault(one, self._clock.monotonic())
        while self._turn.goes_on():
            self._clock.sleep(_LOOK_SECONDS)
            with suppress(ApiUnavailable):
                if self._has_ended(leaving):
                    return None
            if self._clock.monotonic() >= self._deadline:
                return still_leaving(dict.fromkeys(leaving, "the time was over"))
        return self._turn.why_ended()

    def _has_ended(self, leaving: Collection[str]) -> bool:
        seen = {instance.id: instance for instance in self._cloud.instances_named(leaving)}
        has_ended = False
        for one in leaving:
            instance = seen.get(one)
            if not self._cloud.allocation_hosts(one):
                has_ended = True
            elif instance is not None and _is_kept_deleted(instance):
                # It may be removed for good.
                has_ended = True
            elif (why := self._why_given_up(one, instance)) is not None:
                self._excluded.instances[one] = why
                has_ended = True
        return has_ended

    def _why_given_up(self, instance_id: str, instance: Instance | None) -> str | None:
        waited = self._clock.monotonic() - self._since[instance_id]
        if waited > self._longest:
            return f"it was leaving its host for {waited:.0f} s, and still holds its room"
        if instance is None or instance.task_state in LEAVING or instance.vm_state in _LEFT:
            return None
        return f"it was leaving its host, and is {instance.vm_state} there now"


def _is_kept_deleted(instance: Instance) -> bool:
    return instance.vm_state == SOFT_DELETED and instance.task_state is None


def still_leaving(reasons: dict[str, str]) -> RecoveryError:
    """:param reasons: by the id of the instance."""
    told = "; ".join(f"{one}: {reason}" for one, reason in sorted(reasons.items()))
    return RecoveryError(
        "still_leaving",
        f"{len(reasons)} instances are being deleted or offloaded, and still hold the room that is"
        f" needed. {told}. Look at them, then run again.",
        retriable=True,
        details={"instances": sorted(reasons)},
    )
