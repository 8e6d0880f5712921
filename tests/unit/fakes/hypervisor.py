# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hypervisor in memory, behind the Protocols of domain/hypervisor/hypervisor.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.hypervisor import (
    FolderFile,
    Hypervisor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.libvirt_domain import (
    Disk,
    LibvirtDomain,
    NovaMetadata,
)

_T = TypeVar("_T")
PATH = "/var/lib/nova/instances"


def uuid_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def domain(
    number: int,
    state: str = "running",
    *,
    active: bool | None = None,
    persistent: bool = True,
    foreign: bool = False,
    has_tpm: bool = False,
) -> LibvirtDomain:
    """A domain with one disk in its folder; it has a process unless it is shut off."""
    uuid = uuid_of(number)
    nova = NovaMetadata(
        name=f"web-{number}",
        project_id="p",
        project_name="shop",
        flavor="m1.tiny",
        created_at="2026-03-01 02:15:00",
        version="33.0.2",
    )
    return LibvirtDomain(
        uuid=uuid,
        name=f"instance-{number:08x}",
        state=state,
        active=state != "shutoff" if active is None else active,
        persistent=persistent,
        disks=(Disk("vda", "file", f"{PATH}/{uuid}/disk"),),
        nova=None if foreign else nova,
        has_tpm=has_tpm,
    )


class FakeHypervisor:
    """What it holds is public; what was done to it is in ``calls``."""

    def __init__(self, *domains: LibvirtDomain, hostname: str = "hyper-1") -> None:
        self.name = hostname
        self.held = {domain.uuid: domain for domain in domains}
        self.folders: dict[str, tuple[FolderFile, ...]] = {}
        self.calls: list[tuple[str, str]] = []
        # By call and what: an error that it raises.
        self.refuses: dict[tuple[str, str], RecoveryError] = {}
        # By UUID: its process cannot be killed.
        self.unkillable: set[str] = set()
        # By UUID: a nova-compute at work brings it back.
        self.brought_back: dict[str, LibvirtDomain] = {}
        self.before_looking: Callable[[], None] = lambda: None

    def hostname(self) -> str:
        return self.name

    def domains(self) -> Iterator[LibvirtDomain]:
        yield from list(self.held.values())

    def domain(self, uuid: str) -> LibvirtDomain | None:
        return self.held.get(uuid)

    def destroy(self, uuid: str) -> None:
        self._call("destroy", uuid)
        found = self.held[uuid]
        if uuid in self.unkillable:
            return
        if found.persistent:
            self.held[uuid] = replace(found, state="shutoff", active=False)
        else:
            del self.held[uuid]

    def undefine(self, uuid: str, *, keep_tpm: bool) -> None:
        self._call("undefine_keeping_tpm" if keep_tpm else "undefine", uuid)
        del self.held[uuid]
        self.held.update(self.brought_back)

    def folder(self, path: str) -> tuple[FolderFile, ...] | None:
        self.before_looking()
        return self.folders.get(path)

    def remove_folder(self, path: str) -> None:
        self._call("remove_folder", path)
        del self.folders[path]

    def _call(self, name: str, what: str) -> None:
        self.calls.append((name, what))
        if error := self.refuses.get((name, what)):
            raise error


class FakeConnection:
    """Implements HypervisorConnection without a process; it can hang after some steps."""

    def __init__(self, hypervisor: FakeHypervisor) -> None:
        self.hypervisor = hypervisor
        self.read_only: list[bool] = []
        # Steps until nothing comes any more, of connections that can change something.
        self.hangs_after: int | None = None

    def run(self, work: Callable[[Hypervisor], Iterable[_T]], *, read_only: bool) -> Iterator[_T]:
        self.read_only.append(read_only)
        calls = len(self.hypervisor.calls)
        for number, step in enumerate(work(self.hypervisor)):
            if not read_only and number == self.hangs_after:
                raise unreachable()
            yield step
        if read_only and len(self.hypervisor.calls) > calls:
            raise AssertionError("it changed something over a connection that can only read")


def unreachable() -> RecoveryError:
    return RecoveryError("hypervisor_unreachable", "no answer within 60 s", retriable=True)
