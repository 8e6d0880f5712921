# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the folder of an instance that has moved away may be removed, and removing it.

On shared storage it is the folder that the instance now runs from, so every doubt keeps it.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from ..clock import Clock
from ..cloud import EvacuationRecords
from ..errors import RecoveryError
from ..nova import Instance
from ..records import EVACUATION, SUCCEEDED, in_progress
from .hypervisor import FolderFile, Hypervisor, HypervisorConnection
from .termination import GONE, TERMINATED, DomainResult

# What became of a folder.
REMOVED = "removed"
NO_FOLDER = "absent"
UNCHECKED = "unchecked"
KEPT = "kept"

# Why one was kept.
SHARED = "folder_is_shared"
NOT_REMOVED = "folder_not_removed"

# A guest that works writes within this time, if only its journal.
WATCH_SECONDS = 10.0
# libvirt's log daemon begins a new file when one is full.
_CONSOLE = {"console.log", *(f"console.log.{number}" for number in range(10))}
# States in which an instance is where its host says, and stays there.
_SETTLED = frozenset({"active", "stopped", "paused", "suspended"})


class FolderCloud(EvacuationRecords, Protocol):
    """What Nova is asked."""

    def instances_named(self, names: Iterable[str]) -> list[Instance]:
        """Instances of all projects with one of these ids or exact names."""

    def hypervisor_hostnames(self, host: str) -> frozenset[str]:
        """What the hypervisors of this compute service call themselves."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One instance's. ``written_here``: names of files that a guest wrote until it was ended."""

    uuid: str
    path: str
    written_here: frozenset[str] = frozenset()


def plan_folders(planned: Iterable[DomainResult], instances_path: str) -> list[Folder]:
    """The folders of the domains that are to end, or are gone already."""
    folders = []
    for each in planned:
        if each.result in GONE:
            path = posixpath.join(posixpath.normpath(instances_path), each.uuid)
            folders.append(Folder(each.uuid, path, _written(each, path)))
    return folders


def _written(ended: DomainResult, path: str) -> frozenset[str]:
    if ended.result != TERMINATED or ended.before is None:
        return frozenset()
    sources = {disk.source for disk in ended.before.disks if disk.source}
    disks = {posixpath.basename(s) for s in sources if posixpath.dirname(s) == path}
    return frozenset(disks | _CONSOLE)


def require_storage_of_its_own(shared_storage: bool | None, instances_path: str) -> None:
    """:raises RecoveryError: ``invalid_options``."""
    if shared_storage is not False:
        raise RecoveryError(
            "invalid_options",
            "remove_folder needs shared_storage=false, stated: on storage that hosts share, the"
            " instance runs from that folder on its new host. Nothing was done.",
        )
    if not posixpath.isabs(instances_path) or not instances_path.strip("/"):
        raise RecoveryError(
            "invalid_options", f"instances_path '{instances_path}' is not an absolute path"
        )


def require_elsewhere(
    cloud: FolderCloud, host: str, hostname: str, folders: Sequence[Folder]
) -> dict[str, datetime]:
    """Nova must say of every instance that it was evacuated from this host and is on another.

    :param host: Nova's name of the compute service on the hypervisor.
    :param hostname: what the hypervisor calls itself.
    :returns: when the evacuation of each was begun.
    :raises RecoveryError: ``host_not_found``, ``wrong_hypervisor``, ``instance_not_elsewhere``.
    """
    names = cloud.hypervisor_hostnames(host)
    if not names:
        raise RecoveryError(
            "host_not_found",
            f"Nova has no hypervisor of host '{host}'; nothing was done. The name must match"
            " exactly as 'openstack compute service list' shows it.",
            details={"host": host},
        )
    if hostname not in names:
        raise RecoveryError(
            "wrong_hypervisor",
            f"the hypervisor calls itself '{hostname}', but Nova's host '{host}' has"
            f" {', '.join(sorted(names))}; nothing was done. Check uri and host.",
            details={"host": host, "hostname": hostname, "expected": sorted(names)},
        )
    uuids = [folder.uuid for folder in folders]
    instances = {instance.id: instance for instance in cloud.instances_named(uuids)}
    records = cloud.migrations(source_compute=host, migration_type=EVACUATION)
    begun: dict[str, datetime] = {}
    doubts: dict[str, str] = {}
    for uuid in uuids:
        own = [record for record in records if record.instance_id == uuid]
        newest = max(own, key=lambda record: record.id, default=None)
        if doubt := _doubt(instances.get(uuid), host):
            doubts[uuid] = doubt
        elif newest is None:
            doubts[uuid] = f"there is no evacuation record from {host}"
        elif newest.status not in SUCCEEDED or any(in_progress(record) for record in own):
            doubts[uuid] = f"evacuation record {newest.id} is {newest.status}"
        else:
            begun[uuid] = newest.created_at
    if doubts:
        raise RecoveryError(
            "instance_not_elsewhere",
            f"Nova does not say of {len(doubts)} instances that they were evacuated from '{host}'"
            " and are on another host; nothing was done. See the details.",
            details={"instances": doubts},
        )
    return begun


def _doubt(instance: Instance | None, host: str) -> str | None:
    if instance is None:
        return "Nova does not know it"
    if instance.host is None or instance.host == host:
        return f"its host is {instance.host or 'none'}"
    if instance.vm_state not in _SETTLED or instance.task_state:
        return (
            f"it is {instance.vm_state}{', ' + instance.task_state if instance.task_state else ''}"
        )
    return None


@dataclass(frozen=True, slots=True)
class FolderResult:
    """What became of one folder. ``error``: code and message of why it was kept."""

    uuid: str
    result: str
    error: dict[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """As the module returns it, with what became of the domain."""
        return {"folder": self.result, "folder_error": self.error}


def remove_folders(
    connection: HypervisorConnection,
    folders: Sequence[Folder],
    begun: Mapping[str, datetime],
    clock: Clock,
) -> list[FolderResult]:
    """Remove the folders in which nothing changes while they are watched.

    A folder that cannot be removed surely is kept. That is no failure: nothing runs from it here,
    and a run after one that was killed cannot tell any more what the guest itself wrote.

    :param begun: by UUID when the evacuation was; what is newer was written on another host.
    :raises RecoveryError: those of the connection only; the details ``folders`` have what became
        of each until then.
    """
    if not folders:
        return []
    first = dict(connection.run(functools.partial(_look, folders=folders), read_only=False))
    if any(seen is not None for seen in first.values()):
        clock.sleep(WATCH_SECONDS)
    results: list[FolderResult] = []
    try:
        work = functools.partial(_remove, folders=folders, begun=begun, first=first)
        results.extend(connection.run(work, read_only=False))
    except RecoveryError as error:
        error.details["folders"] = {each.uuid: each.as_dict() for each in results}
        # What the one that did not answer has done is not known.
        error.changed = True
        raise
    return results


# What lies in a folder, None when there is none; or why that is not known.
_Seen: TypeAlias = "tuple[FolderFile, ...] | FolderResult | None"


def _look(hypervisor: Hypervisor, folders: Sequence[Folder]) -> Iterator[tuple[str, _Seen]]:
    for folder in folders:
        seen: _Seen
        try:
            seen = hypervisor.folder(folder.path)
        except RecoveryError as error:
            seen = _not_removed(folder, error)
        yield folder.uuid, seen


def _remove(
    hypervisor: Hypervisor,
    folders: Sequence[Folder],
    begun: Mapping[str, datetime],
    first: Mapping[str, _Seen],
) -> Iterator[FolderResult]:
    for folder in folders:
        try:
            result = _remove_one(hypervisor, folder, begun[folder.uuid], first[folder.uuid])
        except RecoveryError as error:
            result = _not_removed(folder, error)
        yield result


def _not_removed(folder: Folder, error: RecoveryError) -> FolderResult:
    if error.code == "hypervisor_unreachable":
        raise error
    return _kept(folder, NOT_REMOVED, error.message)


def _remove_one(
    hypervisor: Hypervisor, folder: Folder, begun: datetime, first: _Seen
) -> FolderResult:
    if isinstance(first, FolderResult):
        return first
    files = hypervisor.folder(folder.path)
    if files is None:
        return FolderResult(folder.uuid, NO_FOLDER)
    if hypervisor.domain(folder.uuid) is not None:
        return _kept(folder, NOT_REMOVED, "its domain is there again")
    if changed := _changed(folder, begun, first or (), files):
        return _kept(
            folder,
            SHARED,
            f"{changed}, as on storage that the hosts share, where the instance runs from there."
            " Find out why before you remove it by hand",
        )
    if others := [file.name for file in files if file.type != "file"]:
        return _kept(folder, NOT_REMOVED, f"it holds {', '.join(others)}")
    hypervisor.remove_folder(folder.path)
    if hypervisor.folder(folder.path) is not None:
        return _kept(folder, NOT_REMOVED, "it is still there")
    return FolderResult(folder.uuid, REMOVED)


def _kept(folder: Folder, code: str, why: str) -> FolderResult:
    return FolderResult(folder.uuid, KEPT, {"code": code, "message": f"{folder.path}: {why}"})


def _changed(
    folder: Folder,
    begun: datetime,
    first: tuple[FolderFile, ...],
    files: tuple[FolderFile, ...],
) -> str | None:
    if changed := {file.name for file in set(first) ^ set(files)}:
        return f"{', '.join(sorted(changed))} changed while it was watched"
    newer = {file.name for file in files if file.modified_at > begun.timestamp()}
    if elsewhere := newer - folder.written_here:
        return f"{', '.join(sorted(elsewhere))} changed after the evacuation was begun"
    return None
