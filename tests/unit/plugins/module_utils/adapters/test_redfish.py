# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redfish, with the real sushy over a fake of the network."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.redfish import (
    RedfishBmc,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.machine import (
    Defaults,
    find_machine,
)
from fakes.bmc import RESET, SYSTEM, SYSTEMS, serve
from fakes.http import FakeHttp

SECRET = "secret-1"


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHttp]:
    with FakeHttp.patched(monkeypatch) as fake:
        serve(fake)
        yield fake


def bmc(*, read_only: bool = False, **options: Any) -> RedfishBmc:
    options = {"redfish": "https://10.0.0.1", **options}
    machine = find_machine("x", {"x": options}, None, Defaults("fencing", SECRET))
    return RedfishBmc(machine, timeout=7, read_only=read_only)


def error_of(call: Any, *arguments: Any) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        call(*arguments)
    assert SECRET not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("reported", "state"),
    [("On", "on"), ("Off", "off"), ("PoweringOff", "unknown"), (None, "unknown"), ("x", "unknown")],
)
def test_the_power_state_is_the_services_own(
    http: FakeHttp, reported: str | None, state: str
) -> None:
    serve(http, PowerState=reported)
    power = bmc().power()
    assert (power.state, power.reported) == (state, str(reported))
    assert power.observed_at.tzinfo


def test_each_look_is_a_new_one(http: FakeHttp) -> None:
    one = bmc()
    assert one.power().state == "on"
    serve(http, power="Off")
    before = len(http.seen)
    assert one.power().state == "off"
    assert http.seen[before:] == [("GET", SYSTEM)]


def test_the_machine_says_who_it_is(http: FakeHttp) -> None:
    found = bmc().identity()
    assert (found.system, found.serial_numbers, found.host_name) == (SYSTEM, ("SN-1",), "x.example")
    serve(http, SerialNumber=None, HostName="")
    found = bmc().identity()
    assert (found.serial_numbers, found.host_name) == ((), None)


def test_every_call_is_logged_in_and_bounded(http: FakeHttp) -> None:
    bmc().switch("off")
    login = base64.b64encode(f"fencing:{SECRET}".encode()).decode()
    # The first page is for everybody.
    assert http.seen[0] == ("GET", "/redfish/v1")
    assert {headers.get("Authorization") for headers in http.headers[1:]} == {f"Basic {login}"}
    assert set(http.timeouts) == {7}
    assert [call for call in http.seen if call[0] != "GET"] == [("POST", RESET)]


@pytest.mark.parametrize(
    ("allowed", "state", "sent"),
    [
        (["On", "ForceOff", "GracefulShutdown"], "off", "ForceOff"),
        (["On", "ForceOff"], "on", "On"),
        (["ForceOn", "ForceOff"], "on", "ForceOn"),
        # Not told: sushy takes all for allowed.
        (None, "off", "ForceOff"),
    ],
)
def test_a_command_is_one_that_the_service_allows(
    http: FakeHttp, allowed: list[str] | None, state: str, sent: str
) -> None:
    reset: dict[str, Any] = {"target": RESET}
    if allowed:
        reset["ResetType@Redfish.AllowableValues"] = allowed
    serve(http, Actions={"#ComputerSystem.Reset": reset})
    bmc().switch(state)
    assert http.bodies[-1] in (f'{{"ResetType": "{sent}"}}', f'{{"ResetType": "{sent}"}}'.encode())


@pytest.mark.parametrize("allowed", [["On", "GracefulShutdown"], ["PushPowerButton"]])
def test_a_graceful_shutdown_is_no_fencing(http: FakeHttp, allowed: list[str]) -> None:
    reset = {"target": RESET, "ResetType@Redfish.AllowableValues": allowed}
    serve(http, Actions={"#ComputerSystem.Reset": reset})
    error = error_of(bmc().switch, "off")
    assert error.code == "bmc_refused"
    assert "offers none of ForceOff" in error.message
    assert not [call for call in http.seen if call[0] != "GET"]


def test_a_service_without_reset_is_an_error(http: FakeHttp) -> None:
    serve(http, Actions={})
    assert error_of(bmc().switch, "off").code == "bmc_refused"


def test_check_mode_cannot_send(http: FakeHttp) -> None:
    one = bmc(read_only=True)
    assert one.power().state == "on"
    with pytest.raises(MutationRefused):
        one.switch("off")
    for method in ("post", "patch", "put", "delete"):
        with pytest.raises(MutationRefused):
            getattr(one._system()._conn, method)(SYSTEM)
    assert {call[0] for call in http.seen} == {"GET"}


@pytest.mark.parametrize(("system", "path"), [("2", f"{SYSTEMS}/2"), (SYSTEM, SYSTEM)])
def test_a_system_is_named_by_id_or_path(http: FakeHttp, system: str, path: str) -> None:
    serve(http, systems=2)
    assert bmc(system=system).identity().system == path


@pytest.mark.parametrize(("systems", "named"), [(2, None), (0, None), (1, "2"), (2, "System")])
def test_a_system_is_never_guessed(http: FakeHttp, systems: int, named: str | None) -> None:
    serve(http, systems=systems)
    options = {"system": named} if named else {}
    error = error_of(bmc(**options).power)
    assert error.code == "system_not_found"
    assert len(error.details["systems"]) == systems


@pytest.mark.parametrize(
    ("status", "code", "retriable"),
    [
        (401, "bmc_auth_failed", False),
        (403, "bmc_auth_failed", False),
        (404, "bmc_refused", False),
        (409, "bmc_refused", False),
        (500, "bmc_refused", True),
        (503, "bmc_refused", True),
    ],
)
@pytest.mark.parametrize("path", [SYSTEMS, RESET])
def test_what_the_service_refuses(
    http: FakeHttp,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
    path: str,
    *,
    retriable: bool,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    http.answers[path] = (status, {"error": {"code": "Base.1.0.GeneralError", "message": "no"}})
    error = error_of(bmc().switch, "off")
    assert (error.code, error.retriable) == (code, retriable)
    assert error.details["http_status"] == status
    assert len([call for call in http.seen if call == ("POST", RESET)]) == (path == RESET)


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (requests.exceptions.ConnectTimeout("no"), "bmc_unreachable"),
        (requests.exceptions.ReadTimeout("no"), "bmc_unreachable"),
        (requests.exceptions.ConnectionError("reset"), "bmc_unreachable"),
        (requests.exceptions.ChunkedEncodingError("cut"), "bmc_unreachable"),
        (requests.exceptions.SSLError("self-signed"), "tls_error"),
    ],
)
@pytest.mark.parametrize("path", ["/redfish/v1", SYSTEM, RESET])
def test_a_silent_service_is_asked_once(
    http: FakeHttp, monkeypatch: pytest.MonkeyPatch, raised: Exception, code: str, path: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("it waits to try again"))
    http.answers[path] = raised
    error = error_of(bmc().switch, "off")
    assert (error.code, error.retriable) == (code, code == "bmc_unreachable")
    assert [call[1] for call in http.seen].count(path) == 1


@pytest.mark.parametrize("answer", [{}, {"Id": "RootService"}, []])
def test_what_is_no_redfish_service(http: FakeHttp, answer: Any) -> None:
    http.answers["/redfish/v1"] = (200, answer)
    assert error_of(bmc().power).code == "bmc_refused"


@pytest.mark.parametrize(
    ("options", "verify"),
    [({}, True), ({"ca_file": "/ca.pem"}, "/ca.pem"), ({"validate_certs": False}, False)],
)
def test_certificates_are_verified(
    http: FakeHttp, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], verify: Any
) -> None:
    seen: list[Any] = []

    def send(_session: Any, request: Any, **given: Any) -> Any:
        seen.append(given["verify"])
        return http.send(request, **given)

    monkeypatch.setattr(requests.Session, "send", send)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    bmc(**options).power()
    assert set(seen) == {verify}


def test_sushy_prints_nothing(http: FakeHttp, capfd: pytest.CaptureFixture[str]) -> None:
    http.answers[SYSTEMS] = (401, {})
    logging.getLogger().handlers, kept = [], logging.getLogger().handlers
    try:
        error_of(bmc().power)
    finally:
        logging.getLogger().handlers = kept
    assert capfd.readouterr().err == ""
