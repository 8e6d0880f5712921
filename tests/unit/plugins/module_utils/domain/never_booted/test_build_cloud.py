# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake that stands for the cloud is what the domain asks for, and so is the real one."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.build_cloud import (
    OpenStackBuildCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.build_cloud import (
    BuildCloud,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.conductor import (
    Conductor,
)
from fakes.build_scene import BuildScene


def test_the_fakes_are_what_the_domain_asks_for() -> None:
    scene = BuildScene()
    cloud: BuildCloud = scene.cloud
    conductor: Conductor = scene.conductor
    assert (cloud, conductor) == (scene.cloud, scene.conductor)


def test_the_real_one_has_every_call() -> None:
    calls = {name for name in vars(BuildCloud) if not name.startswith("_")}
    assert len(calls) == 7
    assert all(callable(getattr(OpenStackBuildCloud, name)) for name in calls)
