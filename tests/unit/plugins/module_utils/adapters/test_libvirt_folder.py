# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders through libvirt's storage pools."""

from __future__ import annotations

import math

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.libvirt_hypervisor import (
    LibvirtHypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.libvirt_module import FakeLibvirt, FakePool, FakeVirConnect, FakeVolume, LibvirtError

PATH = "/var/lib/nova/instances/a & b"


@pytest.fixture(name="storage")
def _storage(monkeypatch: pytest.MonkeyPatch) -> FakeVirConnect:
    return FakeLibvirt().install(monkeypatch).connection


def with_files(storage: FakeVirConnect) -> list[FakeVolume]:
    files: list[FakeVolume] = []
    storage.folders[PATH] = files
    FakeVolume(files, "disk")
    FakeVolume(files, "sub", kind=2, mtime=None)
    return files


def test_what_lies_in_it(storage: FakeVirConnect) -> None:
    files = with_files(storage)
    hypervisor = LibvirtHypervisor(storage)
    disk, sub = hypervisor.folder(PATH) or ()
    assert (disk.name, disk.type, disk.modified_at) == ("disk", "file", 12.5)
    assert (sub.name, sub.type, sub.modified_at) == ("sub", "dir", math.inf)
    assert storage.pools == {}
    files[0].mtime = "12.6"
    again, _sub = hypervisor.folder(PATH) or ()
    assert again.mark != disk.mark


def test_a_folder_that_is_not_there(storage: FakeVirConnect) -> None:
    hypervisor = LibvirtHypervisor(storage)
    assert hypervisor.folder(PATH) is None
    hypervisor.remove_folder(PATH)
    assert storage.pools == {}


def test_it_is_removed_with_what_lies_in_it(storage: FakeVirConnect) -> None:
    with_files(storage)
    LibvirtHypervisor(storage).remove_folder(PATH)
    assert (storage.folders, storage.pools) == ({}, {})


@pytest.mark.parametrize("active", [False, True])
def test_what_a_killed_run_has_left_is_in_nobodys_way(
    storage: FakeVirConnect, active: bool
) -> None:
    with_files(storage)
    name = f"openstack_recovery{PATH.replace('/', '_')}"
    storage.pools[name] = FakePool(storage, name, PATH)
    storage.pools[name].active = active
    LibvirtHypervisor(storage).remove_folder(PATH)
    assert (storage.folders, storage.pools) == ({}, {})


def test_what_goes_wrong_leaves_no_pool(
    storage: FakeVirConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_files(storage)

    def refuse(_volume: FakeVolume, _flags: int) -> int:
        raise LibvirtError("cannot unlink file: Read-only file system", 38, int1=30)

    monkeypatch.setattr(FakeVolume, "delete", refuse)
    with pytest.raises(RecoveryError, match="Read-only file system") as caught:
        LibvirtHypervisor(storage).remove_folder(PATH)
    assert caught.value.code == "libvirt_error"
    assert storage.pools == {}


def test_a_connection_that_can_only_read_cannot_look(storage: FakeVirConnect) -> None:
    storage.read_only = True
    with pytest.raises(RecoveryError) as caught:
        LibvirtHypervisor(storage).folder(PATH)
    assert caught.value.code == "hypervisor_refused"
