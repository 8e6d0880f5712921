# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is needed of a hypervisor, as Protocols; each call can raise RecoveryError."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .libvirt_domain import LibvirtDomain

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """One entry of an instance's folder.

    ``type`` is libvirt's (file, dir, ...); ``modified_at`` seconds since 1970 by the storage's
    clock; ``mark`` differs whenever the file was changed.
    """

    name: str
    type: str
    modified_at: float
    mark: str


class Hypervisor(Protocol):
    """An open connection."""

    def hostname(self) -> str:
        """What the hypervisor calls itself; Nova's hypervisor_hostname."""

    def domains(self) -> Iterator[LibvirtDomain]:
        """Every domain that is defined or runs, of Nova and of others."""

    def domain(self, uuid: str) -> LibvirtDomain | None:
        """The domain with this UUID, looked up now."""

    def destroy(self, uuid: str) -> None:
        """End the domain's process; nothing when it has none, or the domain is gone."""

    def undefine(self, uuid: str, *, keep_tpm: bool) -> None:
        """Remove the definition and what libvirt keeps with it; nothing when it is gone.

        :param keep_tpm: fail rather than have the state of its virtual TPM removed.
        """

    def folder(self, path: str) -> tuple[FolderFile, ...] | None:
        """What lies in this folder of the hypervisor; None when there is no such folder."""

    def remove_folder(self, path: str) -> None:
        """Remove the files in this folder, and the folder; it must not hold other folders."""


class HypervisorConnection(Protocol):
    """Opens connections that end within their bounds."""

    def run(self, work: Callable[[Hypervisor], Iterable[_T]], *, read_only: bool) -> Iterator[_T]:
        """What the work yields, one by one; each within the bound.

        :param read_only: have libvirt refuse whatever would change something.
        :raises RecoveryError: of the work; ``invalid_uri``, ``hypervisor_refused``, ``tls_error``;
            ``hypervisor_unreachable``, or ``hypervisor_not_listening`` where its machine answers,
            also when nothing more comes.
        """
