# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names for a run, and for who runs it."""

from __future__ import annotations

import getpass
import os
import re

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import run_identity
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    disabled_reason,
    run_id_of,
)


def test_who_holds_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"pid {os.getpid()}" in run_identity.holder_name()

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert run_identity.holder_name().startswith(str(os.getuid()))


def test_run_ids_are_new_and_can_be_a_mark() -> None:
    ids = {run_identity.settled_run_id("") for _turn in range(50)}
    assert len(ids) > 45
    for run_id in ids:
        assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{4}", run_id)
        assert run_id_of(disabled_reason(run_id, "x")) == run_id


def test_a_run_id_that_is_given_stays_or_is_refused() -> None:
    assert run_identity.settled_run_id("my.run-1") == "my.run-1"
    for wrong in ("a/b", "x" * 65, "two words"):
        with pytest.raises(RecoveryError, match="1 to 64 letters"):
            run_identity.settled_run_id(wrong)
