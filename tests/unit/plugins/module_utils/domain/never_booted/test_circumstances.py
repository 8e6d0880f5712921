# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is looked up beyond Nova's databases, for all instances together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.circumstances import (
    NetworkHint,
    Services,
    look_around,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.description import (
    Description,
    NeededVolume,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_request import (
    NetworkRequest,
    Requests,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_subject import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.verdict import (
    CHECKS,
    Circumstances,
    Known,
)
from fakes.neutron import NET_A, PORT_1, PROJECT, FakeNeutron, network, port


class Storage:
    """Implements ImagesAndVolumes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.has_cinder = True

    def images(self, image_ids: Iterable[str]) -> dict[str, str]:
        self.asked.append(("images", list(image_ids)))
        return {"i": "active"}

    def volumes(self, volume_ids: Iterable[str]) -> dict[str, str] | None:
        self.asked.append(("volumes", list(volume_ids)))
        return {"v": "reserved"} if self.has_cinder else None

    def attachments(self, attachment_ids: Iterable[str]) -> dict[str, str]:
        self.asked.append(("attachments", list(attachment_ids)))
        return {"a": "u"}


def known(
    uuid: str,
    *,
    situation: str = "buried",
    stored: Requests | None = (),
    asked: bool = True,
    **what: Any,
) -> Known:
    return Known(
        instance_uuid=uuid,
        situation=situation,
        nobody_asked=not asked,
        description=Description(
            name=uuid,
            project_id=PROJECT,
            user_id="x",
            created_at=None,
            subject=Subject(instance_uuid=uuid, project_id=PROJECT, stored=stored),
            **what,
        ),
    )


def around(
    instances: list[Known],
    services: Services,
    checks: Iterable[str] = CHECKS,
    warnings: list[str] | None = None,
) -> tuple[Circumstances, dict[str, NetworkHint]]:
    told = warnings if warnings is not None else []
    found = look_around(instances, services, list(checks), told.append)
    if warnings is None:
        assert told == []
    return found


def test_each_is_asked_once_for_all() -> None:
    storage = Storage()
    volume = NeededVolume(volume_id="v", attachment_id="a")
    instances = [
        known("u", image_id="i", volumes=(volume,)),
        known("w", image_id="i"),
        known("x", image_id="j", volumes=(NeededVolume(volume_id="z"),)),
    ]
    found, _hints = around(instances, Services(images_and_volumes=lambda: storage))
    assert sorted(storage.asked) == [
        ("attachments", ["a"]),
        ("images", ["i", "j"]),
        ("volumes", ["v", "z"]),
    ]
    assert found.images == {"i": "active"}
    assert found.volumes == {"v": "reserved"}
    assert found.attachments == {"a": "u"}


def test_what_no_instance_needs_is_not_asked_for() -> None:
    def never() -> Any:
        raise RuntimeError("asked")

    around(
        [known("u", stored=None)],
        Services(images_and_volumes=never, queue_depth=never),
    )
    around([], Services(images_and_volumes=never, networks=never, queue_depth=never))
    everything = known("u", situation="left_behind", image_id="i", stored=None)
    services = Services(images_and_volumes=never, networks=never, queue_depth=never)
    assert around([everything], services, checks=[]) == (Circumstances(), {})


def test_without_cinder_volumes_stay_unchecked() -> None:
    storage = Storage()
    storage.has_cinder = False
    instances = [known("u", volumes=(NeededVolume(volume_id="v", attachment_id="a"),))]
    found, _hints = around(instances, Services(images_and_volumes=lambda: storage))
    assert found.volumes is None
    assert [name for name, _ids in storage.asked] == ["volumes"]


@pytest.mark.parametrize(
    ("instance", "depth"),
    [
        (known("u", situation="left_behind"), 3),
        (known("u", situation="half_built"), 3),
        (known("u", situation="left_behind", asked=False), None),
        (known("u", situation="buried"), None),
    ],
)
def test_the_queue_matters_to_a_build_request_only(instance: Known, depth: int | None) -> None:
    assert around([instance], Services(queue_depth=lambda: 3))[0].queued == depth


def test_networks_are_checked_in_a_number_of_calls_that_is_constant() -> None:
    def calls(number: int) -> list[str]:
        neutron = FakeNeutron(network(), port(PORT_1, device_id="other", device_owner="compute:a"))
        stored = (NetworkRequest(port_id=PORT_1), NetworkRequest(network_id=NET_A))
        instances = [known(f"u{n}", stored=stored) for n in range(number)]
        instances += [known(f"w{n}", stored=None) for n in range(number)]
        found, hints = around(instances, Services(networks=lambda: neutron))
        assert found.networks is not None
        assert "port_taken" in {problem.code for problem in found.networks["u0"]}
        assert hints["w0"] == NetworkHint(
            source="single_network", requests=(NetworkRequest(network_id=NET_A),)
        )
        return neutron.calls

    assert calls(1) == calls(50)


def test_where_no_source_tells_any_there_is_no_hint() -> None:
    _found, hints = around([known("u", stored=None)], Services(networks=FakeNeutron))
    assert hints == {}


def test_a_service_that_does_not_answer_is_a_warning() -> None:
    def fails() -> Any:
        raise ApiUnavailable("it does not answer")

    warnings: list[str] = []
    found, _hints = around(
        [known("u", situation="left_behind", image_id="i")],
        Services(images_and_volumes=fails, queue_depth=lambda: 0, networks=fails),
        warnings=warnings,
    )
    assert found.images is None
    assert found.networks is None
    assert found.queued == 0
    assert sorted(warnings) == [
        "images were not checked: it does not answer",
        "networks were not checked: it does not answer",
    ]
