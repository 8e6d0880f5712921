# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A power state counts when it was seen twice; a command proves nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.bmc import (
    Identity,
    Power,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.machine import (
    Defaults,
    find_machine,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.power.switching import (
    PowerSwitch,
)
from fakes.world import EPOCH, World
from hypothesis import given
from hypothesis import strategies as st

SILENT = RecoveryError("bmc_unreachable", "no answer", retriable=True)
REFUSED = RecoveryError("bmc_refused", "409")
WRONG_LOGIN = RecoveryError("bmc_auth_failed", "401")
STATES = {"on": "On", "off": "Off", "unknown": "PoweringOff"}


class FakeBmc:
    """Says the states in their order, then the last one for ever."""

    def __init__(self, *looks: str | RecoveryError, answer: RecoveryError | None = None) -> None:
        self.world = World()
        self.looks = list(looks)
        self.answer = answer
        self.sent: list[str] = []
        self.looked = 0
        self.known = Identity(serial_numbers=("SN-1", "SN-2"), host_name="x.example")

    def identity(self) -> Identity:
        return self.known

    def power(self) -> Power:
        self.looked += 1
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, RecoveryError):
            raise look
        return Power(look, STATES[look], EPOCH + timedelta(seconds=self.world.now))

    def switch(self, state: str) -> None:
        self.sent.append(state)
        if self.answer:
            raise self.answer


def switch(bmc: FakeBmc, **expected: str) -> PowerSwitch:
    options = {"redfish": "https://10.0.0.1", **expected}
    machine = find_machine("x", {"x": options}, None, Defaults("u", "p"))
    return PowerSwitch(bmc, machine, bmc.world, timeout=10, poll_interval=1)


def failed(bmc: FakeBmc, wanted: str = "off", **expected: str) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        switch(bmc, **expected).bring_to(wanted)
    return caught.value


def test_off_is_seen_twice() -> None:
    bmc = FakeBmc("on", "on", "unknown", "off", "off")
    result = switch(bmc).bring_to("off")
    assert bmc.sent == ["off"]
    assert bmc.looked == 5
    assert result.changed
    assert result.as_dict()["observed"] == "off"
    assert result.as_dict()["before"] == "on"


def test_off_once_is_not_off() -> None:
    bmc = FakeBmc("on", "off", "on", "off", "unknown", "on")
    error = failed(bmc)
    assert error.code == "power_state_not_reached"
    assert error.changed
    assert "still says 'On' after 10 s" in error.message
    assert bmc.sent == ["off"]


def test_powering_off_is_not_off() -> None:
    error = failed(FakeBmc("on", "unknown"))
    assert error.code == "power_state_not_reached"
    assert error.details["reported"] == "PoweringOff"


@pytest.mark.parametrize("state", ["on", "off"])
def test_what_is_so_already_is_left_alone(state: str) -> None:
    bmc = FakeBmc(state)
    result = switch(bmc).bring_to(state)
    assert (bmc.sent, bmc.looked, result.changed) == ([], 2, False)


def test_what_seemed_off_and_is_on_is_switched_off() -> None:
    bmc = FakeBmc("off", "on", "off", "off")
    assert switch(bmc).bring_to("off").changed
    assert bmc.sent == ["off"]


def test_a_bmc_may_be_silent_for_a_while() -> None:
    bmc = FakeBmc("on", SILENT, SILENT, "off", SILENT, "off", "off")
    assert switch(bmc).bring_to("off").changed
    assert bmc.looked == 7


def test_a_bmc_that_falls_silent_is_unreachable() -> None:
    error = failed(FakeBmc("on", "off", SILENT))
    assert (error.code, error.changed) == ("bmc_unreachable", True)


def test_a_bmc_that_never_answers_is_not_waited_for() -> None:
    bmc = FakeBmc(SILENT)
    error = failed(bmc)
    assert (error.code, error.changed, bmc.looked) == ("bmc_unreachable", False, 1)


def test_a_command_that_was_not_answered_may_have_been_taken() -> None:
    bmc = FakeBmc("on", "off", answer=SILENT)
    assert switch(bmc).bring_to("off").changed
    assert failed(FakeBmc("on", answer=SILENT)).code == "power_state_not_reached"


@pytest.mark.parametrize("look", ["off", "unknown"])
def test_a_refusal_on_the_way_to_off_is_waited_out(look: str) -> None:
    assert switch(FakeBmc("on", look, "off", answer=REFUSED)).bring_to("off")


@pytest.mark.parametrize("answer", [REFUSED, WRONG_LOGIN])
def test_a_refusal_is_an_error_at_once(answer: RecoveryError) -> None:
    bmc = FakeBmc("on", answer=answer)
    error = failed(bmc)
    assert error is answer
    assert not error.changed
    assert bmc.world.now == 0


@pytest.mark.parametrize(
    "expected", [{"serial_number": "SN-3"}, {"serial_number": "sn-1"}, {"host_name": "x"}]
)
@pytest.mark.parametrize("wanted", ["on", "off"])
def test_another_machine_is_never_sent_anything(expected: dict[str, str], wanted: str) -> None:
    bmc = FakeBmc("on" if wanted == "off" else "off")
    error = failed(bmc, wanted, **expected)
    assert error.code == "wrong_machine"
    assert (bmc.sent, bmc.looked) == ([], 0)


@pytest.mark.parametrize("expected", [{"serial_number": "SN-2"}, {"host_name": "x.example"}])
def test_a_machine_that_cannot_tell_is_not_the_right_one(expected: dict[str, Any]) -> None:
    bmc = FakeBmc("off")
    assert switch(bmc, **expected).look("off").changed is False
    bmc.known = Identity()
    with pytest.raises(RecoveryError, match="is 'none'"):
        switch(bmc, **expected).look("off")


def test_to_look_sends_nothing() -> None:
    for state, wanted, changed in (("on", "off", True), ("off", "off", False), ("on", None, False)):
        bmc = FakeBmc(state)
        result = switch(bmc).look(wanted)
        assert (bmc.sent, bmc.looked, result.changed) == ([], 1, changed)
        assert result.now.state == state


LOOK = st.sampled_from(["on", "off", "unknown", SILENT])


@given(st.lists(LOOK, min_size=1, max_size=15))
def test_whatever_a_bmc_says_off_was_seen_twice_in_a_row(looks: list[Any]) -> None:
    bmc = FakeBmc(*looks)
    try:
        switch(bmc).bring_to("off")
    except RecoveryError:
        pass
    else:
        said = [*looks, *[looks[-1]] * bmc.looked][: bmc.looked]
        assert said[-2:] == ["off", "off"]
    assert len(bmc.sent) <= 1
