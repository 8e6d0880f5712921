# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine's clock."""

from __future__ import annotations

import time

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain import clock


def test_the_system_clock_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    system: clock.Clock = clock.SystemClock()
    system.sleep(3)
    assert slept == [3]
    assert system.monotonic() == 7.0
