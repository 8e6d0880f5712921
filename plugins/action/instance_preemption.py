# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name in the background and shows its progress."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.action import instance_evacuation


class ActionModule(instance_evacuation.ActionModule):
    """See the module's documentation."""
