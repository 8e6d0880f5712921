# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from an instance alone."""

from __future__ import annotations

import pytest
from fakes import values


@pytest.mark.parametrize(
    ("vm_state", "task_state", "expected"),
    [
        ("active", None, False),
        ("active", "rebuilding", False),
        ("active", "deleting", True),
        ("stopped", "soft-deleting", True),
        ("soft-delete", None, True),
        ("deleted", None, True),
    ],
)
def test_one_that_is_being_deleted(vm_state: str, task_state: str | None, expected: bool) -> None:
    instance = values.instance(vm_state=vm_state, task_state=task_state)
    assert instance.is_being_deleted is expected
