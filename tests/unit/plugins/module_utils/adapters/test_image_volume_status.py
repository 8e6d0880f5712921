# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images and volumes, for many at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    image_volume_status as adapter,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.image_volume_status import (
    ImageVolumeStatus,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)


class FakeConnection:
    """Answers GETs by path. A path that is missing does not exist."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.seen: list[tuple[str, str, str | None]] = []
        self.block_storage = True
        self.projects: list[Any] = []
        self.sdk = SimpleNamespace(
            image=SimpleNamespace(name="image", images=lambda **_: [SimpleNamespace(id="named")]),
            block_storage=SimpleNamespace(name="cinder"),
            identity=SimpleNamespace(
                get_project=lambda key: next((p for p in self.projects if p.id == key), None),
                projects=lambda name: [p for p in self.projects if p.name == name],
            ),
        )

    def has_service(self, kind: str) -> bool:
        return kind == "block-storage" and self.block_storage

    def read(self, proxy: Any, path: str, microversion: str | None = None) -> Any:
        self.seen.append((proxy.name, path, microversion))
        for start, answer in self.answers.items():
            if path == start or (start.endswith("*") and path.startswith(start[:-1])):
                return answer(path) if callable(answer) else answer
        raise LookupError(path)


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch) -> FakeConnection:
    def none_if_missing(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except LookupError:
            return None

    monkeypatch.setattr(adapter, "none_if_missing", none_if_missing)
    monkeypatch.setattr(adapter, "cloud_errors", lambda what: nullcontext())
    return FakeConnection()


def status(cloud: FakeConnection) -> ImageVolumeStatus:
    return ImageVolumeStatus(cloud)  # type: ignore[arg-type]


def test_images_are_listed_in_batches_and_hidden_ones_read(cloud: FakeConnection) -> None:
    def listed(path: str) -> Any:
        ids = path.partition("in:")[2].split(",")
        return {"images": [{"id": i, "status": "active"} for i in ids if i.startswith("i")]}

    cloud.answers = {"/images?*": listed, "/images/hidden": {"status": "queued"}}
    wanted = [f"i{number}" for number in range(250)]
    found = status(cloud).images([*wanted, "hidden", "gone"])
    assert found == {**dict.fromkeys(wanted, "active"), "hidden": "queued"}
    assert len(cloud.seen) == 3 + 2
    assert all("visibility=all" in path for _p, path, _v in cloud.seen[:3])


def test_few_volumes_and_attachments_are_read_one_by_one(cloud: FakeConnection) -> None:
    cloud.answers = {
        "/volumes/v": {"volume": {"id": "v", "status": "reserved"}},
        "/attachments/a": {"attachment": {"id": "a", "instance": "u"}},
    }
    assert status(cloud).volumes(["v", "gone"]) == {"v": "reserved"}
    assert status(cloud).attachments(["a", "gone"]) == {"a": "u"}
    assert {version for _p, _path, version in cloud.seen} == {"3.27"}


def test_many_are_listed_page_by_page(cloud: FakeConnection) -> None:
    def page(path: str) -> Any:
        last = "marker=v199" in path
        ids = range(200, 300) if last else range(200)
        link = {"rel": "next", "href": "http://elsewhere/v3/volumes/detail?limit=1&marker=v199"}
        return {
            "volumes": [{"id": f"v{n}", "status": "available"} for n in ids],
            "volumes_links": [] if last else [link],
        }

    cloud.answers = {"/volumes/detail*": page}
    wanted = [f"v{n}" for n in range(100, 301)]
    found = status(cloud).volumes(wanted)
    assert found == dict.fromkeys([f"v{n}" for n in range(100, 300)], "available")
    assert len(cloud.seen) == 2
    assert all("all_tenants=1" in path for _p, path, _v in cloud.seen)


def test_without_cinder_nothing_is_known(cloud: FakeConnection) -> None:
    cloud.block_storage = False
    assert status(cloud).volumes(["v"]) is None


def test_an_image_may_be_meant_by_its_name(cloud: FakeConnection) -> None:
    assert status(cloud).image_ids("cirros") == ["cirros", "named"]


def test_a_project_by_id_or_name(cloud: FakeConnection) -> None:
    cloud.projects = [
        SimpleNamespace(id=key, name=name) for key, name in (("1", "a"), ("2", "b"), ("3", "b"))
    ]
    assert status(cloud).project_id("2") == "2"
    assert status(cloud).project_id("a") == "1"
    for name, code in (("b", "project_ambiguous"), ("c", "project_not_found")):
        with pytest.raises(RecoveryError) as caught:
            status(cloud).project_id(name)
        assert caught.value.code == code
