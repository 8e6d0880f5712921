# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One attempt to fence a host: what it has observed, from the results of the modules it called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .methods import LIBVIRT

OBSERVED_OFF = "observed_off"
GUESTS_TERMINATED = "guests_terminated"
STILL_RUNNING = "still_running"
CONTRADICTED = "contradicted"
UNREACHABLE = "unreachable"
FAILED = "failed"

# What a look at the host's libvirt has shown.
NOT_LOOKED = "not_looked"
NO_ANSWER = "no_answer"
NO_GUESTS = "no_guests"
GUESTS = "guests"
REFUSED = "refused"
NOT_SEEN = "not_seen"

_NO_BMC = "bmc_unreachable"
# What an error of the look says: the host is silent; something there answers. Of others, nothing.
_LOOKS = {
    "hypervisor_unreachable": NO_ANSWER,
    "hypervisor_not_listening": REFUSED,
    "hypervisor_refused": REFUSED,
    "tls_error": REFUSED,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """``predicted``: in check mode, what would be observed if the method worked."""

    method: str
    outcome: str
    predicted: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "outcome": self.outcome,
            "predicted": self.predicted,
            "evidence": self.evidence,
            "error": self.error,
        }

    @property
    def libvirt(self) -> str:
        """What libvirt has shown after this attempt."""
        return str(self.evidence.get("libvirt", {}).get("answer", NOT_LOOKED))


def power_attempt(
    result: Mapping[str, Any],
    method: str,
    libvirt: Mapping[str, Any] | None = None,
    *,
    check_mode: bool = False,
) -> Attempt:
    """What a method that switches the host off has come to.

    :param result: of the module power_state; of the caller's own tasks a dictionary with ``power``
        or ``failed`` and ``msg`` alike.
    :param libvirt: result of the look at the host's libvirt afterwards; None where it was not
        looked at.
    """
    evidence: dict[str, Any] = {}
    if result.get("power"):
        evidence["power"] = result["power"]
    if libvirt is not None:
        evidence["libvirt"] = libvirt_view(libvirt)
    view = evidence.get("libvirt", {}).get("answer", NOT_LOOKED)
    if result.get("failed"):
        error = _error(result)
        # What was sent a command had answered before, and not that it was off: no silent BMC.
        silent = error["code"] == _NO_BMC and not result.get("changed")
        outcome = UNREACHABLE if silent else FAILED
        return Attempt(method, outcome, False, evidence, error)
    if result.get("power", {}).get("observed") == "off":
        if view in (NOT_LOOKED, NO_ANSWER):
            return Attempt(method, OBSERVED_OFF, False, evidence)
        if view == NOT_SEEN:
            return Attempt(method, FAILED, False, evidence, evidence["libvirt"]["error"])
        # What is off cannot answer: that BMC is not this host's, or it lies.
        return Attempt(method, CONTRADICTED, False, evidence, evidence["libvirt"]["error"])
    if check_mode:
        return Attempt(method, OBSERVED_OFF, True, evidence)
    return Attempt(method, STILL_RUNNING, False, evidence)


def libvirt_attempt(
    view: Mapping[str, Any],
    terminated: Mapping[str, Any] | None = None,
    *,
    check_mode: bool = False,
) -> Attempt:
    """What terminating all guests through libvirt has come to; judged by a look afterwards.

    :param view: result of the look.
    :param terminated: result of the termination before it; None in check mode.
    """
    found = libvirt_view(view)
    evidence: dict[str, Any] = {"libvirt": found}
    error = found["error"]
    if terminated is not None:
        evidence["terminated"] = [
            {"uuid": domain.get("uuid"), "result": domain.get("result")}
            for domain in _domains(terminated)
        ]
        if terminated.get("failed"):
            error = _error(terminated)
    outcome = {
        NO_ANSWER: UNREACHABLE,
        NO_GUESTS: GUESTS_TERMINATED,
        GUESTS: STILL_RUNNING,
    }.get(found["answer"], FAILED)
    if check_mode and outcome == STILL_RUNNING:
        return Attempt(LIBVIRT, GUESTS_TERMINATED, True, evidence)
    return Attempt(
        LIBVIRT, outcome, False, evidence, None if outcome == GUESTS_TERMINATED else error
    )


def libvirt_view(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a look at all of Nova's domains on the host shows.

    :param result: of the module libvirt_instance, state ``gathered``.
    """
    if result.get("failed"):
        error = _error(result)
        answer = _LOOKS.get(error["code"], NOT_SEEN)
        return {"answer": answer, "running": [], "error": error}
    if not isinstance(result.get("domains"), list):
        return {"answer": NOT_SEEN, "running": [], "error": _error({"msg": "no list of domains"})}
    # What does not say that it is inactive counts as running: paused guests hold their disks too.
    running = [d.get("uuid") for d in _domains(result) if d.get("active") is not False]
    return {"answer": GUESTS if running else NO_GUESTS, "running": running, "error": None}


def _domains(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = result.get("domains")
    return list(found) if isinstance(found, list) else []


def _error(result: Mapping[str, Any]) -> dict[str, Any]:
    """A module that broke has no code of ours."""
    error = result.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    return {"code": str(code or "unexpected"), "message": str(result.get("msg") or "no message")}
