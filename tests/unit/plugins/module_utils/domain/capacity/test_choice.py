# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pick of Nova's default weighers."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.choice import (
    Company,
    Weighers,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Hypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.needs import (
    Flavor,
)
from fakes.capacity import sized

HOSTS = [sized("a", 8), sized("b", 8)]


def weighers(a: int, b: int, *, settled: bool = True) -> Weighers:
    return Weighers(
        [Hypervisor(host="a", free_ram_mb=a), Hypervisor(host="b", free_ram_mb=b)], settled=settled
    )


def test_most_free_memory_wins() -> None:
    assert weighers(1000, 2000).pick(HOSTS).name == "b"
    assert weighers(2000, 1000).pick(HOSTS).name == "a"


def test_free_cpus_count_as_placement_has_them() -> None:
    assert weighers(0, 0).pick([sized("a", 8, used=4), sized("b", 8)]).name == "b"


def test_busy_hosts_are_avoided() -> None:
    busy = Weighers([Hypervisor(host="a", io_operations=3), Hypervisor(host="b")])
    assert busy.pick(HOSTS).name == "b"


def test_a_tie_goes_by_name() -> None:
    assert weighers(5, 5).pick(list(reversed(HOSTS))).name == "a"


def test_what_is_below_nothing_counts_as_nothing() -> None:
    assert weighers(-500, -1).pick(HOSTS).name == "a"


def test_soft_groups() -> None:
    near = Company(near={"b": 1}, far={})
    far = Company(near={}, far={"a": 1})
    assert weighers(5, 5).pick(HOSTS, near).name == "b"
    assert weighers(5, 5).pick(HOSTS, far).name == "b"


def test_what_is_placed_counts_for_the_next_only_once_nova_has_noted_it() -> None:
    flavor = Flavor(vcpus=1, memory_mb=700)
    for settled, second in ((True, "a"), (False, "b")):
        nova = weighers(1000, 1500, settled=settled)
        nova.place("b", flavor)
        assert nova.pick(HOSTS).name == second


def test_a_host_without_a_count_is_no_error() -> None:
    assert Weighers([]).pick(HOSTS).name == "a"
