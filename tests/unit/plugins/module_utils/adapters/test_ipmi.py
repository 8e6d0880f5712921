# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPMI, with an ipmitool that says what the real one was seen to say."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.ipmi import (
    IpmiBmc,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.machine import (
    Defaults,
    find_machine,
)
from fakes.bmc import place_ipmitool

SECRET = "secret-1"
HELLO = "Loading IANA PEN Registry...\nUsing best available cipher suite 3\n\n"
NO_SESSION = "Error: Unable to establish IPMI v2 / RMCP+ session\n"
FRU = """ Chassis Serial        : SN-chassis
 Board Serial          : SN board 2
 Product Manufacturer  : Contoso
 Product Name          : R1
 Product Serial        : SN-1
"""


class Tool:
    """The fake ipmitool."""

    def __init__(self, folder: Path) -> None:
        self._calls, self._answer = place_ipmitool(folder)
        self.answer("Chassis Power is on\n")

    def answer(
        self, stdout: str = "", stderr: str = HELLO, *, status: int = 0, seconds: float = 0
    ) -> None:
        said = {"stdout": stdout, "stderr": stderr, "status": status, "seconds": seconds}
        self._answer.write_text(json.dumps(said))

    @property
    def calls(self) -> list[dict[str, Any]]:
        if not self._calls.exists():
            return []
        return [json.loads(line) for line in self._calls.read_text().splitlines()]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.setenv("PATH", str(tmp_path))
    return Tool(tmp_path)


def bmc(*, timeout: float = 8, read_only: bool = False, **options: Any) -> IpmiBmc:
    options = {"ipmi": "10.0.0.1:6230", **options}
    machine = find_machine("x", {"x": options}, None, Defaults("fencing", SECRET))
    return IpmiBmc(machine, timeout=timeout, read_only=read_only)


def error_of(call: Any, *arguments: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        call(*arguments)
    assert SECRET not in caught.value.message
    return caught.value


def test_the_password_is_no_argument(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPMITOOL_PASSWORD", "somebody else's")
    bmc().switch("off")
    (call,) = tool.calls
    assert SECRET not in str(call["argv"])
    assert call["env"] == {"IPMI_PASSWORD": SECRET, "LC_ALL": "C"}
    assert call["argv"] == (
        [
            "-v",
            "-I",
            "lanplus",
            "-H",
            "10.0.0.1",
            "-p",
            "6230",
            "-U",
            "fencing",
            "-E",
            "-N",
            "2",
            "-R",
            "2",
            "chassis",
            "power",
            "off",
        ]
    )


@pytest.mark.parametrize(("said", "state"), [("on", "on"), ("off", "off"), ("odd", "unknown")])
def test_the_power_state_is_the_bmcs_own(tool: Tool, said: str, state: str) -> None:
    tool.answer(f"Chassis Power is {said}\n")
    power = bmc().power()
    assert (power.state, power.reported) == (state, said)
    assert tool.calls[0]["argv"][-3:] == ["chassis", "power", "status"]


def test_what_is_no_power_state_is_an_error(tool: Tool) -> None:
    tool.answer("Chassis Power Control: Down/Off\n")
    assert error_of(bmc().power).code == "bmc_refused"


def test_serial_numbers_come_from_the_inventory(tool: Tool) -> None:
    tool.answer(FRU)
    found = bmc(serial_number="SN-1").identity()
    assert found.serial_numbers == ("SN-1", "SN-chassis", "SN board 2")
    assert (found.manufacturer, found.model) == ("Contoso", "R1")
    assert tool.calls[0]["argv"][-3:] == ["fru", "print", "0"]


def test_the_inventory_is_not_read_for_nothing(tool: Tool) -> None:
    assert bmc().identity().serial_numbers == ()
    assert tool.calls == []


def test_an_inventory_that_cannot_be_read_is_an_error(tool: Tool) -> None:
    tool.answer(" Device not present (Invalid command)\n", status=1)
    assert error_of(bmc(serial_number="SN-1").identity).code == "bmc_refused"


def test_check_mode_cannot_send(tool: Tool) -> None:
    one = bmc(read_only=True)
    assert one.power().state == "on"
    with pytest.raises(MutationRefused):
        one.switch("off")
    assert len(tool.calls) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (HELLO + "> RAKP 2 HMAC is invalid\n" + NO_SESSION, "bmc_auth_failed"),
        (
            HELLO + "> RAKP 2 message indicates an error : unauthorized name\n" + NO_SESSION,
            "bmc_auth_failed",
        ),
        (HELLO + "> Error: no response from RAKP 1 message\n" + NO_SESSION, "bmc_auth_failed"),
        (
            "Set Session Privilege Level to ADMINISTRATOR failed: Unknown (0x81)\n" + NO_SESSION,
            "bmc_auth_failed",
        ),
        ("Get Auth Capabilities error\n" + NO_SESSION, "bmc_unreachable"),
        ("Address lookup for bmc failed\nCould not open socket!\n" + NO_SESSION, "bmc_unreachable"),
        ("Error in open session response message : no matching cipher suite\n", "bmc_refused"),
        # Unknown: it is not said to be silent.
        (NO_SESSION, "bmc_refused"),
        ("Set Chassis Power Control to Down/Off failed: Command not supported\n", "bmc_refused"),
    ],
)
def test_what_ipmitool_says(tool: Tool, said: str, code: str) -> None:
    tool.answer("", said, status=1)
    error = error_of(bmc().switch, "off")
    assert (error.code, error.retriable) == (code, code == "bmc_unreachable")
    assert "PEN Registry" not in error.message


@pytest.mark.parametrize(
    ("said", "code"),
    [("", "bmc_unreachable"), ("> RAKP 2 HMAC is invalid\n", "bmc_auth_failed")],
)
def test_a_call_that_hangs_is_killed(tool: Tool, said: str, code: str) -> None:
    tool.answer("", said, seconds=30)
    start = time.monotonic()
    error = error_of(bmc(timeout=1).power)
    assert time.monotonic() - start < 10
    assert error.code == code


def test_ipmitool_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert error_of(bmc().power).code == "ipmitool_missing"
