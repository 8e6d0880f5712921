# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy's rules match on, and what it costs to read it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import policy_facts
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.flavor_choice import (
    Flavors,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.instance_images import (
    InstanceImages,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.policy_facts import (
    OpenStackPolicyFacts,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import Instance
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Facts,
    PolicyFacts,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.schema import (
    parse_policy,
)
from fakes import values
from openstack import exceptions as sdk

AGGREGATES = {
    "ssd": ["compute-1", "compute-2"],
    "zone-a": ["compute-1"],
    "empty": None,
    "openstack_recovery lock compute-1": ["compute-1"],
}
PROJECTS = {"p-1": "acme", "p-2": "acme", "p-3": "other"}
DEBIAN = {"os_distro": "debian", "image_name": "debian 13", "size": 7}


class Cloud:
    """What there is, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.images: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.cinder = True
        made: Any = self
        self.flavors = Flavors(made)
        self.facts = OpenStackPolicyFacts(made, InstanceImages(made), self.flavors)
        self.sdk = SimpleNamespace(
            compute=SimpleNamespace(aggregates=self._aggregates),
            identity=SimpleNamespace(projects=self._projects, get_project=self._project),
            image="glance",
            block_storage="cinder",
        )

    def _aggregates(self) -> list[Any]:
        self.asked.append("aggregates")
        return [SimpleNamespace(name=name, hosts=hosts) for name, hosts in AGGREGATES.items()]

    def _projects(self, *, name: str) -> list[Any]:
        self.asked.append(f"projects {name}")
        return [SimpleNamespace(id=i) for i, found in PROJECTS.items() if found == name]

    def _project(self, project_id: str) -> Any:
        self.asked.append(f"project {project_id}")
        if project_id not in PROJECTS:
            raise sdk.NotFoundException(project_id)
        return SimpleNamespace(id=project_id)

    def has_service(self, _service_type: str) -> bool:
        return self.cinder

    def read(self, proxy: str, path: str, _microversion: str | None = None) -> Any:
        self.asked.append(path)
        if proxy == "glance" and "id=in:" in path:
            wanted = path.rpartition("id=in:")[2].split(",")
            return {"images": [self.images[i] for i in wanted if i in self.images]}
        name = path.rpartition("/")[2]
        found = self.images if proxy == "glance" else self.volumes
        if name not in found:
            raise sdk.NotFoundException(path)
        return found[name] if proxy == "glance" else {"volume": found[name]}

    def look(self, match: dict[str, Any], *instances: Instance) -> Facts:
        rules = [{"name": "a", "match": match, "evacuate": False}]
        return self.facts.policy_facts(parse_policy({"version": 1, "rules": rules}), instances)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def image(number: int, **properties: Any) -> dict[str, Any]:
    return {"id": f"i-{number}", "status": "active", **properties}


def volume(instance_id: str, device: str, **metadata: Any) -> dict[str, Any]:
    attachment = {"server_id": instance_id, "device": device}
    return {"id": "v", "attachments": [attachment], "volume_image_metadata": metadata}


def test_it_is_what_the_domain_asks_for(cloud: Cloud) -> None:
    facts: PolicyFacts = cloud.facts
    assert facts.policy_facts(parse_policy(None), []).subjects == {}


def test_what_instances_tell_themselves_costs_nothing(cloud: Cloud) -> None:
    match = {"metadata": {"a": True}, "tags": "b", "extra_specs": {"c": True}, "names": "d"}
    facts = cloud.look(match, values.instance(tags=frozenset({"b"})))
    assert facts.subjects["id-web-1"].tags == {"b"}
    assert facts.subjects["id-web-1"].project_name is None
    assert cloud.asked == []


def test_nothing_is_asked_for_when_there_are_no_instances(cloud: Cloud) -> None:
    cloud.look({"aggregates": "ssd", "projects": "acme", "image_properties": {"a": True}})
    assert cloud.asked == []


def test_aggregates_of_many_hosts_are_one_request_and_locks_are_none(cloud: Cloud) -> None:
    instances = [values.instance(str(i), host=f"compute-{i}") for i in range(1, 4)]
    facts = cloud.look({"aggregates": ["ssd", "sdd"]}, *instances, values.instance("x", host=None))
    found = {subject.name: subject.aggregates for subject in facts.subjects.values()}
    assert found == {"1": {"ssd", "zone-a"}, "2": {"ssd"}, "3": frozenset(), "x": frozenset()}
    assert cloud.asked == ["aggregates"]
    assert facts.notes == ("the policy names the aggregate 'sdd', which does not exist",)


def test_the_name_of_a_lock_is_no_aggregate(cloud: Cloud) -> None:
    lock = "openstack_recovery lock compute-1"
    facts = cloud.look({"aggregates": lock}, values.instance())
    assert lock not in facts.subjects["id-web-1"].aggregates
    assert len(facts.notes) == 1


def test_projects_cost_as_much_as_the_policy_names(cloud: Cloud) -> None:
    instances = [values.instance(str(i), project_id=f"p-{i}") for i in (1, 2, 3, 4)] * 50
    words = ["acme", "p-3", "nobody"]
    facts = cloud.look({"projects": words}, *instances)
    found = {subject.name: subject.project_name for subject in facts.subjects.values()}
    # Two domains have a project acme.
    assert found == {"1": "acme", "2": "acme", "3": None, "4": None}
    assert len(cloud.asked) == 5
    assert facts.notes == ("the policy names the project 'nobody', which does not exist",)
    cloud.look({"projects": words}, *instances)
    assert len(cloud.asked) == 5


def test_a_project_may_be_named_both_ways(cloud: Cloud) -> None:
    for words in (["p-1", "acme"], ["acme", "p-1"]):
        facts = cloud.look({"projects": words}, values.instance(project_id="p-1"))
        assert facts.subjects["id-web-1"].project_name == "acme"


def test_images_are_read_together_and_once(cloud: Cloud) -> None:
    cloud.images = {f"i-{n}": image(n, **DEBIAN) for n in range(30)}
    instances = [values.instance(str(n), image_id=f"i-{n % 30}") for n in range(300)]
    facts = cloud.look({"image_properties": {"os_distro": "debian"}}, *instances)
    assert len(cloud.asked) == 1
    properties = facts.subjects["id-7"].image_properties
    assert properties["os_distro"] == "debian"
    assert "size" not in properties
    cloud.look({"image_properties": {"os_distro": "debian"}}, *instances)
    assert len(cloud.asked) == 1


def test_only_images_on_which_a_rule_depends_are_read(cloud: Cloud) -> None:
    cloud.images = {"i-1": image(1, **DEBIAN), "i-2": image(2)}
    match = {"names": "db-*", "image_properties": {"os_distro": True}}
    cloud.look(
        match, values.instance("db-1", image_id="i-1"), values.instance("web-1", image_id="i-2")
    )
    assert [path.rpartition(":")[2] for path in cloud.asked] == ["i-1"]


def test_a_hidden_image_counts_and_one_that_is_gone_is_told(cloud: Cloud) -> None:
    cloud.images = {"i-1": image(1, **DEBIAN)}
    listed = cloud.read
    cloud.read = lambda proxy, path, version=None: (  # type: ignore[method-assign]
        {"images": []} if "id=in:" in path else listed(proxy, path, version)
    )
    facts = cloud.look(
        {"image_properties": {"os_distro": True}},
        values.instance("a", image_id="i-1"),
        values.instance("b", image_id="i-9"),
    )
    assert facts.subjects["id-a"].image_properties["os_distro"] == "debian"
    assert facts.subjects["id-a"].notes == ()
    assert facts.subjects["id-b"].image_properties == {}
    (note,) = facts.subjects["id-b"].notes
    assert "i-9 does not exist any more" in note


@pytest.mark.parametrize(
    ("volumes", "root", "expected"),
    [
        ({"v-1": volume("id-web-1", "/dev/vda", **DEBIAN)}, "/dev/vda", "debian"),
        # Alone it is the one that the instance boots from, whatever the device is called.
        ({"v-1": volume("id-web-1", "/dev/sdx", **DEBIAN)}, None, "debian"),
        (
            {
                "v-1": volume("id-web-1", "/dev/vdb", os_distro="centos"),
                "v-2": volume("id-web-1", "/dev/vda", **DEBIAN),
            },
            "/dev/vda",
            "debian",
        ),
        (
            {
                "v-1": volume("id-other", "/dev/vda", os_distro="centos"),
                "v-2": volume("id-web-1", "/dev/vdb", os_distro="centos"),
            },
            "/dev/vda",
            None,
        ),
        ({"v-1": {"id": "v", "attachments": []}}, "/dev/vda", None),
        ({}, "/dev/vda", None),
    ],
)
def test_of_a_volume_backed_instance_the_boot_volume_counts(
    cloud: Cloud, volumes: dict[str, Any], root: str | None, expected: str | None
) -> None:
    cloud.volumes = volumes
    instance = values.instance(
        volume_ids=frozenset(volumes) or frozenset({"v-1"}), root_device_name=root
    )
    subject = cloud.look({"image_properties": {"os_distro": True}}, instance).subjects["id-web-1"]
    assert subject.image_properties.get("os_distro") == expected
    assert bool(subject.notes) is (expected is None)


def test_without_a_block_storage_service_nothing_is_known_of_volumes(cloud: Cloud) -> None:
    cloud.cinder = False
    instance = values.instance(volume_ids=frozenset({"v-1"}))
    facts = cloud.look({"image_properties": {"os_distro": True}}, instance)
    assert cloud.asked == []
    assert len(facts.subjects["id-web-1"].notes) == 1


def test_a_flavor_that_is_gone_is_told_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(name: str) -> str:
        cloud.asked.append(name)
        if name == "gone":
            raise RecoveryError("flavor_not_found", "no")
        return name

    monkeypatch.setattr(cloud.flavors, "choose", choose)
    monkeypatch.setattr(policy_facts, "choose_image", lambda _connection, name: choose(name))
    shapes = [{"flavor": "gone"}, {"flavor": "big", "image": "new", "replace_root_disk": True}]
    rules = [
        {"name": str(i), "match": {"tags": str(i)}, "reshape": shape}
        for i, shape in enumerate([*shapes, False])
    ]
    policy = parse_policy({"version": 1, "rules": rules})
    assert cloud.facts.policy_facts(policy, [], reshapes=True).notes == ()
    assert cloud.facts.policy_facts(policy, [values.instance()]).notes == ()
    assert cloud.asked == []
    for _again in range(2):
        facts = cloud.facts.policy_facts(policy, [values.instance()], reshapes=True)
        assert facts.notes == (
            "the policy's reshape to the flavor 'gone' will fail: flavor_not_found",
        )
    assert cloud.asked == ["new", "big", "gone"]


def test_a_cloud_that_does_not_answer_says_nothing_of_a_flavor(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(_name: str) -> None:
        raise ApiUnavailable("no answer")

    monkeypatch.setattr(cloud.flavors, "choose", choose)
    rules = [{"name": "a", "match": {}, "reshape": {"flavor": "big"}}]
    policy = parse_policy({"version": 1, "rules": rules})
    with pytest.raises(ApiUnavailable):
        cloud.facts.policy_facts(policy, [values.instance()], reshapes=True)


def test_a_right_that_is_missing_is_an_error(cloud: Cloud) -> None:
    response = requests.Response()
    response.status_code = 403

    def refuse(**_query: Any) -> Any:
        raise sdk.ForbiddenException("no", response)

    cloud.sdk.identity.projects = refuse
    with pytest.raises(ApiRefused) as raised:
        cloud.look({"projects": "acme"}, values.instance())
    assert raised.value.code == "forbidden"
