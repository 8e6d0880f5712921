# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of Glance by name or id, and which projects may use it."""

from __future__ import annotations

from urllib.parse import urlencode

from ..domain.errors import RecoveryError
from ..domain.never_booted.another_image import ChosenImage
from .glance_image import GlanceImages
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing

_FOR_ALL = ("public", "community")


def choose_image(connection: CloudConnection, name_or_id: str) -> ChosenImage:
    """The image with this id, or else the only one with this name.

    :raises RecoveryError: ``image_not_found``, ``image_not_active``, ``image_ambiguous``, and those
        of the API.
    """
    image_id = _id_of(connection, name_or_id)
    images = GlanceImages(connection)
    nova = images.image(image_id)
    properties = nova["properties"]
    if properties.get("kernel_id") != "nokernel":
        for name in ("kernel_id", "ramdisk_id"):
            if properties.get(name):
                images.image(properties[name])
    return ChosenImage(nova=nova, project_ids=_project_ids(connection, image_id))


def _id_of(connection: CloudConnection, name_or_id: str) -> str:
    glance = connection.sdk.image
    with cloud_errors(f"look for image {name_or_id}"):
        by_id = None
        if "/" not in name_or_id:
            by_id = none_if_missing(lambda: connection.read(glance, f"/images/{name_or_id}"))
        if by_id is not None:
            return str(by_id["id"])
        query = urlencode({"name": name_or_id})
        found = connection.read(glance, f"/images?{query}")["images"]
    if not found:
        raise RecoveryError(
            "image_not_found",
            f"there is no image {name_or_id}, or it may not be seen with these credentials: check"
            " the option image",
            details={"image": name_or_id},
        )
    if len(found) > 1:
        raise RecoveryError(
            "image_ambiguous",
            f"{len(found)} images are named {name_or_id}: give the id of one",
            details={"images": sorted(image["id"] for image in found)},
        )
    return str(found[0]["id"])


def _project_ids(connection: CloudConnection, image_id: str) -> frozenset[str] | None:
    """None for all projects."""
    glance = connection.sdk.image
    with cloud_errors(f"read who may use image {image_id}"):
        body = connection.read(glance, f"/images/{image_id}")
        if body["visibility"] in _FOR_ALL:
            return None
        projects = {body["owner"]}
        if body["visibility"] == "shared":
            members = connection.read(glance, f"/images/{image_id}/members")["members"]
            projects.update(member["member_id"] for member in members)
        return frozenset(projects)
