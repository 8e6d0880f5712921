# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of Glance for the message that builds an instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.glance_image import (
    GlanceImages,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiUnavailable,
    RecoveryError,
)
from fakes import http
from fakes.build import Original

IMAGE = "/image/v2/images/i"
SCHEMA = "/image/v2/schemas/image"


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        versions = [http._version("/image/v2", "v2.9")]
        cloud.answers["/image"] = (300, {"versions": versions})
        original = Original.load()
        cloud.answers[IMAGE] = (200, original.glance)
        # The property that a site has added is in its schema, but not as one of the image's own.
        names = set(original.glance) - {"owner_specified.openstack.object"}
        properties = {name: {} for name in names if "." not in name}
        properties["owner_specified.openstack.object"] = {"is_base": False}
        cloud.answers[SCHEMA] = (200, {"properties": properties})
        yield cloud


def images() -> GlanceImages:
    connection = openstack_connection.connect({**http.OPTIONS, "auth": http.AUTH}, read_only=True)
    return GlanceImages(connection)


def test_it_is_what_nova_sent_and_read_once(cloud: http.FakeHttp) -> None:
    found = images()
    assert found.image("i") == Original.load().arguments["image"]
    assert found.image("i") is found.image("i")
    assert cloud.seen.count(("GET", IMAGE)) == 1


def test_an_image_that_is_gone(cloud: http.FakeHttp) -> None:
    cloud.answers[IMAGE] = (404, {})
    with pytest.raises(RecoveryError) as caught:
        images().image("i")
    assert caught.value.code == "image_not_found"


def test_an_image_that_is_deactivated(cloud: http.FakeHttp) -> None:
    cloud.answers[IMAGE] = (200, {**Original.load().glance, "status": "deactivated"})
    with pytest.raises(RecoveryError) as caught:
        images().image("i")
    assert caught.value.code == "image_not_active"


def test_glance_does_not_answer(cloud: http.FakeHttp) -> None:
    cloud.answers[IMAGE] = (503, {})
    with pytest.raises(ApiUnavailable):
        images().image("i")
