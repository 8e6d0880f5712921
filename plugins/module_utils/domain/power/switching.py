# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a machine on or off. What counts is what is observed, never that a command was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..clock import Clock
from ..errors import RecoveryError
from .bmc import UNKNOWN, Bmc, Identity, Power
from .machine import Machine

# How often in a row a state must be seen: one look may catch a BMC that has just restarted.
_LOOKS = 2


@dataclass(frozen=True, slots=True)
class PowerResult:
    """``changed``: whether the command was sent, in check mode whether it would be."""

    machine: Machine
    identity: Identity
    before: Power
    now: Power
    changed: bool

    def as_dict(self) -> dict[str, Any]:
        """The ``power`` that the module returns."""
        return {
            "observed": self.now.state,
            "reported": self.now.reported,
            "before": self.before.state,
            "observed_at": self.now.observed_at.isoformat(timespec="seconds"),
            "source": self.machine.protocol,
            "machine": {"address": self.machine.shown_address, **self.identity.as_dict()},
        }


class PowerSwitch:
    """One machine, and how long to wait for it.

    :param timeout: seconds until the wanted state must have been observed.
    :param poll_interval: seconds between two looks.
    """

    def __init__(
        self, bmc: Bmc, machine: Machine, clock: Clock, *, timeout: float, poll_interval: float
    ) -> None:
        self._bmc = bmc
        self._machine = machine
        self._clock = clock
        self._timeout = timeout
        self._poll_interval = poll_interval
        self._sent = False

    def look(self, wanted: str | None = None) -> PowerResult:
        """Look once and send nothing.

        :param wanted: ON or OFF, to tell whether bring_to() would change something.
        :raises RecoveryError: ``wrong_machine`` and those of the BMC.
        """
        identity = self._require_identity()
        seen = self._bmc.power()
        changed = wanted is not None and seen.state != wanted
        return PowerResult(self._machine, identity, seen, seen, changed)

    def bring_to(self, wanted: str) -> PowerResult:
        """Send the command unless it is not needed, and wait until the state was seen twice.

        :param wanted: ON or OFF.
        :raises RecoveryError: ``wrong_machine``, ``power_state_not_reached`` and those of the BMC;
            its ``changed`` tells whether the command had been sent.
        """
        try:
            return self._bring_to(wanted)
        except RecoveryError as error:
            error.changed = self._sent
            raise

    def _bring_to(self, wanted: str) -> PowerResult:
        identity = self._require_identity()
        before = now = self._bmc.power()
        deadline = self._clock.monotonic() + self._timeout
        seen = 0
        failed: RecoveryError | None = None
        while True:
            if failed is None and now.state == wanted:
                seen += 1
                if seen == _LOOKS:
                    return PowerResult(self._machine, identity, before, now, self._sent)
            else:
                seen = 0
                if failed is None and not self._sent:
                    self._send(wanted)
            if self._clock.monotonic() >= deadline:
                raise failed or self._not_reached(wanted, now)
            self._clock.sleep(self._poll_interval)
            try:
                now, failed = self._bmc.power(), None
            except RecoveryError as error:
                # A BMC may be silent for a while when the power goes.
                if not error.retriable:
                    raise
                failed = error

    def _send(self, wanted: str) -> None:
        self._sent = True
        try:
            self._bmc.switch(wanted)
        except RecoveryError as error:
            # Not answered: it may have been taken all the same.
            if error.retriable:
                return
            # Refused, perhaps because it is on its way there.
            if error.code == "bmc_refused" and self._bmc.power().state in (wanted, UNKNOWN):
                return
            self._sent = False
            raise

    def _require_identity(self) -> Identity:
        """Before any command: is this the machine that the map means?"""
        identity = self._bmc.identity()
        wanted = self._machine
        if wanted.serial_number and wanted.serial_number not in identity.serial_numbers:
            found = ", ".join(identity.serial_numbers) or "none"
            raise self._wrong("serial number", wanted.serial_number, found)
        if wanted.host_name and wanted.host_name != identity.host_name:
            raise self._wrong("host name", wanted.host_name, identity.host_name or "none")
        return identity

    def _wrong(self, what: str, expected: str, found: str) -> RecoveryError:
        machine = self._machine
        return RecoveryError(
            "wrong_machine",
            f"the BMC {machine.shown_address} is not that of {machine.host}: its {what} is"
            f" '{found}', machines says '{expected}'. Nothing was sent; correct the map",
            details={"host": machine.host, "expected": expected, "found": found},
        )

    def _not_reached(self, wanted: str, now: Power) -> RecoveryError:
        machine = self._machine
        return RecoveryError(
            "power_state_not_reached",
            f"{machine.host} is not {wanted}: its BMC {machine.shown_address} still says"
            f" '{now.reported}' after {self._timeout:g} s. Look at the machine",
            details={"host": machine.host, "wanted": wanted, "reported": now.reported},
        )
