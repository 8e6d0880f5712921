# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt's domains and folders as the domain's Protocols, with a bound on every step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from typing import Any, TypeVar

from ..domain.errors import RecoveryError
from ..domain.hypervisor.hypervisor import FolderFile, Hypervisor
from ..domain.hypervisor.libvirt_domain import LibvirtDomain, read_domain
from . import libvirt_folder
from .bounded import WorkerDied, WorkerHung, stream
from .libvirt_connection import (
    NOT_LISTENING,
    UNREACHABLE,
    libvirt_errors,
    open_connection,
    require_uri,
)
from .probes import machine_answers

with suppress(ImportError):
    import libvirt

_T = TypeVar("_T")


class LibvirtConnection:
    """Implements HypervisorConnection: each run opens a connection in a worker.

    :param connect_timeout: seconds until the hypervisor has answered for the first time.
    :param timeout: seconds from each step of the work to the next one.
    :raises RecoveryError: ``invalid_uri``.
    """

    def __init__(self, uri: str, *, connect_timeout: float, timeout: float) -> None:
        require_uri(uri)
        self._uri = uri
        self._connect_timeout = connect_timeout
        self._timeout = timeout

    def run(self, work: Callable[[Hypervisor], Iterable[_T]], *, read_only: bool) -> Iterator[_T]:
        """What the work yields; see HypervisorConnection."""
        steps = stream(
            functools.partial(self._work, work, read_only),
            first_within=self._connect_timeout,
            next_within=self._timeout,
        )
        answered = False
        try:
            with closing(steps):
                # The first item is our own.
                answered = next(steps, None) is not None
                yield from steps
        except RecoveryError as error:
            if error.code == UNREACHABLE:
                error.code = self._code_of_silence(answered)
            raise
        except WorkerHung as error:
            code = self._code_of_silence(answered)
            why = (
                "Its machine answers, its libvirtd hangs."
                if code == NOT_LISTENING
                else "Its libvirtd hangs, or nothing answers from that address."
            )
            raise RecoveryError(
                code, f"{self._uri}: {error}. {why}", retriable=True, details={"uri": self._uri}
            ) from error
        except WorkerDied as error:
            raise RecoveryError(
                "libvirt_error", f"{self._uri}: {error}", details={"uri": self._uri}
            ) from error

    def _code_of_silence(self, answered: bool) -> str:
        """What is off has not answered before, and refuses nothing."""
        return NOT_LISTENING if answered or machine_answers(self._uri) else UNREACHABLE

    def _work(self, work: Callable[[Hypervisor], Iterable[_T]], read_only: bool) -> Iterator[Any]:
        hypervisor = LibvirtHypervisor(open_connection(self._uri, read_only=read_only))
        # Connected is who has answered.
        yield hypervisor.hostname()
        yield from work(hypervisor)


class LibvirtHypervisor:
    """Implements Hypervisor with a virConnect."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def hostname(self) -> str:
        with libvirt_errors("read the hypervisor's host name"):
            return str(self._connection.getHostname())

    def domains(self) -> Iterator[LibvirtDomain]:
        with libvirt_errors("list the domains"):
            found = self._connection.listAllDomains(0)
        for each in found:
            if (domain := _read(each)) is not None:
                yield domain

    def domain(self, uuid: str) -> LibvirtDomain | None:
        found = self._find(uuid)
        return None if found is None else _read(found)

    def destroy(self, uuid: str) -> None:
        found = self._find(uuid)
        if found is None:
            return
        with libvirt_errors(f"destroy domain {uuid}"):
            try:
                found.destroy()
            except libvirt.libvirtError as error:
                # It ended by itself in between.
                if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
                    raise

    def undefine(self, uuid: str, *, keep_tpm: bool) -> None:
        found = self._find(uuid)
        if found is None:
            return
        with libvirt_errors(f"undefine domain {uuid}"):
            flags = list(_undefine_flags())
            while not _undefine(found, flags):
                # An older libvirt does not know the newest; without the flag it would not keep it.
                if flags.pop() == libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM and keep_tpm:
                    raise RecoveryError(
                        "libvirt_error",
                        f"domain {uuid} is still defined: this libvirt (older than 8.9) would"
                        " remove the state of its virtual TPM with the definition",
                    )

    def folder(self, path: str) -> tuple[FolderFile, ...] | None:
        return libvirt_folder.files_in(self._connection, path)

    def remove_folder(self, path: str) -> None:
        libvirt_folder.remove(self._connection, path)

    def _find(self, uuid: str) -> Any:
        with libvirt_errors(f"look up domain {uuid}"):
            return _none_if_gone(lambda: self._connection.lookupByUUIDString(uuid))


def _none_if_gone(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def _read(found: Any) -> LibvirtDomain | None:
    """None for a domain that has gone since it was listed."""
    with libvirt_errors("read a domain"):
        return _none_if_gone(
            lambda: read_domain(
                found.XMLDesc(0),
                state=found.state()[0],
                active=bool(found.isActive()),
                persistent=bool(found.isPersistent()),
            )
        )


def _undefine_flags() -> tuple[int, ...]:
    """Oldest first. Nova makes anew what is removed with the definition."""
    return (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
        libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
        libvirt.VIR_DOMAIN_UNDEFINE_NVRAM,
        libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
        libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM,
    )


def _undefine(found: Any, flags: list[int]) -> bool:
    """False when libvirt does not know one of the flags."""
    try:
        found.undefineFlags(sum(flags))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return True
        if error.get_error_code() == libvirt.VIR_ERR_INVALID_ARG and flags:
            return False
        raise
    return True
