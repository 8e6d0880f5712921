# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose resource providers are, and when that is read again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.resource_providers import (
    ResourceProviders,
)
from fakes.nova_lists import page


class Cloud:
    """Hosts with the providers of each, whose first one is the root, and what was asked for."""

    def __init__(self, **trees: list[str]) -> None:
        self.trees = trees
        self.max_limit = 1000
        self.left_out: set[str] = set()
        self.asked: list[str] = []
        self.sdk = SimpleNamespace(compute=None)
        self.placement = None
        made: Any = self
        self.providers = ResourceProviders(made)

    def read(self, _proxy: Any, path: str, _microversion: str | None = None) -> Any:
        if "marker" not in path:
            self.asked.append(path.rpartition("/")[2])
        if path == "/resource_providers":
            listed = [(one, tree[0]) for tree in self.trees.values() for one in tree]
            return {"resource_providers": [{"uuid": u, "root_provider_uuid": r} for u, r in listed]}
        hosts = {host: tree for host, tree in self.trees.items() if host != "storage"}
        listed_nodes = [{"id": tree[0], "service": {"host": host}} for host, tree in hosts.items()]
        return page(
            "hypervisors", listed_nodes, path, max_limit=self.max_limit, left_out=self.left_out
        )


def test_the_trees_are_read_each_time_and_the_hosts_once() -> None:
    cloud = Cloud(one=["a", "a-numa"], two=["b"], storage=["shared"])
    for _again in range(2):
        assert cloud.providers.hosts_by_root() == {"a": "one", "b": "two"}
        assert cloud.providers.trees() == {"a": ["a", "a-numa"], "b": ["b"], "shared": ["shared"]}
    assert cloud.asked == ["detail", "resource_providers", "resource_providers"]


def test_whose_providers_are_is_read_once() -> None:
    cloud = Cloud(one=["a", "a-numa"], storage=["shared"])
    for _again in range(2):
        assert cloud.providers.hosts_of(["a-numa", "shared"]) == {"one", "provider shared"}
    assert cloud.asked == ["resource_providers", "detail"]


def test_a_host_that_has_come_is_known() -> None:
    cloud = Cloud(one=["a"])
    assert cloud.providers.hosts_of(["a"]) == {"one"}
    cloud.trees["two"] = ["b"]
    assert cloud.providers.hosts_of(["b"]) == {"two"}
    cloud.trees["three"] = ["c"]
    assert "c" in cloud.providers.trees()
    assert cloud.providers.hosts_of(["c"]) == {"three"}
    assert cloud.providers.hosts_by_root()["c"] == "three"


def test_hosts_of_every_page_are_known() -> None:
    trees = {f"compute-{number}": [f"node-{number}"] for number in range(1, 8)}
    cloud = Cloud(**trees)
    cloud.max_limit = 3
    # Nova leaves a node without a service out, and says of that page that none follows.
    cloud.left_out = {"node-2"}
    assert cloud.providers.hosts_of(["node-7"]) == {"compute-7"}
    known = {tree[0]: host for host, tree in trees.items() if host != "compute-2"}
    assert cloud.providers.hosts_by_root() == known


def test_nothing_is_asked_for_nothing() -> None:
    cloud = Cloud(one=["a"])
    assert cloud.providers.hosts_of([]) == frozenset()
    assert cloud.asked == []
