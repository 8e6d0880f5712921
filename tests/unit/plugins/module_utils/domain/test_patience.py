# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud that is silent is asked again, for a while."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.patience import (
    PATIENCE,
    ask_patiently,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.progress import (
    Watcher,
)
from fakes.world import World


@pytest.mark.parametrize("silent", [0.0, 1.0, PATIENCE - 10])
def test_a_moment_is_waited_for(silent: float) -> None:
    world, told = World(), []

    def ask() -> float:
        if world.now < silent:
            raise ApiUnavailable("no answer")
        return world.now

    assert silent <= ask_patiently(ask, world, Watcher(send=told.append)) < silent + 6
    assert bool(told) == (silent > 0)


def test_silence_is_an_error_in_the_end_and_a_refusal_at_once() -> None:
    world = World()

    def silence() -> None:
        raise ApiUnavailable("no answer")

    def refusal() -> None:
        raise RecoveryError("forbidden", "no")

    with pytest.raises(ApiUnavailable):
        ask_patiently(silence, world, Watcher())
    assert PATIENCE - 6 <= world.now <= PATIENCE
    before = world.now
    with pytest.raises(RecoveryError, match="no"):
        ask_patiently(refusal, world, Watcher())
    assert world.now == before
