# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an instance may not go, and where nobody outside can tell."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
    Circumstances,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.limits import (
    Limits,
    Mover,
    count_group,
    with_groups,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    ResourceRequest,
)
from fakes import values
from fakes.capacity import sized


def aggregate(name: str, *hosts: str, **metadata: str) -> Aggregate:
    named = {key.replace("__", ":"): value for key, value in metadata.items()}
    return Aggregate(uuid=f"uuid-{name}", name=name, hosts=frozenset(hosts), metadata=named)


def mover(**told: Any) -> Mover:
    return Mover(
        **{
            "project_id": "acme",
            "source_zone": "az1",
            "extra_specs": {},
            "circumstances": Circumstances(),
            **told,
        }
    )


def limits(*aggregates: Aggregate) -> Limits:
    services = [values.service("a", zone="az1"), values.service("b", zone="az2")]
    return Limits(services, aggregates)


def said(found: Limits, wanted: Mover) -> dict[str, bool]:
    """By host whether the objection to it is sure."""
    of_hosts = found.objections(wanted)
    return {host: objection.sure for host in "ab" for objection in of_hosts[host]}


@pytest.mark.parametrize(
    ("service", "usable"),
    [
        ({}, True),
        ({"state": "down"}, False),
        ({"status": "disabled"}, False),
        ({"status": "disabled", "host": "spare"}, True),
        ({"status": "disabled", "state": "down", "host": "spare"}, False),
    ],
)
def test_which_hosts_nova_gives_anything(service: dict[str, str], usable: bool) -> None:
    found = values.service(**{"host": "a", **service})
    assert Limits([found], []).usable(["spare"]) == ([found.host] if usable else [])


def test_what_speaks_against_hosts_is_worked_out_once_for_each_kind() -> None:
    found = limits(aggregate("mine", "a", filter_tenant_id="acme"))
    assert found.objections(mover()) is found.objections(mover())
    different = [
        {"project_id": "stranger"},
        {"source_zone": "az2"},
        {"extra_specs": {"a": "b"}},
        {"circumstances": Circumstances(pinned_zone="az1")},
        {"circumstances": Circumstances(pinned_zone_known=False)},
        {"required_traits": frozenset({"FAST"})},
    ]
    told = [found.objections(mover(**one)) for one in different]
    assert all(one is not found.objections(mover()) for one in told)


def test_a_pinned_zone_is_sure_and_no_pin_ties_to_nothing() -> None:
    zones = limits(
        aggregate("one", "a", availability_zone="az1"),
        aggregate("two", "b", availability_zone="az2"),
    )
    assert said(zones, mover()) == {}
    pinned = mover(circumstances=Circumstances(pinned_zone="az1"))
    assert said(zones, pinned) == {"b": True}
    # The default zone has no aggregate, and Nova then asks Placement for none.
    assert said(zones, mover(circumstances=Circumstances(pinned_zone="nova"))) == {}


def test_before_2_96_another_zone_is_in_doubt() -> None:
    unknown = mover(circumstances=Circumstances(pinned_zone_known=False))
    assert said(limits(), unknown) == {"b": False}


def test_aggregates_of_projects_are_in_doubt() -> None:
    own = limits(aggregate("mine", "a", filter_tenant_id="other, acme"))
    assert said(own, mover()) == {"b": False}
    assert said(own, mover(project_id="stranger")) == {"a": False}
    assert said(limits(aggregate("mine", "a", filter_tenant_id2="acme")), mover()) == {"b": False}


def test_aggregates_of_traits_are_in_doubt() -> None:
    isolated = limits(aggregate("licensed", "a", trait__CUSTOM_WINDOWS="required"))
    assert said(isolated, mover()) == {"a": False}
    assert said(isolated, mover(required_traits=frozenset({"CUSTOM_WINDOWS"}))) == {}


def test_aggregates_with_extra_specs_are_in_doubt() -> None:
    fast = limits(aggregate("fast", "a", disk="ssd"))
    wanted = mover(extra_specs={"aggregate_instance_extra_specs:disk": "ssd"})
    assert said(fast, wanted) == {"b": False}


def test_places_in_an_anti_affinity_group_are_counted_like_resources() -> None:
    hosts = [sized("a", 9), sized("b", 9)]
    one = with_groups(ResourceRequest(resources={"VCPU": 1}), ["web"])
    count_group(hosts, "web", None, {"a": 1})
    assert [host.fits(one) for host in hosts] == [False, True]
    count_group(hosts, "web", 2, {"a": 1, "b": 2})
    assert [host.fits(one) for host in hosts] == [True, False]
    assert one.resources["VCPU"] == 1


def test_two_views_of_one_host_share_the_places() -> None:
    hosts = [sized("a", 9), sized("a", 9)]
    count_group(hosts, "web", 1, {})
    hosts[0].take(with_groups(ResourceRequest(resources={}), ["web"]))
    assert not hosts[1].fits(with_groups(ResourceRequest(resources={}), ["web"]))
