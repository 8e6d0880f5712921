# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a hypervisor says of its domains: libvirt's XML and states as plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from ..errors import RecoveryError

# libvirt's virDomainState, by number.
STATES = (
    "nostate",
    "running",
    "blocked",
    "paused",
    "shutdown",
    "shutoff",
    "crashed",
    "pmsuspended",
)

# Nova has used the versions 1.0 and 1.1.
_NOVA_INSTANCE = re.compile(
    r"\{(?P<namespace>http://openstack\.org/xmlns/libvirt/nova/\d+\.\d+)\}instance"
)
# A domain with every device that Nova can give it has some 50 KB.
_LONGEST_XML = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Disk:
    """``type`` is libvirt's (file, block, network, ...); ``source`` None for an empty drive."""

    target: str
    type: str
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaMetadata:
    """What Nova wrote into the domain when it last made it."""

    name: str | None
    project_id: str | None
    project_name: str | None
    flavor: str | None
    created_at: str | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtDomain:
    """One domain. ``uuid`` is the instance's, for Nova's domains.

    ``state`` is libvirt's word. ``active`` is what counts for whether it can still write: a domain
    that is paused, blocked or crashed has a process, too. ``nova`` is None for a domain that Nova
    has not made. ``has_tpm``: it has a virtual TPM.
    """

    uuid: str
    name: str
    state: str
    active: bool
    persistent: bool
    disks: tuple[Disk, ...] = ()
    nova: NovaMetadata | None = None
    has_tpm: bool = False


def state_name(number: int) -> str:
    """libvirt's word for the number; one that is not known yet is told as such."""
    return STATES[number] if 0 <= number < len(STATES) else f"state_{number}"


def read_domain(xml: str, *, state: int, active: bool, persistent: bool) -> LibvirtDomain:
    """A domain from its XML and what libvirt says beside it.

    :raises RecoveryError: ``unexpected_answer``.
    """
    root = _parsed(xml)
    uuid, name = root.findtext("uuid"), root.findtext("name")
    if root.tag != "domain" or not uuid or not name:
        raise _unexpected("it is not that of a domain")
    return LibvirtDomain(
        uuid=uuid.strip().lower(),
        name=name,
        state=state_name(state),
        active=active,
        persistent=persistent,
        disks=tuple(_disk(disk) for disk in root.iterfind("devices/disk")),
        nova=_nova(root),
        has_tpm=root.find("devices/tpm") is not None,
    )


def _parsed(xml: str) -> ElementTree.Element:
    if len(xml) > _LONGEST_XML:
        raise _unexpected(f"it has {len(xml)} characters")
    # libvirt never writes one; with it goes all that can make a small text a large tree.
    if "<!DOCTYPE" in xml:
        raise _unexpected("it has a document type")
    try:
        return ElementTree.fromstring(xml)  # noqa: S314 - bounded, and without entities
    except ElementTree.ParseError as error:
        raise _unexpected(str(error)) from error


def _unexpected(why: str) -> RecoveryError:
    return RecoveryError("unexpected_answer", f"libvirt's XML cannot be read: {why}")


def _disk(disk: ElementTree.Element) -> Disk:
    target, source = disk.find("target"), disk.find("source")
    return Disk(
        target="" if target is None else target.get("dev", ""),
        type=disk.get("type", ""),
        source=None if source is None else _source(source),
    )


def _source(source: ElementTree.Element) -> str | None:
    """The path, or protocol:name, or pool/volume."""
    for attribute in ("file", "dev", "dir"):
        if path := source.get(attribute):
            return path
    if name := source.get("name"):
        return f"{source.get('protocol', '')}:{name}"
    if volume := source.get("volume"):
        return f"{source.get('pool', '')}/{volume}"
    return None


def _nova(root: ElementTree.Element) -> NovaMetadata | None:
    for element in root.iterfind("metadata/*"):
        if matched := _NOVA_INSTANCE.fullmatch(element.tag):
            return _nova_metadata(element, {"nova": matched["namespace"]})
    return None


def _nova_metadata(instance: ElementTree.Element, names: dict[str, str]) -> NovaMetadata:
    def attribute(path: str, name: str) -> str | None:
        found = instance.find(path, names)
        return None if found is None else found.get(name)

    return NovaMetadata(
        name=instance.findtext("nova:name", None, names),
        project_id=attribute("nova:owner/nova:project", "uuid"),
        project_name=instance.findtext("nova:owner/nova:project", None, names),
        flavor=attribute("nova:flavor", "name"),
        created_at=instance.findtext("nova:creationTime", None, names),
        version=attribute("nova:package", "version"),
    )


def shown(domain: LibvirtDomain) -> dict[str, Any]:
    """As the module returns it."""
    nova = domain.nova
    return {
        "uuid": domain.uuid,
        "name": domain.name,
        "state": domain.state,
        "active": domain.active,
        "persistent": domain.persistent,
        "disks": [
            {"target": disk.target, "type": disk.type, "source": disk.source}
            for disk in domain.disks
        ],
        "nova": nova
        and {
            "name": nova.name,
            "project_id": nova.project_id,
            "project_name": nova.project_name,
            "flavor": nova.flavor,
            "created_at": nova.created_at,
            "version": nova.version,
        },
    }
