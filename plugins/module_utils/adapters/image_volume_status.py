# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether images and volumes exist, and in which state, for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..domain.batches import in_batches
from ..domain.errors import RecoveryError
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing

# Ids of one request: each takes 37 characters, a URL may have 8 KiB.
_BATCH = 100
# From so many on, the whole list of all projects is shorter than one request for each.
_ONE_BY_ONE = 100
_PAGE = 1000
# The first that has attachments.
_ATTACHMENTS_SINCE = "3.27"


class ImageVolumeStatus:
    """Implements domain.never_booted.circumstances.ImagesAndVolumes."""

    def __init__(self, connection: CloudConnection) -> None:
        self._connection = connection

    def images(self, image_ids: Iterable[str]) -> dict[str, str]:
        return {i: image["status"] for i, image in self.read_images(image_ids).items()}

    def read_images(self, image_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What Glance shows of each that exists, by id."""
        wanted = list(image_ids)
        found: dict[str, dict[str, Any]] = {}
        glance = self._connection.sdk.image
        for batch in in_batches(wanted, _BATCH):
            with cloud_errors("list the images"):
                path = f"/images?limit={_BATCH}&visibility=all&id=in:{','.join(batch)}"
                for image in self._connection.read(glance, path)["images"]:
                    found[image["id"]] = image
        for image_id in wanted:
            # A list leaves out hidden ones.
            if image_id not in found:
                image = self._read_if_there(glance, f"/images/{image_id}", "image")
                if image is not None:
                    found[image_id] = image
        return found

    def volumes(self, volume_ids: Iterable[str]) -> dict[str, str] | None:
        read = self.read_volumes(volume_ids)
        return None if read is None else {i: volume["status"] for i, volume in read.items()}

    def read_volumes(self, volume_ids: Iterable[str]) -> dict[str, dict[str, Any]] | None:
        """What Cinder shows of each that exists, by id; None without a block storage service."""
        if not self._connection.has_service("block-storage"):
            return None
        return self._cinder("volumes", "volume", volume_ids)

    def attachments(self, attachment_ids: Iterable[str]) -> dict[str, str]:
        read = self._cinder("attachments", "attachment", attachment_ids)
        return {key: attachment["instance"] for key, attachment in read.items()}

    def image_ids(self, name_or_id: str) -> list[str]:
        """Ids of the images of this name, and the given one, which may be an id."""
        with cloud_errors(f"look up image {name_or_id}"):
            images = self._connection.sdk.image.images(name=name_or_id, visibility="all")
            return [name_or_id, *(image.id for image in images)]

    def project_id(self, name_or_id: str) -> str:
        """:raises RecoveryError: ``project_not_found``, ``project_ambiguous``."""
        with cloud_errors(f"look up project {name_or_id}"):
            identity = self._connection.sdk.identity
            one = none_if_missing(lambda: identity.get_project(name_or_id))
            found = [one] if one is not None else list(identity.projects(name=name_or_id))
        if len(found) == 1:
            return str(found[0].id)
        if found:
            ids = sorted(project.id for project in found)
            raise RecoveryError(
                "project_ambiguous",
                f"several projects are named {name_or_id!r} ({', '.join(ids)}): state the id",
                details={"projects": ids},
            )
        raise RecoveryError(
            "project_not_found",
            f"there is no project {name_or_id!r}: check its name, or state its id",
        )

    def _cinder(self, plural: str, singular: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What Cinder shows of each that exists."""
        wanted = set(ids)
        cinder = self._connection.sdk.block_storage
        if len(wanted) > _ONE_BY_ONE:
            return {one["id"]: one for one in self._list(cinder, plural) if one["id"] in wanted}
        found = {}
        for one_id in sorted(wanted):
            path = f"/{plural}/{one_id}"
            read = self._read_if_there(cinder, path, singular, _ATTACHMENTS_SINCE)
            if read is not None:
                found[one_id] = read[singular]
        return found

    def _list(self, cinder: Any, plural: str) -> Iterator[dict[str, Any]]:
        path: str | None = f"/{plural}/detail?all_tenants=1&limit={_PAGE}"
        while path:
            with cloud_errors(f"list the {plural}"):
                page = self._connection.read(cinder, path, _ATTACHMENTS_SINCE)
            yield from page[plural]
            path = _next_path(page, plural)

    def _read_if_there(
        self, proxy: Any, path: str, what: str, microversion: str | None = None
    ) -> dict[str, Any] | None:
        with cloud_errors(f"read {what} {path.rpartition('/')[2]}"):
            read: dict[str, Any] | None = none_if_missing(
                lambda: self._connection.read(proxy, path, microversion)
            )
            return read


def _next_path(page: dict[str, Any], plural: str) -> str | None:
    """Of the next page; its address may be one that is not reached from here."""
    links = page.get(f"{plural}_links") or ()
    following = next((link["href"] for link in links if link.get("rel") == "next"), None)
    marker = dict(parse_qsl(urlsplit(following).query)).get("marker") if following else None
    if marker is None:
        return None
    return f"/{plural}/detail?all_tenants=1&limit={_PAGE}&marker={marker}"
