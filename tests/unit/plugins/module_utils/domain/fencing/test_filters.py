# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions with plain dictionaries, as a role has them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.filters import (
    fencing_attempt,
    fencing_judgement,
)

DEAD = {"failed": True, "msg": "no answer", "error": {"code": "bmc_unreachable"}}


def test_attempts_go_into_the_judgement() -> None:
    attempts = [
        fencing_attempt(DEAD, "redfish", {}),
        fencing_attempt({"domains": [{"uuid": "u1", "active": False}]}, "libvirt", {"domains": []}),
    ]
    assert [one["outcome"] for one in attempts] == ["unreachable", "guests_terminated"]
    methods = ["redfish", "libvirt"]
    assert not fencing_judgement(attempts, methods)["proceed"]
    found = fencing_judgement(attempts, methods, "proceed_if_libvirt_terminated")
    assert (found["fenced"], found["by"]) == (True, "libvirt")


@pytest.mark.parametrize(("changed", "proceed"), [(False, True), (True, False)])
def test_a_bmc_that_took_the_command_is_no_silent_one(*, changed: bool, proceed: bool) -> None:
    attempts = [fencing_attempt({**DEAD, "changed": changed}, "redfish", {})]
    assert fencing_judgement(attempts, ["redfish"], "proceed")["proceed"] is proceed


def test_libvirt_was_not_asked() -> None:
    off: dict[str, Any] = {"power": {"observed": "off"}}
    assert fencing_attempt(off, "redfish", {})["outcome"] == "observed_off"
    assert fencing_attempt({}, "libvirt", {})["outcome"] == "failed"


def test_check_mode() -> None:
    found = fencing_attempt({"power": {"observed": "on"}}, "ipmi", {}, check_mode=True)
    assert found["predicted"]
    found = fencing_attempt({}, "libvirt", {"domains": [{"active": True}]}, check_mode=True)
    assert (found["outcome"], found["predicted"]) == ("guests_terminated", True)
    assert found["evidence"]["libvirt"]["answer"] == "guests"


def test_a_policy_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(RecoveryError, match="is one of fail"):
        fencing_judgement([], ["redfish"], "go")
