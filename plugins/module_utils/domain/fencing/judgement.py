# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host is fenced, by what the attempts have observed. In doubt it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .attempt import (
    CONTRADICTED,
    FAILED,
    GUESTS_TERMINATED,
    NO_ANSWER,
    NO_GUESTS,
    NOT_LOOKED,
    OBSERVED_OFF,
    STILL_RUNNING,
    UNREACHABLE,
    Attempt,
)
from .methods import FAIL, NONE, POWER_METHODS, PROCEED

# For people, of each outcome.
_WORDS = {
    OBSERVED_OFF: "the host was observed to be off",
    GUESTS_TERMINATED: "no guest of Nova runs on it any more",
    STILL_RUNNING: "it still runs",
    CONTRADICTED: "said off, but the host answers: another machine's BMC, or it lies",
    UNREACHABLE: "did not answer",
    FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What may be done now.

    :param fenced: something was observed that makes the host harmless.
    :param proceed: instances may be evacuated; also without ``fenced`` where the caller said so.
    :param by: the method, ``on_unreachable_bmc`` or ``none``; None where nothing allows it.
    :param predicted: in check mode, that a run would find it so.
    """

    fenced: bool
    proceed: bool
    by: str | None
    reason: str
    predicted: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "fenced": self.fenced,
            "proceed": self.proceed,
            "by": self.by,
            "reason": self.reason,
            "predicted": self.predicted,
        }


def judge_fencing(
    attempts: Sequence[Attempt], methods: Sequence[str], on_unreachable_bmc: str
) -> Judgement:
    """Judge after each attempt; the first that has observed enough ends it.

    :param attempts: so far, in their order.
    :param methods: all that are stated; what stands for all attempts is judged after the last.
    :param on_unreachable_bmc: what a BMC that does not answer means, one of POLICIES.
    """
    if list(methods) == [NONE]:
        return Judgement(False, True, NONE, "stated by the caller; nothing was looked at")
    for number, attempt in enumerate(attempts):
        power_before = [a for a in attempts[:number] if a.method in POWER_METHODS]
        if attempt.outcome == OBSERVED_OFF or (
            attempt.outcome == GUESTS_TERMINATED
            and (not power_before or on_unreachable_bmc != FAIL)
        ):
            return _fenced(attempt)
    if len(attempts) < len(methods):
        return Judgement(False, False, None, "not every method was tried yet")
    told = _told(attempts)
    if on_unreachable_bmc == PROCEED and _only_silence(attempts):
        return Judgement(
            False, True, "on_unreachable_bmc", f"the caller accepts a silent BMC; {told}"
        )
    return Judgement(False, False, None, told)


def _fenced(attempt: Attempt) -> Judgement:
    words = f"{attempt.method}: {_WORDS[attempt.outcome]}"
    if attempt.predicted:
        return Judgement(
            False, True, attempt.method, f"would be tried first: {attempt.method}", True
        )
    return Judgement(True, True, attempt.method, words)


def _only_silence(attempts: Sequence[Attempt]) -> bool:
    """Nothing answered, neither a BMC nor, with guests, libvirt.

    A BMC that refused, was another machine's or said *on* is no silent BMC.
    """
    power = [attempt for attempt in attempts if attempt.method in POWER_METHODS]
    return (
        bool(power)
        and all(attempt.outcome == UNREACHABLE for attempt in power)
        and all(attempt.libvirt in (NOT_LOOKED, NO_ANSWER, NO_GUESTS) for attempt in attempts)
    )


def _told(attempts: Sequence[Attempt]) -> str:
    return "; ".join(
        f"{attempt.method}: {_WORDS[attempt.outcome]}"
        + (f" ({attempt.error['code']}: {attempt.error['message']})" if attempt.error else "")
        for attempt in attempts
    )
