# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules return, as outcomes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.attempt import (
    libvirt_attempt,
    libvirt_view,
    power_attempt,
)

OFF = {"changed": True, "power": {"observed": "off", "source": "redfish"}}
ON = {"changed": True, "power": {"observed": "on"}}
RUNS = {"uuid": "u1", "active": True}
ENDED = {"uuid": "u2", "active": False}


def failed(code: str) -> dict[str, Any]:
    return {"failed": True, "msg": f"it is {code}", "error": {"code": code, "retriable": True}}


SILENT = failed("hypervisor_unreachable")
EMPTY: dict[str, Any] = {"domains": []}


@pytest.mark.parametrize(
    ("result", "libvirt", "outcome"),
    [
        (OFF, None, "observed_off"),
        (OFF, SILENT, "observed_off"),
        # Whatever answers is not off.
        (OFF, {"domains": [RUNS]}, "contradicted"),
        (OFF, EMPTY, "contradicted"),
        (OFF, {"domains": [ENDED]}, "contradicted"),
        (OFF, failed("hypervisor_refused"), "contradicted"),
        (OFF, failed("tls_error"), "contradicted"),
        (OFF, failed("hypervisor_not_listening"), "contradicted"),
        # Libvirt could not be asked at all.
        (OFF, failed("invalid_uri"), "failed"),
        (OFF, failed("wrong_hypervisor"), "failed"),
        (OFF, {"failed": True, "msg": "Failed to import libvirt"}, "failed"),
        (OFF, {"skipped": True}, "failed"),
        (ON, None, "still_running"),
        ({"power": {"observed": "unknown"}}, None, "still_running"),
        ({}, None, "still_running"),
        (failed("bmc_unreachable"), None, "unreachable"),
        (failed("bmc_unreachable"), {"domains": [RUNS]}, "unreachable"),
        # It took the command, and was silent then: it has answered, and not that it is off.
        ({"changed": True, **failed("bmc_unreachable")}, None, "failed"),
        ({"changed": False, **failed("bmc_unreachable")}, None, "unreachable"),
        (failed("bmc_auth_failed"), None, "failed"),
        (failed("wrong_machine"), None, "failed"),
        (failed("power_state_not_reached"), None, "failed"),
        (failed("tls_error"), None, "failed"),
        ({"failed": True, "msg": "MODULE FAILURE"}, None, "failed"),
        ({"failed": True, "error": "odd"}, None, "failed"),
        # A failure counts, whatever else stands there.
        ({**OFF, **failed("wrong_machine")}, None, "failed"),
    ],
)
def test_a_power_method(
    result: dict[str, Any], libvirt: dict[str, Any] | None, outcome: str
) -> None:
    attempt = power_attempt(result, "redfish", libvirt)
    assert attempt.outcome == outcome
    assert not attempt.predicted
    assert (attempt.error is not None) == bool(
        result.get("failed")
        or (outcome != "observed_off" and (libvirt or {}).get("failed"))
        or (libvirt or {}).get("skipped")
    )


def test_evidence_and_errors_are_kept() -> None:
    attempt = power_attempt(failed("bmc_unreachable"), "ipmi", {"domains": [RUNS, ENDED]})
    assert attempt.error == {"code": "bmc_unreachable", "message": "it is bmc_unreachable"}
    assert attempt.evidence == {"libvirt": {"answer": "guests", "running": ["u1"], "error": None}}
    assert attempt.libvirt == "guests"
    assert power_attempt(OFF, "redfish").evidence == {"power": OFF["power"]}
    assert power_attempt(OFF, "redfish").libvirt == "not_looked"


def test_in_check_mode_what_is_on_would_be_switched_off() -> None:
    attempt = power_attempt(ON, "redfish", check_mode=True)
    assert (attempt.outcome, attempt.predicted) == ("observed_off", True)
    attempt = power_attempt(OFF, "redfish", SILENT, check_mode=True)
    assert (attempt.outcome, attempt.predicted) == ("observed_off", False)
    assert power_attempt(failed("bmc_unreachable"), "redfish", check_mode=True).outcome == (
        "unreachable"
    )


@pytest.mark.parametrize(
    ("view", "terminated", "outcome"),
    [
        (EMPTY, {"domains": [ENDED]}, "guests_terminated"),
        ({"domains": [ENDED]}, {"domains": [ENDED]}, "guests_terminated"),
        # What is seen afterwards counts, not what the termination says.
        ({"domains": [RUNS]}, {"domains": [ENDED]}, "still_running"),
        ({"domains": [{"uuid": "u3"}]}, {"domains": []}, "still_running"),
        (EMPTY, failed("domain_still_running"), "guests_terminated"),
        (SILENT, {"domains": [ENDED]}, "unreachable"),
        (SILENT, SILENT, "unreachable"),
        (failed("hypervisor_refused"), failed("hypervisor_refused"), "failed"),
        ({}, {"domains": [ENDED]}, "failed"),
    ],
)
def test_the_guests(view: dict[str, Any], terminated: dict[str, Any], outcome: str) -> None:
    attempt = libvirt_attempt(view, terminated)
    assert attempt.outcome == outcome
    assert (attempt.error is None) == (outcome in ("guests_terminated", "still_running"))


def test_in_check_mode_guests_would_be_terminated() -> None:
    attempt = libvirt_attempt({"domains": [RUNS]}, check_mode=True)
    assert (attempt.outcome, attempt.predicted) == ("guests_terminated", True)
    assert libvirt_attempt(SILENT, check_mode=True).outcome == "unreachable"


def test_what_does_not_say_that_it_is_inactive_runs() -> None:
    view = libvirt_view({"domains": [ENDED, {"uuid": "u3", "active": None}, {"active": "no"}]})
    assert view["running"] == ["u3", None]
