# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images by name or id, and who may use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.image_choice import (
    choose_image,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.another_image import (
    ChosenImage,
)
from fakes import http
from fakes.build import Original

GLANCE = Original.load().glance
ID = GLANCE["id"]
IMAGES = "/image/v2/images"


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        cloud.answers["/image"] = (300, {"versions": [http._version("/image/v2", "v2.9")]})
        cloud.answers[f"{IMAGES}/{ID}"] = (200, GLANCE)
        cloud.answers[IMAGES] = (200, {"images": [GLANCE]})
        names = [name for name in GLANCE if "." not in name]
        cloud.answers["/image/v2/schemas/image"] = (200, {"properties": {key: {} for key in names}})
        yield cloud


def choose(name_or_id: str) -> ChosenImage:
    connection = openstack_connection.connect({**http.OPTIONS, "auth": http.AUTH}, read_only=True)
    return choose_image(connection, name_or_id)


def refusal(name_or_id: str) -> RecoveryError:
    with pytest.raises(RecoveryError) as caught:
        choose(name_or_id)
    return caught.value


def test_by_id(cloud: http.FakeHttp) -> None:
    found = choose(ID)
    assert found == ChosenImage(nova=Original.load().arguments["image"], project_ids=None)
    assert ("GET", IMAGES) not in cloud.seen


def test_by_name(cloud: http.FakeHttp) -> None:
    cloud.answers[f"{IMAGES}/lab-image"] = (404, {})
    assert choose("lab-image").id == ID


def test_a_name_with_a_slash_is_no_id(cloud: http.FakeHttp) -> None:
    assert choose("images/lab & more").id == ID
    assert not [path for _method, path in cloud.seen if "more" in path]


def test_none_of_that_name(cloud: http.FakeHttp) -> None:
    cloud.answers[f"{IMAGES}/other"] = (404, {})
    cloud.answers[IMAGES] = (200, {"images": []})
    assert refusal("other").code == "image_not_found"


def test_several_of_that_name(cloud: http.FakeHttp) -> None:
    cloud.answers[f"{IMAGES}/lab-image"] = (404, {})
    cloud.answers[IMAGES] = (200, {"images": [GLANCE, {**GLANCE, "id": "0"}]})
    error = refusal("lab-image")
    assert error.code == "image_ambiguous"
    assert error.details == {"images": ["0", ID]}


def test_one_that_is_not_active(cloud: http.FakeHttp) -> None:
    cloud.answers[f"{IMAGES}/{ID}"] = (200, {**GLANCE, "status": "queued"})
    assert refusal(ID).code == "image_not_active"


def test_its_kernel_must_be_there(cloud: http.FakeHttp) -> None:
    cloud.answers[f"{IMAGES}/{ID}"] = (200, {**GLANCE, "kernel_id": "k"})
    cloud.answers[f"{IMAGES}/k"] = (404, {})
    assert refusal(ID).code == "image_not_found"
    cloud.answers[f"{IMAGES}/k"] = (200, {**GLANCE, "id": "k"})
    assert choose(ID).properties["kernel_id"] == "k"
    cloud.answers[f"{IMAGES}/{ID}"] = (200, {**GLANCE, "kernel_id": "nokernel"})
    assert choose(ID).properties["kernel_id"] == "nokernel"


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        ("public", None),
        ("community", None),
        ("private", {GLANCE["owner"]}),
        ("shared", {GLANCE["owner"], "a", "b"}),
    ],
)
def test_who_may_use_it(cloud: http.FakeHttp, visibility: str, expected: Any) -> None:
    cloud.answers[f"{IMAGES}/{ID}"] = (200, {**GLANCE, "visibility": visibility})
    members = [{"member_id": "a", "status": "accepted"}, {"member_id": "b", "status": "pending"}]
    cloud.answers[f"{IMAGES}/{ID}/members"] = (200, {"members": members})
    assert choose(ID).project_ids == expected


def test_glance_does_not_answer(cloud: http.FakeHttp) -> None:
    cloud.answers[f"{IMAGES}/{ID}"] = (503, {})
    with pytest.raises(ApiUnavailable):
        choose(ID)
