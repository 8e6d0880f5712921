# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Placement and Nova answer, as what a prediction is made from."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.instance_images import (
    InstanceImages,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.placement_capacity import (
    PlacementCapacity,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.resource_providers import (
    ResourceProviders,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.cloud import (
    Aggregate,
    Capacity,
    Hypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.capacity.room import (
    ResourceRequest,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes import values
from fakes.nova_lists import page
from openstack import exceptions as sdk

HYPERVISORS = [
    {
        "id": f"rp-{number}",
        "service": {"host": f"compute-{number}"},
        "free_ram_mb": 512,
        "free_disk_gb": 50,
        "disk_available_least": least,
        "current_workload": 0,
    }
    for number, least in ((1, None), (2, 20))
]


def summary(root: str, *traits: str, **resources: tuple[int, int]) -> dict[str, Any]:
    counted = {name: {"capacity": size, "used": used} for name, (size, used) in resources.items()}
    return {
        "root_provider_uuid": root,
        "parent_provider_uuid": None,
        "traits": list(traits),
        "resources": counted,
    }


# Two hosts that share storage; the second one has its CPUs in a nested provider.
CANDIDATES = {
    "allocation_requests": [
        {
            "allocations": {
                "rp-1": {"resources": {"VCPU": 2}},
                "shared": {"resources": {"DISK_GB": 5}},
            }
        },
        {
            "allocations": {
                "rp-2-numa": {"resources": {"VCPU": 2}},
                "shared": {"resources": {"DISK_GB": 5}},
            }
        },
    ],
    "provider_summaries": {
        "rp-1": summary("rp-1", "FAST", VCPU=(8, 3)),
        "rp-2": summary("rp-2", "SLOW"),
        "rp-2-numa": summary("rp-2", VCPU=(4, 0)),
        "shared": summary("shared", "MISC_SHARES_VIA_AGGREGATE", DISK_GB=(100, 90)),
    },
}
WANTED = ResourceRequest(
    resources={"VCPU": 2, "DISK_GB": 5},
    required_traits=frozenset({"FAST"}),
    forbidden_traits=frozenset({"SLOW"}),
)


def capacity(
    answers: dict[str, Any] | None = None,
    newest: tuple[int, int] = (2, 100),
    servers: Sequence[dict[str, Any]] = (),
    groups: Sequence[dict[str, Any]] = (),
    **paging: Any,
) -> tuple[PlacementCapacity, list[tuple[str, str | None]]]:
    asked: list[tuple[str, str | None]] = []
    known = answers or {}

    def read(_proxy: Any, path: str, microversion: str | None = None) -> Any:
        asked.append((path, microversion))
        if path.startswith("/os-hypervisors/detail"):
            return page("hypervisors", HYPERVISORS, path)
        if path.startswith("/servers/detail"):
            return page("servers", servers, path, **paging)
        if path.startswith("/os-server-groups"):
            return page("server_groups", groups, path, **paging)
        if path not in known:
            path = path.partition("?")[0]
        if path not in known:
            raise sdk.NotFoundException("no")
        return known[path]

    compute = SimpleNamespace(get_endpoint_data=lambda: SimpleNamespace(max_microversion=newest))
    connection: Any = SimpleNamespace(
        sdk=SimpleNamespace(
            compute=compute,
            image=None,
            block_storage=None,
        ),
        placement=None,
        has_service=lambda _type: True,
        read=read,
    )
    providers = ResourceProviders(connection)
    return PlacementCapacity(connection, InstanceImages(connection), providers), asked


def test_it_is_what_the_domain_asks_for() -> None:
    same: Capacity = capacity()[0]
    assert same is not None


def test_a_candidate_is_asked_for_as_nova_does() -> None:
    api, asked = capacity({"/allocation_candidates": CANDIDATES})
    api.candidates(WANTED)
    path, microversion = asked[-1]
    assert path == (
        "/allocation_candidates?resources=VCPU%3A2%2CDISK_GB%3A5&required=FAST%2C%21SLOW"
    )
    assert microversion == "1.29"


def test_candidates_share_what_hosts_share() -> None:
    api, _asked = capacity({"/allocation_candidates": CANDIDATES})
    first, second = api.candidates(WANTED)
    assert (first.name, second.name) == ("compute-1", "compute-2")
    assert (first.free("VCPU"), second.free("VCPU")) == (5, 4)
    assert (first.traits, second.traits) == ({"FAST"}, {"SLOW"})
    first.take(ResourceRequest(resources={"DISK_GB": 8}))
    assert second.free("DISK_GB") == 2
    # Of another answer, too.
    assert api.candidates(WANTED)[0].free("DISK_GB") == 2


def test_providers_that_count_the_same_count_each() -> None:
    wanted = {"resources": {"VGPU": 1}}
    gpus = {f"rp-1-gpu-{n}": summary("rp-1", VGPU=(4, 0)) for n in (1, 2)}
    answer = {
        "allocation_requests": [{"allocations": {gpu: wanted}} for gpu in gpus],
        "provider_summaries": gpus,
    }
    api, _asked = capacity({"/allocation_candidates": answer})
    (host,) = api.candidates(ResourceRequest(resources={"VGPU": 1}))
    assert host.free("VGPU") == 8


def test_a_host_whole() -> None:
    inventory = {
        "total": 10,
        "reserved": 1,
        "allocation_ratio": 2.0,
        "min_unit": 1,
        "max_unit": 4,
        "step_size": 1,
    }
    trees = {"rp-1": "rp-1", "rp-2": "rp-2", "rp-2-n": "rp-2"}
    listed = [{"uuid": uuid, "root_provider_uuid": root} for uuid, root in trees.items()]
    consumers = {
        "rp-2": {"i": {"VCPU": 1, "DISK_GB": 4}, "j": {"VCPU": 4}},
        "rp-2-n": {"i": {"VCPU": 2}},
    }
    answers: dict[str, Any] = {"/resource_providers": {"resource_providers": listed}}
    for provider, held in consumers.items():
        told = {consumer: {"resources": amounts} for consumer, amounts in held.items()}
        answers |= {
            f"/resource_providers/{provider}/traits": {"traits": [f"OF_{provider}"]},
            f"/resource_providers/{provider}/inventories": {"inventories": {"VCPU": inventory}},
            f"/resource_providers/{provider}/allocations": {"allocations": told},
        }
    api, asked = capacity(answers)
    (host,) = api.hosts(["compute-2", "unknown"])
    assert (host.name, host.traits) == ("compute-2", {"OF_rp-2", "OF_rp-2-n"})
    assert [inventory.free for inventory in host.inventories["VCPU"]] == [13, 16]
    assert host.held == {"i": {"VCPU": 3, "DISK_GB": 4}, "j": {"VCPU": 4}}
    assert host.lacks(ResourceRequest(resources={"VCPU": 5})) == (
        "VCPU 5 wanted, at most 4 for one instance"
    )
    # The hypervisors in two and the providers of all, and three of each provider.
    assert len(asked) == 3 + 3 * len(consumers)
    api.hosts(["compute-2"])
    assert len(asked) == 3 + 3 * len(consumers) + 1 + 3 * len(consumers)
    assert api.hosts(["unknown"]) == []


def test_novas_own_count_is_read_where_it_is_still_shown() -> None:
    api, asked = capacity()
    assert api.hypervisors() == [
        Hypervisor(host="compute-1", free_ram_mb=512, free_disk_gb=50),
        Hypervisor(host="compute-2", free_ram_mb=512, free_disk_gb=20),
    ]
    assert [version for _path, version in asked] == ["2.87", "2.87"]


def test_aggregates() -> None:
    entry = {"uuid": "u", "name": "spares", "hosts": ["compute-2"], "metadata": {"a": "b"}}
    api, _asked = capacity({"/os-aggregates": {"aggregates": [entry]}})
    assert api.aggregates() == [
        Aggregate(uuid="u", name="spares", hosts=frozenset({"compute-2"}), metadata={"a": "b"})
    ]


def test_pinned_zones_where_the_api_tells_them() -> None:
    listed = [
        {"id": f"id-{name}", "status": "ACTIVE", "pinned_availability_zone": zone}
        for name, zone in (("web-1", "az1"), ("web-2", None))
    ]
    api, asked = capacity(servers=listed, max_limit=1)
    found = api.circumstances([values.instance(name) for name in ("web-1", "web-2", "gone")])
    assert found["id-web-1"].pinned_zone == "az1"
    assert found["id-web-1"].pinned_zone_known
    assert set(found) == {"id-web-1", "id-web-2"}
    assert asked == [
        (f"/servers/detail?all_tenants=1&host=compute-1{marker}", "2.96")
        for marker in ("", "&marker=id-web-1", "&marker=id-web-2")
    ]


def test_older_ones_say_that_they_do_not_know() -> None:
    api, asked = capacity(newest=(2, 95))
    assert not api.circumstances([values.instance()])["id-web-1"].pinned_zone_known
    assert asked == []


@pytest.mark.parametrize("newest", [(2, 95), (2, 96)])
def test_one_without_a_host_shows_the_zone_that_it_asked_for(newest: tuple[int, int]) -> None:
    api, asked = capacity(newest=newest)
    waiting = values.instance(host=None, zone="az1")
    found = api.circumstances([waiting])["id-web-1"]
    assert (found.pinned_zone, found.pinned_zone_known) == ("az1", True)
    assert asked == []


def test_each_says_for_itself_whether_its_zone_is_known() -> None:
    api, _asked = capacity(newest=(2, 95))
    waiting, running = values.instance("new", host=None, zone="az1"), values.instance("old")
    found = api.circumstances([waiting, running])
    assert (found["id-new"].pinned_zone, found["id-new"].pinned_zone_known) == ("az1", True)
    assert (found["id-old"].pinned_zone, found["id-old"].pinned_zone_known) == (None, False)


def test_properties_of_images_and_of_volumes() -> None:
    def volume(bootable: str, **properties: str) -> Any:
        return {"volume": {"bootable": bootable, "volume_image_metadata": properties}}

    api, asked = capacity(
        {
            "/images": {"images": [{"id": "here", "trait:FAST": "required", "size": 5}]},
            "/volumes/v1": volume("false", a="data"),
            "/volumes/v2": volume("true", os_distro="debian"),
        },
        newest=(2, 95),
    )
    found = api.circumstances(
        [
            values.instance("a", image_id="here"),
            values.instance("b", image_id="here"),
            values.instance("c", image_id="deleted"),
            values.instance("d", volume_ids=frozenset({"v1", "v2"})),
            values.instance("e", volume_ids=frozenset({"v1"})),
        ]
    )
    told = {name: found[f"id-{name}"].image_properties for name in "abcde"}
    assert told["a"] == told["b"] == {"id": "here", "trait:FAST": "required", "size": "5"}
    assert told["d"] == {"os_distro": "debian"}
    assert told["c"] is told["e"] is None
    images = [path for path, _version in asked if path.startswith("/images")]
    assert images == ["/images?limit=100&visibility=all&id=in:deleted,here", "/images/deleted"]
    assert sum(path.startswith("/volumes/") for path, _version in asked) == 2


def test_members_that_a_host_may_have() -> None:
    rules: list[dict[str, int]] = [{"max_server_per_host": 3}, {}, {"max_server_per_host": 2}]
    groups = [{"id": name, "rules": of} for name, of in zip("abc", rules, strict=True)]
    # Two pages, both shorter than what is Nova's default.
    api, asked = capacity(groups=groups, max_limit=2)
    assert api.group_limits() == {"a": 3, "c": 2}
    assert asked[0][1] == "2.64"


def at(name: str, host: str | None) -> dict[str, Any]:
    return {"id": name, "status": "ACTIVE", "OS-EXT-SRV-ATTR:host": host}


def test_where_instances_are() -> None:
    servers = {"/servers/a": at("a", "compute-1"), "/servers/b": at("b", None)}
    api, asked = capacity({path: {"server": server} for path, server in servers.items()})
    assert api.hosts_of(["a", "b", "gone"]) == {"a": "compute-1"}
    assert len(asked) == 3


def test_many_instances_are_looked_for_in_one_list() -> None:
    names = [f"i{number:02}" for number in range(21)]
    servers = [at(name, "compute-1") for name in (*names[:20], "another")]
    api, asked = capacity(servers=servers)
    assert api.hosts_of(names) == dict.fromkeys(names[:20], "compute-1")
    paths = [path for path, _version in asked]
    assert paths == [f"/servers/detail?all_tenants=1{m}" for m in ("", "&marker=another")]


def test_a_short_page_of_instances_is_not_the_last() -> None:
    names = [f"i{number:02}" for number in range(24)]
    # Nova removes what is in two cells after it has counted, and says that none follow.
    api, _asked = capacity(
        servers=[at(name, "compute-1") for name in names], max_limit=10, left_out={"i03"}
    )
    assert api.hosts_of(names) == dict.fromkeys(sorted({*names} - {"i03"}), "compute-1")


def test_many_instances_of_which_a_cell_is_down() -> None:
    servers = [{"id": "lost", "status": "UNKNOWN"}]
    with pytest.raises(RecoveryError) as raised:
        capacity(servers=servers)[0].hosts_of([f"i{number}" for number in range(21)])
    assert raised.value.code == "cell_down"
