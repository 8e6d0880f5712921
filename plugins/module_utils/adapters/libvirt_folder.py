# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder of a hypervisor, seen and removed through libvirt: as a pool of storage for a moment."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from xml.etree import ElementTree

from ..domain.hypervisor.hypervisor import FolderFile
from .libvirt_connection import libvirt_errors

with suppress(ImportError):
    import libvirt

# libvirt's virStorageVolType, by number.
_TYPES = ("file", "block", "dir", "network", "netdir", "ploop")


def files_in(connection: Any, path: str) -> tuple[FolderFile, ...] | None:
    """What lies in the folder; None when there is none."""
    with libvirt_errors(f"look into {path}"), _pool(connection, path) as pool:
        if not _started(pool):
            return None
        return tuple(_file(volume) for volume in pool.listAllVolumes(0))


def remove(connection: Any, path: str) -> None:
    """Remove what lies in the folder, and the folder."""
    with libvirt_errors(f"remove {path}"), _pool(connection, path) as pool:
        if not _started(pool):
            return
        for volume in pool.listAllVolumes(0):
            volume.delete(0)
        pool.destroy()
        pool.delete(libvirt.VIR_STORAGE_POOL_DELETE_NORMAL)


@contextmanager
def _pool(connection: Any, path: str) -> Iterator[Any]:
    """Defined and not only created: libvirt removes the folder of a stopped pool only."""
    name = f"openstack_recovery{path.replace('/', '_')}"
    # Left by a run that was killed.
    with suppress(libvirt.libvirtError):
        _forget(connection.storagePoolLookupByName(name))
    pool = connection.storagePoolDefineXML(_xml(name, path), 0)
    try:
        yield pool
    finally:
        _forget(pool)


def _forget(pool: Any) -> None:
    if pool.isActive():
        pool.destroy()
    pool.undefine()


def _started(pool: Any) -> bool:
    """False when there is no such folder."""
    try:
        pool.create(0)
    except libvirt.libvirtError as error:
        if error.get_int1() == errno.ENOENT:
            return False
        raise
    pool.refresh(0)
    return True


def _xml(name: str, path: str) -> str:
    pool = ElementTree.Element("pool", type="dir")
    ElementTree.SubElement(pool, "name").text = name
    target = ElementTree.SubElement(pool, "target")
    ElementTree.SubElement(target, "path").text = path
    return ElementTree.tostring(pool, encoding="unicode")


def _file(volume: Any) -> FolderFile:
    # Written by libvirt, from numbers and a name.
    root = ElementTree.fromstring(volume.XMLDesc(0))  # noqa: S314
    number = volume.info()[0]
    times = [root.findtext(f"target/timestamps/{name}") or "" for name in ("mtime", "ctime")]
    size = [root.findtext(name) or "" for name in ("capacity", "allocation")]
    return FolderFile(
        name=str(volume.name()),
        type=_TYPES[number] if number < len(_TYPES) else str(number),
        # Without a time it is as if it had been changed just now.
        modified_at=float(times[0] or "inf"),
        mark=" ".join((*times, *size)),
    )
