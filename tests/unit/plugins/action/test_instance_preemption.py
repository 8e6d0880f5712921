# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Its progress is shown as that of an evacuation is."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.action import instance_evacuation
from ansible_collections.openstack_recovery.nova.plugins.action.instance_preemption import (
    ActionModule,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import instance_preemption


def test_it_waits_as_long_as_the_module_does_by_default() -> None:
    assert issubclass(ActionModule, instance_evacuation.ActionModule)
    assert ActionModule.default_timeout == instance_preemption.OPTIONS["timeout"]["default"]
