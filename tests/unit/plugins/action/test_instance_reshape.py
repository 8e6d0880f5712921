# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of instance_reshape."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.action import (
    instance_evacuation,
    instance_reshape,
)


def test_it_shows_progress_as_that_of_evacuations_does() -> None:
    assert issubclass(instance_reshape.ActionModule, instance_evacuation.ActionModule)
