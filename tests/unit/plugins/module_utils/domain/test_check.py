# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that was verified."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.check import Check


def test_it_is_shown_without_its_name() -> None:
    shown = Check("host", False, "c2", "c1").as_dict()
    assert shown == {"passed": False, "expected": "c2", "observed": "c1"}
