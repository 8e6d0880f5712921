# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many instances that have arrived, of some of which something cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.check import Check
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    Port,
    VolumeAttachment,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.verification import (
    Attachments,
    verify_each,
)
from fakes import values

INSTANCES = {
    f"id-{name}": values.instance(name, volume_ids=frozenset({f"volume-{name}"}))
    for name in ("web-1", "web-2")
}


class Cloud:
    """Implements Attachments."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def ports_of(self, instance_ids: Iterable[str]) -> list[Port]:
        self.asked.append(sorted(instance_ids))
        return [values.port(id=f"port-{one}", instance_id=one) for one in self.asked[-1]]

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, VolumeAttachment] | None:
        self.asked.append(sorted(volume_ids))
        return None


def checks(silent: Iterable[str], cloud: Attachments) -> Mapping[str, Mapping[str, Check]]:
    def verify(instance_id: str, ports: list[Port], _volumes: object) -> dict[str, Check]:
        if instance_id in silent:
            raise ApiUnavailable(f"nothing is known of {instance_id}")
        return {"ports": Check("ports", True, "", ", ".join(port.id for port in ports))}

    return verify_each(cloud, INSTANCES, verify)


def test_what_can_be_read_at_once_is_asked_for_once() -> None:
    cloud = Cloud()
    found = checks((), cloud)
    assert cloud.asked == [["id-web-1", "id-web-2"], ["volume-web-1", "volume-web-2"]]
    assert {name: one["ports"].observed for name, one in found.items()} == {
        "id-web-1": "port-id-web-1",
        "id-web-2": "port-id-web-2",
    }


def test_one_that_cannot_be_read_holds_up_no_other() -> None:
    assert set(checks(["id-web-1"], Cloud())) == {"id-web-2"}
    with pytest.raises(ApiUnavailable, match="id-web-1"):
        checks(list(INSTANCES), Cloud())
