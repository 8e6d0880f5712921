# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that get another image and flavor, through the SDK and without the collection."""
