# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's BMC over IPMI 2.0, with the ipmitool command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime

from ..domain.errors import MutationRefused, RecoveryError
from ..domain.power.bmc import UNKNOWN, Identity, Power, bmc_error
from ..domain.power.machine import Machine

_POWER = re.compile(r"^Chassis Power is (\w+)\s*$", re.MULTILINE)
_SERIAL = re.compile(r"^ *(Product|Chassis|Board) Serial +: *(\S.*?) *$", re.MULTILINE)
_MAKER = re.compile(r"^ *Product Manufacturer +: *(\S.*?) *$", re.MULTILINE)
_MODEL = re.compile(r"^ *Product Name +: *(\S.*?) *$", re.MULTILINE)
# It answered, and did not let us in. One that knows no such user may be silent from RAKP 1 on.
_REFUSED_LOGIN = re.compile(
    r"RAKP|unauthorized name|insufficient privilege|Set Session Privilege Level to \w+ failed:",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    r"Get Auth Capabilities error|Could not open socket|Address lookup .* failed", re.IGNORECASE
)
# One request and two repetitions, as UDP may lose any.
_REPETITIONS = 2


class IpmiBmc:
    """Each call is a process, which is killed when its time is over.

    :param timeout: seconds for each call.
    """

    def __init__(self, machine: Machine, *, timeout: float, read_only: bool) -> None:
        self._machine = machine
        self._timeout = timeout
        self._read_only = read_only

    def identity(self) -> Identity:
        """Its inventory takes some BMCs long, so it is read only where there is something to compare."""
        if self._machine.serial_number is None:
            return Identity()
        text = self._call("fru", "print", "0")
        maker, model = _MAKER.search(text), _MODEL.search(text)
        # Product first: that is what stands on the machine.
        found = dict(reversed(_SERIAL.findall(text)))
        kinds = [kind for kind in ("Product", "Chassis", "Board") if kind in found]
        return Identity(
            serial_numbers=tuple(found[kind] for kind in kinds),
            manufacturer=maker[1] if maker else None,
            model=model[1] if model else None,
        )

    def power(self) -> Power:
        text = self._call("chassis", "power", "status")
        match = _POWER.search(text)
        if match is None:
            raise bmc_error(
                self._machine, "bmc_refused", f"does not tell its power state: {_end_of(text)}"
            )
        state = match[1] if match[1] in ("on", "off") else UNKNOWN
        return Power(state, match[1], datetime.now(UTC))

    def switch(self, state: str) -> None:
        if self._read_only:
            raise MutationRefused(f"chassis power {state}")
        self._call("chassis", "power", state)

    def _call(self, *words: str) -> str:
        """What ipmitool says on its standard output.

        The password goes by the environment: arguments can be read by all users of the machine.
        """
        program = shutil.which("ipmitool")
        if program is None:
            raise RecoveryError(
                "ipmitool_missing", "the ipmitool command is not installed where this runs"
            )
        machine = self._machine
        wait = max(1, int(self._timeout / (_REPETITIONS + 2)))
        command = [program, "-v", "-I", "lanplus", "-H", machine.address, "-p", str(machine.port)]
        command += ["-U", machine.username, "-E", "-N", str(wait), "-R", str(_REPETITIONS), *words]
        # It would take the first of these, which may be somebody else's.
        environment = {k: v for k, v in os.environ.items() if k != "IPMITOOL_PASSWORD"}
        environment |= {"IPMI_PASSWORD": machine.password, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = b"".join(
                part for part in (error.stdout, error.stderr) if isinstance(part, bytes)
            )
            raise self._failed(said.decode(errors="replace"), ended=False) from error
        if done.returncode != 0:
            raise self._failed(f"{done.stdout}\n{done.stderr}", ended=True)
        return done.stdout

    def _failed(self, said: str, *, ended: bool) -> RecoveryError:
        if _REFUSED_LOGIN.search(said):
            return bmc_error(
                self._machine, "bmc_auth_failed", f"does not accept the login: {_end_of(said)}"
            )
        if not ended or _NO_ANSWER.search(said):
            what = _end_of(said) or f"nothing within {self._timeout:g} s"
            return bmc_error(
                self._machine, "bmc_unreachable", f"did not answer: {what}", retriable=True
            )
        return bmc_error(self._machine, "bmc_refused", f"refused: {_end_of(said)}")


def _end_of(text: str) -> str:
    """The last lines in one, without what -v says of ipmitool itself."""
    lines = [line.strip(" >") for line in text.splitlines()]
    return ". ".join(line for line in lines if line and "PEN Registry" not in line)[-300:]
