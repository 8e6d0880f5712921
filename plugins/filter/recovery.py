# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the roles; their documentation is in the YAML files beside this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.run_identity import (
    settled_run_id,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.evacuation.report import (
    evacuation_table,
    plan_table,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.failback.reports import (
    fail_back_moves,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.filters import (
    fencing_attempt,
    fencing_judgement,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.fencing.methods import (
    fencing_problems,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.host_return.report import (
    return_table,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.making_room.report import (
    making_room_table,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.migration.report import (
    migration_plan_table,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.report import (
    never_booted_table,
    rebuild_table,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.selection import (
    rebuild_selection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.result import (
    totals,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.outcome import (
    reshape_outcome,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.reshape.report import (
    reshape_plan_table,
    reshape_table,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    disabled_reason,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.words import words


class FilterModule:
    """Collects the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "disabled_reason": disabled_reason,
            "evacuation_table": evacuation_table,
            "fail_back_moves": fail_back_moves,
            "fencing_attempt": fencing_attempt,
            "fencing_judgement": fencing_judgement,
            "fencing_problems": fencing_problems,
            "instance_totals": totals,
            "making_room_table": making_room_table,
            "migration_plan_table": migration_plan_table,
            "never_booted_table": never_booted_table,
            "plan_table": plan_table,
            "rebuild_selection": rebuild_selection,
            "rebuild_table": rebuild_table,
            "reshape_outcome": reshape_outcome,
            "reshape_plan_table": reshape_plan_table,
            "reshape_table": reshape_table,
            "return_table": return_table,
            "run_id": settled_run_id,
            "words": words,
        }
