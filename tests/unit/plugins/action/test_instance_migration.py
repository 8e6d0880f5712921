# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin is that of instance_evacuation, with the module's own default."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.action import (
    instance_evacuation,
    instance_migration,
)
from ansible_collections.openstack_recovery.nova.plugins.modules import (
    instance_migration as module,
)


def test_it_watches_as_that_of_an_evacuation() -> None:
    plugin = instance_migration.ActionModule
    assert issubclass(plugin, instance_evacuation.ActionModule)
    assert plugin.default_timeout == module.OPTIONS["timeout"]["default"]
