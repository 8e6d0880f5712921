# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module power_state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    redfish,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    power_state,
)
from fakes.ansible_module import result_of
from fakes.bmc import RESET, SYSTEM, place_ipmitool, serve
from fakes.http import FakeHttp

SECRETS = ["secret-1", "secret-2", "secret-3"]
MACHINES = {
    "x.a": {"redfish": "https://10.0.0.1", "serial_number": "SN-1", "password": SECRETS[1]},
    "x.b": {"ipmi": "10.0.0.2", "password": SECRETS[2]},
}


class Bmc(FakeHttp):
    """Takes the command at once."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if request.method == "POST":
            serve(self, power="Off" if b"ForceOff" in (request.body or b"") else "On")  # type: ignore[operator]
        return super().send(request, **options)


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHttp]:
    with Bmc.patched(monkeypatch) as fake:
        serve(fake)
        yield fake


def run(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    given = {"host": "x.a", "username": "fencing", "password": SECRETS[0], "machines": MACHINES}
    logged: list[str] = []
    result = result_of(
        power_state.main,
        monkeypatch,
        logged=logged,
        **{**given, "poll_interval": 0, "timeout": 0, **options},
    )
    text = json.dumps(result) + "".join(logged)
    assert not [secret for secret in SECRETS if secret in text]
    assert logged
    return result


def sent(http: FakeHttp) -> list[tuple[str, str]]:
    return [call for call in http.seen if call[0] != "GET"]


@pytest.mark.parametrize(
    ("before", "wanted", "after", "changed"),
    [
        ("On", "off", "off", True),
        ("Off", "off", "off", False),
        ("Off", "on", "on", True),
        ("On", "gathered", "on", False),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_the_state_is_reached(
    http: FakeHttp,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    wanted: str,
    after: str,
    *,
    changed: bool,
    check_mode: bool,
) -> None:
    serve(http, power=before)
    result = run(monkeypatch, state=wanted, timeout=5, check_mode=check_mode)
    assert result["changed"] == changed
    assert sent(http) == ([("POST", RESET)] if changed and not check_mode else [])
    assert result["power"]["before"] == before.lower()
    assert result["power"]["observed"] == (before.lower() if check_mode else after)
    assert result["diff"] == {"before": {"power": before.lower()}, "after": {"power": after}}
    assert result["power"]["source"] == "redfish"
    assert result["power"]["machine"] == {
        "address": "10.0.0.1:443",
        "system": SYSTEM,
        "serial_number": "SN-1",
        "host_name": "x.example",
        "manufacturer": "Contoso",
        "model": "R1",
    }


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"host": "x"}, "host_not_in_map"),
        ({"protocol": "ipmi"}, "invalid_options"),
        ({"timeout": -1}, "invalid_options"),
        ({"connect_timeout": 0}, "invalid_options"),
        (
            {"machines": {"x.a": {"redfish": "https://b"}, "y": {"redfish": "https://b"}}},
            "duplicate_machine",
        ),
        ({"machines": {"x.a": {"redfish": "https://b", "serial_number": "SN-9"}}}, "wrong_machine"),
    ],
)
def test_nothing_is_sent_on_bad_input(
    http: FakeHttp, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], code: str
) -> None:
    result = run(monkeypatch, state="off", **options)
    assert result["failed"]
    assert result["error"]["code"] == code
    assert not result["changed"]
    assert sent(http) == []
    if code != "wrong_machine":
        assert http.seen == []


def test_a_bmc_that_does_nothing(http: FakeHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bmc, "send", FakeHttp.send)
    result = run(monkeypatch, state="off")
    assert result["error"]["code"] == "power_state_not_reached"
    assert result["changed"]


def test_over_ipmi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs no sushy."""
    monkeypatch.setattr(redfish, "SUSHY_IMPORT_ERROR", "Traceback ...")
    monkeypatch.setattr(power_state, "SUSHY_IMPORT_ERROR", "Traceback ...")
    _calls, answer = place_ipmitool(tmp_path)
    said = {"stdout": "Chassis Power is off\n", "stderr": SECRETS[2], "status": 0, "seconds": 0}
    answer.write_text(json.dumps(said))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(monkeypatch, host="x.b", state="off", timeout=30)
    assert (result["changed"], result["power"]["observed"]) == (False, "off")
    assert result["power"]["source"] == "ipmi"
    answer.write_text(json.dumps(said | {"status": 1}))
    assert run(monkeypatch, host="x.b")["error"]["code"] == "bmc_refused"


def test_without_sushy_the_module_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_state, "SUSHY_IMPORT_ERROR", "Traceback ...")
    assert "sushy" in run(monkeypatch)["msg"]
