# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as a table."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.report import (
    migration_plan_table,
)


def test_the_plan_as_a_table() -> None:
    entry = {
        "id": "a", "name": "web-1", "from": "compute-2", "to": "compute-1",
        "action": "live_migrate", "vm_state": "active", "code": None, "reason": None,
    }  # fmt: skip
    skipped = {**entry, "name": "b", "action": "skip", "from": None, "reason": "it is gone"}
    lines = migration_plan_table([entry, skipped])
    assert lines[0].split() == ["order", "instance", "from", "to", "action", "state", "reason"]
    assert lines[2].split() == [
        "1", "web-1", "compute-2", "compute-1", "live_migrate", "active", "-",
    ]  # fmt: skip
    assert lines[3].endswith("it is gone")
    assert lines[3].split()[2] == "-"


def test_an_entry_that_comes_from_a_report_only() -> None:
    entry = {"id": "a", "name": "web-1", "from": None, "to": "c", "action": "skip", "reason": "no"}
    assert migration_plan_table([entry])[2].split()[-2:] == ["-", "no"]
