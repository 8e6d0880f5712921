# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an instance tells, from its rows and from its BuildRequest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_subject import (
    Subject,
    subject_of_build_request,
    subject_of_rows,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    BuildRequestRow,
    InstanceRows,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.versioned_object import (
    primitive,
)
from fakes.neutron import NET_A, PORT_1, PROJECT

OF_PORT = {
    "count": 1,
    "spec": [{}],
    "alias_name": None,
    "request_id": NET_A,
    "requester_id": PORT_1,
}
OF_FLAVOR = {"count": 1, "spec": [{}], "alias_name": "gpu", "request_id": NET_A}
OLD = {"count": 1, "spec": [{}], "alias_name": None, "request_id": None, "requester_id": None}


def rows(pci_requests: str | None) -> InstanceRows:
    instance = {"uuid": "u", "project_id": PROJECT, "hostname": "web-1"}
    extra = {"instance_uuid": "u", "pci_requests": pci_requests}
    return InstanceRows(
        instance_uuid="u", tables={"instances": (instance,), "instance_extra": (extra,)}
    )


def build_request(**fields: Any) -> BuildRequestRow:
    instance = primitive("Instance", {"hostname": "web-1", **fields})
    return BuildRequestRow(
        instance_uuid="u",
        project_id=PROJECT,
        instance=json.dumps(instance),
        block_device_mappings="",
        tags="",
    )


def expected(**values: Any) -> Subject:
    return Subject(instance_uuid="u", project_id=PROJECT, hostname="web-1", **values)


@pytest.mark.parametrize("stored", [None, "[]", json.dumps([OF_FLAVOR, OLD])])
def test_without_sriov_ports(stored: str | None) -> None:
    assert subject_of_rows(rows(stored), None) == expected()


def test_sriov_ports_from_the_bare_list_and_from_the_primitive() -> None:
    wanted = expected(sriov_ports={PORT_1: NET_A}, stored=())
    every = [OF_FLAVOR, OF_PORT, OLD]
    assert subject_of_rows(rows(json.dumps(every)), ()) == wanted
    requests = primitive(
        "InstancePCIRequests", {"requests": [primitive("InstancePCIRequest", r) for r in every]}
    )
    assert subject_of_build_request(build_request(pci_requests=requests), ()) == wanted


@pytest.mark.parametrize("fields", [{}, {"pci_requests": None}])
def test_a_build_request_without_pci_requests(fields: dict[str, Any]) -> None:
    assert subject_of_build_request(build_request(**fields), None) == expected()


def test_a_build_request_of_another_form_is_refused() -> None:
    row = BuildRequestRow(
        instance_uuid="u", project_id="p", instance="{}", block_device_mappings="", tags=""
    )
    with pytest.raises(RecoveryError) as caught:
        subject_of_build_request(row, None)
    assert caught.value.code == "unexpected_object"


def test_an_instance_without_extra_rows() -> None:
    bare = InstanceRows(
        instance_uuid="u", tables={"instances": ({"project_id": PROJECT, "hostname": "web-1"},)}
    )
    assert subject_of_rows(bare, None) == expected()
