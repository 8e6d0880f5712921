# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is needed of a BMC, over whichever protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..errors import RecoveryError
from .machine import Machine

ON = "on"
OFF = "off"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Power:
    """One look at the power.

    :param state: ON, OFF, or UNKNOWN for all between and beyond.
    :param reported: the BMC's own word.
    :param observed_at: when, with a time zone.
    """

    state: str
    reported: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """What a BMC says of its machine.

    :param serial_numbers: all that it has, of the product, the chassis and the board.
    """

    system: str | None = None
    serial_numbers: tuple[str, ...] = ()
    host_name: str | None = None
    manufacturer: str | None = None
    model: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "serial_number": self.serial_numbers[0] if self.serial_numbers else None,
            "host_name": self.host_name,
            "manufacturer": self.manufacturer,
            "model": self.model,
        }


def bmc_error(
    machine: Machine, code: str, what: str, *, retriable: bool = False, **details: Any
) -> RecoveryError:
    """An error of this machine's BMC.

    :param what: the rest of a sentence that begins with the BMC: "did not answer".
    """
    return RecoveryError(
        code,
        f"the BMC {machine.shown_address} of {machine.host} {what}",
        retriable=retriable,
        details={"host": machine.host, "address": machine.shown_address, **details},
    )


class Bmc(Protocol):
    """One machine's BMC. Each call ends within its time-out, and is never repeated by itself.

    All raise RecoveryError: ``bmc_unreachable``, ``bmc_auth_failed``, ``bmc_refused``,
    ``tls_error`` or ``system_not_found``.
    """

    def identity(self) -> Identity:
        """Which machine it is."""

    def power(self) -> Power:
        """Whether it is on, as the BMC says now."""

    def switch(self, state: str) -> None:
        """Send the command for ON, or for OFF without a shutdown. That it was taken means nothing.

        :raises MutationRefused: in check mode.
        """
