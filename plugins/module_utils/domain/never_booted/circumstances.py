# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks up what a verdict needs beyond Nova's databases: images, volumes, networks, the queue.

Each is asked for all instances together. What cannot be asked is left unchecked and said so: a
listing must not be lost because one service does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..errors import RecoveryError
from .network_check import check_requests
from .network_request import Requests
from .network_source import PCI_REQUESTS, PORTS, SINGLE_NETWORK, find_requests
from .neutron import NetworkCloud
from .observation import CLASSES
from .verdict import IMAGES, NETWORKS, QUEUE, VOLUMES, Circumstances, Known

T = TypeVar("T")


class ImagesAndVolumes(Protocol):
    """Glance and Cinder, read with the rights of an administrator. Each call can raise RecoveryError."""

    def images(self, image_ids: Iterable[str]) -> Mapping[str, str]:
        """Status of each that exists."""

    def volumes(self, volume_ids: Iterable[str]) -> Mapping[str, str] | None:
        """Status of each that exists; None where there is no Cinder."""

    def attachments(self, attachment_ids: Iterable[str]) -> Mapping[str, str]:
        """Uuid of the instance that each which exists is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What can be asked; None cannot. They connect when they are first called."""

    images_and_volumes: Callable[[], ImagesAndVolumes] | None = None
    networks: Callable[[], NetworkCloud] | None = None
    queue_depth: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkHint:
    """What a source of network_request would take as the requested networks."""

    source: str
    requests: Requests


def look_around(
    instances: Sequence[Known],
    services: Services,
    checks: Collection[str],
    warn: Callable[[str], None],
) -> tuple[Circumstances, dict[str, NetworkHint]]:
    """What these instances need to know, and hints on the networks of those that are unknown.

    :param checks: which of verdict.CHECKS to make.
    :param warn: told what could not be looked up, and why.
    """

    def ask(check: str, needed: bool, question: Callable[[], T]) -> T | None:
        if check not in checks or not needed:
            return None
        try:
            return question()
        except RecoveryError as error:
            warn(f"{check} were not checked: {error.message}")
            return None

    storage, network_cloud = services.images_and_volumes, services.networks
    images = {k.description.image_id for k in instances} - {None}
    volumes = {v for k in instances for v in k.description.volumes}
    known = [(k.description.subject, k.description.subject.stored) for k in instances]
    pairs = [(subject, stored) for subject, stored in known if stored is not None]
    unknown = [subject for subject, stored in known if stored is None]

    statuses, holders = None, None
    if storage is not None:
        statuses = ask(
            VOLUMES,
            bool(volumes),
            lambda: storage().volumes(sorted({volume.volume_id for volume in volumes})),
        )
        if statuses is not None:
            ids = sorted({v.attachment_id for v in volumes if v.attachment_id is not None})
            holders = ask(VOLUMES, True, lambda: storage().attachments(ids))
    hints: dict[str, NetworkHint] = {}
    problems = None
    if network_cloud is not None:
        problems = ask(NETWORKS, bool(pairs), lambda: check_requests(network_cloud(), pairs))
        found = ask(
            NETWORKS,
            bool(unknown),
            lambda: find_requests(
                network_cloud(), unknown, None, (PORTS, PCI_REQUESTS, SINGLE_NETWORK)
            ),
        )
        hints = {
            uuid: NetworkHint(source=one.source, requests=one.requests)
            for uuid, one in (found or {}).items()
            if one.source is not None and one.requests
        }
    # Only a BuildRequest can have a message in the queue.
    waits = any(CLASSES[k.situation] == "c" and not k.nobody_asked for k in instances)
    around = Circumstances(
        images=None
        if storage is None
        else ask(IMAGES, bool(images), lambda: storage().images(sorted(i for i in images if i))),
        volumes=statuses,
        attachments=holders,
        networks=problems,
        queued=None if services.queue_depth is None else ask(QUEUE, waits, services.queue_depth),
    )
    return around, hints
