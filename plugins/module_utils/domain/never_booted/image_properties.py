# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of an image as Nova's ImageMetaProps has them, and as texts in system_metadata.

Nova knows some properties, by a name and often an older one, and converts each to a type. A value
that it does not know makes it fail to load the whole RequestSpec, so none is let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RecoveryError
from .image_fields import FIELDS, NEWEST, OLD_NAMES, SINCE, VALUES_SINCE

_LONGEST_TEXT = 255


def known_properties(properties: Mapping[str, Any], minor: int) -> dict[str, Any]:
    """Fields of ImageMetaProps; what this Nova does not know is left out, as Nova does.

    :param properties: of the image, in Nova's form.
    :param minor: minor version of the ImageMetaProps that this Nova writes.
    :raises RecoveryError: ``image_property_invalid``, ``image_needs_nova``.
    """
    _refuse_newer(properties, minor)
    known = {
        name: _converted(name, given, value, minor)
        for name, (given, value) in _by_name(properties).items()
        if SINCE.get(name, 0) <= minor
    }
    traits = [
        name.removeprefix("trait:")
        for name, value in properties.items()
        if name.startswith("trait:") and str(value) == "required"
    ]
    if traits:
        known["traits_required"] = traits
    return known


def as_text(value: object) -> str:
    """At most 255 bytes of UTF-8, which is what a row of system_metadata holds."""
    return str(value).encode()[:_LONGEST_TEXT].decode(errors="ignore")


def _by_name(properties: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """For each field that is stated, the property that states it. The newer name counts."""
    stated: dict[str, tuple[str, Any]] = {
        name: (old, properties[old]) for old, name in OLD_NAMES.items() if old in properties
    }
    if adapter := properties.get("vmware_adaptertype"):
        is_ide = adapter == "ide"
        stated["hw_disk_bus"] = ("vmware_adaptertype", "ide" if is_ide else "scsi")
        if not is_ide:
            stated["hw_scsi_model"] = ("vmware_adaptertype", adapter)
    stated.update({name: (name, properties[name]) for name in FIELDS if name in properties})
    return stated


def _refuse_newer(properties: Mapping[str, Any], minor: int) -> None:
    prefixes = ("hw_", "img_", "os_")
    unknown = [name for name in properties if name.startswith(prefixes) and name not in FIELDS]
    if minor > NEWEST and unknown:
        raise RecoveryError(
            "image_needs_nova",
            f"the image has the property {min(unknown)}, which this Nova may know and this"
            " collection does not: give an image without it",
        )


def _converted(name: str, given: str, value: Any, minor: int) -> Any:
    invalid = RecoveryError(
        "image_property_invalid",
        f"the image's property {given} is {value!r}, which this Nova does not accept: correct the"
        " image, or give another",
    )
    try:
        converted = FIELDS[name](value)
    except (ValueError, TypeError, AttributeError):
        raise invalid from None
    if isinstance(converted, str) and VALUES_SINCE.get((name, converted), 0) > minor:
        raise invalid
    return converted
