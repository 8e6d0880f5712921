# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of Glance, as the message that builds an instance has them."""

from __future__ import annotations

from typing import Any

from ..domain.errors import RecoveryError
from ..domain.never_booted.image import image_from_glance
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing


class GlanceImages:
    """Reads each image once."""

    def __init__(self, connection: CloudConnection) -> None:
        self._connection = connection
        self._images: dict[str, dict[str, Any]] = {}
        self._base: frozenset[str] | None = None

    def image(self, image_id: str) -> dict[str, Any]:
        """The image in Nova's form.

        :raises RecoveryError: ``image_not_found``, ``image_not_active``, and those of the API.
        """
        if image_id not in self._images:
            with cloud_errors(f"read image {image_id}"):
                self._images[image_id] = self._read(image_id)
        return self._images[image_id]

    def _read(self, image_id: str) -> dict[str, Any]:
        glance = self._connection.sdk.image
        body = none_if_missing(lambda: self._connection.read(glance, f"/images/{image_id}"))
        if body is None:
            raise RecoveryError(
                "image_not_found",
                f"image {image_id} does not exist, or may not be seen with these credentials: give"
                " another image, or restore it",
                details={"image": image_id},
            )
        if body.get("status") != "active":
            raise RecoveryError(
                "image_not_active",
                f"image {image_id} is {body.get('status')}: reactivate it, or give another image",
                details={"image": image_id, "status": body.get("status")},
            )
        if self._base is None:
            properties = self._connection.read(glance, "/schemas/image")["properties"]
            self._base = frozenset(
                name for name, schema in properties.items() if schema.get("is_base", True)
            )
        return image_from_glance(body, self._base)
