# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt-python in memory: the calls, constants and errors that the adapters use (libvirt 9.0)."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import unescape

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    libvirt_connection,
    libvirt_folder,
    libvirt_hypervisor,
    probes,
)

_NOVA = '<n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1"/>'


class LibvirtError(Exception):
    """libvirt.libvirtError."""

    def __init__(self, message: str, code: int, *, domain: int = 10, int1: int = -1) -> None:
        super().__init__(message)
        self._numbers = (code, domain, int1)

    def get_error_code(self) -> int:
        return self._numbers[0]

    def get_error_domain(self) -> int:
        return self._numbers[1]

    def get_int1(self) -> int:
        return self._numbers[2]


def _raise(error: LibvirtError | None) -> None:
    if error is not None:
        raise error


class FakeLibvirt:
    """The module."""

    libvirtError = LibvirtError  # noqa: N815
    VIR_FROM_RPC = 7
    VIR_ERR_NO_CONNECT = 5
    VIR_ERR_INVALID_ARG = 8
    VIR_ERR_OPERATION_DENIED = 29
    VIR_ERR_SYSTEM_ERROR = 38
    VIR_ERR_RPC = 39
    VIR_ERR_NO_DOMAIN = 42
    VIR_ERR_AUTH_FAILED = 45
    VIR_ERR_NO_STORAGE_POOL = 49
    VIR_ERR_OPERATION_INVALID = 55
    VIR_ERR_AUTH_CANCELLED = 79
    VIR_ERR_AUTH_UNAVAILABLE = 80
    VIR_ERR_ACCESS_DENIED = 88
    VIR_CRED_AUTHNAME = 2
    VIR_CRED_PASSPHRASE = 5
    VIR_CONNECT_RO = 1
    VIR_DOMAIN_UNDEFINE_MANAGED_SAVE = 1
    VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA = 2
    VIR_DOMAIN_UNDEFINE_NVRAM = 4
    VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA = 16
    VIR_DOMAIN_UNDEFINE_KEEP_TPM = 64
    VIR_STORAGE_POOL_DELETE_NORMAL = 0

    def __init__(self) -> None:
        self.connection = FakeVirConnect()
        self.open_error: LibvirtError | None = None
        self.hangs = False
        self.opened: list[tuple[str, int]] = []
        self.handler: Callable[..., None] | None = None

    def install(self, monkeypatch: pytest.MonkeyPatch) -> FakeLibvirt:
        """In place of the real one, whether that is installed or not."""
        for adapter in (libvirt_connection, libvirt_folder, libvirt_hypervisor):
            monkeypatch.setattr(adapter, "libvirt", self, raising=False)
        for adapter in (libvirt_connection, probes):
            monkeypatch.setattr(adapter, "LIBVIRT_IMPORT_ERROR", None)
        return self

    def registerErrorHandler(self, handler: Callable[..., None], _context: None) -> None:  # noqa: N802
        self.handler = handler

    def openAuth(self, uri: str, auth: list[Any], flags: int) -> FakeVirConnect:  # noqa: N802
        wanted, asked, data = auth
        assert (wanted, asked([], data)) == ([2, 5], -1)
        assert self.handler is not None, "it would write its errors to standard error"
        self.opened.append((uri, flags))
        if self.hangs:
            time.sleep(1000)
        _raise(self.open_error)
        self.connection.read_only = flags == self.VIR_CONNECT_RO
        return self.connection


class FakeVirConnect:
    """virConnect, of a hypervisor that is its own."""

    def __init__(self) -> None:
        self.read_only = False
        self.found: list[FakeVirDomain] = []
        # What its storage has: names and contents by path of a folder.
        self.folders: dict[str, list[FakeVolume]] = {}
        self.pools: dict[str, FakePool] = {}
        self.error: LibvirtError | None = None

    def add(self, uuid: str, **fields: Any) -> FakeVirDomain:
        domain = FakeVirDomain(self, uuid, **fields)
        self.found.append(domain)
        return domain

    def require_write(self) -> None:
        if self.read_only:
            raise LibvirtError("operation forbidden: read only access prevents it", 29)

    def getHostname(self) -> str:  # noqa: N802
        return "hyper-1"

    def getLibVersion(self) -> int:  # noqa: N802
        return 9000000

    def listAllDomains(self, flags: int) -> list[FakeVirDomain]:  # noqa: N802
        assert flags == 0
        _raise(self.error)
        return list(self.found)

    def lookupByUUIDString(self, uuid: str) -> FakeVirDomain:  # noqa: N802
        for domain in self.found:
            if domain.uuid == uuid:
                return domain
        raise no_domain()

    def storagePoolLookupByName(self, name: str) -> FakePool:  # noqa: N802
        if name not in self.pools:
            raise LibvirtError("Storage pool not found", 49)
        return self.pools[name]

    def storagePoolDefineXML(self, xml: str, flags: int) -> FakePool:  # noqa: N802
        assert flags == 0
        self.require_write()
        name, path = (
            unescape(xml.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0])
            for tag in ("name", "path")
        )
        assert '<pool type="dir">' in xml
        if any(pool.path == path for pool in self.pools.values()):
            raise LibvirtError("Storage source conflict with pool", 9)
        self.pools[name] = FakePool(self, name, path)
        return self.pools[name]


def no_domain() -> LibvirtError:
    return LibvirtError("Domain not found", 42)


class FakeVirDomain:
    """virDomain. ``known_flags`` are those of undefine that its libvirt knows."""

    def __init__(
        self,
        connection: FakeVirConnect,
        uuid: str,
        *,
        state: int = 1,
        active: bool = True,
        persistent: bool = True,
        nova: bool = True,
        known_flags: int = 127,
    ) -> None:
        self.uuid = uuid
        self.number = state
        self.active = active
        self.persistent = persistent
        self.known_flags = known_flags
        self.undefined_with: int | None = None
        self.errors: dict[str, LibvirtError] = {}
        self._connection = connection
        self._nova = nova

    def _call(self, name: str) -> None:
        _raise(self.errors.get(name))

    def XMLDesc(self, flags: int) -> str:  # noqa: N802
        assert flags == 0
        self._call("XMLDesc")
        metadata = f"<metadata>{_NOVA}</metadata>" if self._nova else ""
        return f"<domain><name>x</name><uuid>{self.uuid}</uuid>{metadata}</domain>"

    def state(self) -> list[int]:
        return [self.number, 1]

    def isActive(self) -> int:  # noqa: N802
        return int(self.active)

    def isPersistent(self) -> int:  # noqa: N802
        return int(self.persistent)

    def destroy(self) -> int:
        self._connection.require_write()
        self._call("destroy")
        if not self.active:
            raise LibvirtError("Requested operation is not valid: domain is not running", 55)
        self.active = False
        self.number = 5
        if not self.persistent:
            self._connection.found.remove(self)
        return 0

    def undefineFlags(self, flags: int) -> int:  # noqa: N802
        self._connection.require_write()
        self._call("undefineFlags")
        if flags & ~self.known_flags:
            raise LibvirtError(f"unsupported flags (0x{flags:x}) in function", 8)
        self.undefined_with = flags
        self._connection.found.remove(self)
        return 0


class FakePool:
    """virStoragePool."""

    def __init__(self, connection: FakeVirConnect, name: str, path: str) -> None:
        self.name, self.path = name, path
        self.active = False
        self._connection = connection

    def isActive(self) -> int:  # noqa: N802
        return int(self.active)

    def create(self, _flags: int) -> int:
        if self.path not in self._connection.folders:
            raise LibvirtError(
                f"cannot open directory '{self.path}'", 38, int1=errno.ENOENT, domain=18
            )
        self.active = True
        return 0

    def refresh(self, _flags: int) -> int:
        assert self.active
        return 0

    def listAllVolumes(self, _flags: int) -> list[FakeVolume]:  # noqa: N802
        return list(self._connection.folders[self.path])

    def destroy(self) -> int:
        assert self.active
        self.active = False
        return 0

    def delete(self, flags: int) -> int:
        assert (flags, self.active) == (0, False)
        if self._connection.folders[self.path]:
            raise LibvirtError("failed to remove pool: Directory not empty", 38, int1=39)
        del self._connection.folders[self.path]
        return 0

    def undefine(self) -> int:
        assert not self.active
        del self._connection.pools[self.name]
        return 0


class FakeVolume:
    """virStorageVol."""

    def __init__(
        self, folder: list[FakeVolume], name: str, *, kind: int = 0, mtime: str | None = "12.5"
    ) -> None:
        self._folder, self._name, self._kind, self.mtime = folder, name, kind, mtime
        folder.append(self)

    def name(self) -> str:
        return self._name

    def info(self) -> list[int]:
        return [self._kind, 10, 20]

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802
        times = f"<timestamps><mtime>{self.mtime}</mtime><ctime>13</ctime></timestamps>"
        return (
            f"<volume type='file'><name>{self._name}</name><capacity unit='bytes'>10</capacity>"
            f"<allocation unit='bytes'>20</allocation><target>{times if self.mtime else ''}</target>"
            "</volume>"
        )

    def delete(self, _flags: int) -> int:
        self._folder.remove(self)
        return 0
