# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In doubt a host is not fenced."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.attempt import (
    Attempt,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.judgement import (
    Judgement,
    judge_fencing,
)
from hypothesis import given
from hypothesis import strategies as st

POLICIES = ("fail", "proceed_if_libvirt_terminated", "proceed")
POWER_OUTCOMES = ("observed_off", "still_running", "contradicted", "unreachable", "failed")
LIBVIRT_OUTCOMES = ("guests_terminated", "still_running", "unreachable", "failed")
# What a look at libvirt shows with each outcome of the method.
SHOWN = {
    "guests_terminated": "no_guests",
    "still_running": "guests",
    "unreachable": "no_answer",
    "failed": "not_seen",
}


def attempt(word: str, *, seen: str | None = None, predicted: bool = False) -> Attempt:
    method, outcome = word.split()
    if method == "libvirt":
        seen = SHOWN[outcome]
    evidence = {"libvirt": {"answer": seen}} if seen else {}
    error = {"code": "c", "message": "m"} if outcome in ("unreachable", "failed") else None
    return Attempt(method, outcome, predicted, evidence, error)


def judge(words: list[str], policy: str = "fail", *, seen: str | None = None) -> Judgement:
    attempts = [attempt(word, seen=seen) for word in words]
    return judge_fencing(attempts, [a.method for a in attempts], policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("method", ["redfish", "ipmi", "tasks"])
def test_what_was_observed_to_be_off_is_fenced(method: str, policy: str) -> None:
    found = judge([f"{method} observed_off"], policy)
    assert (found.fenced, found.proceed, found.by) == (True, True, method)
    found = judge(["redfish unreachable", "ipmi observed_off"], policy)
    assert (found.fenced, found.by) == (True, "ipmi")


@pytest.mark.parametrize(
    ("before", "policy", "fenced"),
    [
        ([], "fail", True),
        (["redfish unreachable"], "fail", False),
        (["redfish failed"], "fail", False),
        (["redfish contradicted"], "fail", False),
        (["tasks failed"], "fail", False),
        (["redfish unreachable"], "proceed_if_libvirt_terminated", True),
        (["redfish failed"], "proceed_if_libvirt_terminated", True),
        (["redfish contradicted"], "proceed_if_libvirt_terminated", True),
        (["redfish unreachable"], "proceed", True),
    ],
)
def test_terminated_guests(before: list[str], policy: str, *, fenced: bool) -> None:
    found = judge([*before, "libvirt guests_terminated"], policy)
    assert found.proceed == found.fenced == fenced
    assert found.by == ("libvirt" if fenced else None)


def test_libvirt_first_is_enough() -> None:
    attempts = [attempt("libvirt guests_terminated")]
    assert judge_fencing(attempts, ["libvirt", "redfish"], "fail").by == "libvirt"


@pytest.mark.parametrize(
    ("words", "seen", "proceed"),
    [
        (["redfish unreachable"], None, True),
        (["redfish unreachable"], "no_answer", True),
        (["redfish unreachable"], "no_guests", True),
        (["redfish unreachable", "ipmi unreachable"], "no_answer", True),
        (["redfish unreachable", "libvirt unreachable"], "no_answer", True),
        # Guests are seen, or something that may have some answers.
        (["redfish unreachable"], "guests", False),
        (["redfish unreachable"], "refused", False),
        (["redfish unreachable"], "not_seen", False),
        (["redfish unreachable", "libvirt still_running"], None, False),
        (["redfish unreachable", "libvirt failed"], None, False),
        # That BMC is not silent.
        (["redfish failed"], None, False),
        (["redfish still_running"], None, False),
        (["redfish contradicted"], None, False),
        (["redfish unreachable", "ipmi failed"], None, False),
        (["redfish unreachable", "tasks failed"], None, False),
        # There is no BMC.
        (["libvirt unreachable"], None, False),
    ],
)
def test_to_proceed_with_nothing_observed(
    words: list[str], seen: str | None, *, proceed: bool
) -> None:
    found = judge(words, "proceed", seen=seen)
    assert (found.proceed, found.fenced) == (proceed, False)
    assert found.by == ("on_unreachable_bmc" if proceed else None)
    for policy in POLICIES[:2]:
        assert not judge(words, policy, seen=seen).proceed


def test_the_policy_waits_for_the_last_method() -> None:
    attempts = [attempt("redfish unreachable")]
    found = judge_fencing(attempts, ["redfish", "ipmi"], "proceed")
    assert not found.proceed
    assert "not every method" in found.reason


def test_none_is_the_callers_word() -> None:
    found = judge_fencing([], ["none"], "fail")
    assert (found.fenced, found.proceed, found.by) == (False, True, "none")
    assert not judge_fencing([], [], "proceed").proceed


def test_a_prediction_fences_nothing() -> None:
    found = judge_fencing([attempt("redfish observed_off", predicted=True)], ["redfish"], "fail")
    assert (found.fenced, found.proceed, found.predicted) == (False, True, True)


def test_the_reason_names_every_attempt() -> None:
    found = judge(["redfish unreachable", "ipmi failed", "libvirt guests_terminated"])
    assert found.reason == (
        "redfish: did not answer (c: m); ipmi: failed (c: m);"
        " libvirt: no guest of Nova runs on it any more"
    )


POWER = st.builds(
    "{} {}".format, st.sampled_from(["redfish", "ipmi", "tasks"]), st.sampled_from(POWER_OUTCOMES)
)
LIBVIRT = st.builds("libvirt {}".format, st.sampled_from(LIBVIRT_OUTCOMES))
SEEN = st.sampled_from([None, "no_answer", "no_guests", "guests", "refused", "not_seen"])


@given(st.lists(POWER | LIBVIRT, max_size=4), st.sampled_from(POLICIES), SEEN)
def test_nothing_is_evacuated_without_a_reason(
    words: list[str], policy: str, seen: str | None
) -> None:
    found = judge(words, policy, seen=seen)
    off = any(word.endswith("observed_off") for word in words)
    terminated = "libvirt guests_terminated" in words
    assert found.fenced <= (off or terminated)
    assert off <= found.fenced
    if found.proceed and not found.fenced:
        assert policy == "proceed"
        assert seen in (None, "no_answer", "no_guests")
        assert all(word.split()[1] == "unreachable" for word in words)
    if policy == "fail" and found.proceed and not off:
        assert found.by == "libvirt"


def test_a_stricter_policy_never_allows_more() -> None:
    words = [f"redfish {outcome}" for outcome in POWER_OUTCOMES]
    libvirts = [[f"libvirt {outcome}"] for outcome in LIBVIRT_OUTCOMES]
    for first, second in itertools.product(words, [*libvirts, []]):
        allowed = [judge([first, *second], policy).proceed for policy in POLICIES]
        assert allowed == sorted(allowed)
